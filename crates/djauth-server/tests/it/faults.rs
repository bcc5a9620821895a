//! Sudden deaths, and a database that goes away.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};
use test_databases::TestDatabase;

use crate::browser::Browser;
use crate::site::Site;

/// Killed at many moments, the maker of a user leaves none or a whole one: one that can log in.
#[test]
fn kill_9_while_a_user_is_made_leaves_no_half_made_one() {
    let site = Site::new();
    site.superuser("root", "correct horse");
    let server = site.serve();
    for step in 0..20_u64 {
        let name = format!("user{step}");
        let mut command = site.djauth(&[
            "createsuperuser",
            "--noinput",
            "--username",
            &name,
            "--email=",
        ]);
        command
            .env("DJANGO_SUPERUSER_PASSWORD", "correct horse")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(step * 3));
        let _ = kill_process(Pid::from_child(&child), Signal::KILL);
        let finished = child.wait().unwrap().success();
        let login = Browser::new(server.address)
            .login(&name, "correct horse")
            .status;
        let again = site
            .run(&[
                "createsuperuser",
                "--noinput",
                "--username",
                &name,
                "--email=",
            ])
            .code;
        assert!(
            matches!((login, again), (302, Some(1)) | (200, Some(0))),
            "{name}: {login} {again:?}"
        );
        assert!(!finished || login == 302, "{name} was reported as made");
    }
}

/// A committed login survives the server's sudden death.
#[test]
fn kill_9_loses_no_session() {
    let site = Site::new();
    site.superuser("root", "correct horse");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    assert_eq!(browser.login("root", "correct horse").status, 302);
    server.kill();
    let server = site.serve();
    let mut again = Browser::new(server.address);
    again.cookies = browser.cookies;
    assert_eq!(again.get("/auth/verify").status, 200);
}

/// Killed at many moments, a first run can be repeated.
#[test]
fn kill_9_during_the_first_run_can_be_repeated() {
    for step in 0..10_u64 {
        let site = Site::new();
        let mut command = site.djauth(&["migrate"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(step * 2));
        let _ = kill_process(Pid::from_child(&child), Signal::KILL);
        child.wait().unwrap();
        let ran = site.run(&["migrate"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(site.run(&["migrate", "--check"]).code, Some(0));
    }
}

/// A database server that goes away is a 503 with a time to come back, never a "not logged in"; when
/// it is back, so is everything else.
#[test]
fn a_database_that_goes_away_is_a_503_and_comes_back_by_itself() {
    for database in [TestDatabase::postgres(), TestDatabase::mariadb()] {
        let proxy = Proxy::new(address_of(database.url()));
        let url = database
            .url()
            .replace(&address_of(database.url()), &proxy.address.to_string());
        let site = Site::new()
            .with("DATABASE_URL", &url)
            .with("SECRET_KEY", "a key of the test");
        assert_eq!(site.run(&["migrate"]).code, Some(0));
        site.superuser("edith", "correct horse");
        let server = site.serve();
        let mut browser = Browser::new(server.address);
        assert_eq!(browser.login("edith", "correct horse").status, 302);
        assert_eq!(browser.get("/auth/verify").status, 200);
        proxy.cut();
        for path in ["/auth/verify", "/accounts/profile/"] {
            let answer = browser.get(path);
            assert_eq!(answer.status, 503, "{path}: {answer:?}");
            assert!(answer.header("Retry-After").is_some(), "{path}: {answer:?}");
        }
        assert!(browser.cookies.contains_key("sessionid"));
        proxy.mend();
        assert_eq!(browser.get("/auth/verify").status, 200);
        assert!(browser.get("/accounts/profile/").body.contains("edith"));
    }
}

/// `HOST:PORT` of a URL.
pub(crate) fn address_of(url: &str) -> String {
    let (_, rest) = url.split_once('@').unwrap();
    rest.split('/').next().unwrap().to_owned()
}

/// Stands between the server and its database, and can fail.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<Wires>>,
}

#[derive(Default)]
struct Wires {
    cut: bool,
    open: Vec<TcpStream>,
}

impl Proxy {
    pub(crate) fn new(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(Wires::default()));
        let wires = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut wires = wires.lock().unwrap();
                if wires.cut {
                    continue;
                }
                let server = TcpStream::connect(&target).unwrap();
                join(&client, &server);
                join(&server, &client);
                wires.open.extend([client, server]);
            }
        });
        Self { address, state }
    }

    /// Breaks every connection, and refuses new ones.
    pub(crate) fn cut(&self) {
        let mut wires = self.state.lock().unwrap();
        wires.cut = true;
        for wire in wires.open.drain(..) {
            let _ = wire.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn mend(&self) {
        self.state.lock().unwrap().cut = false;
    }
}

/// Copies one direction until either end closes.
fn join(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}
