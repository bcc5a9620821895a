//! Several tasks and one session.

use std::sync::atomic::Ordering;
use std::time::Instant;

use djauth_db::{Database, Executor, Sql};
use djauth_sessions::{EngineKind, ErrorKind, SessionEngine};
use test_databases::TestDatabase;
use tokio::task::JoinSet;

use crate::beds::{Bed, beds, database, setup, until};
use crate::fake_redis::FakeRedis;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_first_accesses_load_once() {
    let fake = FakeRedis::start().await;
    fake.state.delay.store(20, Ordering::SeqCst);
    let engine = SessionEngine::cache(fake.cache(), setup().config);
    let session = engine.open(Some("abcdefghij"));
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let session = session.clone();
        tasks.spawn(async move { session.get::<i64>("a").await.unwrap() });
    }
    assert_eq!(tasks.join_all().await, [None; 20]);
    assert_eq!(fake.commands(), 1);
}

#[tokio::test]
async fn a_failed_load_is_tried_again_and_changes_nothing() {
    let fake = FakeRedis::start().await;
    let engine = SessionEngine::cache(fake.cache(), setup().config);
    let stored = engine.open(None);
    stored.insert("a", &1).await.unwrap();
    stored.save().await.unwrap();
    let session = engine.open(stored.session_key().as_deref());
    fake.state.errors.store(1, Ordering::SeqCst);
    assert_eq!(
        session.get::<i64>("a").await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    assert!(!session.is_loaded() && session.session_key() == stored.session_key());
    assert_eq!(session.get::<i64>("a").await.unwrap(), Some(1));
}

/// Both saves go through; what is stored is one of the two, whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_requests_that_save_the_same_session() {
    for bed in beds().await.iter().filter(|bed| bed.can_revoke()) {
        let key = bed.stored().await;
        for _ in 0..10 {
            let mut tasks = JoinSet::new();
            for number in 0..2 {
                let session = bed.open(&key);
                tasks.spawn(async move {
                    session.insert("x", &number).await?;
                    session.insert("y", &number).await?;
                    session.save().await
                });
            }
            assert!(
                tasks.join_all().await.iter().all(Result::is_ok),
                "{}",
                bed.name()
            );
            let session = bed.open(&key);
            let [x, y] = [
                session.get::<i64>("x").await.unwrap(),
                session.get::<i64>("y").await.unwrap(),
            ];
            assert!(x == y && x.is_some(), "{}: {x:?} {y:?}", bed.name());
        }
    }
}

/// Whatever overlaps a logout: afterwards the session is gone for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_beats_everything_that_overlaps_it() {
    for bed in beds().await.iter().filter(|bed| bed.can_revoke()) {
        for round in 0..15 {
            let key = bed.stored().await;
            if bed.kind() == EngineKind::CachedDb && round % 2 == 0 {
                // So that the load has to fill the cache.
                let _: i64 = bed
                    .redis(
                        "DEL",
                        &format!("django.contrib.sessions.cached_db{key}"),
                        &[],
                    )
                    .await;
            }
            let mut tasks = JoinSet::new();
            for _ in 0..2 {
                let (load, save) = (bed.open(&key), bed.open(&key));
                tasks.spawn(async move { load.get::<i64>("a").await.map(drop) });
                tasks.spawn(async move {
                    save.insert("b", &2).await?;
                    save.save().await
                });
            }
            let logout = bed.open(&key);
            tasks.spawn(async move { logout.flush().await });
            for outcome in tasks.join_all().await {
                check_outcome(bed, outcome);
            }
            let after = bed.open(&key);
            assert!(after.keys().await.unwrap().is_empty(), "{}", bed.name());
            assert_eq!(after.session_key(), None, "{}", bed.name());
        }
    }
}

/// A load reads the row, the logout deletes row and copy, and only then the load's copy arrives.
#[tokio::test]
async fn a_copy_that_arrives_after_the_logout_is_taken_back() {
    let fake = FakeRedis::start().await;
    let server = TestDatabase::sqlite();
    let database = database(&server).await;
    // Two connections, as of two processes.
    let [one, two] =
        [(); 2].map(|()| SessionEngine::cached_db(database.clone(), fake.cache(), setup().config));
    let session = one.open(None);
    session.insert("a", &1).await.unwrap();
    session.save().await.unwrap();
    let key = session.session_key().unwrap();
    fake.state.values.lock().clear();

    fake.state.set_delay.store(300, Ordering::SeqCst);
    let before = fake.commands();
    let load = tokio::spawn({
        let session = one.open(Some(&key));
        async move { session.get::<i64>("a").await.unwrap() }
    });
    until("the copy", || fake.commands() >= before + 2).await;
    two.open(Some(&key)).flush().await.unwrap();
    assert_eq!(load.await.unwrap(), Some(1));
    assert!(fake.no_session());
    assert_eq!(two.open(Some(&key)).get::<i64>("a").await.unwrap(), None);
}

/// A load or a save that overlaps a logout leaves no copy for whoever comes after the logout: not even
/// until it has looked at the row once more.
#[tokio::test]
async fn nobody_sees_a_copy_after_the_logout() {
    let fake = FakeRedis::start().await;
    let server = TestDatabase::sqlite();
    let database = database(&server).await;
    let [one, two] =
        [(); 2].map(|()| SessionEngine::cached_db(database.clone(), fake.cache(), setup().config));
    for saves in [false, true] {
        fake.state.set_delay.store(0, Ordering::SeqCst);
        let session = one.open(None);
        session.insert("a", &1).await.unwrap();
        session.save().await.unwrap();
        let key = session.session_key().unwrap();
        if !saves {
            fake.state.values.lock().clear();
        }
        fake.state.set_delay.store(100, Ordering::SeqCst);
        let before = fake.commands();
        let late = one.open(Some(&key));
        let overlapping = tokio::spawn(async move {
            let _ = late.get::<i64>("a").await;
            if saves {
                late.insert("b", &1).await.unwrap();
                let _ = late.save().await;
            }
        });
        // The row is read, or written, and the copy is on its way.
        until("the copy", || fake.commands() >= before + 2).await;
        fake.state.set_delay.store(0, Ordering::SeqCst);
        two.open(Some(&key)).flush().await.unwrap();
        let end = || {
            assert!(fake.no_session(), "saves: {saves}");
            overlapping.is_finished()
        };
        until("the end", end).await;
        assert!(fake.no_session(), "saves: {saves}");
    }
}

/// Another process, which only now and then looks whether SQLite's file is free, finds it so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ended_sessions_are_cleared_while_another_process_saves() {
    let server = TestDatabase::sqlite();
    let here = database(&server).await;
    let there = Database::connect(server.url()).await.unwrap();
    let ended = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000) \
                 INSERT INTO django_session SELECT 'ended' || n, '', '2020-01-01 00:00:00' FROM n";
    let ended = Sql::generated(ended.into(), None);
    assert_eq!(here.execute(&ended, vec![]).await.unwrap(), 10_000);
    let engine = SessionEngine::db(here, setup().config);
    let clearing = tokio::spawn(async move { engine.clear_expired().await });
    let other = SessionEngine::db(there, setup().config);
    let mut saved = 0;
    let begun = Instant::now();
    while !clearing.is_finished() {
        assert!(begun.elapsed().as_secs() < 120, "{saved} saved");
        let session = other.open(None);
        session.insert("a", &1).await.unwrap();
        session.save().await.unwrap();
        saved += 1;
    }
    assert_eq!(clearing.await.unwrap().unwrap(), 10_000);
    assert!(saved >= 5, "{saved}");
}

/// A save that came too late is either told so, or, when it found the session gone before it began, has
/// made a session of its own under another key.
fn check_outcome(bed: &Bed, outcome: djauth_sessions::Result<()>) {
    if let Err(error) = outcome {
        assert_eq!(
            error.kind(),
            ErrorKind::Interrupted,
            "{}: {error:?}",
            bed.name()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_on_one_handle_follow_each_other() {
    for bed in beds().await.iter().filter(|bed| bed.can_revoke()) {
        let session = bed.open(&bed.stored().await);
        let mut tasks = JoinSet::new();
        for number in 0..6 {
            let session = session.clone();
            tasks.spawn(async move {
                session.insert(&format!("k{number}"), &number).await?;
                if number % 2 == 0 {
                    session.cycle_key().await
                } else {
                    session.save().await
                }
            });
        }
        assert!(
            tasks.join_all().await.iter().all(Result::is_ok),
            "{}",
            bed.name()
        );
        session.save().await.unwrap();
        let stored = bed.open(&session.session_key().unwrap());
        assert_eq!(stored.keys().await.unwrap().len(), 7, "{}", bed.name());
        let places = if bed.kind() == EngineKind::CachedDb {
            2
        } else {
            1
        };
        assert_eq!(
            bed.count().await,
            places,
            "{}: one session is left",
            bed.name()
        );
        bed.forget().await;
    }
}
