//! The site's own error pages.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use axum::routing::get;
use djauth::{Auth, permission_required};
use test_databases::TestDatabase;
use tower::ServiceExt;

use crate::auth_support::settings;
use crate::layer::page;

async fn auth(database: &TestDatabase, folder: &Path) -> Auth {
    let mut settings = settings();
    settings.allowed_hosts = vec!["testserver".into()];
    settings.template_dirs = vec![folder.to_owned()];
    let auth = Auth::builder(settings).connect(database.url()).await;
    let auth = auth.unwrap();
    auth.migrate().await.unwrap();
    auth
}

async fn boom() {
    panic!("a handler panics by design")
}

fn app(auth: &Auth) -> Router {
    let denied = get(async || "").route_layer(permission_required("a.b").raise_exception());
    Router::new()
        .route("/", auth.landing_page())
        .route("/denied", denied)
        .route("/panic", get(boom))
        .fallback(auth.not_found())
        .layer(auth.layer())
}

async fn send(app: &Router, method: &str, path: &str, host: &str) -> Response {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("host", host).body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

fn write(folder: &Path, names: &[&str], text: &str) {
    for name in names {
        let text = format!("{name}: {text}");
        std::fs::write(folder.join(name), text).unwrap();
    }
}

const VALUES: &str = "{{ status }} [{{ heading }}] {{ text }} path={{ request_path }} reason={{ reason }} {{ no_cookie }}";

#[tokio::test]
async fn templates_take_the_place_of_error_pages() {
    let (database, folder) = (TestDatabase::sqlite(), tempfile::tempdir().unwrap());
    let names = [
        "400.html",
        "403.html",
        "403_csrf.html",
        "404.html",
        "500.html",
        "503.html",
        "413.html",
    ];
    write(folder.path(), &names, VALUES);
    let auth = auth(&database, folder.path()).await;
    let app = app(&auth);
    for (method, path, host, status, expected) in [
        (
            "GET",
            "/nope/%C3%A9%3C",
            "testserver",
            404,
            "404.html: 404 [There is no such page]",
        ),
        (
            "GET",
            "/denied",
            "testserver",
            403,
            "403.html: 403 [Not allowed]",
        ),
        (
            "POST",
            "/",
            "testserver",
            403,
            "403_csrf.html: 403 [The form was not accepted]",
        ),
        (
            "GET",
            "/",
            "evil.example",
            400,
            "400.html: 400 [The request was not understood]",
        ),
        (
            "GET",
            "/panic",
            "testserver",
            500,
            "500.html: 500 [Something went wrong]",
        ),
    ] {
        let response = send(&app, method, path, host).await;
        assert_eq!(response.status(), status, "{path}");
        let headers = response.headers().clone();
        assert!(headers.contains_key("content-security-policy"), "{path}");
        let text = page(response).await;
        assert!(text.starts_with(expected), "{path}: {text}");
        if let Some(length) = headers.get("content-length") {
            assert_eq!(length.to_str().unwrap(), text.len().to_string(), "{path}");
        }
        assert_eq!(
            text.contains("path=&#x2f;"),
            matches!(status, 403 | 404),
            "{text}"
        );
        assert!(!text.contains("é<"), "escaped: {text}");
    }
    let refused = page(send(&app, "POST", "/", "testserver").await).await;
    assert!(
        refused.ends_with("reason=The browser did not send the security cookie. True"),
        "{refused}"
    );
    assert!(
        page(auth.templates().error_page(StatusCode::PAYLOAD_TOO_LARGE))
            .await
            .starts_with("413.html")
    );

    auth.db().close().await;
    let request = Request::builder().uri("/").header("host", "testserver");
    let request = request.header("cookie", format!("sessionid={}", "a".repeat(32)));
    let response = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    assert!(page(response).await.starts_with("503.html: 503"));
}

#[tokio::test]
async fn a_broken_page_gives_way_to_the_built_in_one() {
    let (database, folder) = (TestDatabase::sqlite(), tempfile::tempdir().unwrap());
    for broken in [
        "{% if %}",
        "{{ text.x.y() }}",
        "{% extends \"gone.html\" %}",
    ] {
        write(folder.path(), &["404.html", "500.html"], broken);
        let app = app(&auth(&database, folder.path()).await);
        let response = send(&app, "GET", "/missing", "testserver").await;
        assert_eq!(response.status(), 404);
        assert!(
            page(response)
                .await
                .contains("<h1>There is no such page</h1>")
        );
        let response = send(&app, "GET", "/panic", "testserver").await;
        assert_eq!(response.status(), 500);
        assert!(
            page(response)
                .await
                .contains("<h1>Something went wrong</h1>")
        );
    }
}

#[tokio::test]
async fn a_new_base_dresses_every_error_page() {
    let (database, folder) = (TestDatabase::sqlite(), tempfile::tempdir().unwrap());
    write(
        folder.path(),
        &["base.html"],
        "<nav>{{ csrf_token }}</nav>{% block content %}{% endblock %}",
    );
    let app = app(&auth(&database, folder.path()).await);
    let response = send(&app, "GET", "/missing", "testserver").await;
    assert!(
        response.headers().contains_key("set-cookie"),
        "the token of a page needs its cookie"
    );
    let text = page(response).await;
    assert!(text.contains("<h1>There is no such page</h1>") && !text.contains("<nav></nav>"));
    let response = send(&app, "GET", "/panic", "testserver").await;
    assert!(
        page(response).await.contains("<nav></nav>"),
        "no token where things fail"
    );
    let head = send(&app, "HEAD", "/missing", "testserver").await;
    assert_eq!(
        (head.status().as_u16(), page(head).await),
        (404, String::new())
    );
}
