//! Real proxies in front of the server and of a guarded program, as `docs/proxies` sets them up.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::browser::{Answer, Browser};
use crate::site::{DJAUTH, Server, Site};

const NGINX: &str = include_str!("../../../../docs/proxies/nginx.conf");
const CADDY: &str = include_str!("../../../../docs/proxies/Caddyfile");
const APACHE: &str = include_str!("../../../../docs/proxies/apache.conf");

const OLD_KEY: &str = "an old key for tests, 0123456789 abcdefghijklmnopqrstuv";
const NEW_KEY: &str = "a new key for tests, 0123456789 abcdefghijklmnopqrstuvw";

/// What visitors forge: the header in every spelling that some program takes for it.
const FORGED: [(&str, &str); 4] = [
    ("X-Remote-User", "forged"),
    ("x_remote_user", "forged"),
    ("X-Remote_User", "forged"),
    ("X-Remote-Groups", "forged"),
];

const RULES: &str = r#"
[[FORWARD_AUTH_RULES]]
host = "127.0.0.1"
path = "/staff"
staff = true

[[FORWARD_AUTH_RULES]]
host = "127.0.0.1"
path = "/open"
methods = ["GET"]
public = true

[[FORWARD_AUTH_RULES]]
host = "127.0.0.1"
"#;

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The guarded program: answers with the request that reached it.
fn guarded_program() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            thread::spawn(move || echo(stream));
        }
    });
    address
}

fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            read => head.extend_from_slice(&buffer[..read]),
        }
    }
    let length = head.len();
    let text = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(text.as_bytes())?;
    stream.write_all(&head)
}

/// A running proxy; killed when dropped.
struct Proxy {
    child: Child,
    address: SocketAddr,
}

impl Proxy {
    fn start(mut command: Command, port: u16) -> Self {
        let name = command.get_program().to_owned();
        let started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = started.unwrap_or_else(|error| {
            panic!(
                "{} does not start ({error}): `cargo xtask ci` installs it",
                name.display()
            )
        });
        let mut proxy = Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(proxy.address).is_err() {
            let ended = proxy.child.try_wait().unwrap();
            assert!(ended.is_none(), "{} ended: {ended:?}", name.display());
            assert!(
                Instant::now() < deadline,
                "{} does not listen",
                name.display()
            );
            thread::sleep(Duration::from_millis(20));
        }
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Apache's children go with a parent that is asked to end, not with one that is killed.
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

/// A recipe with the ports of this test.
fn with_ports(recipe: &str, port: u16, djauth: SocketAddr, app: SocketAddr) -> String {
    recipe
        .replace("127.0.0.1:8000", &djauth.to_string())
        .replace("127.0.0.1:9000", &app.to_string())
        .replace("8080", &port.to_string())
}

/// What a server needs that is no Debian service: its own folders, no second process.
fn nginx(site: &Site, djauth: SocketAddr, app: SocketAddr) -> Proxy {
    let port = free_port();
    let folder = site.path("nginx");
    fs::create_dir(&folder).unwrap();
    let own = folder.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary
        .map(|name| format!("{name}_temp_path {own}/{name};\n"))
        .concat();
    let recipe = with_ports(NGINX, port, djauth, app);
    let text = format!(
        "daemon off;\nmaster_process off;\npid {own}/pid;\nerror_log {own}/error.log;\n\
         events {{}}\nhttp {{\naccess_log off;\n{temporary}{recipe}\n}}\n"
    );
    fs::write(folder.join("nginx.conf"), text).unwrap();
    let mut command = site.program("nginx");
    command
        .arg("-p")
        .arg(&folder)
        .arg("-e")
        .arg(folder.join("error.log"));
    command.arg("-c").arg(folder.join("nginx.conf"));
    Proxy::start(command, port)
}

fn caddy(site: &Site, djauth: SocketAddr, app: SocketAddr) -> Proxy {
    let port = free_port();
    let recipe = with_ports(CADDY, port, djauth, app);
    fs::write(
        site.path("Caddyfile"),
        format!("{{\n\tadmin off\n}}\n{recipe}"),
    )
    .unwrap();
    let mut command = site.program("caddy");
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(site.path("Caddyfile"));
    command.env("HOME", site.path("caddy"));
    Proxy::start(command, port)
}

/// A site behind a proxy on loopback.
fn guarded_site(settings: &str) -> Site {
    let site = Site::new()
        .with("ALLOWED_HOSTS", r#"["127.0.0.1"]"#)
        .with("TRUSTED_PROXIES", r#"["127.0.0.1"]"#)
        .with("DJAUTH_SETTINGS", "settings.toml");
    fs::write(site.path("settings.toml"), format!("{settings}{RULES}")).unwrap();
    site
}

fn key(key: &str) -> String {
    format!("SECRET_KEY = \"{key}\"\nFORWARD_AUTH_HEADERS = [\"groups\"]\n")
}

fn serve(site: &Site, address: &str) -> Server {
    Server::start(site.djauth(&["runserver", address]))
}

fn forged(browser: &mut Browser, path: &str) -> Answer {
    browser.request("GET", path, &FORGED, "")
}

/// What reached the guarded program says this user, and nothing that was forged.
#[track_caller]
fn assert_reached_as(answer: &Answer, name: &str) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let head = answer.body.to_lowercase();
    assert!(!head.contains("forged"), "{head}");
    let told = head
        .lines()
        .filter_map(|line| line.strip_prefix("x-remote-user:"));
    let told: Vec<_> = told
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let expected: &[&str] = if name.is_empty() { &[] } else { &[name] };
    assert_eq!(told, expected, "{head}");
}

/// The walk of one visitor, whatever the proxy.
fn a_page_is_guarded(start: fn(&Site, SocketAddr, SocketAddr) -> Proxy) {
    let site = guarded_site(&key(OLD_KEY));
    assert_eq!(site.run(&["migrate"]).code, Some(0));
    site.superuser("root", "secret");
    let server = serve(&site, "127.0.0.1:0");
    let djauth = server.address;
    let proxy = start(&site, djauth, guarded_program());

    let mut visitor = Browser::new(proxy.address);
    let answer = forged(&mut visitor, "/page?a=1&b=/c");
    assert_eq!(answer.status, 302, "{answer:?}");
    let login = answer.header("location").unwrap();
    let path = &login[login.find("/accounts/").unwrap()..];
    assert_eq!(path, "/accounts/login/?next=/page%3Fa%3D1%26b%3D/c");
    // Nobody may see what is open, and is nobody there; a POST to it needs a login.
    assert_reached_as(&forged(&mut visitor, "/open/x"), "");
    assert_ne!(visitor.request("POST", "/open/x", &FORGED, "").status, 200);
    assert_ne!(visitor.get("/open/../staff").status, 200);

    assert_eq!(visitor.get(path).status, 200);
    let answer = visitor.post(path, &[("username", "root"), ("password", "wrong")]);
    assert_eq!(answer.status, 200);
    let answer = visitor.post(path, &[("username", "root"), ("password", "secret")]);
    assert_eq!(
        (answer.status, answer.header("location")),
        (302, Some("/page?a=1&b=/c"))
    );
    for path in ["/page?a=1&b=/c", "/staff/x", "/open/x"] {
        assert_reached_as(&forged(&mut visitor, path), "root");
    }
    // Another session key is nobody's.
    let mut thief = Browser::new(proxy.address);
    thief.cookies.insert("sessionid".into(), "a".repeat(32));
    assert_ne!(forged(&mut thief, "/page").status, 200);
    // What the proxy tells cannot be told by the visitor.
    let told = [
        ("X-Forwarded-Uri", "/open/x"),
        ("X-Original-URI", "/open/x"),
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Host", "127.0.0.1"),
    ];
    assert_ne!(thief.request("GET", "/staff", &told, "").status, 200);
    assert_ne!(thief.request("POST", "/open/x", &told, "").status, 200);

    // The key is replaced, then the old one forgotten: nobody notices.
    let address = djauth.to_string();
    server.stop();
    rotate(
        &site,
        &format!("{}SECRET_KEY_FALLBACKS = [\"{OLD_KEY}\"]\n", key(NEW_KEY)),
    );
    let server = serve(&site, &address);
    assert_reached_as(&forged(&mut visitor, "/page"), "root");
    let before = visitor.cookies["sessionid"].clone();
    assert_eq!(visitor.get("/accounts/profile/").status, 200);
    assert_ne!(visitor.cookies["sessionid"], before);
    assert_reached_as(&forged(&mut visitor, "/page"), "root");
    server.stop();
    rotate(&site, &key(NEW_KEY));
    let server = serve(&site, &address);
    assert_reached_as(&forged(&mut visitor, "/page"), "root");

    visitor.get("/accounts/profile/");
    assert_eq!(visitor.post("/accounts/logout/", &[]).status, 200);
    assert_ne!(forged(&mut visitor, "/page").status, 200);
    // Without an answer nobody passes, not even to what is open.
    server.stop();
    assert!(visitor.get("/open/x").status >= 500);
}

fn rotate(site: &Site, settings: &str) {
    fs::write(site.path("settings.toml"), format!("{settings}{RULES}")).unwrap();
}

#[test]
fn nginx_guards_a_page() {
    a_page_is_guarded(nginx);
}

#[test]
fn caddy_guards_a_page() {
    a_page_is_guarded(caddy);
}

const APACHE_MODULES: [&str; 10] = [
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "auth_basic",
    "authnz_external",
    "headers",
    "proxy",
    "proxy_http",
    "env",
];

fn apache(site: &Site, app: SocketAddr) -> Proxy {
    let port = free_port();
    let folder = site.path("apache");
    fs::create_dir(&folder).unwrap();
    let module =
        |name: &&str| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n");
    let modules: String = APACHE_MODULES.iter().map(module).collect();
    let recipe = with_ports(APACHE, port, app, app)
        .replace(
            "/usr/bin/djauth",
            &site.path("djauth").display().to_string(),
        )
        .replace(
            "/etc/djauth.toml",
            &site.path("settings.toml").display().to_string(),
        );
    // Apache gives up the rights of root; the recipe is the same.
    let user = if rustix::process::geteuid().is_root() {
        "User www-data\nGroup www-data\n"
    } else {
        ""
    };
    let own = folder.display();
    let text = format!(
        "ServerRoot {own}\nServerName localhost\nPidFile {own}/pid\nErrorLog {own}/error.log\n\
         DefaultRuntimeDir {own}\n{modules}{user}{recipe}"
    );
    fs::write(folder.join("apache.conf"), text).unwrap();
    let mut command = site.program("apache2");
    command
        .arg("-DFOREGROUND")
        .arg("-f")
        .arg(folder.join("apache.conf"));
    Proxy::start(command, port)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// Apache asks for name and password, and `djauth checkpassword` and `groupsforuser` answer.
#[test]
fn apache_guards_a_page() {
    let site = Site::new();
    let database = site.path("db.sqlite3");
    let cheap = "[PASSWORD_HASHER_PARAMETERS.pbkdf2_sha256]\niterations = 1000\n";
    let settings = format!(
        "SECRET_KEY = \"{OLD_KEY}\"\nDATABASE_URL = \"sqlite://{}\"\n{cheap}",
        database.display()
    );
    fs::write(site.path("settings.toml"), settings).unwrap();
    let site = site.with("DJAUTH_SETTINGS", "settings.toml");
    assert_eq!(site.run(&["migrate"]).code, Some(0));
    site.superuser("zo\u{eb}@x", "a secret: \u{df}");
    // For the user whom Apache becomes.
    fs::copy(DJAUTH, site.path("djauth")).unwrap();
    set_mode(&site.path("."), 0o777);
    let files = site.files().into_iter();
    for file in files.filter(|name| name.starts_with("db.sqlite3")) {
        set_mode(&site.path(&file), 0o666);
    }
    let proxy = apache(&site, guarded_program());

    let mut visitor = Browser::new(proxy.address);
    let mut ask = |path: &str, name: &str, password: &str| {
        let authorization = basic(name, password);
        let mut headers = FORGED.to_vec();
        headers.push(("Authorization", &authorization));
        visitor.request("GET", path, &headers, "")
    };
    let answer = ask("/page", "zo\u{eb}@x", "a secret: \u{df}");
    let log = fs::read_to_string(site.path("apache/error.log"));
    assert_eq!(answer.status, 200, "{answer:?} {log:?}");
    let head = answer.body.to_lowercase();
    assert!(
        head.contains("x-remote-user: zo%c3%ab") && !head.contains("authorization"),
        "{head}"
    );
    assert!(
        !head.contains("x_remote_user") && !head.contains("x-remote_user"),
        "{head}"
    );
    for (name, password) in [
        ("zo\u{eb}@x", "wrong"),
        ("nobody", "a secret: \u{df}"),
        ("zo\u{eb}@x", ""),
        ("", ""),
    ] {
        assert_eq!(ask("/page", name, password).status, 401, "{name}");
    }
    assert_eq!(ask("/team", "zo\u{eb}@x", "a secret: \u{df}").status, 401);
    let answer = Browser::new(proxy.address).request("GET", "/page", &FORGED, "");
    assert_eq!(answer.status, 401);
}
