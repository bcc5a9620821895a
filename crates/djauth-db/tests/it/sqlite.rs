//! What only a SQLite file has: who makes it, its journal mode, locks.

use std::time::{Duration, Instant};

use djauth_db::{Database, ErrorKind, Executor, Sql, Value};
use test_databases::TestDatabase;

static ADD: Sql = Sql::insert("INSERT INTO t (name) VALUES (?)", "id");
static COUNT: Sql = Sql::new("SELECT COUNT(*) FROM t");

/// A file that somebody else made, in the journal mode that SQLite begins with.
fn foreign() -> TestDatabase {
    let made = TestDatabase::sqlite();
    let file = rusqlite::Connection::open(made.path().unwrap()).unwrap();
    file.execute_batch("CREATE TABLE t (id integer PRIMARY KEY, name text UNIQUE)")
        .unwrap();
    made
}

fn url(made: &TestDatabase, query: &str) -> String {
    format!("sqlite://{}{query}", made.path().unwrap().display())
}

fn journal_mode(made: &TestDatabase) -> String {
    let file = rusqlite::Connection::open(made.path().unwrap()).unwrap();
    file.query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap()
}

async fn count(db: &Database) -> Result<i64, djauth_db::Error> {
    let count = db.fetch_optional(&COUNT, &[], |row| row.get(0)).await?;
    Ok(count.unwrap())
}

#[tokio::test]
async fn a_missing_file_is_an_error_and_stays_missing() {
    let made = TestDatabase::sqlite();
    for query in ["", "?mode=rw", "?mode=ro"] {
        let error = Database::connect(&url(&made, query)).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("mode=rwc"), "{error}");
        assert!(!made.path().unwrap().exists());
    }
    let error = Database::connect("sqlite:///nowhere/at/all.db?mode=rwc")
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn our_own_file_is_private_and_in_wal_mode() {
    let made = TestDatabase::sqlite();
    Database::connect(made.url()).await.unwrap();
    assert_eq!(journal_mode(&made), "wal");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = made
            .path()
            .unwrap()
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn the_journal_mode_of_others_is_left_alone() {
    let made = foreign();
    for query in ["", "?mode=rw", "?mode=rwc", "?mode=ro"] {
        let db = Database::connect(&url(&made, query)).await.unwrap();
        if query != "?mode=ro" {
            db.insert(&ADD, vec![query.into()]).await.unwrap();
        }
        count(&db).await.unwrap();
        db.close().await;
        assert_eq!(journal_mode(&made), "delete", "{query}");
    }
    Database::connect(&url(&made, "?journal_mode=wal"))
        .await
        .unwrap();
    assert_eq!(journal_mode(&made), "wal");
}

#[tokio::test]
async fn read_only_means_read_only() {
    let made = foreign();
    let db = Database::connect(&url(&made, "?mode=ro")).await.unwrap();
    assert_eq!(count(&db).await.unwrap(), 0);
    assert!(db.insert(&ADD, vec!["x".into()]).await.is_err());
    static SNEAKY: Sql = Sql::new("INSERT INTO t (name) VALUES ('x') RETURNING id");
    assert!(db.fetch(&SNEAKY, &[], |_| Ok(())).await.is_err());
    assert_eq!(count(&db).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let made = TestDatabase::sqlite();
    std::fs::write(
        made.path().unwrap(),
        "not a database, but long enough to look like one".repeat(40),
    )
    .unwrap();
    for query in ["", "?mode=rwc"] {
        let error = Database::connect(&url(&made, query)).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Configuration, "{error:?}");
    }
    let folder = format!("sqlite://{}", made.folder().unwrap().display());
    assert_eq!(
        *Database::connect(&folder).await.unwrap_err().kind(),
        ErrorKind::Configuration
    );
}

#[tokio::test]
async fn a_file_locked_by_another_process_is_busy_and_then_not() {
    let made = foreign();
    let db = Database::connect(&url(&made, "?timeout=0.2"))
        .await
        .unwrap();
    let other = rusqlite::Connection::open(made.path().unwrap()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for error in [
        count(&db).await.unwrap_err(),
        db.insert(&ADD, vec!["x".into()]).await.unwrap_err(),
        db.begin().await.unwrap_err(),
    ] {
        assert_eq!(*error.kind(), ErrorKind::Busy, "{error:?}");
        assert!(error.is_transient());
    }
    other.execute_batch("COMMIT").unwrap();
    db.insert(&ADD, vec!["x".into()]).await.unwrap();
    assert_eq!(count(&db).await.unwrap(), 1);
}

#[tokio::test]
async fn a_short_lock_is_waited_for() {
    let made = foreign();
    let db = Database::connect(&url(&made, "")).await.unwrap();
    let other = rusqlite::Connection::open(made.path().unwrap()).unwrap();
    other
        .execute_batch("BEGIN EXCLUSIVE; INSERT INTO t (name) VALUES ('other')")
        .unwrap();
    let release = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_millis(100));
        other.execute_batch("COMMIT").unwrap();
    });
    let (read, written) = tokio::join!(count(&db), db.insert(&ADD, vec!["x".into()]));
    assert!(read.unwrap() >= 1);
    written.unwrap();
    release.await.unwrap();
    assert_eq!(count(&db).await.unwrap(), 2);
}

#[tokio::test]
async fn a_write_past_ones_own_transaction_ends_with_busy() {
    let made = foreign();
    let db = Database::connect(&url(&made, "?timeout=0.2"))
        .await
        .unwrap();
    let tx = db.begin().await.unwrap();
    tx.insert(&ADD, vec!["inside".into()]).await.unwrap();
    let error = db.insert(&ADD, vec!["outside".into()]).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Busy);
    tx.commit().await.unwrap();
    // What was answered with an error does not happen later.
    db.insert(&ADD, vec!["after".into()]).await.unwrap();
    assert_eq!(count(&db).await.unwrap(), 2);
}

#[tokio::test]
async fn writes_that_wait_share_a_commit_and_keep_their_own_fate() {
    let made = foreign();
    let db = Database::connect(&url(&made, "")).await.unwrap();
    let tx = db.begin().await.unwrap();
    let waiting: Vec<_> = (0..20)
        .map(|i| {
            let db = db.clone();
            let name = if i % 5 == 4 {
                "same".to_owned()
            } else {
                format!("n{i}")
            };
            tokio::spawn(async move { db.insert(&ADD, vec![Value::from(name)]).await })
        })
        .collect();
    // All are queued behind the transaction when it ends.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = changes(&made);
    tx.commit().await.unwrap();
    let mut failed = 0;
    for write in waiting {
        failed += i32::from(write.await.unwrap().is_err());
    }
    assert_eq!(failed, 3, "four have the same name");
    assert_eq!(count(&db).await.unwrap(), 17);
    assert_eq!(changes(&made).wrapping_sub(before), 1, "one commit for all");
}

/// The file's change counter (bytes 24 to 27 of its header), which each commit of a rollback
/// journal raises by one.
fn changes(made: &TestDatabase) -> u32 {
    let file = std::fs::read(made.path().unwrap()).unwrap();
    u32::from_be_bytes(file[24..28].try_into().unwrap())
}

#[tokio::test]
async fn two_handles_on_one_file_see_each_other() {
    let made = TestDatabase::sqlite();
    let first = Database::connect(made.url()).await.unwrap();
    let second = Database::connect(made.url()).await.unwrap();
    let tx = first.begin().await.unwrap();
    tx.execute_script("CREATE TABLE t (id integer PRIMARY KEY, name text UNIQUE)")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for i in 0..20 {
        let (a, b) = tokio::join!(
            first.insert(&ADD, vec![format!("a{i}").into()]),
            second.insert(&ADD, vec![format!("b{i}").into()])
        );
        a.unwrap();
        b.unwrap();
        assert_eq!(count(&first).await.unwrap(), 2 * i + 2);
        assert_eq!(count(&second).await.unwrap(), 2 * i + 2);
    }
}

#[tokio::test]
async fn an_idle_transaction_does_not_hold_the_writer_for_ever() {
    let made = foreign();
    let db = Database::connect(&url(&made, "?timeout=0.2"))
        .await
        .unwrap();
    let tx = db.begin().await.unwrap();
    tx.insert(&ADD, vec!["forgotten".into()]).await.unwrap();
    let begun = Instant::now();
    while let Err(error) = db.insert(&ADD, vec!["other".into()]).await {
        assert!(begun.elapsed().as_secs() < 120, "{error:?}");
    }
    let error = tx.insert(&ADD, vec!["late".into()]).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Closed);
    assert_eq!(*tx.commit().await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(count(&db).await.unwrap(), 1);
}

#[tokio::test]
async fn a_reader_sees_a_write_as_soon_as_it_is_answered() {
    let made = foreign();
    let db = Database::connect(&url(&made, "")).await.unwrap();
    for i in 1..=20 {
        db.insert(&ADD, vec![format!("n{i}").into()]).await.unwrap();
        assert_eq!(count(&db).await.unwrap(), i);
    }
    Database::connect(&url(&made, "?journal_mode=wal"))
        .await
        .unwrap();
    db.insert(&ADD, vec!["wal".into()]).await.unwrap();
    assert_eq!(
        count(&db).await.unwrap(),
        21,
        "also after somebody has turned WAL on"
    );
}

/// A row named `bad` makes SQLite roll the whole transaction back, as a full disk does.
fn with_trigger() -> TestDatabase {
    let made = foreign();
    let file = rusqlite::Connection::open(made.path().unwrap()).unwrap();
    let trigger = "CREATE TRIGGER bad AFTER INSERT ON t WHEN new.name = 'bad' \
                   BEGIN SELECT RAISE(ROLLBACK, 'no'); END";
    file.execute_batch(trigger).unwrap();
    made
}

#[tokio::test]
async fn a_transaction_that_sqlite_has_rolled_back_takes_no_more() {
    let made = with_trigger();
    let db = Database::connect(&url(&made, "")).await.unwrap();
    let tx = db.begin().await.unwrap();
    tx.insert(&ADD, vec!["before".into()]).await.unwrap();
    assert!(tx.insert(&ADD, vec!["bad".into()]).await.is_err());
    let late = tx.insert(&ADD, vec!["late".into()]).await.unwrap_err();
    assert_eq!(*late.kind(), ErrorKind::Closed);
    assert!(tx.commit().await.is_err());
    assert_eq!(count(&db).await.unwrap(), 0);
    db.insert(&ADD, vec!["next".into()]).await.unwrap();
}

#[tokio::test]
async fn answers_are_true_also_when_a_shared_commit_is_rolled_back() {
    static HAS: Sql = Sql::new("SELECT id FROM t WHERE name = ?");
    let made = with_trigger();
    let db = Database::connect(&url(&made, "")).await.unwrap();
    let tx = db.begin().await.unwrap();
    let waiting: Vec<_> = ["a", "b", "bad", "c", "d"]
        .map(|name| {
            let db = db.clone();
            (
                name,
                tokio::spawn(async move { db.insert(&ADD, vec![name.into()]).await }),
            )
        })
        .into();
    tokio::time::sleep(Duration::from_millis(50)).await;
    tx.commit().await.unwrap();
    for (name, write) in waiting {
        let written = write.await.unwrap().is_ok();
        let found = db
            .fetch_optional(&HAS, &[name.into()], |_| Ok(()))
            .await
            .unwrap();
        assert_eq!(written, found.is_some(), "{name}");
        assert!(!written || name != "bad");
    }
    assert_eq!(count(&db).await.unwrap(), 2, "those behind the bad one");
}

/// By our own writer, by another handle and by another library's connection, in both journal modes.
#[tokio::test]
async fn the_data_version_moves_with_every_commit_and_with_nothing_else() {
    for query in ["", "?journal_mode=wal"] {
        let made = foreign();
        let url = url(&made, query);
        let db = Database::connect(&url).await.unwrap();
        let second = Database::connect(&url).await.unwrap();
        let file = rusqlite::Connection::open(made.path().unwrap()).unwrap();
        let mut watch = db.data_version().unwrap();
        let mut last = watch.read().unwrap();
        for n in 0..5 {
            for by in [&db, &second] {
                let name = format!("{n} {}", std::ptr::from_ref(by).addr());
                by.insert(&ADD, vec![name.into()]).await.unwrap();
                let now = watch.read().unwrap();
                assert_ne!(now, last, "{query}");
                last = now;
                count(by).await.unwrap();
                assert_eq!(watch.read().unwrap(), last, "a read is no commit");
            }
            file.execute_batch(
                "BEGIN; DELETE FROM t WHERE id = 1; UPDATE t SET name = name || 'x'",
            )
            .unwrap();
            assert_eq!(watch.read().unwrap(), last, "not committed yet");
            file.execute_batch("COMMIT").unwrap();
            let now = watch.read().unwrap();
            assert_ne!(now, last, "{query}");
            last = now;
        }
        db.close().await;
        assert_eq!(*watch.read().unwrap_err().kind(), ErrorKind::Closed);
    }
}

/// While somebody commits to a file without a log, there is no number, and afterwards another one.
#[tokio::test]
async fn a_locked_file_has_no_data_version() {
    let made = foreign();
    let db = Database::connect(&url(&made, "")).await.unwrap();
    let mut watch = db.data_version().unwrap();
    let first = watch.read().unwrap();
    let file = rusqlite::Connection::open(made.path().unwrap()).unwrap();
    file.execute_batch("BEGIN EXCLUSIVE; INSERT INTO t (name) VALUES ('x')")
        .unwrap();
    assert_eq!(*watch.read().unwrap_err().kind(), ErrorKind::Busy);
    file.execute_batch("COMMIT").unwrap();
    assert_ne!(watch.read().unwrap(), first);
}
