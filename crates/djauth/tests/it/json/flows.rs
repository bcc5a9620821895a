//! Every operation with every status, on each database.

use djauth::Auth;
use serde_json::json;
use test_databases::TestDatabase;

use super::client::{Client, JSON, site};

/// All that takes a body, with a body that is right.
const UNSAFE: &[&str] = &[
    "login/",
    "logout/",
    "password_change/",
    "password_reset/",
    "reset/MQ/set-password/",
];

#[tokio::test]
async fn every_operation_and_status_of_the_document_is_exercised() {
    let databases = TestDatabase::all();
    let runs = databases.iter().map(async |database| {
        let (auth, mut client) = site(database, |settings| {
            settings.data_upload_max_memory_size = Some(2000);
        })
        .await;
        logs_in_and_out(&mut client).await;
        stops_guesses(&mut client).await;
        resets_a_password(&auth, &mut client).await;
        changes_a_password(&mut client).await;
        refuses_what_is_no_json(&mut client).await;
        refuses_without_token(&mut client).await;
        client.get("/accounts/openapi.json").await;
        says_that_the_database_is_away(&auth, &mut client).await;
        client.contract.is_exercised();
    });
    futures_util::future::join_all(runs).await;
}

async fn logs_in_and_out(client: &mut Client) {
    let nobody = client.get("/accounts/whoami/").await;
    assert_eq!((nobody.status, nobody.code()), (401, "not_authenticated"));
    assert_eq!(nobody.body["error"]["login_url"], "/accounts/login/");
    let form = client.get("/accounts/login/").await;
    assert_eq!(form.body["form"]["fields"][1]["type"], "password");

    let wrong = json!({"username": "alice", "password": "wrong"});
    let wrong = client.post("/accounts/login/", &wrong).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(
        wrong.field_codes(),
        [("__all__".into(), "invalid_login".into())]
    );
    let unknown = json!({"username": "nobody", "password": "wrong"});
    assert_eq!(
        client.post("/accounts/login/", &unknown).await.body,
        wrong.body
    );
    let empty = client.post("/accounts/login/", &json!({})).await;
    let required = [("username", "required"), ("password", "required")];
    let required = required.map(|(name, code)| (name.to_owned(), code.to_owned()));
    assert_eq!(empty.field_codes(), required);

    let old_token = client.token.clone();
    let right = json!({"username": "alice", "password": "correct horse", "next": "/after/"});
    let right = client.post("/accounts/login/", &right).await;
    assert_eq!(
        (right.status, &right.body["redirect_to"]),
        (200, &json!("/after/"))
    );
    let user = client.get("/accounts/whoami/").await;
    assert_eq!(user.body["user"]["username"], "alice");
    assert_eq!(user.body["user"]["email"], "alice@example.com");
    // The secret was rotated.
    let token = client.token.clone();
    let stale = client
        .post_raw("/accounts/logout/", JSON, &old_token, "{}".into())
        .await;
    assert_eq!((stale.status, stale.code()), (403, "csrf_failed"));
    let out = client
        .post_raw("/accounts/logout/", JSON, &token, "{}".into())
        .await;
    assert_eq!(out.status, 200);
    assert_eq!(client.get("/accounts/whoami/").await.status, 401);
}

/// The same limit as for pages, for whomever, with the time to come back.
async fn stops_guesses(client: &mut Client) {
    let guess = json!({"username": "guessed", "password": "wrong"});
    for _ in 0..10 {
        assert_eq!(client.post("/accounts/login/", &guess).await.status, 400);
    }
    let stopped = client.post("/accounts/login/", &guess).await;
    assert_eq!((stopped.status, stopped.code()), (429, "too_many_requests"));
}

/// The same steps as in a browser; whether somebody has the address is not told.
async fn resets_a_password(auth: &Auth, client: &mut Client) {
    let path = "/accounts/password_reset/";
    assert_eq!(client.get(path).await.status, 200);
    let wrong = client.post(path, &json!({"email": "nobody"})).await;
    assert_eq!(wrong.field_codes(), [("email".into(), "invalid".into())]);
    let unknown = client
        .post(path, &json!({"email": "nobody@example.com"}))
        .await;
    let known = client
        .post(path, &json!({"email": "alice@example.com"}))
        .await;
    for answer in [unknown, known] {
        assert_eq!(answer.body["redirect_to"], "/accounts/password_reset/done/");
    }
    assert_eq!(
        client.get("/accounts/password_reset/done/").await.status,
        200
    );
    auth.mail().idle().await;
    let mails = client.mail.outbox();
    assert_eq!(mails.len(), 1);
    let lines = mails[0].body.lines();
    let mut links = lines.filter_map(|line| line.strip_prefix("http://testserver"));
    let link = links.next().expect("a link").to_owned();

    let broken = client.get("/accounts/reset/MQ/abc-def/").await;
    assert_eq!((broken.status, broken.code()), (400, "invalid_link"));
    let led = client.get(&link).await;
    let form = led.body["redirect_to"]
        .as_str()
        .expect("leads on")
        .to_owned();
    assert_eq!(
        client.get(&form).await.body["form"]["fields"][0]["name"],
        "new_password1"
    );
    let new = |one: &str, two: &str| json!({"new_password1": one, "new_password2": two});
    let wrong = client.post(&form, &new("zr7-quince", "other")).await;
    assert_eq!(
        wrong.field_codes(),
        [("new_password2".into(), "password_mismatch".into())]
    );
    let right = client
        .post(&form, &new("correct horse", "correct horse"))
        .await;
    assert_eq!(right.body["redirect_to"], "/accounts/reset/done/");
    assert_eq!(client.get("/accounts/reset/done/").await.status, 200);
    let again = client.post(&form, &new("zr7-quince", "zr7-quince")).await;
    assert_eq!((again.status, again.code()), (400, "invalid_link"));
}

async fn changes_a_password(client: &mut Client) {
    let path = "/accounts/password_change/";
    assert_eq!(client.get(path).await.status, 401);
    assert_eq!(
        client.get("/accounts/password_change/done/").await.status,
        401
    );
    assert_eq!(client.post(path, &json!({})).await.status, 401);
    client.log_in().await;
    assert_eq!(client.get(path).await.status, 200);
    let change = |old: &str, one: &str, two: &str| json!({"old_password": old, "new_password1": one, "new_password2": two});
    let wrong = client
        .post(path, &change("wrong", "zr7-quince", "other"))
        .await;
    let codes = [
        ("old_password", "password_incorrect"),
        ("new_password2", "password_mismatch"),
    ];
    assert_eq!(
        wrong.field_codes(),
        codes.map(|(n, c)| (n.to_owned(), c.to_owned()))
    );
    let short = client
        .post(path, &change("correct horse", "zr7", "zr7"))
        .await;
    assert_eq!(short.field_codes()[0].1, "password_too_short");
    let right = change("correct horse", "zr7-quince", "zr7-quince");
    let right = client.post(path, &right).await;
    assert_eq!(right.body["redirect_to"], "/accounts/password_change/done/");
    // This session goes on.
    assert_eq!(
        client.get("/accounts/password_change/done/").await.status,
        200
    );
    let back = change("zr7-quince", "correct horse", "correct horse");
    assert_eq!(client.post(path, &back).await.status, 200);
    // Guesses at the old password count as those of a login do. One more falls into the next period at
    // the most.
    let guess = change("wrong", "zr7-quince", "zr7-quince");
    for _ in 0..20 {
        let answer = client.post(path, &guess).await;
        if answer.status == 429 {
            return;
        }
    }
    panic!("the old password can be guessed at without end");
}

async fn refuses_what_is_no_json(client: &mut Client) {
    for path in UNSAFE.iter().map(|path| format!("/accounts/{path}")) {
        let token = client.token.clone();
        for kind in [
            "text/plain",
            "application/json; charset=latin-1",
            "application/xml",
        ] {
            let answer = client.post_raw(&path, kind, &token, "{}".into()).await;
            assert_eq!(
                (answer.status, answer.code()),
                (415, "unsupported_media_type"),
                "{path}"
            );
        }
        let large = format!("{{\"a\": \"{}\"}}", "b".repeat(3000));
        let answer = client.post_raw(&path, JSON, &token, large).await;
        assert_eq!((answer.status, answer.code()), (413, "too_large"), "{path}");
        for body in [
            "[]",
            "{\"username\": {\"a\": \"b\"}}",
            "{",
            "username=alice",
        ] {
            let answer = client.post_raw(&path, JSON, &token, body.into()).await;
            assert_eq!(
                (answer.status, answer.code()),
                (400, "bad_request"),
                "{path} {body}"
            );
            assert!(
                !answer.body.to_string().contains("alice"),
                "nothing is repeated"
            );
        }
    }
}

async fn refuses_without_token(client: &mut Client) {
    for path in UNSAFE.iter().map(|path| format!("/accounts/{path}")) {
        let in_body = json!({"csrfmiddlewaretoken": client.token}).to_string();
        for token in ["", "x"] {
            let answer = client.post_raw(&path, JSON, token, in_body.clone()).await;
            assert_eq!(
                (answer.status, answer.code()),
                (403, "csrf_failed"),
                "{path}"
            );
        }
    }
}

/// Never "logged out", never "wrong".
async fn says_that_the_database_is_away(auth: &Auth, client: &mut Client) {
    auth.db().close().await;
    let pages = [
        "whoami/",
        "password_change/",
        "password_change/done/",
        "reset/MQ/a-b/",
    ];
    for path in pages {
        let answer = client.get(&format!("/accounts/{path}")).await;
        assert_eq!(
            (answer.status, answer.code()),
            (503, "unavailable"),
            "{path}"
        );
    }
    // Whoever has an address is looked up after the answer, for which that makes no difference.
    for path in UNSAFE.iter().filter(|path| **path != "password_reset/") {
        let body = json!({
            "username": "alice", "password": "correct horse", "email": "alice@example.com",
        });
        let answer = client.post(&format!("/accounts/{path}"), &body).await;
        assert_eq!(
            (answer.status, answer.code()),
            (503, "unavailable"),
            "{path}"
        );
    }
}
