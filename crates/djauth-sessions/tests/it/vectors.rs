//! Byte for byte against what Django wrote.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use djauth_sessions::{ErrorKind, SESSION_EXPIRY, SessionConfig, SessionData, SessionEngine};
use djauth_signing::{FixedClock, SecretKey, SecretKeys};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../data/sessions.json")).unwrap()
}

fn list(name: &str) -> Vec<Value> {
    vectors()[name].as_array().unwrap().clone()
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 250_000_000).unwrap()
}

fn config() -> SessionConfig {
    let vectors = vectors();
    let key = |name: &str| SecretKey::new(text(&vectors, name)).unwrap();
    let keys = SecretKeys::with_fallbacks(key("key"), [key("old_key")]);
    SessionConfig::new(&keys).with_clock(Arc::new(FixedClock::new(now())))
}

fn parse(json: &str) -> SessionData {
    SessionData::from_json(json.as_bytes()).unwrap()
}

/// As Python would write it again after reading.
fn rewritten(data: &SessionData) -> String {
    SessionData::from_pickle(&data.to_pickle().unwrap())
        .unwrap()
        .to_json()
        .unwrap()
}

#[test]
fn session_data_of_django_is_read_with_key_and_fallback() {
    for vector in list("session_data") {
        let expected = text(&vector, "json");
        assert_eq!(
            config().decode(text(&vector, "text")).to_json().unwrap(),
            expected
        );
        assert_eq!(
            config().decode(text(&vector, "old")).to_json().unwrap(),
            expected
        );
        assert_eq!(rewritten(&parse(expected)), expected);
    }
}

/// The signed text has the payload of Django, byte for byte where it is not compressed.
#[test]
fn session_data_for_django_is_written_as_django_does() {
    let mut uncompressed = 0;
    for vector in list("session_data") {
        let (expected, json) = (text(&vector, "text"), text(&vector, "json"));
        let written = config().encode(&parse(json)).unwrap();
        assert_eq!(
            written.starts_with('.'),
            expected.starts_with('.'),
            "{json}"
        );
        assert_eq!(config().decode(&written).to_json().unwrap(), json);
        if !expected.starts_with('.') {
            assert_eq!(written, expected);
            uncompressed += 1;
        }
    }
    assert!(uncompressed > 3);
}

#[test]
fn other_spellings_of_json_are_read_as_django_reads_them() {
    for vector in list("readable") {
        let data = config().decode(text(&vector, "text"));
        assert_eq!(rewritten(&data), text(&vector, "json"));
    }
}

#[test]
fn what_django_cannot_read_is_empty() {
    for vector in list("bad") {
        assert_eq!(text(&vector, "json"), "{}");
        assert!(
            config().decode(text(&vector, "text")).is_empty(),
            "{vector}"
        );
    }
}

#[tokio::test]
async fn signed_cookies_of_django() {
    let engine = SessionEngine::signed_cookies(config());
    for vector in list("cookies") {
        let session = engine.open(Some(text(&vector, "cookie")));
        let json = session.data().await.unwrap().to_json().unwrap();
        let accepted = vector["accepted"].as_bool().unwrap();
        assert_eq!(
            json,
            if accepted {
                text(&vector, "json")
            } else {
                "{}"
            }
        );
        assert_eq!(session.modified(), !accepted, "{vector}");
    }
}

#[tokio::test]
async fn signed_cookies_for_django() {
    let engine = SessionEngine::signed_cookies(config());
    for vector in list("cookies").iter().step_by(3) {
        let session = engine.open(None);
        session.update(&parse(text(vector, "json"))).await.unwrap();
        session.save().await.unwrap();
        let (written, expected) = (session.session_key().unwrap(), text(vector, "cookie"));
        assert_eq!(written.starts_with('.'), expected.starts_with('.'));
        if !written.starts_with('.') {
            assert_eq!(written, expected);
        }
    }
}

#[test]
fn pickles_of_django_both_ways() {
    let mut exact = 0;
    for vector in list("pickles") {
        let (json, pickle) = (text(&vector, "json"), hex(text(&vector, "pickle")));
        let data = SessionData::from_pickle(&pickle).unwrap();
        assert_eq!(data.to_json().unwrap(), json);
        assert_eq!(
            SessionData::from_pickle(&parse(json).to_pickle().unwrap()).unwrap(),
            data
        );
        if vector["exact"].as_bool().unwrap() {
            assert_eq!(parse(json).to_pickle().unwrap(), pickle, "{json}");
            assert_eq!(data.to_pickle().unwrap(), pickle);
            exact += 1;
        }
    }
    assert!(exact > 5, "{exact}");
}

#[test]
fn older_protocols_are_read() {
    for vector in list("old_protocols") {
        let data = SessionData::from_pickle(&hex(text(&vector, "pickle"))).unwrap();
        assert_eq!(data.to_json().unwrap(), text(&vector, "json"));
    }
}

#[test]
fn python_types_survive_in_pickles() {
    for vector in list("python_only") {
        let pickle = hex(text(&vector, "pickle"));
        let data = SessionData::from_pickle(&pickle).unwrap();
        assert_eq!(data.get_str("_auth_user_id").as_deref(), Some("1"));
        let again = data.to_pickle().unwrap();
        assert_eq!(SessionData::from_pickle(&again).unwrap(), data);
        if vector["exact"].as_bool().unwrap() {
            assert_eq!(again, pickle);
        }
        match vector["json"].as_str() {
            Some(json) => assert_eq!(data.to_json().unwrap(), json),
            None => assert_eq!(data.to_json().unwrap_err().kind(), ErrorKind::NotCarried),
        }
    }
}

#[test]
fn objects_leave_the_rest_readable() {
    for vector in list("objects") {
        let mut data = SessionData::from_pickle(&hex(text(&vector, "pickle"))).unwrap();
        for key in ["_auth_user_id", "_auth_user_backend", "_auth_user_hash"] {
            assert!(data.get_str(key).is_some());
        }
        data.insert("more", &1).unwrap();
        assert_eq!(data.to_pickle().unwrap_err().kind(), ErrorKind::NotCarried);
        assert_eq!(data.to_json().unwrap_err().kind(), ErrorKind::NotCarried);
    }
}

#[tokio::test]
async fn expiries_are_djangos() {
    let engine = SessionEngine::signed_cookies(config());
    for vector in list("expiries") {
        let session = engine.open(None);
        session.update(&parse(text(&vector, "json"))).await.unwrap();
        assert_eq!(
            session.get_expiry_age().await.unwrap(),
            vector["age"].as_i64().unwrap(),
            "{vector}"
        );
        let date: DateTime<Utc> = text(&vector, "date").parse().unwrap();
        assert_eq!(session.get_expiry_date().await.unwrap(), date, "{vector}");
        let close = session.get_expire_at_browser_close().await.unwrap();
        assert_eq!(close, vector["close"].as_bool().unwrap(), "{vector}");
    }
}

/// A text that Python cannot read counts as no expiry; Django fails there.
#[tokio::test]
async fn iso_dates_are_pythons() {
    let engine = SessionEngine::signed_cookies(config());
    for vector in list("iso") {
        let session = engine.open(None);
        session
            .insert(SESSION_EXPIRY, text(&vector, "text"))
            .await
            .unwrap();
        let date = session
            .get_expiry_date()
            .await
            .unwrap()
            .to_rfc3339_opts(SecondsFormat::Micros, false);
        let expected = vector["date"].as_str().map_or(
            String::from("2026-01-15T00:00:00.250000+00:00"),
            |date| {
                date.parse::<DateTime<Utc>>()
                    .unwrap()
                    .to_rfc3339_opts(SecondsFormat::Micros, false)
            },
        );
        assert_eq!(date, expected, "{vector}");
    }
}
