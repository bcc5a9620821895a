//! Rows of SQLite that hold what Django does not write there, read as Django reads them
//! (`interop/vectors/damaged_rows.py`).

use djauth::Auth;
use djauth::db::{Executor, Sql, Value};
use serde_json::Value as Json;
use test_databases::TestDatabase;

use crate::auth_support::{logged_in, request, settings};

async fn alice(database: &TestDatabase) -> (Auth, i32) {
    let auth = Auth::connect(database.url(), settings()).await.unwrap();
    auth.migrate().await.unwrap();
    let alice = auth.users().create_user("alice", "", Some("secret"));
    let alice = alice.await.unwrap();
    (auth, alice.id)
}

fn cases(of: &str) -> Vec<Json> {
    let data: Json = serde_json::from_str(include_str!("../data/damaged_rows.json")).unwrap();
    data[of].as_array().unwrap().clone()
}

async fn run(auth: &Auth, statement: &str) {
    let tx = auth.db().begin().await.unwrap();
    tx.execute_script(statement).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn moments_in_any_form_are_read() {
    static STORE: Sql = Sql::new("UPDATE auth_user SET last_login = ?");
    let database = TestDatabase::sqlite();
    let (auth, id) = alice(&database).await;
    let cases = cases("moments");
    assert!(cases.iter().filter(|case| case["micros"].is_i64()).count() > 100);
    let mut wrong = Vec::new();
    for case in cases {
        let text = case["text"].as_str().unwrap().to_owned();
        let stored = auth.db().execute(&STORE, vec![Value::Text(text.into())]);
        stored.await.unwrap();
        let read = auth.users().get(id).await.ok().flatten();
        let moment = read.and_then(|user| user.base.last_login);
        let micros = moment.map(|moment| moment.timestamp_micros());
        if micros != case["micros"].as_i64() {
            wrong.push(format!("{case} here {micros:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn nothing_but_one_is_true() {
    let database = TestDatabase::sqlite();
    let (auth, id) = alice(&database).await;
    for case in cases("booleans") {
        let sql = case["sql"].as_str().unwrap();
        run(&auth, &format!("UPDATE auth_user SET is_superuser = {sql}")).await;
        let user = auth.users().get(id).await.unwrap().expect("still there");
        assert_eq!(
            Json::from(user.permissions.is_superuser),
            case["true"],
            "{sql}"
        );
    }
}

/// By the key alone, and in one statement with the user whom the key belonged to.
#[tokio::test]
async fn data_that_is_no_text_is_an_empty_session() {
    let database = TestDatabase::sqlite();
    let (auth, id) = alice(&database).await;
    for case in cases("sessions") {
        let sql = case["sql"].as_str().unwrap();
        assert_eq!(case["loaded"][0], serde_json::json!({}), "{sql}");
        let alice = auth.users().get(id).await.unwrap().expect("still there");
        let key = logged_in(&auth, &alice).await;
        let again = request(&auth, Some(&key));
        assert!(auth.user(&again).await.unwrap().is_some());
        run(
            &auth,
            &format!("UPDATE django_session SET session_data = {sql}"),
        )
        .await;
        let hinted = request(&auth, Some(&key));
        assert!(auth.user(&hinted).await.unwrap().is_none(), "{sql}");
        let session = auth.sessions().open(Some(&key));
        assert!(
            session.get_str("_auth_user_id").await.unwrap().is_none(),
            "{sql}"
        );
        assert_eq!(session.session_key().as_deref(), Some(&*key), "{sql}");
    }
}
