//! The log of logins, logouts and failures.

use std::net::{Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use chrono::{DateTime, TimeDelta, Utc};
use djauth::db::{Database, Dialect, Executor, Sql};
use djauth::http::Request;
use djauth::{Auth, Credentials, User};
use djauth_signing::FixedClock;
use sha2::{Digest, Sha256};
use test_databases::TestDatabase;

use crate::auth_support::{connect, now, on_each_auth, password, request, saved, settings};
use crate::schema::script;

/// A request that a browser sent.
fn visit(auth: &Auth, path: &str, headers: &[(&str, &str)], cookie: Option<&str>) -> Request {
    let mut sent = http::Request::builder().uri(path);
    for (name, value) in headers {
        sent = sent.header(*name, *value);
    }
    let (mut parts, ()) = sent.body(()).expect("a request").into_parts();
    let peer = SocketAddr::from((Ipv4Addr::new(203, 0, 113, 7), 4711));
    parts.extensions.insert(ConnectInfo(peer));
    let session = auth.sessions().open(cookie);
    Request::new(auth.settings().clone(), &parts, session)
}

const BROWSER: [(&str, &str); 2] = [("user-agent", "Mozilla/5.0 (X11)"), ("accept", "text/html")];

fn at_the_page(auth: &Auth, cookie: Option<&str>) -> Request {
    visit(auth, "/accounts/login/?next=/secret/", &BROWSER, cookie)
}

async fn alice(auth: &Auth) -> User {
    let made = auth.users().create_user("alice", "", Some("secret")).await;
    made.expect("creates")
}

/// A row of either table; `ended` and `session_hash` are of logins alone.
#[derive(Debug, PartialEq)]
struct Row {
    agent: String,
    ip: Option<String>,
    name: Option<String>,
    accept: String,
    path: String,
    at: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    hash: String,
}

async fn rows_of(db: &Database, table: &str, more: &str) -> Vec<Row> {
    let ip = match db.dialect() {
        Dialect::Postgres => "host(ip_address)",
        _ => "ip_address",
    };
    let sql = format!(
        "SELECT user_agent, {ip}, username, http_accept, path_info, attempt_time, {more} FROM {table} ORDER BY id"
    );
    let read = |row: &djauth::db::Row<'_>| {
        Ok(Row {
            agent: row.get(0)?,
            ip: row.get(1)?,
            name: row.get(2)?,
            accept: row.get(3)?,
            path: row.get(4)?,
            at: row.get(5)?,
            ended: row.get(6)?,
            hash: row.get(7)?,
        })
    };
    let rows = db.fetch(&Sql::generated(sql, None), &[], read).await;
    rows.expect("reads the log")
}

async fn logins(auth: &Auth) -> Vec<Row> {
    auth.access_log().flush().await;
    rows_of(auth.db(), "axes_accesslog", "logout_time, session_hash").await
}

async fn failures(auth: &Auth) -> Vec<Row> {
    auth.access_log().flush().await;
    rows_of(auth.db(), "axes_accessfailurelog", "NULL, ''").await
}

async fn fails(auth: &Auth, request: &Request, name: &str) {
    let tried = auth
        .authenticate(Some(request), &password(name, "hunter2"))
        .await;
    assert_eq!(tried.expect("asks").map(|user| user.username), None);
}

fn sha256(key: &str) -> String {
    let digest = Sha256::digest(key);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_login_leaves_a_row_and_its_logout_a_time() {
    on_each_auth(async |database, auth, clock: FixedClock| {
        let at = database.name();
        let alice = alice(&auth).await;
        let first = at_the_page(&auth, None);
        auth.login(&first, alice.clone(), None)
            .await
            .expect("logs in");
        let key = saved(first.session()).await;
        clock.advance(TimeDelta::seconds(90));
        // In another browser, which stays logged in.
        let second = at_the_page(&auth, None);
        auth.login(&second, alice, None).await.expect("logs in");
        clock.advance(TimeDelta::seconds(10));
        let leaving = visit(&auth, "/accounts/logout/", &[], Some(&key));
        auth.logout(&leaving).await.expect("logs out");
        let expected = |at, ended, key: &str| Row {
            agent: "Mozilla/5.0 (X11)".to_owned(),
            ip: Some("203.0.113.7".to_owned()),
            name: Some("alice".to_owned()),
            accept: "text/html".to_owned(),
            path: "/accounts/login/".to_owned(),
            at,
            ended,
            hash: sha256(key),
        };
        let other = second.session().session_key().expect("a key");
        let later = now() + TimeDelta::seconds(90);
        let end = now() + TimeDelta::seconds(100);
        let expected = [
            expected(now(), Some(end), &key),
            expected(later, None, &other),
        ];
        assert_eq!(logins(&auth).await, expected, "{at}");
        assert_eq!(failures(&auth).await, [], "{at}");
    })
    .await;
}

/// A login in place of somebody else's leaves no session to hash until it is stored.
#[tokio::test]
async fn a_login_in_place_of_another_knows_its_session() {
    on_each_auth(async |database, auth, _| {
        let bob = auth.users().create_user("bob", "", None).await;
        let visit = at_the_page(&auth, None);
        auth.login(&visit, alice(&auth).await, None)
            .await
            .expect("logs in");
        let bob = bob.expect("creates");
        auth.login(&visit, bob, None).await.expect("logs in");
        let key = saved(visit.session()).await;
        let rows = logins(&auth).await;
        let names: Vec<_> = rows.iter().map(|row| row.name.as_deref()).collect();
        assert_eq!(names, [Some("alice"), Some("bob")], "{}", database.name());
        assert_eq!(rows[1].hash, sha256(&key), "{}", database.name());
    })
    .await;
}

/// The row of somebody who exists and of somebody who does not, and nothing of the password.
#[tokio::test]
async fn failures_leave_the_name_and_nothing_else() {
    on_each_auth(async |database, auth, _| {
        alice(&auth).await;
        for name in ["alice", "nobody"] {
            fails(&auth, &at_the_page(&auth, None), name).await;
        }
        let odd = visit(&auth, "/caf%C3%A9%00/", &[], None);
        let long = format!("x\0{}", "é".repeat(300));
        fails(&auth, &odd, &long).await;
        // Without a request there is nothing to say of it.
        let tried = auth.authenticate(None, &password("alice", "hunter2")).await;
        assert!(tried.expect("asks").is_none());
        let rows = failures(&auth).await;
        let at = database.name();
        assert_eq!(rows.len(), 3, "{at}");
        let same = |row: &Row| (row.agent.clone(), row.ip.clone(), row.path.clone(), row.at);
        assert_eq!(same(&rows[0]), same(&rows[1]), "{at}");
        let names: Vec<_> = rows
            .iter()
            .map(|row| row.name.clone().expect("a name"))
            .collect();
        assert_eq!(names[..2], ["alice", "nobody"], "{at}");
        assert_eq!(names[2], format!("x\u{fffd}{}", "é".repeat(253)), "{at}");
        let unknown = (
            rows[2].agent.as_str(),
            rows[2].accept.as_str(),
            rows[2].path.as_str(),
        );
        assert_eq!(
            unknown,
            ("<unknown>", "<unknown>", "/café\u{fffd}/"),
            "{at}"
        );
        assert!(!format!("{rows:?}").contains("hunter2"), "{at}");
        assert_eq!(logins(&auth).await, [], "{at}");
    })
    .await;
}

/// Names that come under another name are found; what is no name is not kept.
#[tokio::test]
async fn only_the_field_of_the_name_is_kept() {
    on_each_auth(async |_, auth, _| {
        let given = Credentials::new()
            .with("email", "a@example.com")
            .with("password", "hunter2");
        let tried = auth
            .authenticate(Some(&at_the_page(&auth, None)), &given)
            .await;
        assert!(tried.expect("asks").is_none());
        let rows = failures(&auth).await;
        assert_eq!((rows.len(), &rows[0].name), (1, &None));
    })
    .await;
}

#[tokio::test]
async fn a_log_that_is_gone_hinders_nobody() {
    on_each_auth(async |database, auth, _| {
        let alice = alice(&auth).await;
        let before = at_the_page(&auth, None);
        auth.login(&before, alice.clone(), None)
            .await
            .expect("logs in");
        assert_eq!(logins(&auth).await.len(), 1);
        script(
            auth.db(),
            &[
                "DROP TABLE axes_accesslog",
                "DROP TABLE axes_accessfailurelog",
            ],
        )
        .await;
        for _ in 0..2 {
            let visit = at_the_page(&auth, None);
            fails(&auth, &visit, "alice").await;
            auth.login(&visit, alice.clone(), None)
                .await
                .expect("logs in");
            auth.logout(&visit).await.expect("logs out");
            auth.access_log().flush().await;
            assert_eq!(auth.access_log().waiting(), 0, "{}", database.name());
        }
        assert_eq!(auth.access_log().trim().await.expect("trims"), 0);
    })
    .await;
}

/// Axes before version 6 has no `session_hash`; before version 5 there is a column that is unknown here.
#[tokio::test]
async fn older_tables_of_axes_are_used_as_far_as_they_go() {
    on_each_auth(async |database, auth, _| {
        let alice = alice(&auth).await;
        script(
            auth.db(),
            &["ALTER TABLE axes_accesslog DROP COLUMN session_hash"],
        )
        .await;
        let visit = at_the_page(&auth, None);
        auth.login(&visit, alice.clone(), None)
            .await
            .expect("logs in");
        auth.logout(&visit).await.expect("logs out");
        auth.access_log().flush().await;
        let rows = rows_of(auth.db(), "axes_accesslog", "logout_time, ''").await;
        assert_eq!(
            (rows.len(), rows[0].ended),
            (1, None),
            "{}",
            database.name()
        );

        let other = Auth::builder(settings())
            .connect(database.url())
            .await
            .expect("connects");
        let add = "ALTER TABLE axes_accesslog ADD COLUMN trusted bool NOT NULL DEFAULT false";
        script(other.db(), &[add]).await;
        other
            .login(&at_the_page(&other, None), alice, None)
            .await
            .expect("logs in");
        fails(&other, &at_the_page(&other, None), "alice").await;
        other.access_log().flush().await;
        let rows = rows_of(other.db(), "axes_accesslog", "logout_time, ''").await;
        assert_eq!(rows.len(), 1, "{}", database.name());
        assert_eq!(failures(&other).await.len(), 1, "{}", database.name());
        other.db().close().await;
    })
    .await;
}

async fn without_limits(url: &str) -> Auth {
    let mut settings = settings();
    settings.login_rate_limit_per_network = None;
    settings.login_rate_limit_per_username = None;
    let auth = Auth::builder(settings).connect(url).await;
    let auth = auth.expect("connects");
    auth.migrate().await.expect("migrates");
    auth
}

/// Each commit on SQLite empties the cache of authenticated requests.
#[tokio::test]
async fn a_storm_of_failures_is_one_transaction() {
    for database in TestDatabase::all() {
        let auth = without_limits(database.url()).await;
        fails(&auth, &at_the_page(&auth, None), "nobody").await;
        auth.access_log().flush().await;
        let before = auth.db().own_writes();
        for _ in 0..150 {
            fails(&auth, &at_the_page(&auth, None), "nobody").await;
        }
        auth.access_log().flush().await;
        let writes = auth.db().own_writes() - before;
        // Before and after a transaction, of which there is one a second; one for each would be 300.
        assert!(writes < 100, "{}: {writes}", database.name());
        assert_eq!(failures(&auth).await.len(), 151, "{}", database.name());
        auth.db().close().await;
    }
}

/// Nobody hides a storm of failures behind a name that the database does not take.
#[tokio::test]
async fn a_row_that_is_refused_takes_no_other_with_it() {
    for database in TestDatabase::all() {
        let auth = without_limits(database.url()).await;
        let refuse = match auth.db().dialect() {
            Dialect::Sqlite => {
                "CREATE TRIGGER refuse BEFORE INSERT ON axes_accessfailurelog \
                 WHEN NEW.username = 'poison' BEGIN SELECT RAISE(ABORT, 'refused'); END"
            }
            _ => {
                "ALTER TABLE axes_accessfailurelog ADD CONSTRAINT refuse CHECK (username <> 'poison')"
            }
        };
        script(auth.db(), &[refuse]).await;
        let names = ["a", "poison", "b", "c", "d", "poison", "e"];
        for name in names {
            fails(&auth, &at_the_page(&auth, None), name).await;
        }
        let kept: Vec<_> = failures(&auth)
            .await
            .into_iter()
            .filter_map(|row| row.name)
            .collect();
        assert_eq!(kept, ["a", "b", "c", "d", "e"], "{}", database.name());
        assert_eq!(auth.access_log().waiting(), 0);
        auth.db().close().await;
    }
}

#[tokio::test]
async fn what_the_database_cannot_take_waits() {
    let database = TestDatabase::sqlite();
    let mark = if database.url().contains('?') {
        '&'
    } else {
        '?'
    };
    let url = format!("{}{mark}timeout=1", database.url());
    let auth = without_limits(&url).await;
    let other = Database::connect(database.url()).await.expect("connects");
    let visit = at_the_page(&auth, None);
    fails(&auth, &visit, "first").await;
    auth.access_log().flush().await;
    let busy = other.begin().await.expect("begins");
    busy.execute(&Sql::new("DELETE FROM django_session"), Vec::new())
        .await
        .expect("writes");
    fails(&auth, &visit, "second").await;
    auth.access_log().flush().await;
    assert_eq!(auth.access_log().waiting(), 1);
    busy.rollback().await.expect("rolls back");
    let names: Vec<_> = failures(&auth)
        .await
        .into_iter()
        .filter_map(|row| row.name)
        .collect();
    assert_eq!(names, ["first", "second"]);
    other.close().await;
    auth.db().close().await;
}

#[tokio::test]
async fn what_waits_is_written_at_the_end_and_nothing_is_taken_on() {
    on_each_auth(async |database, auth, _| {
        let visit = at_the_page(&auth, None);
        fails(&auth, &visit, "first").await;
        assert_eq!(auth.access_log().waiting(), 1);
        let limit = std::time::Duration::from_secs(3600);
        assert!(auth.access_log().drain(limit).await, "{}", database.name());
        fails(&auth, &visit, "second").await;
        assert_eq!(failures(&auth).await.len(), 1, "{}", database.name());
    })
    .await;
}

#[tokio::test]
async fn old_rows_go_in_parts() {
    for database in TestDatabase::all() {
        let (auth, clock) = connect(&database).await;
        let visit = at_the_page(&auth, None);
        fails(&auth, &visit, "old").await;
        auth.login(&visit, alice(&auth).await, None)
            .await
            .expect("logs in");
        auth.access_log().flush().await;
        double(auth.db(), 11).await;
        assert_eq!(auth.access_log().trim().await.expect("trims"), 0);
        clock.advance(TimeDelta::days(365));
        assert_eq!(auth.access_log().trim().await.expect("trims"), 0);
        clock.advance(TimeDelta::seconds(1));
        fails(&auth, &visit, "new").await;
        auth.access_log().flush().await;
        let trimmed = auth.access_log().trim().await.expect("trims");
        assert_eq!(trimmed, 2048 + 1, "{}", database.name());
        assert_eq!(failures(&auth).await.len(), 1, "{}", database.name());
        assert_eq!(logins(&auth).await.len(), 0, "{}", database.name());
        auth.db().close().await;
    }
}

/// Doubles the failures so many times.
async fn double(db: &Database, times: usize) {
    let columns =
        "user_agent, ip_address, username, http_accept, path_info, attempt_time, locked_out";
    let copy = format!(
        "INSERT INTO axes_accessfailurelog ({columns}) SELECT {columns} FROM axes_accessfailurelog"
    );
    for _ in 0..times {
        script(db, &[&copy]).await;
    }
}

/// Axes' own rows are its own: nothing is deleted where djauth has not made the database, and nothing ever with 0.
#[tokio::test]
async fn rows_beside_django_stay() {
    on_each_auth(async |database, auth, clock: FixedClock| {
        fails(&auth, &at_the_page(&auth, None), "old").await;
        auth.access_log().flush().await;
        clock.advance(TimeDelta::days(4000));
        let mut forever = settings();
        forever.access_log_days = 0;
        let other = Auth::builder(forever).clock(clock.clone());
        let other = other.connect(database.url()).await.expect("connects");
        assert_eq!(other.access_log().trim().await.expect("trims"), 0);
        other.db().close().await;
        script(auth.db(), &["DROP TABLE djauth_login_attempts"]).await;
        assert_eq!(auth.access_log().trim().await.expect("trims"), 0);
        assert_eq!(failures(&auth).await.len(), 1, "{}", database.name());
    })
    .await;
}

/// Requests of nobody in particular: no address, no headers.
#[tokio::test]
async fn a_request_without_an_address_is_kept_too() {
    on_each_auth(async |_, auth, _| {
        fails(&auth, &request(&auth, None), "alice").await;
        let rows = failures(&auth).await;
        assert_eq!((rows.len(), rows[0].ip.clone()), (1, None));
    })
    .await;
}
