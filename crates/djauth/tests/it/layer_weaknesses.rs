//! Published weaknesses of Django's middleware that the layer must not have, and edge cases.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{COOKIE, HOST, LOCATION, SET_COOKIE, VARY};
use axum::http::request::Builder;
use axum::http::{Request as HttpRequest, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use djauth::db::{Executor, Sql};
use djauth::decorators::user_passes_test;
use djauth::{
    AbstractBaseUser, Auth, BaseUser, LoginRequired, PermissionsMixin, Rejection, SecretKey, User,
};
use djauth_signing::FixedClock;
use serde_json::{Map, json};
use test_databases::TestDatabase;
use tower::ServiceExt;

use crate::auth_support::{FALLBACK, KEY};
use crate::layer::{alice, app, ask, auth, now, page, verify};

async fn rows(auth: &Auth) -> i64 {
    static COUNT: Sql = Sql::new("SELECT COUNT(*) FROM django_session");
    let count = auth
        .db()
        .fetch_optional(&COUNT, &[], |row| row.get(0))
        .await;
    count.unwrap().unwrap()
}

async fn send(app: &Router, request: Builder) -> Response {
    let request = request
        .header(HOST, "testserver")
        .body(Body::empty())
        .unwrap();
    app.clone().oneshot(request).await.unwrap()
}

/// CVE-2015-5963 and CVE-2015-5964: logging out nobody makes no session.
#[tokio::test]
async fn cve_2015_5963_logging_out_nobody_leaves_nothing() {
    let database = TestDatabase::sqlite();
    let (auth, _) = alice(&database).await;
    let (app, before) = (app(&auth), rows(&auth).await);
    for _ in 0..1000 {
        let response = ask(&app, "/logout", None).await;
        assert!(!response.headers().contains_key(SET_COOKIE));
    }
    assert_eq!(rows(&auth).await, before);
}

/// CVE-2015-5143: a key that nobody gave out makes no session, and is never adopted.
#[tokio::test]
async fn cve_2015_5143_unknown_keys_make_no_sessions() {
    let database = TestDatabase::sqlite();
    let (auth, _) = alice(&database).await;
    let (app, before) = (app(&auth), rows(&auth).await);
    for number in 0..1000 {
        let key = format!("{number:0>32}");
        let response = ask(&app, "/read", Some(&key)).await;
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("sessionid=\"\";"), "{cookie}");
    }
    assert_eq!(rows(&auth).await, before);
    let chosen = "a".repeat(32);
    let response = ask(&app, "/write", Some(&chosen)).await;
    assert!(
        !response.headers()[SET_COOKIE]
            .to_str()
            .unwrap()
            .contains(&chosen)
    );
}

/// CVE-2026-35192: a cookie that is sent because of `SESSION_SAVE_EVERY_REQUEST` varies the response.
#[tokio::test]
async fn cve_2026_35192_saving_every_request_varies_by_cookie() {
    let database = TestDatabase::sqlite();
    let (_first, live) = alice(&database).await;
    let every = json!({"SESSION_SAVE_EVERY_REQUEST": true});
    let auth = auth(&database, every.as_object().unwrap()).await;
    let response = ask(&app(&auth), "/plain", Some(&live)).await;
    assert!(response.headers().contains_key(SET_COOKIE));
    assert_eq!(response.headers()[VARY], "Cookie");
}

/// CVE-2014-1418 and CVE-2014-0473: whatever depends on a cookie, or sets one, says so to caches.
#[tokio::test]
async fn cve_2014_1418_private_pages_vary_by_cookie() {
    let database = TestDatabase::sqlite();
    let (auth, live) = alice(&database).await;
    let app = app(&auth);
    for path in [
        "/token", "/user", "/read", "/write", "/login", "/private", "/perm", "/raise",
    ] {
        for cookie in [None, Some(live.as_str())] {
            let response = ask(&app, path, cookie).await;
            assert_eq!(response.headers()[VARY], "Cookie", "{path}");
        }
    }
}

/// CVE-2011-0696 and CVE-2011-4140: a header that scripts can forge, or a forged host, is no token.
#[tokio::test]
async fn cve_2011_0696_ajax_and_hosts_are_no_tokens() {
    let database = TestDatabase::sqlite();
    let (auth, _) = alice(&database).await;
    let app = app(&auth);
    let secret = "q7Rb2XkV9mTz0LhYc4NfWs8JdGpEuA1e";
    let post = || HttpRequest::post("/plain").header(COOKIE, format!("csrftoken={secret}"));
    let ajax = send(&app, post().header("x-requested-with", "XMLHttpRequest")).await;
    assert_eq!(ajax.status(), StatusCode::FORBIDDEN);
    let foreign = post()
        .header("x-csrftoken", secret)
        .header("origin", "http://evil.com");
    let forged = foreign.header("x-forwarded-host", "evil.com");
    assert_eq!(send(&app, forged).await.status(), StatusCode::FORBIDDEN);
    let own = post()
        .header("x-csrftoken", secret)
        .header("origin", "http://testserver");
    assert_eq!(send(&app, own).await.status(), StatusCode::OK);
}

/// What only decodes to an exempt path is served by another route, so it needs its token.
#[tokio::test]
async fn exempt_paths_are_compared_as_they_were_sent() {
    let database = TestDatabase::sqlite();
    let (auth, _) = alice(&database).await;
    let layer = auth.layer().csrf_exempt("/hooks").csrf_exempt("/in/{id}");
    let app = Router::new()
        .route("/in/{id}", post(async || "by id"))
        .fallback(async || "another")
        .layer(layer);
    for (path, status) in [
        ("/hooks", 200),
        ("/hooks?now", 200),
        ("/in/7", 200),
        ("/in/%37", 200),
        ("/%68ooks", 403),
        ("/hook%73", 403),
        ("/hooks/", 403),
        ("/in/%2e%2e/hooks", 403),
        ("/in%2f7", 403),
        ("/%69n/7", 403),
    ] {
        let response = send(&app, HttpRequest::post(path)).await;
        assert_eq!(response.status(), status, "{path}");
    }
}

/// CVE-2010-3082: what a cookie holds never reaches a page.
#[tokio::test]
async fn cve_2010_3082_markup_in_the_cookie_is_replaced() {
    let database = TestDatabase::sqlite();
    let (auth, _) = alice(&database).await;
    let markup = format!("csrftoken=<script>{}", "x".repeat(24));
    let response = send(
        &app(&auth),
        HttpRequest::get("/token").header(COOKIE, markup),
    )
    .await;
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(!cookie.contains("script"), "{cookie}");
    let token = page(response).await;
    assert!(
        token.len() == 64 && token.bytes().all(|b| b.is_ascii_alphanumeric()),
        "{token}"
    );
}

/// After a change of keys a session goes on: the layer renews it, verify only reads it.
#[tokio::test]
async fn fallback_keys_are_renewed_by_the_layer_and_left_alone_by_verify() {
    let database = TestDatabase::sqlite();
    let (_first, live) = alice(&database).await;
    let mut settings = auth(&database, &Map::new())
        .await
        .settings()
        .as_ref()
        .clone();
    settings.secret_key = SecretKey::new(FALLBACK).unwrap();
    settings.secret_key_fallbacks = vec![SecretKey::new(KEY).unwrap()];
    let builder = Auth::builder(settings).clock(FixedClock::new(now()));
    let auth = builder.connect(database.url()).await.unwrap();
    assert_eq!(
        verify(&auth, "", Some(&live)).await.status(),
        StatusCode::OK
    );
    assert_eq!(
        verify(&auth, "", Some(&live)).await.status(),
        StatusCode::OK
    );
    let response = ask(&app(&auth), "/private", Some(&live)).await;
    assert_eq!(response.status(), StatusCode::OK);
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    assert!(
        cookie.starts_with("sessionid=") && !cookie.contains(&live),
        "{cookie}"
    );
    assert_eq!(
        verify(&auth, "", Some(&live)).await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn tests_of_ones_own() {
    let database = TestDatabase::sqlite();
    let (auth, live) = alice(&database).await;
    let is_alice = user_passes_test(|user: Option<Arc<User>>| async move {
        Ok(user.is_some_and(|user| user.username == "alice"))
    });
    let broken = user_passes_test(|_: Option<Arc<User>>| async { some_failure().map(|()| true) });
    let to = is_alice.clone().login_url("/in").redirect_field_name("to");
    let app = Router::new()
        .route(
            "/alice",
            get(async || "hello").route_layer(is_alice.raise_exception()),
        )
        .route("/to", get(async || "hello").route_layer(to))
        .route("/broken", get(async || "hello").route_layer(broken))
        .layer(auth.layer());
    assert_eq!(
        ask(&app, "/alice", Some(&live)).await.status(),
        StatusCode::OK
    );
    assert_eq!(
        ask(&app, "/alice", None).await.status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        ask(&app, "/to?a", None).await.headers()[LOCATION],
        "/in?to=/to%3Fa"
    );
    let broken = ask(&app, "/broken", Some(&live)).await;
    assert_eq!(broken.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

/// Some error of this crate.
fn some_failure() -> Result<(), djauth::Error> {
    let mut settings = djauth::Settings::new(SecretKey::new("key").unwrap());
    settings.session_cookie_name = "not a name".to_owned();
    Ok(settings.validate()?)
}

#[derive(Clone, Debug, BaseUser)]
#[django(app_label = "accounts", USERNAME_FIELD = "email")]
struct Account {
    id: i64,
    base: AbstractBaseUser,
    permissions: PermissionsMixin,
    email: String,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.email)
    }
}

#[tokio::test]
async fn an_extractor_of_another_user_model_names_both() {
    let database = TestDatabase::sqlite();
    let (auth, live) = alice(&database).await;
    let app = Router::new()
        .route(
            "/",
            get(async |user: LoginRequired<Account>| user.to_string()),
        )
        .layer(auth.layer());
    let response = ask(&app, "/", Some(&live)).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let asked = Rejection::WrongUser {
        asked: "Account",
        have: "User",
    }
    .to_string();
    assert!(asked.contains("LoginRequired<User>"), "{asked}");
}

/// `permission_required` is set up at start-up: a slip is found there.
#[test]
#[should_panic(expected = "write app_label.codename")]
fn a_permission_without_an_app_is_refused() {
    let _ = djauth::permission_required("view_report");
}

/// `set_signed_cookie("name", "value", salt="salt")` of Django 6.1, and of the versions before.
const NEW_COOKIE: &str = "value:1vb66i:CxBismKSaN6jUOneTdXLVYqkwtWogw_Y2Xw8XVrufiM";
const LEGACY_COOKIE: &str = "value:1vb66i:Sp__SNmmUqVDp1v0E_-J6SvAm0UKyQR63L6KhDmdEZg";

/// The values are Django's own: 6.1 signs with the new salt, and reads the old one if it is told to.
#[tokio::test]
async fn signed_cookies_of_older_versions_count_if_allowed() {
    let database = TestDatabase::sqlite();
    for (allowed, expected) in [(false, None), (true, Some("value".to_owned()))] {
        let changes = json!({ "SIGNED_COOKIE_LEGACY_SALT_FALLBACK": allowed });
        let auth = auth(&database, changes.as_object().unwrap()).await;
        let fresh = auth.signed_cookie("name", "value", "salt");
        let fresh = fresh.to_header_value().unwrap();
        let fresh = fresh
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        for (cookie, expected) in [
            (fresh, Some("value".to_owned())),
            (format!("name={LEGACY_COOKIE}"), expected),
            (format!("name={NEW_COOKIE}"), Some("value".to_owned())),
            (format!("name={LEGACY_COOKIE}x"), None),
            (format!("other={NEW_COOKIE}"), None),
        ] {
            let (parts, ()) = HttpRequest::builder()
                .header(COOKIE, &cookie)
                .body(())
                .unwrap()
                .into_parts();
            let request = djauth::http::Request::new(
                auth.settings().clone(),
                &parts,
                auth.sessions().open(None),
            );
            let read = auth.get_signed_cookie(&request, "name", "salt", None);
            assert_eq!(read, expected, "{cookie}");
        }
    }
}
