//! Servers that go away, and come back.

use std::time::Duration;

use djauth_db::{Database, Error, ErrorKind, Executor, Sql};
use test_databases::TestDatabase;

use crate::proxy::Proxy;
use crate::{Fixture, fixture};

static ADD: Sql = Sql::insert("INSERT INTO account (name) VALUES (?)", "id");
static NAMES: Sql = Sql::new("SELECT name FROM account ORDER BY name");

async fn servers() -> Vec<Fixture> {
    vec![
        fixture(TestDatabase::postgres()).await,
        fixture(TestDatabase::mariadb()).await,
    ]
}

async fn names(db: &impl Executor) -> Result<Vec<String>, Error> {
    db.fetch(&NAMES, &[], |row| row.get(0)).await
}

/// Ends every connection to the database but the client's own.
fn kill_all(made: &TestDatabase) {
    if made.name() == "postgres" {
        made.client("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        return;
    }
    let ids = made.client("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()");
    for id in ids.lines() {
        made.client(&format!("KILL {id}"));
    }
}

#[tokio::test]
async fn a_connection_killed_in_a_transaction() {
    for Fixture { db, made } in &servers().await {
        let tx = db.begin().await.unwrap();
        tx.insert(&ADD, vec!["lost".into()]).await.unwrap();
        kill_all(made);
        let error = tx.insert(&ADD, vec!["late".into()]).await.unwrap_err();
        assert_eq!(
            *error.kind(),
            ErrorKind::Unavailable,
            "{}: {error:?}",
            made.name()
        );
        assert!(error.is_transient());
        assert!(tx.commit().await.is_err(), "{}", made.name());
        db.insert(&ADD, vec!["kept".into()]).await.unwrap();
        assert_eq!(names(db).await.unwrap(), ["kept"], "{}", made.name());
    }
}

#[tokio::test]
async fn idle_connections_that_were_killed_are_replaced() {
    for Fixture { db, made } in &servers().await {
        // Several connections at once, then idle.
        let held = [
            db.begin().await.unwrap(),
            db.begin().await.unwrap(),
            db.begin().await.unwrap(),
        ];
        for tx in held {
            tx.commit().await.unwrap();
        }
        kill_all(made);
        for _ in 0..4 {
            assert!(names(db).await.unwrap().is_empty(), "{}", made.name());
        }
        db.insert(&ADD, vec!["ann".into()]).await.unwrap();
        kill_all(made);
        db.begin().await.unwrap().commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_stops_and_starts_again() {
    for Fixture { made, .. } in &servers().await {
        let (mut proxy, url) = Proxy::before(made.url()).await;
        let db = Database::connect(&url).await.unwrap();
        assert!(names(&db).await.unwrap().is_empty());
        let tx = db.begin().await.unwrap();
        tx.insert(&ADD, vec!["lost".into()]).await.unwrap();

        proxy.cut().await;
        for error in [
            names(&db).await.unwrap_err(),
            db.insert(&ADD, vec!["no".into()]).await.unwrap_err(),
            db.begin().await.unwrap_err(),
            tx.commit().await.unwrap_err(),
            Database::connect(&url).await.unwrap_err(),
        ] {
            assert_eq!(
                *error.kind(),
                ErrorKind::Unavailable,
                "{}: {error:?}",
                made.name()
            );
        }

        proxy.restore().await;
        db.insert(&ADD, vec!["back".into()]).await.unwrap();
        assert_eq!(names(&db).await.unwrap(), ["back"], "{}", made.name());
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer() {
    for Fixture { made, .. } in &servers().await {
        let (mut proxy, url) = Proxy::before(made.url()).await;
        let url = format!("{url}?connect_timeout=0.3&statement_timeout=0.3");
        let db = Database::connect(&url).await.unwrap();
        proxy.hang().await;
        for error in [
            names(&db).await.unwrap_err(),
            db.insert(&ADD, vec!["no".into()]).await.unwrap_err(),
            db.begin().await.unwrap_err(),
            Database::connect(&url).await.unwrap_err(),
        ] {
            assert_eq!(
                *error.kind(),
                ErrorKind::Unavailable,
                "{}: {error:?}",
                made.name()
            );
        }
        proxy.cut().await;
        proxy.restore().await;
        db.insert(&ADD, vec!["back".into()]).await.unwrap();
        assert_eq!(names(&db).await.unwrap(), ["back"], "{}", made.name());
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_given_up() {
    static PG: Sql = Sql::new("SELECT CAST(pg_sleep(30) AS text)");
    static MY: Sql = Sql::new("SELECT SLEEP(30)");
    for Fixture { made, .. } in &servers().await {
        let url = format!("{}?statement_timeout=0.3&pool_size=1", made.url());
        let db = Database::connect(&url).await.unwrap();
        let sleep = if made.name() == "postgres" { &PG } else { &MY };
        let error = db.fetch(sleep, &[], |_| Ok(())).await.unwrap_err();
        assert_eq!(
            *error.kind(),
            ErrorKind::Unavailable,
            "{}: {error:?}",
            made.name()
        );
        db.insert(&ADD, vec!["next".into()]).await.unwrap();
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_a_good_pool() {
    static PG: Sql = Sql::new("SELECT CAST(pg_sleep(0.4) AS text)");
    static MY: Sql = Sql::new("SELECT SLEEP(0.4)");
    for Fixture { made, .. } in &servers().await {
        let db = Database::connect(&format!("{}?pool_size=1", made.url()))
            .await
            .unwrap();
        let sleep = if made.name() == "postgres" { &PG } else { &MY };
        for _ in 0..2 {
            let gone = db.fetch(sleep, &[], |_| Ok(()));
            assert!(
                tokio::time::timeout(Duration::from_millis(50), gone)
                    .await
                    .is_err()
            );
            db.fetch(&NAMES, &[], |_| Ok(())).await.unwrap();
            // In a transaction: it is rolled back, and the connection is not reused inside of it.
            let tx = db.begin().await.unwrap();
            tx.insert(&ADD, vec!["undone".into()]).await.unwrap();
            let gone = tx.fetch(sleep, &[], |_| Ok(()));
            assert!(
                tokio::time::timeout(Duration::from_millis(50), gone)
                    .await
                    .is_err()
            );
            drop(tx);
            assert!(names(&db).await.unwrap().is_empty(), "{}", made.name());
        }
    }
}

#[tokio::test]
async fn an_exhausted_pool_says_so() {
    for Fixture { made, .. } in &servers().await {
        let url = format!("{}?pool_size=1&connect_timeout=0.2", made.url());
        let db = Database::connect(&url).await.unwrap();
        let tx = db.begin().await.unwrap();
        let error = names(&db).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Unavailable, "{}", made.name());
        drop(tx);
        assert!(names(&db).await.unwrap().is_empty(), "{}", made.name());
    }
}

#[tokio::test]
async fn wrong_accounts_and_databases_are_no_outage() {
    for made in [TestDatabase::postgres(), TestDatabase::mariadb()] {
        let wrong = format!("{}x", made.url());
        let error = Database::connect(&wrong).await.unwrap_err();
        assert_eq!(
            *error.kind(),
            ErrorKind::Configuration,
            "{}: {error:?}",
            made.name()
        );
        let wrong = made.url().replace("djauth@", "nobody_here:hunter2@");
        let error = Database::connect(&wrong).await.unwrap_err();
        assert_eq!(
            *error.kind(),
            ErrorKind::Configuration,
            "{}: {error:?}",
            made.name()
        );
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_when_tls_is_asked_for() {
    let made = TestDatabase::postgres();
    if made.client("SHOW ssl") == "off" {
        let error = Database::connect(&format!("{}?sslmode=require", made.url())).await;
        assert_eq!(*error.unwrap_err().kind(), ErrorKind::Configuration);
    }
    Database::connect(&format!("{}?sslmode=disable", made.url()))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_table_that_changes_under_prepared_statements() {
    static ID: Sql = Sql::new("SELECT id, name FROM account");
    for Fixture { db, made } in &servers().await {
        db.insert(&ADD, vec!["ann".into()]).await.unwrap();
        assert_eq!(
            db.fetch(&ID, &[], |row| row.get::<i64>(0))
                .await
                .unwrap()
                .len(),
            1
        );
        // As Django does when DEFAULT_AUTO_FIELD changes.
        made.client("ALTER TABLE badge DROP CONSTRAINT badge_account_fk");
        made.client(if made.name() == "postgres" {
            "ALTER TABLE account ALTER COLUMN id TYPE bigint"
        } else {
            "ALTER TABLE account MODIFY id bigint AUTO_INCREMENT NOT NULL"
        });
        assert_eq!(
            db.fetch(&ID, &[], |row| row.get::<i64>(0))
                .await
                .unwrap()
                .len(),
            1
        );
        db.insert(&ADD, vec!["bob".into()]).await.unwrap();
    }
}

#[tokio::test]
async fn a_search_path_from_the_url() {
    static PLACE: Sql = Sql::new("SELECT current_schema()");
    let made = TestDatabase::postgres();
    made.client("CREATE SCHEMA app");
    let url = format!("{}?options=-c%20search_path%3Dapp", made.url());
    let db = Database::connect(&url).await.unwrap();
    let place = db
        .fetch(&PLACE, &[], |row| row.get::<String>(0))
        .await
        .unwrap();
    assert_eq!(place, ["app"]);
    let made = TestDatabase::mariadb();
    let error = Database::connect(&format!("{}?options=x", made.url()))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Configuration);
}

static RENAME: Sql = Sql::new("UPDATE account SET name = ? WHERE id = ?");

#[tokio::test]
async fn a_deadlock_is_busy_and_ends_its_transaction() {
    for Fixture { db, made } in &servers().await {
        let a = db.insert(&ADD, vec!["a".into()]).await.unwrap();
        let b = db.insert(&ADD, vec!["b".into()]).await.unwrap();
        let (first, second) = (db.begin().await.unwrap(), db.begin().await.unwrap());
        first
            .execute(&RENAME, vec!["a1".into(), a.into()])
            .await
            .unwrap();
        second
            .execute(&RENAME, vec!["b2".into(), b.into()])
            .await
            .unwrap();
        // The one that gets its lock only because the other has failed must not wait for it here.
        let one = async {
            let answer = first.execute(&RENAME, vec!["b1".into(), b.into()]).await;
            end(first, answer).await
        };
        let other = async {
            let answer = second.execute(&RENAME, vec!["a2".into(), a.into()]).await;
            end(second, answer).await
        };
        let (one, other) = tokio::join!(one, other);
        assert_ne!(one, other, "{}", made.name());
        let expected = if one { ["a1", "b1"] } else { ["a2", "b2"] };
        assert_eq!(names(db).await.unwrap(), expected, "{}", made.name());
    }
}

/// Whether the transaction was committed. One that has failed takes no more.
async fn end(tx: djauth_db::Transaction, answer: Result<u64, Error>) -> bool {
    let Err(error) = answer else {
        tx.commit().await.unwrap();
        return true;
    };
    assert_eq!(*error.kind(), ErrorKind::Busy, "{error:?}");
    assert!(tx.insert(&ADD, vec!["late".into()]).await.is_err());
    assert!(tx.commit().await.is_err());
    false
}
