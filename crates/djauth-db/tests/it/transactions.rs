//! Commit, rollback, drop, savepoints, and the errors of constraints.

use std::time::Duration;

use djauth_db::{Dialect, Error, ErrorKind, Executor, Sql, Transaction, Value};
use test_databases::TestDatabase;

use crate::{Fixture, all, fixture};

static ADD: Sql = Sql::insert("INSERT INTO account (name) VALUES (?)", "id");
static ADD_BADGE: Sql = Sql::insert("INSERT INTO badge (account_id) VALUES (?)", "id");
static NAMES: Sql = Sql::new("SELECT name FROM account ORDER BY name");
static CLEAR: Sql = Sql::new("DELETE FROM account WHERE name = ?");
static RENAME: Sql = Sql::new("UPDATE account SET name = ? WHERE name = ?");

async fn names(db: &impl Executor) -> Vec<String> {
    db.fetch(&NAMES, &[], |row| row.get(0)).await.unwrap()
}

async fn add(db: &impl Executor, name: &str) -> Result<i64, Error> {
    db.insert(&ADD, vec![name.into()]).await
}

#[tokio::test]
async fn commit_keeps_and_rollback_and_drop_undo() {
    for Fixture { db, made } in &all().await {
        let tx = db.begin().await.unwrap();
        add(&tx, "kept").await.unwrap();
        assert_eq!(
            names(&tx).await,
            ["kept"],
            "{}: it sees its own writes",
            made.name()
        );
        assert!(names(db).await.is_empty(), "{}: others do not", made.name());
        tx.commit().await.unwrap();

        let tx = db.begin().await.unwrap();
        add(&tx, "undone").await.unwrap();
        tx.rollback().await.unwrap();

        let tx = db.begin().await.unwrap();
        add(&tx, "dropped").await.unwrap();
        drop(tx);

        add(db, "last").await.unwrap();
        assert_eq!(names(db).await, ["kept", "last"], "{}", made.name());
    }
}

#[tokio::test]
async fn the_closure_decides() {
    for Fixture { db, .. } in &all().await {
        let id = db.transaction(async |tx| add(tx, "a").await).await.unwrap();
        assert!(id > 0);
        let failed: Result<(), Error> = db
            .transaction(async |tx| {
                add(tx, "b").await?;
                add(tx, "a").await.map(drop)
            })
            .await;
        assert!(failed.unwrap_err().is_unique_violation());
        assert_eq!(names(db).await, ["a"]);
    }
}

#[tokio::test]
async fn savepoints_save_the_transaction() {
    for Fixture { db, made } in &all().await {
        add(db, "there").await.unwrap();
        let tx = db.begin().await.unwrap();
        add(&tx, "outer").await.unwrap();
        let inner = tx.begin().await.unwrap();
        assert!(
            add(&inner, "there")
                .await
                .unwrap_err()
                .is_unique_violation()
        );
        drop(inner);
        let inner = tx.begin().await.unwrap();
        add(&inner, "inner").await.unwrap();
        let deeper = inner.begin().await.unwrap();
        add(&deeper, "deeper").await.unwrap();
        deeper.rollback().await.unwrap();
        inner.commit().await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(
            names(db).await,
            ["inner", "outer", "there"],
            "{}",
            made.name()
        );
    }
}

#[tokio::test]
async fn constraints_have_their_kinds() {
    for Fixture { db, made } in &all().await {
        let id = add(db, "ann").await.unwrap();
        let error = add(db, "ann").await.unwrap_err();
        let ErrorKind::UniqueViolation { constraint } = error.kind() else {
            panic!("{error:?}")
        };
        let expected = match made.name() {
            "sqlite" => "account.name",
            _ => "account_name_uniq",
        };
        assert_eq!(constraint.as_deref(), Some(expected));
        assert!(!error.to_string().contains("ann"), "{error}");

        let error = db
            .insert(&ADD_BADGE, vec![(id + 1000).into()])
            .await
            .unwrap_err();
        assert_eq!(
            *error.kind(),
            ErrorKind::ForeignKeyViolation,
            "{}",
            made.name()
        );
        db.insert(&ADD_BADGE, vec![id.into()]).await.unwrap();
        let error = db.execute(&CLEAR, vec!["ann".into()]).await.unwrap_err();
        assert_eq!(
            *error.kind(),
            ErrorKind::ForeignKeyViolation,
            "{}",
            made.name()
        );

        let error = db.insert(&ADD, vec![Value::Null]).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::NotNull, "{}", made.name());
        static WRONG: Sql = Sql::new("SELECT x FROM missing");
        static WRONG_COLUMN: Sql = Sql::new("SELECT missing FROM account");
        for wrong in [&WRONG, &WRONG_COLUMN] {
            let error = db.fetch(wrong, &[], |_| Ok(())).await.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::SchemaMissing, "{}", made.name());
        }
        assert_eq!(names(db).await, ["ann"]);
    }
}

#[tokio::test]
async fn foreign_keys_are_checked_at_the_commit_too() {
    for Fixture { db, made } in &all().await {
        let tx = db.begin().await.unwrap();
        let failed = match tx.insert(&ADD_BADGE, vec![4711.into()]).await {
            Ok(_) => tx.commit().await.unwrap_err(),
            // Checked at once by MariaDB.
            Err(e) => e,
        };
        assert_eq!(
            *failed.kind(),
            ErrorKind::ForeignKeyViolation,
            "{}",
            made.name()
        );
        add(db, "later").await.unwrap();
        assert_eq!(names(db).await, ["later"]);
    }
}

#[tokio::test]
async fn found_rows_are_counted() {
    for Fixture { db, made } in &all().await {
        add(db, "ann").await.unwrap();
        let same = db
            .execute(&RENAME, vec!["ann".into(), "ann".into()])
            .await
            .unwrap();
        assert_eq!(same, 1, "{}", made.name());
        assert_eq!(db.execute(&CLEAR, vec!["bob".into()]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn many_writers_each_get_their_own_answer() {
    for Fixture { db, made } in &all().await {
        let writes: Vec<_> = (0..60)
            .map(|i| {
                let db = db.clone();
                // Every third name is there twice: one of the two must fail.
                tokio::spawn(async move { add(&db, &format!("n{}", i - i % 3 / 2)).await })
            })
            .collect();
        let mut keys = Vec::new();
        for write in writes {
            match write.await.unwrap() {
                Ok(id) => keys.push(id),
                Err(e) => assert!(e.is_unique_violation(), "{}: {e:?}", made.name()),
            }
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 40, "{}", made.name());
        assert_eq!(names(db).await.len(), 40);
    }
}

#[tokio::test]
async fn one_bad_foreign_key_does_not_take_the_others_with_it() {
    for Fixture { db, made } in &all().await {
        let id = add(db, "ann").await.unwrap();
        let writes: Vec<_> = (0..30)
            .map(|i| {
                let (db, id) = (db.clone(), if i % 10 == 3 { 4711 } else { id });
                tokio::spawn(async move { db.insert(&ADD_BADGE, vec![id.into()]).await })
            })
            .collect();
        let mut failed = 0;
        for write in writes {
            if let Err(e) = write.await.unwrap() {
                assert_eq!(*e.kind(), ErrorKind::ForeignKeyViolation, "{}", made.name());
                failed += 1;
            }
        }
        assert_eq!(failed, 3);
        static COUNT: Sql = Sql::new("SELECT COUNT(*) FROM badge");
        let count = db
            .fetch_optional(&COUNT, &[], |row| row.get::<i64>(0))
            .await
            .unwrap();
        assert_eq!(count, Some(27), "{}", made.name());
    }
}

static LATER: Sql = Sql::new("SELECT name FROM account WHERE id = ?");

#[tokio::test]
async fn a_failed_transaction_is_never_reported_as_committed() {
    for Fixture { db, made } in &all().await {
        add(db, "there").await.unwrap();
        let tx = db.begin().await.unwrap();
        let id = add(&tx, "first").await.unwrap();
        assert!(add(&tx, "there").await.unwrap_err().is_unique_violation());
        let committed = tx.commit().await.is_ok();
        let params = [id.into()];
        let found = db
            .fetch_optional(&LATER, &params, |row| row.get::<String>(0))
            .await
            .unwrap();
        assert_eq!(found.is_some(), committed, "{}", made.name());
        assert_eq!(committed, made.name() != "postgres", "{}", made.name());
        add(db, "later").await.unwrap();
    }
}

#[tokio::test]
async fn parts_outlive_nothing() {
    for Fixture { db, made } in &all().await {
        let tx = db.begin().await.unwrap();
        let inner = tx.begin().await.unwrap();
        add(&inner, "inner").await.unwrap();
        tx.rollback().await.unwrap();
        let error = add(&inner, "late").await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Closed, "{}", made.name());
        assert!(inner.commit().await.is_err());
        assert!(names(db).await.is_empty());
    }
}

static NUMBERS: Sql = Sql::insert("INSERT INTO thing (number) VALUES (?)", "id");
static ALL_NUMBERS: Sql = Sql::new("SELECT number FROM thing ORDER BY number");

#[tokio::test]
async fn long_lists_come_in_pieces() {
    for Fixture { db, made } in &all().await {
        let tx = db.begin().await.unwrap();
        for number in 0..700 {
            tx.insert(&NUMBERS, vec![number.into()]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut seen = Vec::new();
        let each = db.fetch_each(&ALL_NUMBERS, &[], |row| {
            seen.push(row.get::<i32>(0)?);
            Ok(())
        });
        assert_eq!(each.await.unwrap(), 700, "{}", made.name());
        assert_eq!(seen, (0..700).collect::<Vec<_>>());

        // An error of the closure ends it, and the connection stays good.
        let tx = db.begin().await.unwrap();
        for _ in 0..2 {
            let broken = tx.fetch_each(&ALL_NUMBERS, &[], |row| row.get::<Vec<u8>>(0).map(drop));
            assert_eq!(
                *broken.await.unwrap_err().kind(),
                ErrorKind::Decode,
                "{}",
                made.name()
            );
        }
        let count = tx.fetch(&ALL_NUMBERS, &[], |_| Ok(())).await.unwrap().len();
        assert_eq!(count, 700, "{}", made.name());
        tx.rollback().await.unwrap();
        let broken = db.fetch_each(&ALL_NUMBERS, &[], |row| row.get::<Vec<u8>>(0).map(drop));
        assert_eq!(
            *broken.await.unwrap_err().kind(),
            ErrorKind::Decode,
            "{}",
            made.name()
        );
    }
}

#[tokio::test]
async fn several_statements_of_ddl() {
    static TWO: Sql = Sql::new("SELECT b FROM two");
    const SCRIPT: &str =
        "CREATE TABLE one (a integer NOT NULL); CREATE TABLE two (b integer NOT NULL)";
    for Fixture { db, made } in &all().await {
        let tx = db.begin().await.unwrap();
        tx.execute_script(SCRIPT).await.unwrap();
        tx.rollback().await.unwrap();
        let found = db.fetch(&TWO, &[], |_| Ok(())).await;
        // MariaDB commits each statement of DDL by itself.
        assert_eq!(found.is_ok(), made.name() == "mariadb", "{}", made.name());
    }
}

#[tokio::test]
async fn after_closing_nothing_runs() {
    for Fixture { db, made } in &all().await {
        add(db, "before").await.unwrap();
        db.close().await;
        let read = db.fetch(&NAMES, &[], |_| Ok(())).await.unwrap_err();
        assert_eq!(*read.kind(), ErrorKind::Closed, "{}", made.name());
        assert_eq!(
            *add(db, "after").await.unwrap_err().kind(),
            ErrorKind::Closed
        );
        assert_eq!(*db.begin().await.unwrap_err().kind(), ErrorKind::Closed);
        db.close().await;
    }
}

#[tokio::test]
async fn a_wrong_number_of_values_is_an_error() {
    for Fixture { db, made } in &all().await {
        assert!(db.insert(&ADD, vec![]).await.is_err(), "{}", made.name());
        let params = [1.into(), 2.into()];
        assert!(
            db.fetch(&LATER, &params, |_| Ok(())).await.is_err(),
            "{}",
            made.name()
        );
        assert!(
            db.insert(&CLEAR, vec!["a".into()]).await.is_err(),
            "not made for insert()"
        );
        add(db, "ann").await.unwrap();
    }
}

static OWN: Sql = Sql::new("INSERT INTO account (name) VALUES (?) RETURNING id, name");

#[tokio::test]
async fn a_write_that_answers_rows_is_a_write() {
    for Fixture { db, made } in &all().await {
        let rows = db
            .fetch(&OWN, &["ann".into()], |row| row.get::<String>(1))
            .await
            .unwrap();
        assert_eq!(rows, ["ann"], "{}", made.name());
        assert_eq!(names(db).await, ["ann"], "{}", made.name());
    }
}

/// The answer of a statement that nobody waited for is never taken for that of the next one.
#[tokio::test]
async fn a_statement_that_was_given_up_leaves_no_answer_behind() {
    static SLOW_MYSQL: Sql = Sql::new("SELECT CONCAT('stale', SLEEP(0.4))");
    static SLOW_POSTGRES: Sql = Sql::new("SELECT CONCAT('stale', pg_sleep(0.4))");
    static FRESH: Sql = Sql::new("SELECT CONCAT('fresh', '')");
    let text = |row: &djauth_db::Row<'_>| row.get::<String>(0);
    for made in [TestDatabase::postgres(), TestDatabase::mariadb()] {
        let Fixture { db, made } = fixture(made).await;
        let slow = match db.dialect() {
            Dialect::Mysql => &SLOW_MYSQL,
            _ => &SLOW_POSTGRES,
        };
        let tx = db.begin().await.unwrap();
        tx.fetch(&FRESH, &[], text).await.unwrap();
        let given_up = tokio::time::timeout(Duration::from_millis(150), tx.fetch(slow, &[], text));
        assert!(given_up.await.is_err(), "{}", made.name());
        match tx.fetch(&FRESH, &[], text).await {
            Ok(answer) => assert_eq!(answer, ["fresh"], "{}", made.name()),
            Err(error) => assert_eq!(*error.kind(), ErrorKind::Unavailable, "{}", made.name()),
        }
        drop(tx);
        assert!(names(&db).await.is_empty(), "{}", made.name());
    }
}

/// Statements that wait while another one ends their transaction do not run outside of it.
#[tokio::test]
async fn statements_beside_one_that_deadlocks_are_not_committed() {
    for Fixture { db, made } in &all().await {
        if db.dialect() == Dialect::Sqlite {
            continue;
        }
        add(db, "one").await.unwrap();
        add(db, "two").await.unwrap();
        let rename = async |tx: &Transaction, old: &str, new: &str| {
            tx.execute(&RENAME, vec![new.to_owned().into(), old.to_owned().into()])
                .await
        };
        let (a, b) = (db.begin().await.unwrap(), db.begin().await.unwrap());
        rename(&a, "one", "one a").await.unwrap();
        rename(&b, "two", "two b").await.unwrap();
        // Each waits for the other; one of them is chosen. The insert behind it waits for its turn.
        let (of_a, of_b) = tokio::join!(
            async { tokio::join!(rename(&a, "two", "two a"), add(&a, "beside a")) },
            async { tokio::join!(rename(&b, "one", "one b"), add(&b, "beside b")) },
        );
        assert!(
            of_a.0.is_err() || of_b.0.is_err(),
            "{}: no deadlock",
            made.name()
        );
        let _ = (a.rollback().await, b.rollback().await);
        assert_eq!(names(db).await, ["one", "two"], "{}", made.name());
    }
}

#[tokio::test]
async fn own_writes_are_counted_before_their_caller_hears_of_them() {
    for Fixture { db, made } in &all().await {
        let mut last = db.own_writes();
        let mut moved = |what: &str| {
            let now = db.own_writes();
            assert!(now > last, "{what} on {}", made.name());
            last = now;
        };
        add(db, "one").await.unwrap();
        moved("insert");
        db.execute(&RENAME, vec!["two".into(), "one".into()])
            .await
            .unwrap();
        moved("execute");
        let tx = db.begin().await.unwrap();
        add(&tx, "three").await.unwrap();
        tx.commit().await.unwrap();
        moved("commit");
        let now = db.own_writes();
        names(db).await;
        assert_eq!(db.own_writes(), now, "a read on {}", made.name());
        assert_eq!(db.clone().own_writes(), now, "clones share it");
    }
}
