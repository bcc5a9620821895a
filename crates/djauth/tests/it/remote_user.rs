//! Remote users, step by step as Django (`interop/vectors/remote_user.py`), on each database.

use std::net::SocketAddr;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue, Request as HttpRequest, StatusCode, Uri};
use axum::response::Response;
use axum::routing::any;
use djauth::backends::{
    AllowAllUsersRemoteUserBackend, ConfigureUser, ModelBackend, RemoteUserBackend,
};
use djauth::http::{Request, parse_cookie};
use djauth::middleware::RemoteUserMiddleware;
use djauth::models::Q;
use djauth::settings::Draft;
use djauth::{Auth, BACKEND_SESSION_KEY, BaseUser as _, Builder, Credentials, User};
use serde_json::{Value, json};
use test_databases::TestDatabase;
use tower::ServiceExt;

use crate::auth_support::{on_each_auth, settings};
use crate::layer::page;

static DATA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/remote_user.json")).unwrap());

const MODEL: &str = "django.contrib.auth.backends.ModelBackend";
const SECRET: &str = "q7Rb2XkV9mTz0LhYc4NfWs8JdGpEuA1e";
const PROXY: [u8; 4] = [127, 0, 0, 1];

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The backends of the script, by the names that it gives them.
fn with_backend(builder: Builder<User>, path: &str) -> Builder<User> {
    match path {
        MODEL => builder.backend(ModelBackend::new()),
        "vectors.KnownOnly" => {
            builder.backend(RemoteUserBackend::at_path(path).create_unknown_user(false))
        }
        "vectors.Cleaning" => builder.backend(
            RemoteUserBackend::at_path(path)
                .clean_username(|name| name.split('@').next().unwrap_or_default().to_owned())
                .configure_user(configure),
        ),
        AllowAllUsersRemoteUserBackend::PATH => {
            builder.backend(AllowAllUsersRemoteUserBackend::backend())
        }
        _ => builder.backend(RemoteUserBackend::at_path(path)),
    }
}

async fn configure(found: ConfigureUser) -> djauth::backends::BackendResult<Option<User>> {
    let (Some(mut user), Some(request)) = (found.user, found.request) else {
        return Ok(None);
    };
    user.email = request.header("x-who").unwrap_or_default().into_owned();
    user.last_name = if found.created { "new" } else { "known" }.into();
    found.auth.users().save(&mut user).await?;
    Ok(Some(user))
}

async fn connect(database: &TestDatabase, backends: &[&str]) -> Auth {
    let mut settings = settings();
    settings.allowed_hosts = vec!["testserver".into()];
    settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let builder = backends
        .iter()
        .fold(Auth::builder(settings), |builder, path| {
            with_backend(builder, path)
        });
    let auth = builder.connect(database.url()).await.unwrap();
    auth.migrate().await.unwrap();
    auth
}

fn app(auth: &Auth, persistent: bool) -> Router {
    let middleware = if persistent {
        RemoteUserMiddleware::persistent()
    } else {
        RemoteUserMiddleware::new()
    };
    let header = HeaderName::from_static("x-who");
    let auth_of_page = auth.clone();
    let who = async move |request: Request, uri: Uri| {
        if let Some(cart) = uri.query() {
            request.session().insert("cart", cart).await.unwrap();
        }
        let user = auth_of_page.user(&request).await.unwrap();
        user.map(|user| user.get_username()).unwrap_or_default()
    };
    Router::new()
        .route("/", any(who))
        .layer(auth.layer().remote_user(middleware.header(header)))
}

/// One browser.
struct Browser {
    app: Router,
    auth: Auth,
    key: String,
    peer: [u8; 4],
}

impl Browser {
    fn new(auth: &Auth, persistent: bool) -> Self {
        Self {
            app: app(auth, persistent),
            auth: auth.clone(),
            key: String::new(),
            peer: PROXY,
        }
    }

    async fn ask(&mut self, names: &[&str], query: &str, post: bool) -> Response {
        let mut request = HttpRequest::builder()
            .uri(format!("/{query}"))
            .extension(ConnectInfo(SocketAddr::from((self.peer, 1))))
            .header(HOST, "testserver")
            .header(
                COOKIE,
                format!("sessionid={}; csrftoken={SECRET}", self.key),
            );
        for name in names {
            let bytes: Vec<u8> = name.chars().map(|c| u8::try_from(c).unwrap()).collect();
            request = request.header("x-who", HeaderValue::from_bytes(&bytes).unwrap());
        }
        let mut body = String::new();
        if post {
            request = request
                .method("POST")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            body = format!("csrfmiddlewaretoken={SECRET}");
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        if let Some(cookie) = cookie(&response, "sessionid") {
            self.key = cookie;
        }
        response
    }

    /// Who is logged in, as a page sees it.
    async fn who(&mut self, names: &[&str]) -> String {
        let response = self.ask(names, "", false).await;
        assert_eq!(response.status(), StatusCode::OK);
        page(response).await
    }

    async fn lives(&self, key: &str) -> bool {
        let session = self.auth.sessions().open(Some(key));
        let has = async |name| session.contains_key(name).await.unwrap();
        !key.is_empty() && (has(BACKEND_SESSION_KEY).await || has("cart").await)
    }

    /// What the script tells of a step.
    async fn step(&mut self, step: &Value) -> Value {
        let before = self.key.clone();
        let names: Vec<_> = step["header"].as_str().into_iter().collect();
        let query = step["cart"].as_str().map(|cart| format!("?{cart}"));
        let post = step["post"] == true;
        let response = self.ask(&names, &query.unwrap_or_default(), post).await;
        let csrf = cookie(&response, "csrftoken").is_some_and(|secret| secret != SECRET);
        let vary = response
            .headers()
            .get("vary")
            .map(|v| v.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let session = self.auth.sessions().open(Some(&self.key));
        json!({
            "header": step["header"], "cart": step["cart"], "post": step["post"],
            "status": status,
            "who": page(response).await,
            "key": if self.key.is_empty() { "none" } else if self.key == before { "same" } else { "new" },
            "old_row_lives": self.lives(&before).await,
            "backend": session.get_str(BACKEND_SESSION_KEY).await.unwrap(),
            "has_cart": session.contains_key("cart").await.unwrap(),
            "csrf_rotated": csrf,
            "vary": vary,
            "users": users(&self.auth).await,
        })
    }
}

fn cookie(response: &Response, name: &str) -> Option<String> {
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    cookies
        .filter_map(|value| {
            let first = value.to_str().unwrap().split(';').next()?;
            Some(parse_cookie(first).get(name)?.trim_matches('"').to_owned())
        })
        .next_back()
}

async fn users(auth: &Auth) -> Value {
    let users = auth.users().all().order_by(&["id"]).all().await.unwrap();
    let rows = users.iter();
    rows.map(|u| json!([u.username, u.email, u.last_name, u.is_active]))
        .collect()
}

async fn prepared(database: &TestDatabase, case: &Value) -> Browser {
    let backends: Vec<_> = case["backends"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .collect();
    let auth = connect(database, &backends).await;
    auth.users().delete_all(auth.users().all()).await.unwrap();
    for name in case["users"].as_array().unwrap().iter().map(text) {
        let active = !name.starts_with('-');
        auth.users()
            .create_user_with(name.trim_matches('-'), "", Some("secret"), |user| {
                user.is_active = active;
            })
            .await
            .unwrap();
    }
    let mut browser = Browser::new(&auth, case["persistent"] == true);
    if let Some(name) = case["password_login"].as_str() {
        let request = Request::detached(auth.settings().clone(), auth.sessions().open(None));
        let credentials = Credentials::username_password(name, "secret");
        let user = auth
            .authenticate(None, &credentials)
            .await
            .unwrap()
            .unwrap();
        auth.login(&request, user, None).await.unwrap();
        request.session().save().await.unwrap();
        browser.key = request.session().session_key().unwrap();
    }
    browser
}

/// What the script counts beside it.
fn expected(step: &Value) -> Value {
    let mut step = step.clone();
    for name in ["new_rows", "failures"] {
        step.as_object_mut().unwrap().remove(name);
    }
    step
}

#[tokio::test]
async fn every_step_is_djangos() {
    let databases = TestDatabase::all();
    for database in &databases {
        for case in DATA["cases"].as_array().unwrap() {
            let name = text(&case["name"]);
            // MariaDB takes ALICE for alice: see the test below.
            if name == "spaces and case" && database.url().starts_with("mysql") {
                continue;
            }
            let mut browser = prepared(database, case).await;
            for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
                let made = browser.step(step).await;
                assert_eq!(
                    made,
                    expected(step),
                    "{} {name}, step {number}",
                    database.url()
                );
            }
            browser.auth.db().close().await;
        }
    }
}

/// CVE-2014-0482: another name ends the session of the one before, also when nobody has that name.
#[tokio::test]
async fn cve_2014_0482_another_name_never_inherits_the_session() {
    let databases = TestDatabase::all();
    for database in &databases {
        let auth = connect(database, &["vectors.KnownOnly"]).await;
        auth.users().create_user("alice", "", None).await.unwrap();
        for persistent in [false, true] {
            let mut browser = Browser::new(&auth, persistent);
            assert_eq!(browser.who(&["alice"]).await, "alice");
            let key = browser.key.clone();
            assert_eq!(browser.who(&["mallory"]).await, "");
            assert!(browser.key.is_empty() && !browser.lives(&key).await);
            assert_eq!(browser.who(&["alice"]).await, "alice");
            assert_ne!(browser.key, key);
        }
        auth.db().close().await;
    }
}

/// Nobody but the proxy can name a user, and two names are none.
#[tokio::test]
async fn only_the_proxy_names_users() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, &[RemoteUserBackend::<User>::PATH]).await;
    let mut browser = Browser::new(&auth, false);
    browser.peer = [192, 0, 2, 1];
    assert_eq!(browser.who(&["alice"]).await, "");
    assert_eq!(users(&auth).await, json!([]));
    browser.peer = PROXY;
    assert_eq!(browser.who(&["alice"]).await, "alice");
    assert_eq!(browser.who(&["mallory", "alice"]).await, "");
    assert_eq!(browser.who(&["alice"]).await, "alice");
    // What Apache sends for nobody.
    assert_eq!(browser.who(&["(null)"]).await, "");
    assert_eq!(browser.who(&["alice"]).await, "alice");
    // The session that the proxy began does not live on beside it.
    browser.peer = [192, 0, 2, 1];
    assert_eq!(browser.who(&["alice"]).await, "");
    assert!(browser.key.is_empty());
}

/// CVE-2015-0219 and CVE-2026-3902: the header spelled with underscores names nobody.
#[tokio::test]
async fn cve_2026_3902_a_name_spelled_with_underscores_is_not_read() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, &[RemoteUserBackend::<User>::PATH]).await;
    let app = app(&auth, false);
    for name in ["x_who", "X_Who", "http-x-who"] {
        let request = HttpRequest::get("/")
            .extension(ConnectInfo(SocketAddr::from((PROXY, 1))))
            .header(HOST, "testserver")
            .header(name, "alice");
        let response = app
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await;
        assert_eq!(page(response.unwrap()).await, "", "{name}");
    }
    assert_eq!(users(&auth).await, json!([]));
}

/// Django gives such users an empty password, which counts as usable: they can receive reset mails.
#[tokio::test]
async fn users_who_are_made_have_no_usable_password() {
    on_each_auth(async |database, _, _| {
        let auth = connect(database, &[RemoteUserBackend::<User>::PATH]).await;
        let mut browser = Browser::new(&auth, false);
        assert_eq!(browser.who(&["alice"]).await, "alice");
        let user = auth
            .users()
            .get_by_natural_key("alice")
            .await
            .unwrap()
            .unwrap();
        assert!(!user.base.has_usable_password() && user.base.password.len() > 40);
        assert!(user.is_active && !user.is_staff && !user.permissions.is_superuser);
        assert!(user.base.last_login.is_some());
        auth.db().close().await;
    })
    .await;
}

/// A collation that calls two names equal does not make one person of them, and a name that is not in
/// normal form is kept as it is.
#[tokio::test]
async fn a_name_is_compared_byte_by_byte() {
    let databases = TestDatabase::all();
    for database in &databases {
        let auth = connect(database, &[RemoteUserBackend::<User>::PATH]).await;
        auth.users().create_user("alice", "", None).await.unwrap();
        let mysql = database.url().starts_with("mysql");
        for name in ["ALICE", "alic\u{e9}"] {
            let who = Browser::new(&auth, false).who(&[name]).await;
            assert_eq!(who, if mysql { "" } else { name }, "{}", database.url());
        }
        let known = connect(database, &["vectors.KnownOnly"]).await;
        if mysql {
            assert_eq!(Browser::new(&known, false).who(&["ALICE"]).await, "");
        }
        assert_eq!(Browser::new(&known, false).who(&["alice"]).await, "alice");
        auth.db().close().await;
        known.db().close().await;
    }
}

#[tokio::test]
async fn names_that_no_row_can_hold_are_nobodys() {
    on_each_auth(async |database, _, _| {
        let auth = connect(database, &["vectors.Cleaning"]).await;
        let long = "a".repeat(151);
        for name in [long.as_str(), "@EXAMPLE"] {
            assert_eq!(Browser::new(&auth, false).who(&[name]).await, "", "{name}");
        }
        let longest = "a".repeat(150);
        assert_eq!(Browser::new(&auth, false).who(&[&longest]).await, longest);
        assert_eq!(auth.users().all().count().await.unwrap(), 1);
        auth.db().close().await;
    })
    .await;
}

/// Many first requests of one user at once make one row.
#[tokio::test]
async fn first_requests_at_once_make_one_user() {
    on_each_auth(async |database, _, _| {
        let auth = connect(database, &[RemoteUserBackend::<User>::PATH]).await;
        let browsers = (0..8).map(async |_| Browser::new(&auth, false).who(&["alice"]).await);
        let names = futures_util::future::join_all(browsers).await;
        assert_eq!(names, ["alice"; 8]);
        let alices = auth.users().filter(Q::eq("username", "alice"));
        assert_eq!(alices.count().await.unwrap(), 1);
        auth.db().close().await;
    })
    .await;
}

/// The settings alone switch it on.
#[tokio::test]
async fn settings_switch_remote_users_on() {
    let database = TestDatabase::sqlite();
    let draft = Draft::read_with(None, |name| {
        let value = match name {
            "SECRET_KEY" => "a key for the tests of remote users",
            "ALLOWED_HOSTS" => r#"["testserver"]"#,
            "TRUSTED_PROXIES" => r#"["127.0.0.1"]"#,
            "AUTHENTICATION_BACKENDS" => r#"["RemoteUserBackend", "ModelBackend"]"#,
            "REMOTE_USER_HEADER" => "HTTP_X_WHO",
            "REMOTE_USER_PERSISTENT" => "true",
            "REMOTE_USER_CREATE_UNKNOWN" => "false",
            _ => return None,
        };
        Some(value.into())
    });
    let settings = draft.unwrap().finish().unwrap();
    let auth = Auth::connect(database.url(), settings).await.unwrap();
    auth.migrate().await.unwrap();
    auth.users().create_user("alice", "", None).await.unwrap();
    let mut browser = Browser::new(&auth, false);
    let page_auth = auth.clone();
    let who = async move |request: Request| {
        let user = page_auth.user(&request).await.unwrap();
        user.map(|user| user.get_username()).unwrap_or_default()
    };
    browser.app = Router::new().route("/", any(who)).layer(auth.layer());
    assert_eq!(browser.who(&["bob"]).await, "");
    assert_eq!(browser.who(&["alice"]).await, "alice");
    assert_eq!(browser.who(&[]).await, "alice");
    assert_eq!(users(&auth).await, json!([["alice", "", "", true]]));
}

/// A database that is away is 503, and nobody is logged out by it.
#[tokio::test]
async fn a_database_that_is_away_logs_nobody_out() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, &[RemoteUserBackend::<User>::PATH]).await;
    let mut browser = Browser::new(&auth, false);
    assert_eq!(browser.who(&["alice"]).await, "alice");
    let key = browser.key.clone();
    auth.db().close().await;
    for names in [&["alice"][..], &["bob"], &[]] {
        let response = browser.ask(names, "", false).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(browser.key, key);
    }
}
