//! Published weaknesses of sessions that must not exist here.

use djauth_sessions::{CookieAction, EngineKind, SessionData, SessionEngine, process_response};
use djauth_signing::crypto::get_random_string;

use crate::beds::{bed_with, beds, beds_with, setup};
use crate::fake_redis::FakeRedis;

fn random_key() -> String {
    get_random_string(32, "abcdefghijklmnopqrstuvwxyz0123456789")
}

#[tokio::test]
async fn cve_2015_5143_unknown_keys_make_no_rows_and_are_never_adopted() {
    for every in [false, true] {
        for bed in beds_with(|config| config.save_every_request = every).await {
            for round in 0..100 {
                let key = random_key();
                let session = bed.open(&key);
                if round % 2 == 0 {
                    let _ = session.get::<String>("a").await.unwrap();
                }
                process_response(&session, true, 200).await.unwrap();
            }
            assert_eq!(bed.count().await, 0, "{}", bed.name());

            let chosen = random_key();
            let session = bed.open(&chosen);
            session.insert("_auth_user_id", "1").await.unwrap();
            session.cycle_key().await.unwrap();
            process_response(&session, true, 200).await.unwrap();
            assert_ne!(session.session_key().unwrap(), chosen, "{}", bed.name());
            assert_eq!(
                bed.open(&chosen).get_str("_auth_user_id").await.unwrap(),
                None
            );
            bed.forget().await;
        }
    }
}

#[tokio::test]
async fn cve_2015_5963_anonymous_logouts_leave_no_rows() {
    for bed in beds().await {
        for round in 0..100 {
            let key = random_key();
            let cookie = (round % 2 == 0).then_some(key.as_str());
            let session = bed.engine.open(cookie);
            session.flush().await.unwrap();
            let outcome = process_response(&session, cookie.is_some(), 302)
                .await
                .unwrap();
            let expected = if cookie.is_some() {
                CookieAction::Delete
            } else {
                CookieAction::Keep
            };
            assert_eq!(outcome.cookie, expected, "{}", bed.name());
        }
        assert_eq!(bed.count().await, 0, "{}", bed.name());
        bed.forget().await;
    }
}

#[tokio::test]
async fn cve_2015_3982_a_flushed_session_has_no_key_and_an_empty_cookie_loads_nothing() {
    for bed in beds().await {
        let session = bed.open(&bed.stored().await);
        session.flush().await.unwrap();
        assert_eq!(session.session_key(), None, "{}", bed.name());

        if bed.kind() == EngineKind::CachedDb {
            let pickle = SessionData::from_json(br#"{"a":1}"#)
                .unwrap()
                .to_pickle()
                .unwrap();
            let _: String = bed
                .redis("SET", "django.contrib.sessions.cached_db", &[&pickle])
                .await;
        }
        let session = bed.open("");
        assert_eq!(
            session.get::<i64>("a").await.unwrap(),
            None,
            "{}",
            bed.name()
        );
        assert_eq!(session.session_key(), None);
    }
}

#[tokio::test]
async fn cve_2011_4136_a_session_key_names_no_other_cache_entry() {
    let bed = bed_with(EngineKind::Cache, |_| {}).await;
    let pickle = SessionData::from_json(br#"{"_auth_user_id":"1"}"#)
        .unwrap()
        .to_pickle()
        .unwrap();
    let _: String = bed.redis("SET", "views.cache.home", &[&pickle]).await;
    let session = bed.open("views.cache.home");
    assert_eq!(session.get_str("_auth_user_id").await.unwrap(), None);

    bed.stored().await;
    let names = bed.cache_keys().await;
    let sessions = names
        .iter()
        .filter(|name| name.starts_with(":1:django.contrib.sessions.cache"));
    assert_eq!((sessions.count(), names.len()), (1, 2));
}

#[tokio::test]
async fn cve_2020_13254_odd_keys_never_reach_the_cache() {
    let fake = FakeRedis::start().await;
    let engine = SessionEngine::cache(fake.cache(), setup().config);
    let long = "k".repeat(300);
    for key in [
        "with space",
        "line\r\nSET x y",
        "nul\0nul\0nul",
        "\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}",
        "schlüssel",
        &long,
    ] {
        let session = engine.open(Some(key));
        assert!(session.keys().await.unwrap().is_empty());
        session.delete().await.unwrap();
        assert_eq!(session.session_key(), None);
    }
    assert_eq!(fake.commands(), 0);
    assert!(
        engine
            .open(Some("plain-key"))
            .keys()
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(fake.commands(), 1);
}

#[tokio::test]
async fn cve_2026_35192_saving_every_request_varies_by_the_cookie() {
    for bed in beds_with(|config| config.save_every_request = true).await {
        let key = bed.stored().await;
        let session = bed.open(&key);
        assert!(!session.accessed() && !session.modified());
        let outcome = process_response(&session, true, 200).await.unwrap();
        assert!(
            matches!(outcome.cookie, CookieAction::Set { .. }),
            "{}",
            bed.name()
        );
        assert!(outcome.vary, "{}", bed.name());
    }
}
