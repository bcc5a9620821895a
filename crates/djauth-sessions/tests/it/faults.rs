//! Stores that are away.

use djauth_sessions::{Cache, EngineKind, ErrorKind, SessionEngine, process_response};
use test_databases::TestDatabase;

use crate::beds::{bed, database, setup};
use crate::fake_redis::FakeRedis;

#[tokio::test]
async fn a_cache_that_is_gone_is_no_logout_and_comes_back_by_itself() {
    let mut fake = FakeRedis::start().await;
    let engine = SessionEngine::cache(fake.cache(), setup().config);
    let session = engine.open(None);
    session.insert("a", &1).await.unwrap();
    session.save().await.unwrap();
    let key = session.session_key().unwrap();

    for _ in 0..2 {
        fake.stop().await;
        for _ in 0..3 {
            let away = engine.open(Some(&key));
            assert_eq!(
                away.get::<i64>("a").await.unwrap_err().kind(),
                ErrorKind::Unavailable
            );
            assert_eq!(away.session_key().as_deref(), Some(key.as_str()));
            assert_eq!(
                away.flush().await.unwrap_err().kind(),
                ErrorKind::Unavailable
            );
            let error = session.save().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
        }
        fake.restart().await;
        assert_eq!(
            engine.open(Some(&key)).get::<i64>("a").await.unwrap(),
            Some(1)
        );
    }
}

#[tokio::test]
async fn a_server_that_never_answered_is_unavailable() {
    let cache = Cache::new("redis://127.0.0.1:1/0", "", 1).unwrap();
    assert_eq!(
        cache.ping().await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    let session = SessionEngine::cache(cache, setup().config).open(None);
    session.insert("a", &1).await.unwrap();
    let error = process_response(&session, false, 200).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn cached_db_lives_on_its_rows_while_the_cache_is_gone() {
    let mut fake = FakeRedis::start().await;
    let server = TestDatabase::sqlite();
    let database = database(&server).await;
    let engine = SessionEngine::cached_db(database, fake.cache(), setup().config);
    let session = engine.open(None);
    session.insert("a", &1).await.unwrap();
    session.save().await.unwrap();
    let key = session.session_key().unwrap();

    fake.stop().await;
    let session = engine.open(Some(&key));
    assert_eq!(session.get::<i64>("a").await.unwrap(), Some(1));
    session.insert("a", &2).await.unwrap();
    session.save().await.unwrap();
    assert_eq!(
        engine.open(Some(&key)).get::<i64>("a").await.unwrap(),
        Some(2)
    );
    // But a logout that would leave a copy behind says so, and leaves all as it was.
    assert_eq!(
        session.flush().await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    assert_eq!(
        engine.open(Some(&key)).get::<i64>("a").await.unwrap(),
        Some(2)
    );

    fake.restart().await;
    session.flush().await.unwrap();
    assert!(engine.open(Some(&key)).keys().await.unwrap().is_empty());
    assert!(fake.no_session());
}

#[tokio::test]
async fn a_missing_table_is_an_error_and_never_an_empty_session() {
    let bed = bed(EngineKind::Db).await;
    let key = bed.stored().await;
    bed.execute("ALTER TABLE django_session RENAME TO away", vec![])
        .await;
    let session = bed.open(&key);
    assert_eq!(
        session.get::<i64>("a").await.unwrap_err().kind(),
        ErrorKind::Database
    );
    assert_eq!(
        session.flush().await.unwrap_err().kind(),
        ErrorKind::Database
    );
    assert_eq!(session.session_key(), Some(key.clone()));
    bed.execute("ALTER TABLE away RENAME TO django_session", vec![])
        .await;
    assert_eq!(session.get::<i64>("a").await.unwrap(), Some(1));
}
