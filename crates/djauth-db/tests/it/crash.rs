//! `kill -9` at any moment: no committed write is lost, none is half there.

use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use djauth_db::{Database, Executor, Sql};
use test_databases::TestDatabase;

const URL: &str = "DJAUTH_TEST_CRASH_URL";

static ADD: Sql = Sql::insert("INSERT INTO pair (number, half) VALUES (?, ?)", "id");
static LAST: Sql = Sql::new("SELECT COALESCE(MAX(number), -1) FROM pair");
static HALVES: Sql = Sql::new("SELECT number, COUNT(*) FROM pair GROUP BY number ORDER BY number");

/// Not a test by itself: the process that gets killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the test below"]
async fn writes_until_it_is_killed() {
    let Ok(url) = std::env::var(URL) else { return };
    let db = Database::connect(&url).await.unwrap();
    let last = db
        .fetch_optional(&LAST, &[], |row| row.get::<i64>(0))
        .await
        .unwrap();
    for number in last.unwrap() + 1.. {
        let written = db.transaction(async |tx| {
            tx.insert(&ADD, vec![number.into(), 1.into()]).await?;
            tx.insert(&ADD, vec![number.into(), 2.into()]).await
        });
        written.await.unwrap();
        println!("committed {number}");
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_it_has_promised() {
    let made = TestDatabase::sqlite();
    let db = Database::connect(made.url()).await.unwrap();
    let tx = db.begin().await.unwrap();
    tx.execute_script("CREATE TABLE pair (id integer PRIMARY KEY, number integer, half integer)")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    drop(db);

    for lines in [3, 17, 40] {
        let promised = run_and_kill(made.url(), lines);
        let db = Database::connect(made.url()).await.unwrap();
        let read = |row: &djauth_db::Row<'_>| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?));
        let found = db.fetch(&HALVES, &[], read).await.unwrap();
        let kept = found
            .iter()
            .filter(|(number, _)| *number <= promised)
            .count();
        assert_eq!(kept as i64, promised + 1, "a committed write is missing");
        assert!(
            found.iter().all(|(_, halves)| halves % 2 == 0),
            "a half-made pair: {found:?}"
        );
    }
}

/// The highest number that the process said to be committed.
fn run_and_kill(url: &str, lines: usize) -> i64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "crash::writes_until_it_is_killed",
        ])
        .env(URL, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let numbers = committed(child.stdout.take().unwrap());
    let next = || numbers.recv_timeout(Duration::from_secs(120)).ok();
    let first: Vec<i64> = (0..lines).map_while(|_| next()).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(first.len(), lines, "it has stopped to commit");
    // What it said until the blow counts too.
    numbers.iter().last().unwrap_or(first[lines - 1])
}

/// The numbers that it says to be committed, until it ends.
fn committed(output: ChildStdout) -> Receiver<i64> {
    let (sender, numbers) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let number = line.split_once("committed ");
            let number = number.and_then(|(_, number)| number.parse().ok());
            if number.is_some_and(|number| sender.send(number).is_err()) {
                return;
            }
        }
    });
    numbers
}
