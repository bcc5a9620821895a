//! The limit on attempts to log in.

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, RETRY_AFTER};
use axum::http::{Request as HttpRequest, Response};
use chrono::TimeDelta;
use djauth::db::{Database, Dialect, Executor, Sql};
use djauth::handlers::modwsgi;
use djauth::hashing::Stats;
use djauth::http::Request;
use djauth::management::{App, Migrate};
use djauth::rate_limit::Place;
use djauth::settings::SecretUrl;
use djauth::{Auth, Credentials, Error, ErrorKind, Settings, User};
use djauth_signing::FixedClock;
use test_databases::{TestDatabase, TestRedis};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::auth_support::{CountingHasher, now, password, settings, soon, until};

/// A place where attempts are counted, and what keeps it there.
struct Bed {
    name: String,
    database: TestDatabase,
    redis: Option<TestRedis>,
    place: Place,
}

impl Bed {
    fn all() -> Vec<Self> {
        let bed = |database: TestDatabase, redis: Option<TestRedis>, place| Self {
            name: format!("{} {place:?}", database.name()),
            database,
            redis,
            place,
        };
        let mut beds: Vec<_> = TestDatabase::all()
            .into_iter()
            .map(|database| bed(database, None, Place::Database))
            .collect();
        let redis = Some(TestRedis::new());
        beds.push(bed(TestDatabase::sqlite(), redis, Place::Redis));
        beds.push(bed(TestDatabase::sqlite(), None, Place::Memory));
        beds
    }

    fn settings(&self, network: &str, username: &str) -> Settings {
        let mut settings = settings();
        settings.login_rate_limit_per_network = rate(network);
        settings.login_rate_limit_per_username = rate(username);
        if let Some(redis) = &self.redis {
            settings.cache_url = Some(SecretUrl::new(redis.url()));
            settings.cache_key_prefix = redis.prefix().to_owned();
        }
        settings
    }

    /// One process, as it were.
    async fn auth(&self, settings: Settings, hasher: &CountingHasher) -> (Auth, FixedClock) {
        let clock = FixedClock::new(now());
        let builder = Auth::builder(settings).clock(clock.clone());
        let builder = builder.password_hashers(hasher.list()).unwrap();
        let auth = builder.connect(self.database.url()).await.unwrap();
        auth.migrate().await.unwrap();
        if self.place == Place::Memory {
            drop_table(auth.db()).await;
        }
        assert_eq!(auth.login_rate_limit().place().await.unwrap(), self.place);
        (auth, clock)
    }
}

fn rate(text: &str) -> Option<djauth::settings::Rate> {
    (!text.is_empty()).then(|| text.parse().unwrap())
}

async fn drop_table(db: &Database) {
    let transaction = db.begin().await.unwrap();
    let gone = "DROP TABLE IF EXISTS djauth_login_attempts";
    transaction.execute_script(gone).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn with_user(auth: &Auth, name: &str) -> User {
    let users = auth.users();
    let made = users.create_user(name, "", Some("right")).await;
    made.unwrap()
}

/// A request from an address.
pub(crate) fn from(auth: &Auth, address: &str) -> Request {
    let mut request = HttpRequest::new(());
    let peer: IpAddr = address.parse().unwrap();
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::new(peer, 40_000)));
    let (parts, ()) = request.into_parts();
    Request::new(auth.settings().clone(), &parts, auth.sessions().open(None))
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    In,
    Wrong,
    Refused(u64),
}

fn outcome(answer: Result<Option<User>, Error>) -> Outcome {
    match answer {
        Ok(Some(_)) => Outcome::In,
        Ok(None) => Outcome::Wrong,
        Err(error) => match error.kind() {
            ErrorKind::TooManyAttempts { retry_after } => Outcome::Refused(retry_after.as_secs()),
            _ => panic!("{error:?}"),
        },
    }
}

async fn attempt(auth: &Auth, address: &str, name: &str, word: &str) -> Outcome {
    let request = from(auth, address);
    outcome(
        auth.authenticate(Some(&request), &password(name, word))
            .await,
    )
}

const A: &str = "192.0.2.1";
const B: &str = "192.0.2.2";

/// However many come at once, through two processes: no more than the limit are looked at, and only
/// those are hashed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_guesses_do_not_slip_through() {
    for bed in Bed::all() {
        let hasher = CountingHasher::new(1);
        let settings = bed.settings("", "10/m");
        let (first, _) = bed.auth(settings.clone(), &hasher).await;
        with_user(&first, "alice").await;
        // Memory is one process's by nature.
        let second = match bed.place {
            Place::Memory => first.clone(),
            _ => bed.auth(settings, &hasher).await.0,
        };
        hasher.take();
        let mut tasks = JoinSet::new();
        for number in 0..60 {
            let auth = if number % 2 == 0 { &first } else { &second }.clone();
            tasks.spawn(async move { attempt(&auth, A, "alice", "wrong").await });
        }
        let outcomes = tasks.join_all().await;
        let looked_at = outcomes.iter().filter(|o| **o == Outcome::Wrong).count();
        assert_eq!(looked_at, 10, "{}: {outcomes:?}", bed.name);
        assert_eq!(hasher.take(), 10, "{}", bed.name);
        let refused = attempt(&second, B, "alice", "right").await;
        assert_eq!(refused, Outcome::Refused(60), "{}", bed.name);
        first.db().close().await;
        second.db().close().await;
    }
}

/// Runs a test in every place.
async fn in_each_place(
    network: &str,
    username: &str,
    test: impl AsyncFn(&str, Auth, FixedClock, CountingHasher),
) {
    for bed in Bed::all() {
        let hasher = CountingHasher::new(1);
        let (auth, clock) = bed.auth(bed.settings(network, username), &hasher).await;
        with_user(&auth, "alice").await;
        with_user(&auth, "mallory").await;
        test(&bed.name, auth.clone(), clock, hasher).await;
        auth.db().close().await;
    }
}

/// A success takes its own count back and no other: not the network's (allauth 65.8.1), nor anybody
/// else's name's.
#[tokio::test]
async fn a_success_wins_no_guesses_back() {
    in_each_place("3/m", "2/m", async |at, auth, _, _| {
        for _ in 0..2 {
            assert_eq!(attempt(&auth, A, "alice", "wrong").await, Outcome::Wrong);
            for _ in 0..5 {
                let own = attempt(&auth, A, "mallory", "right").await;
                assert_eq!(own, Outcome::In, "{at}");
            }
        }
        // The name is used up, the network has one left, which the refused attempt leaves.
        let refused = attempt(&auth, A, "alice", "right").await;
        assert_eq!(refused, Outcome::Refused(60), "{at}");
        assert_eq!(attempt(&auth, A, "nobody", "x").await, Outcome::Wrong);
        assert_eq!(
            attempt(&auth, A, "mallory", "right").await,
            Outcome::Refused(60),
            "{at}: the network"
        );
        assert_eq!(attempt(&auth, B, "mallory", "right").await, Outcome::In);
    })
    .await;
}

/// An unknown name, an unusable password and an inactive account count like a wrong password, and
/// are refused after as many.
#[tokio::test]
async fn a_refusal_does_not_tell_whether_there_is_an_account() {
    in_each_place("", "3/m", async |at, auth, _, hasher| {
        let mut sleeper = with_user(&auth, "sleeper").await;
        sleeper.is_active = false;
        auth.users().save(&mut sleeper).await.unwrap();
        let users = auth.users();
        users.create_user("unusable", "", None).await.unwrap();
        for name in ["alice", "nobody", "sleeper", "unusable"] {
            let word = if name == "sleeper" { "right" } else { "wrong" };
            let mut outcomes = Vec::new();
            hasher.take();
            for _ in 0..5 {
                outcomes.push(attempt(&auth, A, name, word).await);
            }
            let wrong = || Outcome::Wrong;
            let refused = || Outcome::Refused(60);
            let expected = [wrong(), wrong(), wrong(), refused(), refused()];
            assert_eq!(outcomes, expected, "{at}: {name}");
            assert_eq!(hasher.take(), 3, "{at}: {name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_period_ends() {
    in_each_place("", "2/m", async |at, auth, clock, _| {
        let wrong = async || attempt(&auth, A, "alice", "wrong").await;
        clock.set(now() + TimeDelta::seconds(15));
        assert_eq!(
            [wrong().await, wrong().await],
            [Outcome::Wrong, Outcome::Wrong]
        );
        assert_eq!(wrong().await, Outcome::Refused(45), "{at}");
        clock.set(now() + TimeDelta::seconds(59));
        assert_eq!(wrong().await, Outcome::Refused(1), "{at}");
        clock.set(now() + TimeDelta::seconds(60));
        assert_eq!(
            attempt(&auth, A, "alice", "right").await,
            Outcome::In,
            "{at}"
        );
        assert_eq!(
            [wrong().await, wrong().await],
            [Outcome::Wrong, Outcome::Wrong]
        );
        assert_eq!(wrong().await, Outcome::Refused(60), "{at}");
    })
    .await;
}

#[tokio::test]
async fn a_network_is_an_ipv4_address_or_64_bits_of_an_ipv6_address() {
    in_each_place("1/m", "", async |at, auth, _, _| {
        for (first, same, other) in [
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", "2001:db8:0:2::1"),
            ("192.0.2.7", "::ffff:192.0.2.7", "192.0.2.8"),
        ] {
            assert_eq!(attempt(&auth, first, "x", "x").await, Outcome::Wrong);
            let refused = attempt(&auth, same, "y", "y").await;
            assert_eq!(refused, Outcome::Refused(60), "{at}: {same}");
            let let_in = attempt(&auth, other, "alice", "right").await;
            assert_eq!(let_in, Outcome::In, "{at}: {other}");
        }
    })
    .await;
}

/// A host that has 65,536 networks does not have as many times the limit.
#[tokio::test]
async fn a_wide_network_of_ipv6_has_a_limit_too() {
    in_each_place("1/m", "", async |at, auth, _, _| {
        for network in 0..16 {
            let address = format!("2001:db8:1:{network:x}::1");
            let wrong = attempt(&auth, &address, "x", "x").await;
            assert_eq!(wrong, Outcome::Wrong, "{at}: {network}");
            let refused = attempt(&auth, &address, "alice", "right").await;
            assert_eq!(refused, Outcome::Refused(60), "{at}: {network}");
        }
        let next = "2001:db8:1:10::1";
        let refused = attempt(&auth, next, "alice", "right").await;
        assert_eq!(refused, Outcome::Refused(60), "{at}");
        for other in ["2001:db8:2::1", A] {
            let let_in = attempt(&auth, other, "alice", "right").await;
            assert_eq!(let_in, Outcome::In, "{at}: {other}");
        }
        let limit = auth.login_rate_limit();
        assert!(limit.unlock_network(next.parse().unwrap()).await.unwrap());
        let let_in = attempt(&auth, next, "alice", "right").await;
        assert_eq!(let_in, Outcome::In, "{at}");
    })
    .await;
}

#[tokio::test]
async fn what_is_unlocked_is_looked_at_again() {
    in_each_place("1/m", "1/m", async |at, auth, _, _| {
        let limit = auth.login_rate_limit();
        assert!(!limit.unlock_username("alice").await.unwrap(), "{at}");
        assert_eq!(attempt(&auth, A, "alice", "wrong").await, Outcome::Wrong);
        assert!(limit.unlock_username("ALICE ").await.unwrap(), "{at}");
        assert_eq!(attempt(&auth, B, "alice", "right").await, Outcome::In);
        let refused = attempt(&auth, A, "alice", "right").await;
        assert_eq!(refused, Outcome::Refused(60), "{at}");
        assert!(limit.unlock_network(A.parse().unwrap()).await.unwrap());
        assert_eq!(attempt(&auth, A, "alice", "right").await, Outcome::In);
        attempt(&auth, A, "alice", "wrong").await;
        limit.unlock_all().await.unwrap();
        assert_eq!(
            attempt(&auth, A, "alice", "right").await,
            Outcome::In,
            "{at}"
        );
    })
    .await;
}

/// Spellings that a database takes for one name have one counter, and what it finds beyond that is
/// nobody.
#[tokio::test]
async fn another_spelling_is_no_new_name() {
    in_each_place("", "2/m", async |at, auth, _, _| {
        if auth.db().dialect() == Dialect::Mysql {
            let transaction = auth.db().begin().await.unwrap();
            let usual =
                "ALTER TABLE auth_user CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";
            transaction.execute_script(usual).await.unwrap();
            transaction.commit().await.unwrap();
        }
        for spelling in ["Alice", "alicé"] {
            assert_eq!(attempt(&auth, A, spelling, "wrong").await, Outcome::Wrong);
        }
        for spelling in ["alice", "ＡＬＩＣＥ", "alice ", "al\u{200b}ice"] {
            let refused = attempt(&auth, A, spelling, "right").await;
            assert_eq!(refused, Outcome::Refused(60), "{at}: {spelling}");
        }
        // A small a above a letter: MariaDB reads it as an a.
        let odd = attempt(&auth, A, "\u{363}lice", "right").await;
        assert_eq!(odd, Outcome::Wrong, "{at}");
    })
    .await;
}

/// Web servers that ask for themselves give no address: the name alone counts.
#[tokio::test]
async fn guesses_through_a_web_server_count() {
    in_each_place("1/m", "2/m", async |at, auth, _, hasher| {
        let check = async |word| modwsgi::check_password(&auth, "alice", word).await;
        assert_eq!(check("right").await.unwrap(), Some(true), "{at}");
        for _ in 0..2 {
            assert_eq!(check("wrong").await.unwrap(), Some(false), "{at}");
        }
        hasher.take();
        let refused = check("right").await.unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::TooManyAttempts { .. }));
        assert_eq!(hasher.take(), 0, "{at}");
        let refused = attempt(&auth, A, "alice", "right").await;
        assert_eq!(refused, Outcome::Refused(60), "{at}");
    })
    .await;
}

/// A store that fails lets nobody in, and is no "no".
#[tokio::test]
async fn nothing_is_let_through_uncounted() {
    let database = TestDatabase::sqlite();
    let redis = TestRedis::new();
    let mut settings = settings();
    settings.cache_url = Some(SecretUrl::new("redis://127.0.0.1:1/0"));
    settings.cache_key_prefix = redis.prefix().to_owned();
    let auth = Auth::connect(database.url(), settings).await.unwrap();
    auth.migrate().await.unwrap();
    with_user(&auth, "alice").await;
    let request = from(&auth, A);
    let given = password("alice", "right");
    let answer = auth.authenticate(Some(&request), &given).await;
    assert_eq!(*answer.unwrap_err().kind(), ErrorKind::Unavailable);
}

/// A failure of the server tells nothing about the password, so it uses nothing up.
#[tokio::test]
async fn failures_of_the_server_are_not_counted() {
    let elsewhere = |bed: &Bed| bed.place != Place::Database;
    for bed in Bed::all().into_iter().filter(elsewhere) {
        let hasher = CountingHasher::new(1);
        let (auth, _) = bed.auth(bed.settings("2/m", "2/m"), &hasher).await;
        auth.db().close().await;
        for _ in 0..4 {
            let request = from(&auth, A);
            let given = password("alice", "right");
            let error = auth.authenticate(Some(&request), &given).await.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Unavailable, "{}", bed.name);
        }
    }
}

/// A login that is shed was not looked at, so it uses nothing up. One whose client goes away while it
/// waits stays counted: whoever sees no answer shall not guess for free.
#[tokio::test]
async fn a_shed_login_is_not_counted_and_one_given_up_is() {
    for bed in Bed::all() {
        let mut settings = bed.settings("3/m", "3/m");
        (settings.hashing_threads, settings.hashing_queue) = (1, 1);
        let (auth, _) = bed.auth(settings, &CountingHasher::new(1)).await;
        let guess = |auth: Auth| async move {
            let request = from(&auth, A);
            auth.authenticate(Some(&request), &password("nobody", "guess"))
                .await
        };
        let until_jobs = |is_so: fn(&Stats) -> bool| {
            let see = || auth.hashing().stats();
            until(&bed.name, see, is_so)
        };
        // What was hashed for the users of the bed may seem to be running for a moment more.
        until_jobs(|stats| stats.waiting + stats.running == 0).await;
        // The thread, and the one that helps where nothing gets ahead, are busy.
        let (mut releases, mut holders) = (Vec::new(), Vec::new());
        for busy in [
            |now: &Stats| now.running == 1,
            |now: &Stats| now.running == 2,
        ] {
            let (release, held) = std::sync::mpsc::channel::<()>();
            let pool = auth.hashing().clone();
            let hold = async move { pool.run(move |_| held.recv().is_err()).await };
            releases.push(release);
            holders.push(tokio::spawn(hold));
            until_jobs(busy).await;
        }
        let given_up = tokio::spawn(guess(auth.clone()));
        until_jobs(|stats| stats.waiting == 1).await;
        for _ in 0..4 {
            let error = soon(&bed.name, guess(auth.clone())).await.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Busy, "{}", bed.name);
        }
        given_up.abort();
        assert!(given_up.await.unwrap_err().is_cancelled());
        drop(releases);
        for holder in holders {
            assert!(soon(&bed.name, holder).await.unwrap().unwrap());
        }
        until_jobs(|stats| stats.waiting + stats.running == 0).await;
        // One of three is used up.
        for expected in [Outcome::Wrong, Outcome::Wrong] {
            assert_eq!(outcome(guess(auth.clone()).await), expected, "{}", bed.name);
        }
        let third = outcome(guess(auth.clone()).await);
        assert!(
            matches!(third, Outcome::Refused(_)),
            "{}: {third:?}",
            bed.name
        );
    }
}

#[tokio::test]
async fn remote_user_and_empty_limits_count_nothing() {
    in_each_place("1/m", "1/m", async |at, auth, _, _| {
        for _ in 0..3 {
            let asserted = Credentials::new().with("remote_user", "stranger");
            let request = from(&auth, A);
            let answer = auth.authenticate(Some(&request), &asserted).await;
            assert_eq!(outcome(answer), Outcome::Wrong, "{at}");
        }
        assert_eq!(attempt(&auth, A, "alice", "right").await, Outcome::In);
    })
    .await;
    let database = TestDatabase::sqlite();
    let mut settings = settings();
    settings.login_rate_limit_per_network = None;
    settings.login_rate_limit_per_username = None;
    let auth = Auth::connect(database.url(), settings).await.unwrap();
    auth.migrate().await.unwrap();
    for _ in 0..50 {
        assert_eq!(attempt(&auth, A, "x", "x").await, Outcome::Wrong);
    }
    let place = auth.login_rate_limit().place().await.unwrap();
    assert_eq!(place, Place::Nowhere);
}

static COUNTERS: Sql = Sql::new("SELECT counter, period_end, attempts FROM djauth_login_attempts");

async fn rows(auth: &Auth) -> Vec<(String, i64, i64)> {
    let read = |row: &djauth::db::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    auth.db().fetch(&COUNTERS, &[], read).await.unwrap()
}

#[tokio::test]
async fn counters_name_nobody_and_go_when_they_are_over() {
    for database in TestDatabase::all() {
        let clock = FixedClock::new(now());
        let builder = Auth::builder(settings()).clock(clock.clone());
        let auth = builder.connect(database.url()).await.unwrap();
        auth.migrate().await.unwrap();
        attempt(&auth, A, "alice", "wrong").await;
        let found = rows(&auth).await;
        assert_eq!(found.len(), 2, "{}", database.name());
        for (counter, _, attempts) in found {
            assert!(counter.len() == 64 && counter.bytes().all(|b| b.is_ascii_hexdigit()));
            assert_eq!(attempts, 1);
        }
        // More than one statement deletes.
        let flood: Vec<_> = (0..1200).map(|n| format!("('old{n}', 1, 1)")).collect();
        let flood = format!(
            "INSERT INTO djauth_login_attempts (counter, period_end, attempts) VALUES {}",
            flood.join(", ")
        );
        auth.db()
            .execute(&Sql::generated(flood, None), Vec::new())
            .await
            .unwrap();
        clock.set(now() + TimeDelta::hours(1));
        attempt(&auth, B, "bob", "wrong").await;
        let mut patience = 1000;
        while rows(&auth).await.len() > 2 && patience > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            patience -= 1;
        }
        assert_eq!(rows(&auth).await.len(), 2, "{}", database.name());
        auth.db().close().await;
    }
}

/// Where Django has migrated, we make no table, and count in memory.
#[tokio::test]
async fn a_database_of_somebody_else_gets_no_table() {
    for database in TestDatabase::all() {
        let auth = Auth::connect(database.url(), settings()).await.unwrap();
        let begun = Migrate::new().apps([App::ContentTypes]);
        begun.run(auth.db()).await.unwrap();
        auth.migrate().await.unwrap();
        let place = auth.login_rate_limit().place().await.unwrap();
        assert_eq!(place, Place::Memory, "{}", database.name());
        auth.db().close().await;
    }
}

/// A site on SQLite behind one trusted proxy.
async fn site() -> (TestDatabase, Router) {
    let database = TestDatabase::sqlite();
    let mut settings = settings();
    settings.allowed_hosts = vec!["testserver".into()];
    settings.trusted_proxies = vec!["10.0.0.1".parse().unwrap()];
    settings.login_rate_limit_per_network = rate("2/m");
    let builder = Auth::builder(settings).clock(FixedClock::new(now()));
    let auth = builder.connect(database.url()).await.unwrap();
    auth.migrate().await.unwrap();
    let app = Router::new()
        .nest("/accounts", auth.urls())
        .layer(auth.layer());
    (database, app)
}

async fn log_in(app: &Router, peer: &str, forwarded: &str) -> Response<Body> {
    let token = "a".repeat(32);
    let peer: SocketAddr = format!("{peer}:4000").parse().unwrap();
    let request = HttpRequest::post("/accounts/login/")
        .header(HOST, "testserver")
        .header(COOKIE, format!("csrftoken={token}"))
        .header("x-forwarded-for", forwarded)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .extension(ConnectInfo(peer));
    let form = format!("csrfmiddlewaretoken={token}&username=x&password=y");
    let request = request.body(Body::from(form)).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn the_login_page_answers_429_and_says_when_to_come_back() {
    let (_database, app) = site().await;
    for _ in 0..2 {
        assert_eq!(log_in(&app, A, "").await.status(), 200);
    }
    let refused = log_in(&app, A, "").await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()[RETRY_AFTER], "60");
    let body = axum::body::to_bytes(refused.into_body(), 1 << 20).await;
    let text = String::from_utf8(body.unwrap().to_vec()).unwrap();
    assert!(text.contains("Too many attempts"), "{text}");
}

/// Only the trusted proxy says who the client is; a stranger cannot pass as others (allauth took
/// everybody's word).
#[tokio::test]
async fn clients_behind_a_proxy_are_told_apart_and_nobody_else_is_believed() {
    let (_database, app) = site().await;
    for number in 0..3 {
        let forged = format!("203.0.113.{number}");
        let expected = if number < 2 { 200 } else { 429 };
        assert_eq!(log_in(&app, B, &forged).await.status(), expected);
    }
    for number in 0..3 {
        // The client's own word comes first, the proxy's last.
        let own = format!("203.0.113.{number}, 198.51.100.1");
        let expected = if number < 2 { 200 } else { 429 };
        assert_eq!(log_in(&app, "10.0.0.1", &own).await.status(), expected);
    }
    let other = log_in(&app, "10.0.0.1", "198.51.100.2").await;
    assert_eq!(other.status(), 200);
}
