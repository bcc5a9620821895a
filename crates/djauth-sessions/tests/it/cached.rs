//! What Django's cache holds, byte for byte, and what only Python can read.

use djauth_sessions::{
    CookieAction, EngineKind, ErrorKind, SessionData, SessionEngine, process_response,
};

use crate::beds::{bed, bed_with, setup};

/// `{"_auth_user_id": "1", "price": Decimal("1.5")}`, pickled by Python.
const WITH_DECIMAL: &[u8] = b"\x80\x05\x95E\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\r_auth_user_id\x94\x8c\x011\x94\x8c\x05price\x94\
    \x8c\x07decimal\x94\x8c\x07Decimal\x94\x93\x94\x8c\x031.5\x94\x85\x94R\x94u.";

#[tokio::test]
async fn the_bytes_in_the_cache_are_djangos() {
    for (kind, prefix) in [
        (EngineKind::Cache, "django.contrib.sessions.cache"),
        (EngineKind::CachedDb, "django.contrib.sessions.cached_db"),
    ] {
        let bed = bed(kind).await;
        let session = bed.engine.open(None);
        session.insert("_auth_user_id", "1").await.unwrap();
        session.insert("n", &3).await.unwrap();
        session.save().await.unwrap();
        let name = format!("{prefix}{}", session.session_key().unwrap());
        let bytes: Vec<u8> = bed.redis("GET", &name, &[]).await;
        let mut expected = b"\x80\x05\x95\x1f\0\0\0\0\0\0\0}\x94(\x8c\x0d_auth_user_id\x94\x8c\x011\x94\x8c\x01n\x94K\x03u.".to_vec();
        assert_eq!(bytes, expected);
        let ttl: i64 = bed.redis("TTL", &name, &[]).await;
        assert!((1_209_590..=1_209_600).contains(&ttl));
        // A change by Django is seen here.
        let at = expected.iter().rposition(|byte| *byte == 3).unwrap();
        expected[at] = 5;
        let _: String = bed.redis("SET", &name, &[&expected]).await;
        let again = bed.open(&session.session_key().unwrap());
        assert_eq!(again.get::<i64>("n").await.unwrap(), Some(5));
    }
}

#[tokio::test]
async fn a_session_with_an_object_authenticates_and_is_not_lost() {
    let bed = bed(EngineKind::Cache).await;
    let name = "django.contrib.sessions.cacheabcdefghijklmnop";
    let _: String = bed
        .redis("SET", name, &[WITH_DECIMAL, b"EX", b"1000"])
        .await;

    let session = bed.open("abcdefghijklmnop");
    assert_eq!(
        session.get_str("_auth_user_id").await.unwrap().as_deref(),
        Some("1")
    );
    assert_eq!(
        session.get::<f64>("price").await.unwrap_err().kind(),
        ErrorKind::NotCarried
    );
    process_response(&session, true, 200).await.unwrap();

    session.insert("seen", &true).await.unwrap();
    let error = process_response(&session, true, 200).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotCarried);
    assert!(error.to_string().contains("decimal.Decimal"));
    assert_eq!(
        session.cycle_key().await.unwrap_err().kind(),
        ErrorKind::NotCarried
    );
    let kept: Vec<u8> = bed.redis("GET", name, &[]).await;
    assert_eq!(kept, WITH_DECIMAL);

    // Logging out works all the same.
    session.flush().await.unwrap();
    assert_eq!(bed.count().await, 0);
}

#[tokio::test]
async fn an_unchanged_session_with_an_object_is_kept_alive() {
    let bed = bed_with(EngineKind::Cache, |config| config.save_every_request = true).await;
    let name = "django.contrib.sessions.cacheabcdefghijklmnop";
    let _: String = bed
        .redis("SET", name, &[WITH_DECIMAL, b"EX", b"1000"])
        .await;
    let session = bed.open("abcdefghijklmnop");
    let outcome = process_response(&session, true, 200).await.unwrap();
    assert!(matches!(outcome.cookie, CookieAction::Set { .. }));
    let ttl: i64 = bed.redis("TTL", name, &[]).await;
    assert!(ttl > 1000);
    let kept: Vec<u8> = bed.redis("GET", name, &[]).await;
    assert_eq!(kept, WITH_DECIMAL);
}

#[tokio::test]
async fn entries_that_are_no_sessions_are_none() {
    let bed = bed(EngineKind::Cache).await;
    for bytes in [
        &b"12345"[..],
        b"",
        b"\x80\x05N.",
        b"\x80\x05]\x94.",
        b"rubbish",
        b"\x80\x05\x95",
    ] {
        let _: String = bed
            .redis(
                "SET",
                "django.contrib.sessions.cacheabcdefghijklmnop",
                &[bytes],
            )
            .await;
        let session = bed.open("abcdefghijklmnop");
        assert!(session.keys().await.unwrap().is_empty());
        assert_eq!(session.session_key(), None);
    }
}

#[tokio::test]
async fn an_unreadable_copy_is_replaced_from_the_row() {
    let bed = bed(EngineKind::CachedDb).await;
    let key = bed.stored().await;
    let name = format!("django.contrib.sessions.cached_db{key}");
    let _: String = bed.redis("SET", &name, &[b"rubbish"]).await;
    assert_eq!(bed.open(&key).get::<i64>("a").await.unwrap(), Some(1));
    let copy: Vec<u8> = bed.redis("GET", &name, &[]).await;
    assert_eq!(
        SessionData::from_pickle(&copy)
            .unwrap()
            .get::<i64>("a")
            .unwrap(),
        Some(1)
    );
}

#[tokio::test]
async fn a_copy_is_served_without_the_row_as_in_django() {
    let bed = bed(EngineKind::CachedDb).await;
    let key = bed.stored().await;
    bed.execute("DELETE FROM django_session", vec![]).await;
    let session = bed.open(&key);
    assert_eq!(session.get::<i64>("a").await.unwrap(), Some(1));
    session.insert("a", &2).await.unwrap();
    assert_eq!(
        session.save().await.unwrap_err().kind(),
        ErrorKind::Interrupted
    );
}

#[tokio::test]
async fn a_cookie_that_browsers_would_drop_is_refused() {
    let engine = SessionEngine::signed_cookies(setup().config);
    let session = engine.open(None);
    // Digits of a generator do not compress below the limit.
    let noise = djauth_signing::crypto::get_random_string(
        5000,
        djauth_signing::crypto::RANDOM_STRING_CHARS,
    );
    session.insert("noise", &noise).await.unwrap();
    let error = process_response(&session, false, 200).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    session.insert("noise", &"x".repeat(5000)).await.unwrap();
    process_response(&session, false, 200).await.unwrap();
}
