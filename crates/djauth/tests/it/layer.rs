//! The layer against Django's middleware, header by header (`interop/vectors/layer.py`).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderValue, Request as HttpRequest, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use chrono::{DateTime, Utc};
use djauth::csrf::{RejectReason, TokenSource};
use djauth::http::Request;
use djauth::settings::Draft;
use djauth::tokens::PasswordResetTokenGenerator;
use djauth::views::{INTERNAL_RESET_SESSION_TOKEN, LoginView};
use djauth::{
    Auth, Credentials, CsrfToken, LoginRequired, MaybeUser, Rejection, Session, Settings,
    login_required, permission_required,
};
use djauth_signing::{FixedClock, SecretKey};
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use test_databases::TestDatabase;
use tower::ServiceExt;

use crate::auth_support::KEY;

static DATA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/layer.json")).unwrap());

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(DATA["now"].as_i64().unwrap(), 0).unwrap()
}

/// The settings of the Django that made the data, with what the case changes.
fn settings(changes: &Map<String, Value>) -> Settings {
    let mut settings = BTreeMap::from([
        (
            "ALLOWED_HOSTS",
            r#"["testserver", ".example.com"]"#.to_owned(),
        ),
        (
            "SECURE_PROXY_SSL_HEADER",
            r#"["HTTP_X_FORWARDED_PROTO", "https"]"#.to_owned(),
        ),
        // Django believes everybody; here the client is the proxy.
        ("TRUSTED_PROXIES", r#"["127.0.0.1"]"#.to_owned()),
        (
            "PASSWORD_HASHERS",
            r#"["django.contrib.auth.hashers.MD5PasswordHasher"]"#.to_owned(),
        ),
        // That Django has no `LocaleMiddleware`.
        ("USE_ACCEPT_LANGUAGE", "false".to_owned()),
    ]);
    for (name, value) in changes.iter().filter(|(name, _)| *name != "LOGIN_URL") {
        let value = match value {
            Value::String(text) if name == "X_FRAME_OPTIONS" => text.to_uppercase(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        settings.insert(name, value);
    }
    let mut draft = Draft::read_with(None, |name| settings.get(name).map(Into::into)).unwrap();
    draft.set_secret_key(SecretKey::new(KEY).unwrap());
    let mut settings = draft.finish().unwrap();
    if let Some(url) = changes.get("LOGIN_URL") {
        // The reader refuses what may only be a slip, `//host/path`; Django takes it.
        settings.login_url = text(url).to_owned();
    }
    settings
}

pub(crate) async fn auth(database: &TestDatabase, changes: &Map<String, Value>) -> Auth {
    let builder = Auth::builder(settings(changes)).clock(FixedClock::new(now()));
    builder.connect(database.url()).await.unwrap()
}

async fn write(session: &Session) {
    session.insert("cart", &1).await.unwrap();
}

async fn log_in(auth: &Auth, request: &Request) {
    let alice = Credentials::username_password("alice", "pw");
    let user = auth
        .authenticate(Some(request), &alice)
        .await
        .unwrap()
        .unwrap();
    auth.login(request, user, None).await.unwrap();
}

/// The routes of the Django project in `layer.py`.
pub(crate) fn app(auth: &Auth) -> Router {
    let (for_login, for_logout) = (auth.clone(), auth.clone());
    let again = LoginView::new().redirect_authenticated_user(true);
    let looping = again.clone().next_page("/loop/");
    Router::new()
        .route("/plain", any(async || ""))
        .route("/token", any(async |token: CsrfToken| token.to_string()))
        .route(
            "/user",
            get(async |user: MaybeUser| user.get().await.unwrap().is_some().to_string()),
        )
        .route(
            "/read",
            get(async |session: Session| format!("{:?}", session.get::<u8>("cart").await.unwrap())),
        )
        .route(
            "/write",
            get(async |session: Session| write(&session).await),
        )
        .route(
            "/fail",
            get(async |session: Session| {
                write(&session).await;
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
        .route(
            "/login",
            any(async move |request: Request| log_in(&for_login, &request).await),
        )
        .route(
            "/logout",
            get(async move |request: Request| for_logout.logout(&request).await.unwrap()),
        )
        .nest("/accounts", auth.urls())
        .route("/again/", auth.login_view(again))
        .route("/loop/", auth.login_view(looping))
        .route("/exempt", any(async || ""))
        .route("/private", get(async || "").route_layer(login_required()))
        .route(
            "/perm",
            get(async || "").route_layer(permission_required("auth.view_user")),
        )
        .route(
            "/raise",
            get(async || "").route_layer(permission_required("auth.view_user").raise_exception()),
        )
        .layer(auth.layer().csrf_exempt("/exempt"))
}

/// A token for alice, and the key of the session that her link made.
struct Reset {
    token: String,
    session: String,
}

async fn reset_session(auth: &Auth) -> Reset {
    let alice = auth.users().get_by_natural_key("alice").await.unwrap();
    let alice = alice.unwrap();
    let token = PasswordResetTokenGenerator::new(auth.settings()).make_token(&alice, auth.now());
    let session = auth.sessions().open(None);
    session
        .insert(INTERNAL_RESET_SESSION_TOKEN, &token)
        .await
        .unwrap();
    session.save().await.unwrap();
    let session = session.session_key().unwrap();
    Reset { token, session }
}

async fn live_session(auth: &Auth) -> String {
    let request = Request::detached(auth.settings().clone(), auth.sessions().open(None));
    log_in(auth, &request).await;
    request.session().save().await.unwrap();
    request.session().session_key().unwrap()
}

fn body_of(case: &Value) -> String {
    let body = text(&case["body"]);
    let filler = "b".repeat(case["filler"].as_u64().unwrap_or(0) as usize);
    body.repeat(case["repeat"].as_u64().unwrap_or(1) as usize) + &filler
}

fn request_of(case: &Value, live: &str, reset: &Reset) -> HttpRequest<Body> {
    let path = text(&case["path"]).replace("<token>", &reset.token);
    let mut request = HttpRequest::builder()
        .method(text(&case["method"]))
        .uri(path);
    let headers = case["headers"].as_object().unwrap();
    if !headers.contains_key("host") {
        request = request.header("host", "testserver");
    }
    for (name, value) in headers {
        request = request.header(name, text(value));
    }
    if let Some(cookie) = case["cookie"].as_str() {
        let cookie = cookie.replace("<live>", live);
        request = request.header("cookie", cookie.replace("<reset>", &reset.session));
    }
    let body = body_of(case);
    let peer = SocketAddr::from(([127, 0, 0, 1], 1234));
    request
        .extension(ConnectInfo(peer))
        .header("content-length", body.len())
        .body(Body::from(body))
        .unwrap()
}

/// The cookies, with the names that `layer.py` gives to values.
fn cookies(headers: &HeaderMap, case: &Value, live: &[&str]) -> Vec<String> {
    let sent = case["cookie"].as_str().unwrap_or("");
    let sent = ["secret", "token"]
        .iter()
        .any(|name| sent.contains(text(&DATA[*name])));
    let normal = |cookie: &HeaderValue| {
        let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
        let (value, attributes) = rest.split_once(';').unwrap();
        let value = match value {
            "\"\"" => "\"\"",
            value if sent && value == text(&DATA["secret"]) => "<same>",
            value if live.contains(&value) => "<live>",
            _ => "<new>",
        };
        format!("{name}={value};{attributes}")
    };
    headers.get_all("set-cookie").iter().map(normal).collect()
}

fn other_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    // Our pages have a policy, which Django leaves to the project; the tests of the pages look at it.
    let skipped = [
        "content-type",
        "content-length",
        "set-cookie",
        "content-security-policy",
    ];
    let kept = headers
        .iter()
        .filter(|(name, _)| !skipped.contains(&name.as_str()));
    // They also answer in JSON, and say so.
    let text = |value: &HeaderValue| value.to_str().unwrap().replace("Accept, ", "");
    kept.map(|(name, value)| (name.to_string(), text(value)))
        .filter(|(name, value)| (&**name, &**value) != ("vary", "Accept"))
        .collect()
}

fn expected_headers(case: &Value) -> BTreeMap<String, String> {
    let answer = case["answer"].as_object().unwrap().iter();
    answer
        .map(|(name, value)| (name.to_ascii_lowercase(), text(value).to_owned()))
        .collect()
}

const REASONS: [RejectReason; 15] = [
    RejectReason::BadOrigin,
    RejectReason::NoReferer,
    RejectReason::MalformedReferer,
    RejectReason::InsecureReferer,
    RejectReason::BadReferer,
    RejectReason::CookieIncorrectLength,
    RejectReason::CookieInvalidCharacters,
    RejectReason::NoCsrfCookie,
    RejectReason::TokenMissing,
    RejectReason::TokenIncorrectLength(TokenSource::Form),
    RejectReason::TokenIncorrectLength(TokenSource::Header),
    RejectReason::TokenInvalidCharacters(TokenSource::Form),
    RejectReason::TokenInvalidCharacters(TokenSource::Header),
    RejectReason::TokenIncorrect(TokenSource::Form),
    RejectReason::TokenIncorrect(TokenSource::Header),
];

pub(crate) async fn page(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn reason_in(page: &str) -> Option<&'static str> {
    let page = page.replace("&#x27;", "'");
    REASONS
        .iter()
        .find(|reason| page.contains(&reason.to_string()))
        .map(|reason| reason.code())
}

#[tokio::test]
async fn every_header_is_djangos() {
    let database = TestDatabase::sqlite();
    let first = auth(&database, &Map::new()).await;
    first.migrate().await.unwrap();
    let alice = first.users().create_user("alice", "", Some("pw")).await;
    let alice = alice.unwrap();
    let cases = DATA["cases"].as_array().unwrap();
    assert!(cases.len() > 330);
    for case in cases {
        let auth = auth(&database, case["settings"].as_object().unwrap()).await;
        auth.save_password(&alice).await.unwrap();
        let live = live_session(&auth).await;
        let reset = reset_session(&auth).await;
        let request = request_of(case, &live, &reset);
        let response = app(&auth).oneshot(request).await.unwrap();
        let about = format!(
            "{} {} {} {} {:.90} {:.200}",
            case["method"],
            case["path"],
            case["cookie"],
            case["settings"],
            case["headers"].to_string(),
            case["body"].to_string()
        );
        assert_eq!(
            response.status(),
            case["status"].as_u64().unwrap() as u16,
            "{about}"
        );
        let headers = response.headers();
        assert_eq!(other_headers(headers), expected_headers(case), "{about}");
        let mut expected: Vec<String> = serde_json::from_value(case["cookies"].clone()).unwrap();
        let path = case["path"].as_str().unwrap();
        if path.contains("<token>") && case["status"] == 302 {
            // Django keeps the key.
            for cookie in &mut expected {
                *cookie = cookie.replace("<live>", "<new>");
            }
        }
        assert_eq!(
            cookies(headers, case, &[&live, &reset.session]),
            expected,
            "{about}"
        );
        if case["length"] == true {
            assert!(headers.contains_key("content-length"), "{about}");
        }
        assert_eq!(
            reason_in(&page(response).await),
            case["reason"].as_str(),
            "{about}"
        );
    }
}

pub(crate) async fn alice(database: &TestDatabase) -> (Auth, String) {
    let auth = auth(database, &Map::new()).await;
    auth.migrate().await.unwrap();
    auth.users()
        .create_user("alice", "", Some("pw"))
        .await
        .unwrap();
    let live = live_session(&auth).await;
    (auth, live)
}

pub(crate) async fn ask(app: &Router, path: &str, cookie: Option<&str>) -> Response {
    let mut request = HttpRequest::builder()
        .uri(path)
        .header("host", "testserver");
    if let Some(key) = cookie {
        request = request.header("cookie", format!("sessionid={key}"));
    }
    app.clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

/// A database that is away is 503, for everybody and everywhere: never "not logged in" or "forbidden".
#[tokio::test]
async fn a_database_that_is_away_is_503() {
    let database = TestDatabase::sqlite();
    let (auth, live) = alice(&database).await;
    let verify = Router::new().route("/verify", djauth::views::verify(&auth));
    let app = app(&auth).merge(verify);
    auth.db().close().await;
    for path in ["/private", "/perm", "/raise", "/verify", "/verify?perm=a.b"] {
        let response = ask(&app, path, Some(&live)).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(response.headers().contains_key("retry-after"), "{path}");
        assert!(!response.headers().contains_key("set-cookie"), "{path}");
    }
    assert_eq!(
        ask(&app, "/plain", Some(&live)).await.status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_session_that_is_deleted_meanwhile_is_400_and_a_panic_500() {
    let database = TestDatabase::sqlite();
    let (auth, live) = alice(&database).await;
    let store = auth.clone();
    let app = Router::new()
        .route(
            "/deleted",
            get(async move |session: Session| {
                write(&session).await;
                store
                    .sessions()
                    .open(session.session_key().as_deref())
                    .flush()
                    .await
                    .unwrap();
            }),
        )
        .route(
            "/panic",
            get(async |session: Session| {
                write(&session).await;
                assert!(session.session_key().is_none(), "a handler that fails");
            }),
        )
        .layer(auth.layer());
    let response = ask(&app, "/panic", Some(&live)).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.headers().get("set-cookie").is_none());
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let response = ask(&app, "/deleted", Some(&live)).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(response.headers().get("set-cookie").is_none());
}

djauth::permission!(ViewUser = "auth.view_user");

#[tokio::test]
async fn extractors_let_in_whom_they_should() {
    let database = TestDatabase::sqlite();
    let (auth, live) = alice(&database).await;
    let app = Router::new()
        .route("/login", get(async |user: LoginRequired| user.to_string()))
        .route(
            "/maybe",
            get(async |user: Option<LoginRequired>| {
                user.map_or("nobody".into(), |u| u.to_string())
            }),
        )
        .route(
            "/perm",
            get(async |_: djauth::PermissionRequired<ViewUser>| "granted"),
        );
    let app = Router::new().nest("/nested", app).layer(auth.layer());
    let anonymous = ask(&app, "/nested/login?x=1", None).await;
    assert_eq!(
        anonymous.headers()["location"],
        "/accounts/login/?next=/nested/login%3Fx%3D1"
    );
    assert_eq!(
        ask(&app, "/nested/perm", None).await.status(),
        StatusCode::FOUND
    );
    assert_eq!(
        ask(&app, "/nested/perm", Some(&live)).await.status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(page(ask(&app, "/nested/maybe", None).await).await, "nobody");
    assert_eq!(
        page(ask(&app, "/nested/login", Some(&live)).await).await,
        "alice"
    );
    let mut user = auth
        .users()
        .get_by_natural_key("alice")
        .await
        .unwrap()
        .unwrap();
    user.permissions.is_superuser = true;
    auth.users().save(&mut user).await.unwrap();
    assert_eq!(
        page(ask(&app, "/nested/perm", Some(&live)).await).await,
        "granted"
    );
}

#[tokio::test]
async fn a_missing_layer_says_which_line_to_add() {
    let app = Router::new()
        .route("/", get(async |user: LoginRequired| user.to_string()))
        .route("/guarded", get(async || "").route_layer(login_required()));
    for path in ["/", "/guarded"] {
        let response = ask(&app, path, None).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
    let session = Router::new().route("/", get(async |_: Session| ""));
    assert_eq!(
        ask(&session, "/", None).await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    let rejection = Rejection::MissingLayer {
        what: "LoginRequired",
    };
    assert!(rejection.to_string().contains(".layer(auth.layer())"));
    assert_eq!(
        rejection.into_response().status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
}

pub(crate) async fn verify(auth: &Auth, query: &str, cookie: Option<&str>) -> Response {
    let app = Router::new().route("/auth/verify", djauth::views::verify(auth));
    let response = ask(&app, &format!("/auth/verify{query}"), cookie).await;
    assert_eq!(response.headers()["cache-control"], "no-store", "{query}");
    assert!(!response.headers().contains_key("set-cookie"), "{query}");
    response
}

#[tokio::test]
async fn verify_answers_a_proxy_and_writes_nothing() {
    let database = TestDatabase::sqlite();
    let (auth, _) = alice(&database).await;
    let mut zoe = auth
        .users()
        .create_user("zoë@x", "", Some("pw"))
        .await
        .unwrap();
    let request = Request::detached(auth.settings().clone(), auth.sessions().open(None));
    auth.login(&request, zoe.clone(), None).await.unwrap();
    request.session().save().await.unwrap();
    let key = request.session().session_key().unwrap();
    let key = Some(key.as_str());

    let response = verify(&auth, "", key).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-remote-user"], "zo%C3%AB%40x");
    assert_eq!(
        verify(&auth, "", None).await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        verify(&auth, "", Some(&"a".repeat(32))).await.status(),
        StatusCode::UNAUTHORIZED
    );
    let view = "?perm=auth.view_user";
    let both = "?perm=auth.view_user&perm=auth.add_user";
    assert_eq!(
        verify(&auth, view, key).await.status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        verify(&auth, view, None).await.status(),
        StatusCode::UNAUTHORIZED
    );
    for malformed in [
        "?perm=",
        "?perm=auth",
        "?perm=.x",
        "?perm=x.",
        "?perm=a.b&perm=c",
    ] {
        assert_eq!(
            verify(&auth, malformed, key).await.status(),
            StatusCode::BAD_REQUEST
        );
        assert_eq!(
            verify(&auth, malformed, None).await.status(),
            StatusCode::BAD_REQUEST
        );
    }
    zoe.permissions.is_superuser = true;
    auth.users().save(&mut zoe).await.unwrap();
    for query in [view, both] {
        assert_eq!(
            verify(&auth, query, key).await.status(),
            StatusCode::OK,
            "{query}"
        );
    }
    auth.set_password(&mut zoe, "other").await.unwrap();
    auth.users().save(&mut zoe).await.unwrap();
    assert_eq!(
        verify(&auth, "", key).await.status(),
        StatusCode::UNAUTHORIZED
    );
    let session = auth.sessions().open(key);
    assert!(
        session.contains_key(djauth::SESSION_KEY).await.unwrap(),
        "verify deletes nothing"
    );
}
