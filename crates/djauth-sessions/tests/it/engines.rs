//! One body for every engine on every database.

use chrono::TimeDelta;
use djauth_sessions::{CookieAction, EngineKind, ErrorKind, Expiry, SessionData, process_response};

use crate::beds::{Bed, beds};

/// The cookie that the end of a request sets.
async fn cookie(session: &djauth_sessions::Session, had_cookie: bool) -> String {
    match process_response(session, had_cookie, 200)
        .await
        .unwrap()
        .cookie
    {
        CookieAction::Set { value, .. } => value,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_set_is_there_at_the_next_request() {
    for bed in beds().await {
        let session = bed.engine.open(None);
        assert!(session.is_empty() && !session.accessed());
        session.insert("user", "é😀\"").await.unwrap();
        session.insert("list", &[1, 2]).await.unwrap();
        assert_eq!(
            session.setdefault("user", String::from("x")).await.unwrap(),
            "é😀\""
        );
        assert_eq!(session.setdefault("new", 5).await.unwrap(), 5);
        assert!(session.modified());
        let cookie = cookie(&session, false).await;

        let session = bed.open(&cookie);
        assert!(!session.is_loaded(), "{}", bed.name());
        assert_eq!(
            session.keys().await.unwrap(),
            ["user", "list", "new"],
            "{}",
            bed.name()
        );
        assert_eq!(
            session.get_str("user").await.unwrap().as_deref(),
            Some("é😀\"")
        );
        assert_eq!(
            session.get::<String>("list").await.unwrap_err().kind(),
            ErrorKind::WrongType
        );
        assert!(session.accessed() && !session.modified());
        assert!(!session.remove("absent").await.unwrap() && !session.modified());
        assert_eq!(
            session.pop::<Vec<i32>>("list").await.unwrap(),
            Some(vec![1, 2])
        );
        assert!(session.modified());
        session.save().await.unwrap();

        let session = bed.open(&session.session_key().unwrap());
        assert_eq!(session.get::<Vec<i32>>("list").await.unwrap(), None);
        assert!(session.contains_key("user").await.unwrap());
    }
}

#[tokio::test]
async fn numbers_and_texts_of_any_kind_are_kept() {
    let json = r#"{"n":123456789012345678901234567890,"f":[1e+16,1.5,NaN,-Infinity],"s":"\ud800\u00e9\u0000","\udfff":1,"\u00e9":null}"#;
    for bed in beds().await {
        let session = bed.engine.open(None);
        session
            .update(&SessionData::from_json(json.as_bytes()).unwrap())
            .await
            .unwrap();
        session.save().await.unwrap();
        let again = bed.open(&session.session_key().unwrap());
        again.insert("more", &true).await.unwrap();
        again.save().await.unwrap();
        let data = bed
            .open(&again.session_key().unwrap())
            .data()
            .await
            .unwrap();
        assert_eq!(
            data.to_json().unwrap(),
            json.replace("null}", "null,\"more\":true}"),
            "{}",
            bed.name()
        );
    }
}

#[tokio::test]
async fn cycling_the_key_keeps_the_data_and_kills_the_old_key() {
    for bed in beds().await {
        let old = bed.stored().await;
        let session = bed.open(&old);
        session.cycle_key().await.unwrap();
        let new = session.session_key().unwrap();
        assert_eq!(
            bed.open(&new).get::<i64>("a").await.unwrap(),
            Some(1),
            "{}",
            bed.name()
        );
        assert!(session.modified());
        if bed.can_revoke() {
            assert_ne!(new, old);
            assert!(
                new.len() == 32
                    && new
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            );
            assert_eq!(
                bed.open(&old).get::<i64>("a").await.unwrap(),
                None,
                "{}",
                bed.name()
            );
        }
    }
}

#[tokio::test]
async fn flushing_leaves_nothing() {
    for bed in beds().await {
        let key = bed.stored().await;
        let session = bed.open(&key);
        session.flush().await.unwrap();
        assert!(session.is_empty() && session.accessed() && session.modified());
        let outcome = process_response(&session, true, 200).await.unwrap();
        assert_eq!(outcome.cookie, CookieAction::Delete, "{}", bed.name());
        assert!(outcome.vary);
        if bed.can_revoke() {
            let again = bed.open(&key);
            assert_eq!(again.get::<i64>("a").await.unwrap(), None, "{}", bed.name());
            assert_eq!(again.session_key(), None);
        }
    }
}

#[tokio::test]
async fn clearing_keeps_the_key_and_loads_nothing() {
    for bed in beds().await {
        let key = bed.stored().await;
        let session = bed.open(&key);
        session.clear();
        assert!(!session.is_empty());
        session.save().await.unwrap();
        let again = bed.open(&session.session_key().unwrap());
        assert!(again.keys().await.unwrap().is_empty());
        assert!(!again.is_empty(), "{}", bed.name());
    }
}

#[tokio::test]
async fn a_session_that_was_deleted_meanwhile_is_not_brought_back() {
    for bed in beds().await.iter().filter(|bed| bed.can_revoke()) {
        let key = bed.stored().await;
        let session = bed.open(&key);
        session.insert("b", &2).await.unwrap();
        bed.open(&key).flush().await.unwrap();
        let error = process_response(&session, true, 200).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{}", bed.name());
        assert_eq!(bed.count().await, 0, "{}", bed.name());
        bed.forget().await;
    }
}

#[tokio::test]
async fn ended_sessions_are_gone() {
    for bed in beds().await {
        let session = bed.engine.open(None);
        session.set_expiry(Expiry::Seconds(100)).await.unwrap();
        session.save().await.unwrap();
        let key = session.session_key().unwrap();
        bed.clock.advance(TimeDelta::seconds(90));
        assert!(
            !bed.open(&key).keys().await.unwrap().is_empty(),
            "{}",
            bed.name()
        );
        match bed.kind() {
            EngineKind::Cache => {
                let ttl: i64 = bed
                    .redis("TTL", &format!("django.contrib.sessions.cache{key}"), &[])
                    .await;
                assert!((1..=100).contains(&ttl), "{ttl}");
            }
            EngineKind::CachedDb => {
                let name = format!("django.contrib.sessions.cached_db{key}");
                let ttl: i64 = bed.redis("TTL", &name, &[]).await;
                assert!((1..=100).contains(&ttl), "{ttl}");
                let _: i64 = bed.redis("DEL", &name, &[]).await;
                expect_ended(&bed, &key).await;
            }
            EngineKind::Db | EngineKind::File => expect_ended(&bed, &key).await,
            // Django's rule: the age of the settings alone counts.
            EngineKind::SignedCookies => {
                bed.clock.advance(TimeDelta::seconds(11));
                assert!(!bed.open(&key).keys().await.unwrap().is_empty());
                bed.clock.advance(TimeDelta::days(14));
                let session = bed.open(&key);
                assert!(session.keys().await.unwrap().is_empty() && session.modified());
            }
            other => panic!("{other}"),
        }
    }
}

async fn expect_ended(bed: &Bed, key: &str) {
    bed.clock.advance(TimeDelta::hours(1));
    let session = bed.open(key);
    assert!(session.keys().await.unwrap().is_empty(), "{}", bed.name());
    assert_eq!(session.session_key(), None, "{}", bed.name());
}

#[tokio::test]
async fn clearing_ended_sessions_spares_the_others() {
    for bed in beds().await {
        let lives = bed.stored().await;
        for _ in 0..3 {
            let session = bed.engine.open(None);
            session.set_expiry(Expiry::Seconds(100)).await.unwrap();
            session.save().await.unwrap();
        }
        bed.clock.advance(TimeDelta::hours(1));
        let expected = match bed.kind() {
            EngineKind::Cache | EngineKind::SignedCookies => 0,
            _ => 3,
        };
        assert_eq!(
            bed.engine.clear_expired().await.unwrap(),
            expected,
            "{}",
            bed.name()
        );
        assert_eq!(bed.engine.clear_expired().await.unwrap(), 0);
        assert_eq!(bed.open(&lives).get::<i64>("a").await.unwrap(), Some(1));
        bed.forget().await;
    }
}

/// MariaDB compares text without regard to case.
#[tokio::test]
async fn another_spelling_of_a_key_is_another_key() {
    for bed in beds().await.iter().filter(|bed| bed.can_revoke()) {
        let key = bed.stored().await;
        let other = bed.open(&key.to_uppercase());
        assert_eq!(other.get::<i64>("a").await.unwrap(), None, "{}", bed.name());
        assert_eq!(other.session_key(), None);
        let session = bed.open(&key);
        assert_eq!(session.get::<i64>("a").await.unwrap(), Some(1));
    }
}

#[tokio::test]
async fn the_test_cookie() {
    for bed in beds().await {
        let session = bed.engine.open(None);
        assert!(!session.test_cookie_worked().await.unwrap());
        session.set_test_cookie().await.unwrap();
        let next = bed.open(&cookie(&session, false).await);
        assert!(next.test_cookie_worked().await.unwrap());
        next.delete_test_cookie().await.unwrap();
        assert!(!next.test_cookie_worked().await.unwrap() && next.modified());
    }
}

#[tokio::test]
async fn data_that_a_caller_has_read_is_taken_once() {
    for bed in beds().await {
        let key = bed.stored().await;
        let data = bed.open(&key).data().await.unwrap();
        let session = bed.open(&key);
        assert!(!session.provide("another key", None));
        assert!(session.provide(&key, Some(data)) && session.accessed());
        assert!(!session.provide(&key, None));
        assert_eq!(session.get::<i64>("a").await.unwrap(), Some(1));
        let session = bed.open(&key);
        assert!(session.provide(&key, None));
        assert_eq!((session.session_key(), session.is_empty()), (None, true));
    }
}

#[tokio::test]
async fn text_that_nobody_can_read_is_an_empty_session_with_its_key() {
    for bed in beds()
        .await
        .iter()
        .filter(|bed| bed.kind() == EngineKind::Db)
    {
        let key = bed.stored().await;
        bed.execute("UPDATE django_session SET session_data = 'rubbish'", vec![])
            .await;
        let session = bed.open(&key);
        assert!(session.keys().await.unwrap().is_empty() && !session.is_empty());
        assert_eq!(session.session_key(), Some(key));
        let outcome = process_response(&session, true, 200).await.unwrap();
        assert_eq!((outcome.cookie, outcome.vary), (CookieAction::Keep, true));
        assert_eq!(bed.count().await, 1);
        bed.forget().await;
    }
}

#[tokio::test]
async fn many_ended_rows_are_cleared_in_parts() {
    for bed in beds()
        .await
        .iter()
        .filter(|bed| bed.kind() == EngineKind::Db)
    {
        let insert = "INSERT INTO django_session (session_key, session_data, expire_date) \
            SELECT ? || a.n || b.n || c.n || d.n, '', ? FROM \
            (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) a, \
            (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) b, \
            (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) c, \
            (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) d";
        let now = djauth_signing::Clock::now(&bed.clock);
        for (start, ends) in [("ended", now - TimeDelta::seconds(1)), ("lives", now)] {
            let params = vec![
                djauth_db::Value::Text(start.into()),
                djauth_db::Value::Timestamp(ends),
            ];
            assert_eq!(bed.execute(insert, params).await, 1296);
        }
        assert_eq!(
            bed.engine.clear_expired().await.unwrap(),
            1296,
            "{}",
            bed.name()
        );
        assert_eq!(bed.count().await, 1296);
        bed.forget().await;
    }
}

#[tokio::test]
async fn handles_and_errors_show_no_key() {
    for bed in beds().await {
        let key = bed.stored().await;
        let session = bed.open(&key);
        assert!(!format!("{session:?} {:?}", bed.engine).contains(&key));
        bed.open(&key).delete().await.unwrap();
        if let Err(error) = session.save().await {
            assert!(!format!("{error} {error:?}").contains(&key));
        }
    }
}
