//! The end of a request against what Django's session middleware answered.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use djauth_sessions::{
    CookieAction, EngineKind, ErrorKind, Expiry, Outcome, Result, Session, SessionConfig,
    SessionEngine, process_response,
};
use djauth_signing::FixedClock;
use serde::Deserialize;
use tempfile::TempDir;
use test_databases::{TestDatabase, TestRedis};

use crate::beds::{cache_of, database, keys};

#[derive(Deserialize, Debug)]
struct Vector {
    every: bool,
    close: bool,
    had: String,
    act: String,
    status: u16,
    #[serde(default)]
    interrupted: bool,
    #[serde(default)]
    vary: bool,
    #[serde(default)]
    cookie: String,
    max_age: Option<i64>,
    expires: Option<String>,
    same_key: Option<bool>,
}

#[derive(Deserialize)]
struct Vectors {
    middleware: Vec<Vector>,
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 250_000_000).unwrap()
}

async fn act(session: &Session, action: &str) -> Result<()> {
    match action {
        "nothing" => Ok(()),
        "has_nothing" => session.contains_key("absent").await.map(drop),
        "read" => session.get::<i64>("a").await.map(drop),
        "write" => session.insert("b", &2).await,
        "remove_absent" => session.pop::<i64>("absent").await.map(drop),
        "clear" => {
            session.clear();
            Ok(())
        }
        "clear_and_write" => {
            session.clear();
            session.insert("b", &2).await
        }
        "flush" => session.flush().await,
        "cycle" => session.cycle_key().await,
        "write_and_flush" => {
            session.insert("b", &2).await?;
            session.flush().await
        }
        "flush_and_write" => {
            session.flush().await?;
            session.insert("b", &2).await
        }
        "deleted_meanwhile" => {
            session.insert("b", &2).await?;
            session.delete().await
        }
        "close" => session.set_expiry(Expiry::AtBrowserClose).await,
        "seconds" => session.set_expiry(Expiry::Seconds(300)).await,
        "date" => {
            session
                .set_expiry(Expiry::At(now() + TimeDelta::minutes(1)))
                .await
        }
        "default" => session.set_expiry(Expiry::Default).await,
        other => panic!("unknown action {other}"),
    }
}

async fn cookie(engine: &SessionEngine, had: &str) -> Option<String> {
    match had {
        "none" => None,
        "empty" => Some(String::new()),
        "short" => Some("short".into()),
        "unknown" => Some("u".repeat(32)),
        _ => {
            let session = engine.open(None);
            session.insert("a", &1).await.unwrap();
            session.save().await.unwrap();
            session.session_key()
        }
    }
}

/// With `SESSION_SAVE_EVERY_REQUEST` Django makes an empty row for a key that it does not know and that
/// nobody looked at, and one for a status of 500 not. Here the cookie is deleted as without the setting.
fn differs(vector: &Vector) -> bool {
    vector.every && vector.had == "unknown" && vector.act == "nothing" && vector.status < 500
}

fn check(vector: &Vector, cookie: Option<&str>, outcome: Result<Outcome>, kind: EngineKind) {
    let context = format!("{kind}: {vector:?}");
    if vector.interrupted {
        assert_eq!(
            outcome.unwrap_err().kind(),
            ErrorKind::Interrupted,
            "{context}"
        );
        return;
    }
    let outcome = outcome.unwrap();
    if differs(vector) {
        assert_eq!(
            outcome,
            Outcome {
                cookie: CookieAction::Delete,
                vary: true
            },
            "{context}"
        );
        return;
    }
    assert_eq!(outcome.vary, vector.vary, "{context}");
    match outcome.cookie {
        CookieAction::Keep => assert_eq!(vector.cookie, "keep", "{context}"),
        CookieAction::Delete => assert_eq!(vector.cookie, "delete", "{context}"),
        CookieAction::Set {
            value,
            max_age,
            expires,
        } => {
            assert_eq!(vector.cookie, "set", "{context}");
            assert_eq!(max_age, vector.max_age, "{context}");
            let expires = expires.map(|date| date.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
            assert_eq!(expires, vector.expires, "{context}");
            assert_eq!(
                Some(Some(value.as_str()) == cookie),
                vector.same_key,
                "{context}"
            );
        }
        other => panic!("{other:?}: {context}"),
    }
}

async fn run(vectors: &Vectors, engine_of: impl Fn(SessionConfig) -> SessionEngine) {
    for vector in &vectors.middleware {
        let mut config = SessionConfig::new(&keys()).with_clock(Arc::new(FixedClock::new(now())));
        config.save_every_request = vector.every;
        config.expire_at_browser_close = vector.close;
        let engine = engine_of(config);
        let cookie = cookie(&engine, &vector.had).await;
        let session = engine.open(cookie.as_deref());
        act(&session, &vector.act).await.unwrap();
        let outcome = process_response(&session, cookie.is_some(), vector.status).await;
        check(vector, cookie.as_deref(), outcome, engine.kind());
    }
}

#[tokio::test]
async fn every_combination_as_django_answered_it() {
    let vectors: Vectors = serde_json::from_str(include_str!("../data/middleware.json")).unwrap();
    assert_eq!(vectors.middleware.len(), 2 * 2 * 5 * 16 * 3);

    let redis = TestRedis::new();
    run(&vectors, |config| {
        SessionEngine::cache(cache_of(&redis), config)
    })
    .await;

    let server = TestDatabase::sqlite();
    let database = database(&server).await;
    run(&vectors, |config| {
        SessionEngine::db(database.clone(), config)
    })
    .await;

    let folder = TempDir::new().unwrap();
    run(&vectors, |mut config| {
        // Files get the real time of their last change, which must not lie before the clock of the test.
        config.file_path = Some(folder.path().into());
        SessionEngine::file(config).unwrap()
    })
    .await;
}
