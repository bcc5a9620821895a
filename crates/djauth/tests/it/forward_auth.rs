//! `GET /auth/verify` as proxies ask it: conditions, rules, the way to the login page, identity.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request as HttpRequest};
use djauth::forward_auth::IdentityHeader;
use djauth::settings::Draft;
use djauth::{Auth, Settings, User};
use test_databases::TestDatabase;
use tower::ServiceExt;

use crate::auth_support::{logged_in, settings};

const PROXY: [u8; 4] = [127, 0, 0, 1];

const RULES: &str = r#"[
    {"host": "app.example.com", "path": "/staff", "staff": true},
    {"host": "app.example.com", "path": "/owners", "superuser": true},
    {"host": "app.example.com", "path": "/reports", "perm": ["auth.view_user"]},
    {"host": "app.example.com", "path": "/team", "group": ["Site Editors", "b"]},
    {"host": "app.example.com", "path": "/static", "methods": ["GET", "HEAD"], "public": true},
    {"host": "app.example.com", "path": "/never", "deny": true},
    {"host": "app.example.com"}
]"#;

/// The settings with these in place of their defaults.
fn with(values: &[(&str, &str)]) -> Settings {
    let draft = Draft::read_with(None, |name| {
        let given = values.iter().find(|(known, _)| *known == name);
        given.map(|(_, value)| (*value).into()).or(match name {
            "SECRET_KEY" => Some("models-vector-key-0123456789abcdefghijklmnopqrstuv".into()),
            "PASSWORD_HASHERS" => Some(r#"["md5"]"#.into()),
            "TRUSTED_PROXIES" => Some(r#"["127.0.0.1"]"#.into()),
            _ => None,
        })
    });
    draft.unwrap().finish().unwrap()
}

struct Site {
    auth: Auth,
    app: Router,
    /// The session keys of alice, who is nobody special, of those who are something, and of root.
    alice: String,
    editor: String,
    staff: String,
    root: String,
}

async fn site(database: &TestDatabase, settings: Settings) -> Site {
    let auth = Auth::connect(database.url(), settings).await.unwrap();
    auth.migrate().await.unwrap();
    let make = async |name: &str, change: fn(&mut User)| {
        auth.users()
            .create_user_with(name, "", None, change)
            .await
            .unwrap()
    };
    let alice = make("alice", |_| ()).await;
    let editor = make("zo\u{eb}", |user| user.email = "zoe@example.com".into()).await;
    let staff = make("staff", |user| user.is_staff = true).await;
    let root = make("root", |user| user.permissions.is_superuser = true).await;
    let group = auth.groups().create("Site Editors").await.unwrap();
    auth.users()
        .groups(&editor)
        .unwrap()
        .add(&[group.id])
        .await
        .unwrap();
    Site {
        app: Router::new()
            .route("/auth/verify", djauth::views::verify(&auth))
            .merge(djauth::views::verify_original(&auth, "/auth/original")),
        alice: logged_in(&auth, &alice).await,
        editor: logged_in(&auth, &editor).await,
        staff: logged_in(&auth, &staff).await,
        root: logged_in(&auth, &root).await,
        auth,
    }
}

/// What a proxy asks with.
struct Ask<'a> {
    method: &'a str,
    path: &'a str,
    key: &'a str,
    peer: [u8; 4],
    headers: Vec<(&'a str, &'a str)>,
}

impl<'a> Ask<'a> {
    /// For a page of the guarded application.
    fn page(uri: &'a str, key: &'a str) -> Self {
        let headers = vec![
            ("x-forwarded-host", "app.example.com"),
            ("x-forwarded-uri", uri),
            ("x-forwarded-method", "GET"),
            ("x-forwarded-proto", "https"),
        ];
        Self {
            method: "GET",
            path: "/auth/verify",
            key,
            peer: PROXY,
            headers,
        }
    }

    fn query(path: &'a str, key: &'a str) -> Self {
        Self {
            path,
            headers: Vec::new(),
            ..Self::page("/", key)
        }
    }

    fn path(mut self, path: &'a str) -> Self {
        self.path = path;
        self
    }

    fn header(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
        self
    }

    async fn send(&self, site: &Site) -> (u16, HeaderMap) {
        let mut request = HttpRequest::builder()
            .method(self.method)
            .uri(self.path)
            .extension(ConnectInfo(SocketAddr::from((self.peer, 1))))
            .header("cookie", format!("sessionid={}", self.key));
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = site.app.clone().oneshot(request).await.unwrap();
        assert_eq!(
            response.headers()["cache-control"],
            "no-store",
            "{}",
            self.path
        );
        assert!(!response.headers().contains_key("set-cookie"));
        (response.status().as_u16(), response.headers().clone())
    }

    async fn status(&self, site: &Site) -> u16 {
        self.send(site).await.0
    }
}

#[tokio::test]
async fn the_query_names_conditions() {
    for database in TestDatabase::all() {
        let site = site(&database, with(&[])).await;
        let keys = ["", &*site.alice, &*site.editor, &*site.staff, &*site.root];
        for (query, expected) in [
            ("", [401, 200, 200, 200, 200]),
            ("?perm=auth.view_user", [401, 403, 403, 403, 200]),
            ("?group=Site+Editors", [401, 403, 200, 403, 403]),
            ("?group=x&group=Site%20Editors", [401, 403, 200, 403, 403]),
            ("?group=", [401, 403, 403, 403, 403]),
            ("?staff=1", [401, 403, 403, 200, 403]),
            ("?superuser=1", [401, 403, 403, 403, 200]),
            ("?staff=1&superuser=1", [401, 403, 403, 403, 403]),
            ("?redirect=1", [401, 200, 200, 200, 200]),
            ("?perms=auth.view_user", [400; 5]),
            ("?staff=", [400; 5]),
            ("?staff=yes", [400; 5]),
            ("?staff=1&staff=0", [400; 5]),
            ("?Staff=1", [400; 5]),
            ("?x", [400; 5]),
        ] {
            let path = format!("/auth/verify{query}");
            for (key, status) in keys.iter().zip(expected) {
                let found = Ask::query(&path, key).status(&site).await;
                assert_eq!(found, status, "{query} on {}", database.name());
            }
        }
        site.auth.db().close().await;
    }
}

#[tokio::test]
async fn the_first_rule_that_fits_decides() {
    let database = TestDatabase::sqlite();
    let site = site(&database, with(&[("FORWARD_AUTH_RULES", RULES)])).await;
    let keys = ["", &*site.alice, &*site.editor, &*site.staff, &*site.root];
    for (uri, expected) in [
        ("/", [401, 200, 200, 200, 200]),
        ("/staff", [401, 403, 403, 200, 403]),
        ("/staff/x?y=/z", [401, 403, 403, 200, 403]),
        ("/%73taff", [401, 403, 403, 200, 403]),
        ("/owners/", [401, 403, 403, 403, 200]),
        ("/reports/1", [401, 403, 403, 403, 200]),
        ("/reports-old", [401, 200, 200, 200, 200]),
        ("/team", [401, 403, 200, 403, 403]),
        ("/static/x.css", [200; 5]),
        ("/never", [403; 5]),
        ("/x/../never", [400; 5]),
        ("//never", [400; 5]),
        ("/never%2f", [400; 5]),
        ("/NEVER", [400; 5]),
        ("/x/%2e%2e/never", [400; 5]),
        ("/x/..;/never", [400; 5]),
    ] {
        for (key, status) in keys.iter().zip(expected) {
            assert_eq!(Ask::page(uri, key).status(&site).await, status, "{uri}");
        }
    }
    let other = |host| Ask::page("/", &site.root).header("x-forwarded-host", host);
    for (host, status) in [
        ("APP.example.com.:8443", 200),
        ("other.example.com", 403),
        ("app.example.com.evil.com", 403),
        ("app.example.com, app.example.com", 400),
        ("app.example.com@evil.com", 400),
    ] {
        assert_eq!(other(host).status(&site).await, status, "{host}");
    }
    let post = Ask::page("/static/x", "").header("x-forwarded-method", "POST");
    assert_eq!(post.status(&site).await, 401);
    // The conditions of the query hold besides those of the rule.
    let more = Ask::page("/", &site.alice).path("/auth/verify?staff=1");
    assert_eq!(more.status(&site).await, 403);
    let public = Ask::page("/static/x", "").path("/auth/verify?staff=1");
    assert_eq!(public.status(&site).await, 401);
    // Of two lists of groups neither can be left out, and who is in one need not be in the other.
    let groups = Ask::page("/team", &site.editor).path("/auth/verify?group=x&group=Site+Editors");
    assert_eq!(groups.status(&site).await, 400);
}

/// Where a backend lets the inactive in, they are nobody special all the same.
#[tokio::test]
async fn somebody_inactive_meets_no_condition() {
    let database = TestDatabase::sqlite();
    let all = [(
        "AUTHENTICATION_BACKENDS",
        r#"["AllowAllUsersModelBackend"]"#,
    )];
    let site = site(&database, with(&all)).await;
    for mut user in site.auth.users().all().all().await.unwrap() {
        user.is_active = false;
        site.auth.users().save(&mut user).await.unwrap();
    }
    for (query, key, expected) in [
        ("", &site.staff, 200),
        ("?staff=1", &site.staff, 403),
        ("?superuser=1", &site.root, 403),
        ("?perm=auth.view_user", &site.root, 403),
        ("?group=Site+Editors", &site.editor, 403),
    ] {
        let path = format!("/auth/verify{query}");
        let found = Ask::query(&path, key).status(&site).await;
        assert_eq!(found, expected, "{query}");
    }
}

/// Only a trusted proxy can say what is asked for; where nobody says it, nothing passes.
#[tokio::test]
async fn without_a_trusted_proxy_rules_let_nobody_in() {
    let database = TestDatabase::sqlite();
    let site = site(&database, with(&[("FORWARD_AUTH_RULES", RULES)])).await;
    let mut stranger = Ask::page("/", &site.root);
    stranger.peer = [192, 0, 2, 1];
    assert_eq!(stranger.status(&site).await, 403);
    assert_eq!(
        Ask::query("/auth/verify", &site.root).status(&site).await,
        403
    );
    let twice = Ask::page("/", &site.root).header("x-original-uri", "/never");
    assert_eq!(twice.status(&site).await, 400);
    let mut underscored = Ask::page("/", &site.root);
    underscored.headers[1] = ("x_forwarded_uri", "/");
    assert_eq!(underscored.status(&site).await, 403);
}

#[tokio::test]
async fn whoever_is_not_logged_in_is_told_or_led_where_to() {
    let database = TestDatabase::sqlite();
    let settings = with(&[
        ("LOGIN_URL", "https://auth.example.com/accounts/login/"),
        ("FORWARD_AUTH_HOSTS", r#"["app.example.com"]"#),
    ]);
    let site = site(&database, settings).await;
    let login = "https://auth.example.com/accounts/login/?next=https%3A//app.example.com/a%3Fb%3D1";
    let (status, headers) = Ask::page("/a?b=1", "").send(&site).await;
    assert_eq!(
        (status, headers["x-login-url"].to_str().unwrap()),
        (401, login)
    );
    assert_eq!(headers["www-authenticate"], "Cookie cookie-name=sessionid");
    let lead = "/auth/verify?redirect=1";
    let (status, headers) = Ask::page("/a?b=1", "").path(lead).send(&site).await;
    assert_eq!(
        (status, headers["location"].to_str().unwrap()),
        (302, login)
    );
    let mut head = Ask::page("/a?b=1", "").path(lead);
    head.method = "HEAD";
    assert_eq!(head.status(&site).await, 302);
    for (name, value) in [
        ("x-forwarded-method", "POST"),
        ("accept", "application/json"),
        ("sec-fetch-mode", "cors"),
    ] {
        let (status, headers) = Ask::page("/a", "")
            .path(lead)
            .header(name, value)
            .send(&site)
            .await;
        assert_eq!(status, 401, "{name}");
        assert!(headers.contains_key("www-authenticate") && !headers.contains_key("location"));
    }
    // Another host is not led back to, and a stranger is not believed.
    let evil = Ask::page("/a", "")
        .path(lead)
        .header("x-forwarded-host", "evil.com");
    let (status, headers) = evil.send(&site).await;
    assert_eq!(
        (status, headers["location"].to_str().unwrap()),
        (302, &login[..40])
    );
    let mut stranger = Ask::page("/a", "").path(lead);
    stranger.peer = [192, 0, 2, 1];
    let (status, headers) = stranger.send(&site).await;
    assert!(status == 401 && !headers.contains_key("x-login-url"));
}

#[tokio::test]
async fn the_application_is_told_who_it_is() {
    let database = TestDatabase::sqlite();
    let settings = with(&[
        ("FORWARD_AUTH_RULES", RULES),
        ("FORWARD_AUTH_HEADERS", r#"["email", "name", "groups"]"#),
    ]);
    let site = site(&database, settings).await;
    let (_, headers) = Ask::page("/", &site.editor).send(&site).await;
    assert_eq!(headers["x-remote-user"], "zo%C3%AB");
    assert_eq!(headers["x-remote-email"], "zoe%40example.com");
    assert_eq!(headers["x-remote-name"], "");
    assert_eq!(headers["x-remote-groups"], "Site%20Editors");
    // Nobody on a public page: every header is there, to take the place of a forged one.
    let (status, headers) = Ask::page("/static/x", "").send(&site).await;
    assert_eq!(status, 200);
    for name in [
        "x-remote-user",
        "x-remote-email",
        "x-remote-name",
        "x-remote-groups",
    ] {
        assert_eq!(headers[name], "", "{name}");
    }
    let (_, headers) = Ask::page("/static/x", &site.alice).send(&site).await;
    assert_eq!(headers["x-remote-user"], "alice");
}

#[tokio::test]
async fn a_name_that_is_several_lines_is_refused() {
    let database = TestDatabase::sqlite();
    let site = site(&database, with(&[])).await;
    let forged = site
        .auth
        .users()
        .create_user("a\nX-Remote-User: root", "", None)
        .await
        .unwrap();
    let key = logged_in(&site.auth, &forged).await;
    let (status, headers) = Ask::query("/auth/verify", &key).send(&site).await;
    assert!(status == 403 && !headers.contains_key("x-remote-user"));
}

/// Envoy asks with the client's own request: method, host and path.
#[tokio::test]
async fn the_original_request_itself_can_be_the_question() {
    let database = TestDatabase::sqlite();
    let site = site(&database, with(&[("FORWARD_AUTH_RULES", RULES)])).await;
    for (method, path, key, status) in [
        ("GET", "/auth/original/staff", &*site.staff, 200),
        (
            "GET",
            "/auth/original/staff?redirect=1&perm=x",
            &*site.staff,
            200,
        ),
        ("POST", "/auth/original/staff/x", &*site.alice, 403),
        ("POST", "/auth/original/static/x", "", 401),
        ("GET", "/auth/original/static/x", "", 200),
        ("GET", "/auth/original/", &*site.alice, 200),
        ("GET", "/auth/original/", "", 302),
        ("PUT", "/auth/original/", "", 401),
        ("GET", "/auth/original//never", &*site.root, 400),
        ("GET", "/auth/original/x/../never", &*site.root, 400),
    ] {
        let mut ask = Ask::query(path, key).header("host", "app.example.com");
        ask.method = method;
        assert_eq!(ask.status(&site).await, status, "{method} {path}");
    }
    // What the client tells of another address is nothing here.
    let forged = Ask::page("/static/x", "").path("/auth/original/never");
    assert_eq!(
        forged.header("host", "app.example.com").status(&site).await,
        403
    );
    let elsewhere = Ask::query("/auth/original/", &site.root).header("host", "other.example.com");
    assert_eq!(elsewhere.status(&site).await, 403);
    let mut stranger = Ask::query("/auth/original/", &site.root).header("host", "app.example.com");
    stranger.peer = [192, 0, 2, 1];
    assert_eq!(stranger.status(&site).await, 403);
}

#[tokio::test]
async fn a_database_that_is_away_is_neither_yes_nor_no() {
    let database = TestDatabase::sqlite();
    let mut settings = settings();
    settings.forward_auth_headers = vec![IdentityHeader::Groups];
    let site = site(&database, settings).await;
    site.auth.db().close().await;
    for query in ["", "?staff=1", "?group=b", "?perm=auth.view_user"] {
        let path = format!("/auth/verify{query}");
        let (status, headers) = Ask::query(&path, &site.alice).send(&site).await;
        assert!(
            status == 503 && headers.contains_key("retry-after"),
            "{query}"
        );
    }
}
