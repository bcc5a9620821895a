//! The cache of authenticated requests on a real SQLite file: what others write is in the next answer.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use djauth::db::{Database, Executor, Sql, Value};
use djauth::request_path::AuthCacheStats;
use djauth::settings::SessionEngine;
use djauth::{Auth, HASH_SESSION_KEY, Settings, User};
use djauth_signing::FixedClock;
use test_databases::TestDatabase;

use crate::auth_support::{PATIENCE, connect, logged_in, request, settings};

const URL: &str = "DJAUTH_TEST_OTHER_PROCESS_URL";

/// Not a test by itself: the process that writes what it reads, a transaction a line.
#[tokio::test]
#[ignore = "started by the tests below"]
async fn another_process() {
    let Ok(url) = std::env::var(URL) else { return };
    let db = Database::connect(&url).await.expect("connects");
    for line in std::io::stdin().lines() {
        let transaction = db.begin().await.expect("begins");
        let line = line.expect("reads");
        transaction.execute_script(&line).await.expect("runs");
        transaction.commit().await.expect("commits");
        println!("\ncommitted");
    }
}

/// Another process with the same file open: locks of files do not hold between connections of one.
struct Other {
    child: Child,
    commands: ChildStdin,
    answers: Receiver<String>,
}

impl Other {
    fn start(database: &TestDatabase) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--ignored", "--exact", "--nocapture"])
            .arg("request_cache::another_process")
            .env(URL, database.url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        Self {
            commands: child.stdin.take().expect("piped"),
            answers: lines(child.stdout.take().expect("piped")),
            child,
        }
    }

    /// Answers once it is committed.
    fn write(&mut self, sql: &str) {
        writeln!(self.commands, "{sql}").expect("is read");
        let answer = || self.answers.recv_timeout(PATIENCE).expect(sql);
        while answer() != "committed" {}
    }
}

/// What it says, read in a thread, so that nobody waits for it for ever.
fn lines(output: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

impl Drop for Other {
    fn drop(&mut self) {
        // Nothing can be done about a process that has gone by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A site with one user and one session.
struct Site {
    auth: Auth,
    clock: FixedClock,
    user: User,
    key: String,
    /// Goes last, with its folder.
    database: TestDatabase,
}

const VIEW: &str = "auth.view_user";
const ADD: &str = "auth.add_user";

impl Site {
    async fn new(wal: bool, settings: Settings) -> Self {
        let database = TestDatabase::sqlite();
        if !wal {
            // A file that is there already keeps its journal.
            let path = database.path().expect("a file");
            std::fs::File::create(path).expect("creates");
        }
        let (first, clock) = connect(&database).await;
        let builder = Auth::builder(settings).clock(clock.clone());
        let auth = builder.database(first.db().clone()).expect("builds");
        let user = auth.users().create_user("alice", "", Some("x")).await;
        let user = user.expect("creates");
        let key = logged_in(&auth, &user).await;
        Self {
            auth,
            clock,
            user,
            key,
            database,
        }
    }

    fn stats(&self) -> AuthCacheStats {
        self.auth.auth_cache_stats().expect("is on")
    }

    /// The e-mail address of who is logged in, and whether they may view and add users.
    async fn answer(&self) -> Option<(String, bool, bool)> {
        let view = self.verify(&[VIEW]).await?;
        let add = self.verify(&[ADD]).await?;
        Some((view.0, view.1, add.1))
    }

    async fn verify(&self, perms: &[&str]) -> Option<(String, bool)> {
        let session = self.auth.sessions().open(Some(&self.key));
        let verdict = self.auth.verify(&session, perms).await.expect("answers");
        verdict.map(|verdict| (verdict.user.email, verdict.permitted))
    }

    /// The same again and again, and in the end by the cache.
    async fn settled(&self) -> Option<(String, bool, bool)> {
        let first = self.answer().await;
        for _ in 0..3 {
            assert_eq!(self.answer().await, first);
        }
        if first.is_some() {
            let hits = self.stats().hits;
            assert_eq!(self.answer().await, first);
            assert_eq!(self.stats().hits, hits + 2, "{:?}", self.stats());
        }
        first
    }
}

fn is(email: &str, view: bool, add: bool) -> Option<(String, bool, bool)> {
    Some((email.to_owned(), view, add))
}

#[tokio::test]
async fn the_next_request_sees_what_another_process_has_written() {
    for wal in [true, false] {
        let site = Site::new(wal, settings()).await;
        let mut other = Other::start(&site.database);
        let permission =
            |codename| format!("(SELECT id FROM auth_permission WHERE codename = '{codename}')");
        let user = site.user.id;
        let session = format!("WHERE session_key = '{}'", site.key);
        let mut seen = site.settled().await;
        assert_eq!(seen, is("", false, false), "wal {wal}");
        for (sql, wanted) in [
            (
                format!(
                    "INSERT INTO auth_user_user_permissions (user_id, permission_id) VALUES ({user}, {})",
                    permission("view_user")
                ),
                is("", true, false),
            ),
            (
                "INSERT INTO auth_group (id, name) VALUES (7, 'g')".to_owned(),
                is("", true, false),
            ),
            (
                format!(
                    "INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (7, {})",
                    permission("add_user")
                ),
                is("", true, false),
            ),
            (
                format!("INSERT INTO auth_user_groups (user_id, group_id) VALUES ({user}, 7)"),
                is("", true, true),
            ),
            (
                "DELETE FROM auth_group_permissions".to_owned(),
                is("", true, false),
            ),
            (
                "UPDATE auth_user SET is_superuser = 1".to_owned(),
                is("", true, true),
            ),
            (
                "UPDATE auth_user SET is_superuser = 0".to_owned(),
                is("", true, false),
            ),
            (
                "UPDATE auth_user SET email = 'a@b.example'".to_owned(),
                is("a@b.example", true, false),
            ),
            (
                "DELETE FROM auth_user_user_permissions".to_owned(),
                is("a@b.example", false, false),
            ),
            (
                "UPDATE auth_permission SET codename = 'old' WHERE codename = 'view_user'"
                    .to_owned(),
                is("a@b.example", false, false),
            ),
            ("UPDATE auth_user SET is_active = 0".to_owned(), None),
            (
                "UPDATE auth_user SET is_active = 1".to_owned(),
                is("a@b.example", false, false),
            ),
            (
                "UPDATE auth_user SET password = 'y' || password".to_owned(),
                None,
            ),
            (
                "UPDATE auth_user SET password = substr(password, 2)".to_owned(),
                is("a@b.example", false, false),
            ),
            (
                format!("UPDATE django_session SET session_data = 'y' || session_data {session}"),
                None,
            ),
            (
                format!(
                    "UPDATE django_session SET session_data = substr(session_data, 2) {session}"
                ),
                is("a@b.example", false, false),
            ),
            (
                format!("UPDATE django_session SET expire_date = '2026-01-01 11:59:59' {session}"),
                None,
            ),
            (
                format!("UPDATE django_session SET expire_date = '2026-01-02 00:00:00' {session}"),
                is("a@b.example", false, false),
            ),
            (format!("DELETE FROM django_session {session}"), None),
        ] {
            assert_eq!(site.settled().await, seen, "before {sql}");
            other.write(&sql);
            seen = wanted;
            assert_eq!(site.answer().await, seen, "wal {wal}, after {sql}");
        }
        assert!(site.stats().changed > 10, "{:?}", site.stats());
    }
}

#[tokio::test]
async fn a_second_handle_and_our_own_writes_count_too() {
    static RENAME: Sql = Sql::new("UPDATE auth_user SET email = ?");
    let site = Site::new(true, settings()).await;
    let second = Database::connect(site.database.url())
        .await
        .expect("connects");
    for (n, db) in [&second, site.auth.db()]
        .into_iter()
        .cycle()
        .take(10)
        .enumerate()
    {
        let email = format!("{n}@example.com");
        db.execute(&RENAME, vec![Value::from(&email)])
            .await
            .expect("writes");
        assert_eq!(site.settled().await, is(&email, false, false));
    }
    let request = request(&site.auth, Some(&site.key));
    site.auth.logout(&request).await.expect("logs out");
    assert_eq!(site.answer().await, None);
}

#[tokio::test]
async fn a_session_ends_by_the_clock() {
    let site = Site::new(true, settings()).await;
    assert!(site.settled().await.is_some());
    site.clock.advance(TimeDelta::seconds(1_209_600));
    assert_eq!(site.answer().await, None);
}

#[tokio::test]
async fn what_a_request_does_to_its_session_stays_its_own() {
    let site = Site::new(true, settings()).await;
    assert!(site.settled().await.is_some());
    let session = site.auth.sessions().open(Some(&site.key));
    assert!(
        site.auth
            .get_user(&session)
            .await
            .expect("answers")
            .is_some()
    );
    session.insert("mine", "x").await.expect("sets");
    session.insert(HASH_SESSION_KEY, "x").await.expect("sets");
    let hits = site.stats().hits;
    let next = site.auth.sessions().open(Some(&site.key));
    let user = site.auth.get_user(&next).await.expect("answers");
    assert!(user.is_some() && site.stats().hits == hits + 1);
    assert!(!next.contains_key("mine").await.expect("reads"));
    session.save().await.expect("saves");
    assert_eq!(
        site.answer().await,
        None,
        "the saved session has a wrong hash"
    );
}

fn bounded(time: Duration) -> Settings {
    let mut settings = settings();
    settings.auth_cache_staleness = time;
    settings
}

#[tokio::test]
async fn bounded_staleness_ends_and_our_own_writes_do_not_wait_for_it() {
    static RENAME: Sql = Sql::new("UPDATE auth_user SET email = ?");
    let rename = async |db: &Database, email: &str| {
        db.execute(&RENAME, vec![email.into()])
            .await
            .expect("writes");
    };
    let long = Site::new(true, bounded(Duration::from_secs(3600))).await;
    let second = Database::connect(long.database.url())
        .await
        .expect("connects");
    assert_eq!(long.settled().await, is("", false, false));
    rename(&second, "other").await;
    assert_eq!(
        long.answer().await,
        is("", false, false),
        "within the bound"
    );
    rename(long.auth.db(), "own").await;
    assert_eq!(long.answer().await, is("own", false, false));
    assert!(long.settled().await.is_some());
    let request = request(&long.auth, Some(&long.key));
    long.auth.logout(&request).await.expect("logs out");
    assert_eq!(long.answer().await, None);

    let bound = Duration::from_millis(300);
    let short = Site::new(true, bounded(bound)).await;
    let second = Database::connect(short.database.url())
        .await
        .expect("connects");
    assert!(short.settled().await.is_some());
    rename(&second, "other").await;
    tokio::time::sleep(bound).await;
    assert_eq!(short.answer().await, is("other", false, false));
}

#[tokio::test]
async fn it_is_bounded_and_unknown_keys_never_enter() {
    let mut few = settings();
    few.auth_cache_max_bytes = 60_000;
    let site = Site::new(true, few).await;
    for n in 0..200 {
        let session = site.auth.sessions().open(Some(&format!("{n:032}")));
        let verdict = site.auth.verify(&session, &[VIEW]).await.expect("answers");
        assert!(verdict.is_none());
    }
    assert_eq!(site.stats().entries, 0);
    let mut keys = Vec::new();
    for _ in 0..150 {
        keys.push(logged_in(&site.auth, &site.user).await);
    }
    for key in keys.iter().cycle().take(450) {
        let session = site.auth.sessions().open(Some(key));
        let verdict = site.auth.verify(&session, &[VIEW]).await.expect("answers");
        assert!(verdict.is_some());
        assert!(site.stats().bytes <= 60_000, "{:?}", site.stats());
    }
    assert!(site.stats().entries > 5, "{:?}", site.stats());
}

#[tokio::test]
async fn an_entry_keeps_a_bounded_number_of_answers() {
    let site = Site::new(true, settings()).await;
    assert!(site.settled().await.is_some());
    let names: Vec<_> = (0..40).map(|n| format!("auth.p{n}")).collect();
    for name in names.iter().cycle().take(80) {
        assert_eq!(site.verify(&[name]).await, Some((String::new(), false)));
    }
    let hits = site.stats().hits;
    for name in &names[28..] {
        assert_eq!(site.verify(&[name]).await, Some((String::new(), false)));
    }
    assert_eq!(site.stats().hits, hits + 12, "the latest are there");
    // What no statement answers is asked of the backends, for an entry as without.
    assert_eq!(site.verify(&["no dot"]).await, Some((String::new(), false)));
    assert_eq!(site.stats().hits, hits + 13);
    assert!(site.stats().bytes < 10_000, "{:?}", site.stats());
}

#[tokio::test]
async fn it_can_be_turned_off() {
    let mut off = settings();
    off.auth_cache_max_bytes = 0;
    let site = Site::new(true, off).await;
    assert_eq!(site.auth.auth_cache_stats(), None);
    for _ in 0..3 {
        assert_eq!(site.answer().await, is("", false, false));
    }
    site.clock.advance(TimeDelta::days(15));
    assert_eq!(site.answer().await, None);
}

/// Their session comes from its engine at each request, the user and the permissions by proof.
#[tokio::test]
async fn users_of_sessions_that_are_no_rows_are_kept_too() {
    let folder = tempfile::tempdir().expect("a folder");
    for engine in [SessionEngine::SignedCookies, SessionEngine::File] {
        let mut settings = settings();
        settings.session_engine = engine;
        settings.session_file_path = Some(folder.path().to_owned());
        let mut site = Site::new(true, settings).await;
        let mut other = Other::start(&site.database);
        assert_eq!(site.settled().await, is("", false, false));
        for (sql, wanted) in [
            ("UPDATE auth_user SET email = 'e'", is("e", false, false)),
            ("UPDATE auth_user SET is_superuser = 1", is("e", true, true)),
            ("UPDATE auth_user SET is_active = 0", None),
            ("UPDATE auth_user SET is_active = 1", is("e", true, true)),
            ("UPDATE auth_user SET password = 'y' || password", None),
        ] {
            other.write(sql);
            assert_eq!(site.answer().await, wanted, "{engine:?}, after {sql}");
            assert_eq!(site.settled().await, wanted);
        }
        site.key = logged_in(&site.auth, &fresh(&site).await).await;
        assert_eq!(site.settled().await, is("e", true, true));
        let request = request(&site.auth, Some(&site.key));
        site.auth.logout(&request).await.expect("logs out");
        if engine == SessionEngine::File {
            assert_eq!(site.answer().await, None);
        }
    }
}

async fn fresh(site: &Site) -> User {
    let user = site.auth.users().get(site.user.id).await;
    user.expect("reads").expect("is there")
}

/// Readers on several threads, and a writer that says how far it has come once that is committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_thread_is_answered_by_what_was_there_before() {
    static RENAME: Sql = Sql::new("UPDATE auth_user SET email = ?");
    let site = Arc::new(Site::new(true, settings()).await);
    let second = Database::connect(site.database.url())
        .await
        .expect("connects");
    second
        .execute(&RENAME, vec!["0".into()])
        .await
        .expect("writes");
    assert!(site.settled().await.is_some());
    let told = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + Duration::from_secs(1);
    let readers: Vec<_> = (0..6)
        .map(|_| {
            let (site, told) = (site.clone(), told.clone());
            tokio::spawn(async move {
                while Instant::now() < end {
                    for _ in 0..50 {
                        let first = told.load(Ordering::SeqCst);
                        let (email, _) = site.verify(&[VIEW]).await.expect("is logged in");
                        let seen: u64 = email.parse().expect("a number");
                        assert!(seen >= first, "{seen} after {first}");
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for n in 1.. {
        let email = n.to_string();
        second
            .execute(&RENAME, vec![email.into()])
            .await
            .expect("writes");
        told.store(n, Ordering::SeqCst);
        if Instant::now() > end {
            break;
        }
        tokio::time::sleep(Duration::from_millis(n % 4)).await;
    }
    for reader in readers {
        reader.await.expect("no stale answer");
    }
    let stats = site.stats();
    assert!(stats.hits > 100 && stats.changed > 20, "{stats:?}");
}
