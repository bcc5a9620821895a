//! Published weaknesses of Django's pages and requests, each as a test named after it. Those of
//! the layer, of models, logins and parsers stand beside what they test.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, REFERER, SET_COOKIE, VARY,
};
use axum::http::request::Builder;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use axum::routing::post;
use djauth::http::parse_cookie;
use djauth::{Auth, LoginRequired};
use futures_util::stream;
use test_databases::TestDatabase;
use tower::ServiceExt;

use crate::auth_support::settings;

const FORM: &str = "application/x-www-form-urlencoded";
const SECRET: &str = "q7Rb2XkV9mTz0LhYc4NfWs8JdGpEuA1e";

async fn auth(database: &TestDatabase) -> Auth {
    let mut settings = settings();
    settings.allowed_hosts = vec!["testserver".into()];
    settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let auth = Auth::builder(settings).connect(database.url()).await;
    let auth = auth.unwrap();
    auth.migrate().await.unwrap();
    auth
}

fn app(auth: &Auth) -> Router {
    Router::new()
        .nest("/accounts", auth.urls())
        .fallback(auth.not_found())
        .layer(auth.layer())
}

/// A request of a browser that has a CSRF cookie.
fn request(method: &str, path: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "testserver")
        .header(COOKIE, format!("csrftoken={SECRET}"))
}

fn form(path: &str, fields: &str) -> Request<Body> {
    let body = format!("csrfmiddlewaretoken={SECRET}&{fields}");
    let request = request("POST", path).header(CONTENT_TYPE, FORM);
    request.body(Body::from(body)).unwrap()
}

async fn send(app: &Router, request: Request<Body>) -> Response {
    app.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), 1 << 22).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// CVE-2014-0473: a page with somebody's CSRF token is kept by no cache.
#[tokio::test]
async fn cve_2014_0473_pages_with_a_token_are_not_kept() {
    let database = TestDatabase::sqlite();
    let app = app(&auth(&database).await);
    for request in [
        request("GET", "/accounts/login/")
            .body(Body::empty())
            .unwrap(),
        form("/accounts/login/", "username=&password="),
    ] {
        let response = send(&app, request).await;
        assert!(response.headers().contains_key(SET_COOKIE));
        assert_eq!(response.headers()[VARY], "Accept, Cookie, Accept-Language");
        let kept = response.headers()[CACHE_CONTROL].to_str().unwrap();
        assert!(
            kept.contains("no-store") && kept.contains("private"),
            "{kept}"
        );
        assert!(text(response).await.contains("csrfmiddlewaretoken"));
    }
}

/// CVE-2008-3909: what was posted without a login is dropped, not done after the login.
#[tokio::test]
async fn cve_2008_3909_a_refused_post_is_not_done_after_the_login() {
    let database = TestDatabase::sqlite();
    let auth = auth(&database).await;
    let password = Some("correct horse");
    auth.users()
        .create_user("alice", "", password)
        .await
        .unwrap();
    let done = Arc::new(AtomicUsize::new(0));
    let count = done.clone();
    let transfer = post(async move |_user: LoginRequired| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let app = Router::new()
        .route("/transfer", transfer)
        .nest("/accounts", auth.urls())
        .layer(auth.layer());

    let refused = send(&app, form("/transfer", "amount=1000")).await;
    assert_eq!(
        refused.status(),
        StatusCode::FOUND,
        "a browser follows it with GET"
    );
    let login = refused.headers()[LOCATION].to_str().unwrap().to_owned();
    assert_eq!(login, "/accounts/login/?next=/transfer");
    assert!(
        !refused.headers().contains_key(SET_COOKIE),
        "nothing is kept of it"
    );
    let page = send(&app, request("GET", &login).body(Body::empty()).unwrap()).await;
    assert!(!text(page).await.contains("1000"));
    let welcome = send(&app, form(&login, "username=alice&password=correct+horse")).await;
    assert_eq!(welcome.status(), StatusCode::FOUND);
    assert_eq!(welcome.headers()[LOCATION], "/transfer");
    assert_eq!(done.load(Ordering::SeqCst), 0);
}

/// CVE-2008-2302: markup in an address or a field never becomes markup of a page.
#[tokio::test]
async fn cve_2008_2302_markup_in_requests_is_escaped() {
    let database = TestDatabase::sqlite();
    let app = app(&auth(&database).await);
    let attack = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    let refused = request("POST", &format!("/{attack}")).header(ORIGIN, "\"><script>");
    for request in [
        form(
            "/accounts/login/",
            &format!("username={attack}&password=x&next=/{attack}"),
        ),
        form(
            &format!("/accounts/login/?next=/{attack}"),
            "username=x&password=x",
        ),
        request("GET", &format!("/{attack}?{attack}"))
            .body(Body::empty())
            .unwrap(),
        refused.body(Body::empty()).unwrap(),
    ] {
        let path = request.uri().to_string();
        let page = text(send(&app, request).await).await;
        assert!(
            page.contains("<html")
                && !page.contains("<script>alert")
                && !page.contains("\"><script"),
            "{path}: {page}"
        );
    }
}

/// CVE-2026-33034 and its kin (2026-5766, 2026-108147, 2025-14550): a form without an end is read
/// up to the limit, whatever length it announces.
#[tokio::test]
async fn cve_2026_33034_forms_without_an_end_are_cut_off() {
    let database = TestDatabase::sqlite();
    let auth = auth(&database).await;
    let limit = auth.settings().data_upload_max_memory_size.unwrap() as usize;
    let app = app(&auth);
    for announced in [None, Some("10")] {
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = sent.clone();
        let chunks = (0..100_000).map(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok::<_, io::Error>("x".repeat(10_000))
        });
        let mut request = request("POST", "/accounts/login/").header(CONTENT_TYPE, FORM);
        if let Some(length) = announced {
            request = request.header("content-length", length);
        }
        let body = Body::from_stream(stream::iter(chunks));
        let response = send(&app, request.body(body).unwrap()).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let read = sent.load(Ordering::SeqCst) * 10_000;
        assert!(read <= limit + 20_000, "{read} bytes were read");
    }
}

/// CVE-2026-84429: long headers are read in one pass. A second pass for each of the million
/// characters would not end.
#[tokio::test]
async fn cve_2026_84429_long_headers_are_read_once() {
    let database = TestDatabase::sqlite();
    let app = app(&auth(&database).await);
    for piece in [
        ";", "\"", "\\", " ", "=", ",", "a;", "\\\";", "[", "%", "x=\"\\",
    ] {
        let long = piece.repeat(1_000_000 / piece.len());
        assert_eq!(
            parse_cookie(&format!("{long}; a=b")).get("a"),
            Some("b"),
            "{piece}"
        );
        let proxy = SocketAddr::from(([127, 0, 0, 1], 1));
        let request = Request::post("/accounts/login/")
            .extension(ConnectInfo(proxy))
            .header(HOST, "testserver")
            .header(COOKIE, format!("{long}; csrftoken={SECRET}"))
            .header(ORIGIN, &long)
            .header(REFERER, &long)
            .header(CONTENT_TYPE, format!("multipart/form-data; {long}"))
            .header("x-forwarded-for", &long)
            .header("x-forwarded-proto", &long)
            .header("accept-language", &long);
        let response = send(&app, request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{piece}");
        let host = Request::get("/accounts/login/").header(HOST, &long);
        let response = send(&app, host.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{piece}");
    }
}

/// What was logged.
#[derive(Clone, Default)]
pub(crate) struct Log(pub(crate) Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// CVE-2025-48432: no request can write a line of its own into the log, nor colour it.
#[tokio::test]
async fn cve_2025_48432_requests_are_escaped_in_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let database = TestDatabase::sqlite();
    let app = app(&auth(&database).await);
    let attacks = ["/login/%0aFAKE", "/%1b[31mFAKE", "/%E2%80%A8FAKE?%0aFAKE"];
    for path in attacks {
        let refused = Request::post(path).header(HOST, "testserver");
        let host = Request::get(path).header(HOST, "evil\tFAKE");
        let method = request("DELETE", path);
        for request in [refused, host, method] {
            send(&app, request.body(Body::empty()).unwrap()).await;
        }
    }
    let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(written.lines().count() >= 2 * attacks.len(), "{written}");
    for line in written.lines() {
        assert!(line.contains("WARN") || line.contains("ERROR"), "{line:?}");
        assert!(
            !line.contains(char::is_control) && !line.contains('\u{2028}'),
            "{line:?}"
        );
    }
}
