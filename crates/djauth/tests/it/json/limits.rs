//! Who is answered in JSON, and who is not.

use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, VARY};
use test_databases::TestDatabase;

use super::client::{JSON, site};

const HTML: &str = "text/html; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_form_never_reaches_the_json_path() {
    let database = TestDatabase::sqlite();
    let (_auth, mut client) = site(&database, |_| ()).await;
    client.get("/accounts/csrf/").await;
    let token = client.token.clone();
    let headers = [
        ("Content-Type", FORM),
        ("Accept", JSON),
        ("X-CSRFToken", token.as_str()),
    ];
    let answer = client.other("POST", "/accounts/login/", &headers).await;
    assert_eq!(
        (answer.status, &answer.headers[CONTENT_TYPE]),
        (200, &HTML.parse().unwrap())
    );
    let multipart = [
        ("Content-Type", "multipart/form-data; boundary=b"),
        headers[1],
        headers[2],
    ];
    let answer = client.other("POST", "/accounts/login/", &multipart).await;
    assert_eq!(answer.headers[CONTENT_TYPE], HTML);
}

#[tokio::test]
async fn answers_depend_on_accept_and_are_not_kept() {
    let database = TestDatabase::sqlite();
    let (_auth, mut client) = site(&database, |_| ()).await;
    for (accept, kind) in [("text/html", HTML), ("*/*", HTML), (JSON, JSON)] {
        let answer = client
            .other("GET", "/accounts/login/", &[("Accept", accept)])
            .await;
        assert_eq!(answer.headers[CONTENT_TYPE], kind, "{accept}");
        let vary = answer.headers[VARY].to_str().unwrap();
        let varies = |by| vary.split(", ").any(|name| name == by);
        assert!(varies("Accept") && varies("Cookie"), "{vary}");
        let kept = answer.headers[CACHE_CONTROL].to_str().unwrap();
        assert!(kept.contains("no-store"), "{kept}");
    }
}

/// A token is in every answer, of pages too that a browser may keep.
#[tokio::test]
async fn no_answer_in_json_is_kept() {
    let database = TestDatabase::sqlite();
    let (_auth, mut client) = site(&database, |_| ()).await;
    for path in ["password_reset/", "password_reset/done/", "reset/done/"] {
        let answer = client.get(&format!("/accounts/{path}")).await;
        assert!(answer.body["csrf_token"].is_string(), "{path}");
        let kept = answer.headers[CACHE_CONTROL].to_str().unwrap();
        assert!(kept.contains("no-store"), "{path}: {kept}");
    }
}

#[tokio::test]
async fn no_other_site_is_let_in() {
    let database = TestDatabase::sqlite();
    let (_auth, mut client) = site(&database, |_| ()).await;
    let preflight = [
        ("Origin", "https://elsewhere.example"),
        ("Access-Control-Request-Method", "POST"),
        (
            "Access-Control-Request-Headers",
            "content-type, x-csrftoken",
        ),
    ];
    // `Client::send` looks for the headers that would allow it.
    let answer = client
        .other("OPTIONS", "/accounts/login/", &preflight)
        .await;
    assert_eq!(answer.status, 200);
    client.get("/accounts/csrf/").await;
    let token = client.token.clone();
    let headers = [preflight[0], ("Accept", JSON), ("X-CSRFToken", &token)];
    let answer = client.other("POST", "/accounts/login/", &headers).await;
    assert_eq!((answer.status, answer.code()), (403, "csrf_failed"));
}

#[tokio::test]
async fn methods_and_addresses_that_are_not_there_are_errors_in_json() {
    let database = TestDatabase::sqlite();
    let (_auth, mut client) = site(&database, |_| ()).await;
    let answer = client
        .other("GET", "/accounts/logout/", &[("Accept", JSON)])
        .await;
    assert_eq!((answer.status, answer.code()), (405, "method_not_allowed"));
    assert_eq!(answer.headers[ALLOW], "POST, OPTIONS");
    let answer = client.other("GET", "/nowhere/", &[("Accept", JSON)]).await;
    assert_eq!((answer.status, answer.code()), (404, "not_found"));
    let answer = client
        .other("GET", "/nowhere/", &[("Accept", "text/html")])
        .await;
    assert_eq!((answer.status, answer.code()), (404, ""));
}

#[tokio::test]
async fn the_document_says_where_it_is_served() {
    let database = TestDatabase::sqlite();
    let (_auth, mut client) = site(&database, |_| ()).await;
    let answer = client.get("/accounts/openapi.json").await;
    assert_eq!(answer.body["servers"][0]["url"], "/accounts");
    assert_eq!(
        answer.body["paths"]["/login/"]["post"]["operationId"],
        "login"
    );
}
