//! A user's sessions: the rows of `usersessions_usersession`, and what ending one does.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request as HttpRequest};
use chrono::TimeDelta;
use djauth::db::{Executor, Sql};
use djauth::settings::{SecretUrl, SessionEngine};
use djauth::{Auth, Request, SecretKey, User};
use test_databases::{TestDatabase, TestRedis};

use crate::auth_support::{FALLBACK, KEY, on_each_auth, settings};

pub(crate) const FIREFOX: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

/// A request of a browser, from somewhere, with a session cookie.
pub(crate) fn request(auth: &Auth, cookie: Option<&str>, agent: &str) -> Request {
    let mut request = HttpRequest::new(());
    let peer = IpAddr::from([192, 0, 2, 7]);
    let extensions = request.extensions_mut();
    extensions.insert(ConnectInfo(SocketAddr::new(peer, 40_000)));
    let agent = HeaderValue::from_bytes(agent.as_bytes()).expect("a header");
    request.headers_mut().insert("user-agent", agent);
    let (parts, ()) = request.into_parts();
    let session = auth.sessions().open(cookie);
    Request::new(auth.settings().clone(), &parts, session)
}

pub(crate) async fn user(auth: &Auth, name: &str) -> User {
    let users = auth.users();
    let made = users.create_user(name, "", Some("right")).await;
    made.expect("is made")
}

/// Logs in within a request, and ends it; the session's key.
pub(crate) async fn log_in(auth: &Auth, user: &User, cookie: Option<&str>) -> String {
    let request = request(auth, cookie, FIREFOX);
    auth.login(&request, user.clone(), None)
        .await
        .expect("logs in");
    request.session().save().await.expect("saves");
    request.session().session_key().expect("a key")
}

/// Key and user of each row, in the order in which they were made.
pub(crate) async fn rows(auth: &Auth) -> Vec<(String, i32)> {
    static ROWS: Sql =
        Sql::new("SELECT session_key, user_id FROM usersessions_usersession ORDER BY id");
    let read = |row: &djauth::db::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    auth.db().fetch(&ROWS, &[], read).await.expect("reads")
}

pub(crate) async fn is_logged_in(auth: &Auth, key: &str) -> bool {
    let request = request(auth, Some(key), FIREFOX);
    auth.user(&request).await.expect("is known").is_some()
}

pub(crate) async fn script(auth: &Auth, statement: &str) {
    let transaction = auth.db().begin().await.expect("begins");
    transaction.execute_script(statement).await.expect("runs");
    transaction.commit().await.expect("commits");
}

#[tokio::test]
async fn a_login_makes_a_row_and_a_logout_takes_it() {
    on_each_auth(async |database, auth, _| {
        let ann = user(&auth, "ann").await;
        let key = log_in(&auth, &ann, None).await;
        assert_eq!(
            rows(&auth).await,
            [(key.clone(), ann.id)],
            "{}",
            database.name()
        );
        let listed = auth.user_sessions().list(&ann, 10).await.expect("lists");
        let [one] = &listed[..] else {
            panic!("{listed:?}");
        };
        assert_eq!((&*one.ip, &*one.user_agent), ("192.0.2.7", FIREFOX));
        assert_eq!((one.created_at, one.last_seen_at), (auth.now(), auth.now()));
        assert!(!format!("{one:?}").contains(&key), "a key is a secret");
        let same = request(&auth, Some(&key), FIREFOX);
        assert!(one.is_of(&same) && !one.is_of(&request(&auth, None, FIREFOX)));
        auth.logout(&same).await.expect("logs out");
        assert_eq!(rows(&auth).await, [], "{}", database.name());
    })
    .await;
}

#[tokio::test]
async fn whoever_logs_in_again_or_in_place_of_another_has_one_row() {
    on_each_auth(async |database, auth, clock| {
        let (ann, bob) = (user(&auth, "ann").await, user(&auth, "bob").await);
        let first = log_in(&auth, &ann, None).await;
        clock.advance(TimeDelta::hours(1));
        let again = log_in(&auth, &ann, Some(&first)).await;
        assert_eq!(again, first, "the same user keeps the session");
        assert_eq!(
            rows(&auth).await,
            [(first.clone(), ann.id)],
            "{}",
            database.name()
        );
        let one = &auth.user_sessions().list(&ann, 10).await.expect("lists")[0];
        assert_eq!(one.last_seen_at - one.created_at, TimeDelta::hours(1));
        let other = log_in(&auth, &bob, Some(&first)).await;
        assert_ne!(other, first);
        assert_eq!(rows(&auth).await, [(other, bob.id)], "{}", database.name());
        let second = log_in(&auth, &ann, None).await;
        let third = log_in(&auth, &ann, None).await;
        let listed = auth.user_sessions().list(&ann, 10).await.expect("lists");
        assert_eq!(listed.len(), 2, "{second} {third}");
        assert_eq!(
            auth.user_sessions()
                .list(&ann, 1)
                .await
                .expect("lists")
                .len(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn rows_follow_their_sessions() {
    on_each_auth(async |database, auth, _| {
        let mut ann = user(&auth, "ann").await;
        let (key, elsewhere) = (
            log_in(&auth, &ann, None).await,
            log_in(&auth, &ann, None).await,
        );
        let here = request(&auth, Some(&key), FIREFOX);
        // As the page does, which knows the user of the request before the change.
        assert!(auth.user(&here).await.expect("is known").is_some());
        auth.set_password(&mut ann, "newer").await.expect("hashes");
        auth.users().save(&mut ann).await.expect("saves");
        auth.update_session_auth_hash(&here, &ann)
            .await
            .expect("goes on");
        here.session().save().await.expect("saves");
        let moved = here.session().session_key().expect("a key");
        assert_ne!(moved, key);
        let expected = [(moved.clone(), ann.id), (elsewhere.clone(), ann.id)];
        assert_eq!(rows(&auth).await, expected, "{}", database.name());
        // The other one does not count any more, and goes when it is used.
        let listed = auth.user_sessions().list(&ann, 10).await.expect("lists");
        assert!(listed.len() == 1 && listed[0].is_of(&here), "{listed:?}");
        assert!(!is_logged_in(&auth, &elsewhere).await);
        assert_eq!(rows(&auth).await, [(moved, ann.id)], "{}", database.name());
    })
    .await;
}

/// A session that began before there was a table appears with its new key.
#[tokio::test]
async fn a_new_password_adds_a_row_that_is_missing() {
    on_each_auth(async |database, auth, _| {
        let ann = user(&auth, "ann").await;
        let key = log_in(&auth, &ann, None).await;
        script(&auth, "DELETE FROM usersessions_usersession").await;
        let here = request(&auth, Some(&key), FIREFOX);
        auth.update_session_auth_hash(&here, &ann)
            .await
            .expect("goes on");
        let key = here.session().session_key().expect("a key");
        assert_eq!(rows(&auth).await, [(key, ann.id)], "{}", database.name());
    })
    .await;
}

#[tokio::test]
async fn rows_follow_when_the_secret_key_changes() {
    for database in TestDatabase::all() {
        let mut before = settings();
        before.secret_key = SecretKey::new(FALLBACK).expect("a key");
        let before = Auth::connect(database.url(), before)
            .await
            .expect("connects");
        before.migrate().await.expect("migrates");
        let ann = user(&before, "ann").await;
        let key = log_in(&before, &ann, None).await;
        let mut after = settings();
        after.secret_key = SecretKey::new(KEY).expect("a key");
        after.secret_key_fallbacks = vec![SecretKey::new(FALLBACK).expect("a key")];
        let after = Auth::connect(database.url(), after)
            .await
            .expect("connects");
        let listed = after.user_sessions().list(&ann, 10).await.expect("lists");
        assert_eq!(listed.len(), 1, "a fallback counts");
        let here = request(&after, Some(&key), FIREFOX);
        assert!(after.user(&here).await.expect("is known").is_some());
        let moved = here.session().session_key().expect("a key");
        assert_ne!(moved, key);
        assert_eq!(rows(&after).await, [(moved, ann.id)], "{}", database.name());
        before.db().close().await;
        after.db().close().await;
    }
}

#[tokio::test]
async fn one_is_ended_and_nobody_elses() {
    on_each_auth(async |database, auth, _| {
        let (ann, bob) = (user(&auth, "ann").await, user(&auth, "bob").await);
        let (first, second) = (
            log_in(&auth, &ann, None).await,
            log_in(&auth, &ann, None).await,
        );
        let bobs = log_in(&auth, &bob, None).await;
        let sessions = auth.user_sessions();
        let of_bob = sessions.list(&bob, 10).await.expect("lists")[0].id;
        assert!(
            !sessions.end(&ann, of_bob).await.expect("answers"),
            "{}",
            database.name()
        );
        assert!(!sessions.end(&ann, i64::MAX).await.expect("answers"));
        assert!(is_logged_in(&auth, &bobs).await);
        let at_second = request(&auth, Some(&second), FIREFOX);
        let listed = sessions.list(&ann, 10).await.expect("lists");
        let other = listed
            .iter()
            .find(|one| !one.is_of(&at_second))
            .expect("two");
        assert!(sessions.end(&ann, other.id).await.expect("ends"));
        assert!(!is_logged_in(&auth, &first).await && is_logged_in(&auth, &second).await);
        assert!(!sessions.end(&ann, other.id).await.expect("is ended"));
        for _ in 0..3 {
            log_in(&auth, &ann, None).await;
        }
        assert_eq!(
            sessions.end_others(&at_second, &ann).await.expect("ends"),
            3
        );
        assert!(is_logged_in(&auth, &second).await);
        assert_eq!(sessions.end_all(&ann).await.expect("ends"), 1);
        assert!(!is_logged_in(&auth, &second).await && is_logged_in(&auth, &bobs).await);
        assert_eq!(rows(&auth).await, [(bobs, bob.id)], "{}", database.name());
    })
    .await;
}

/// On every engine but the one whose sessions nobody can end.
#[tokio::test]
async fn an_ended_session_is_out_at_its_next_request() {
    for engine in [
        SessionEngine::Db,
        SessionEngine::CachedDb,
        SessionEngine::Cache,
        SessionEngine::File,
        SessionEngine::SignedCookies,
    ] {
        let (redis, database) = (TestRedis::new(), TestDatabase::sqlite());
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = settings();
        settings.session_engine = engine;
        settings.session_file_path = Some(folder.path().to_owned());
        settings.cache_url = Some(SecretUrl::new(redis.url()));
        settings.cache_key_prefix = redis.prefix().to_owned();
        let auth = Auth::connect(database.url(), settings)
            .await
            .expect("connects");
        auth.migrate().await.expect("migrates");
        let ann = user(&auth, "ann").await;
        let keys = [
            log_in(&auth, &ann, None).await,
            log_in(&auth, &ann, None).await,
        ];
        // Asked twice, so that whatever is kept is kept.
        for key in keys.iter().chain(&keys) {
            assert!(is_logged_in(&auth, key).await, "{engine:?}");
        }
        let sessions = auth.user_sessions();
        let revocable = engine != SessionEngine::SignedCookies;
        assert_eq!(
            sessions.is_available().await.expect("answers"),
            revocable,
            "{engine:?}"
        );
        let here = request(&auth, Some(&keys[1]), FIREFOX);
        let ended = sessions.end_others(&here, &ann).await.expect("ends");
        assert_eq!(ended, u64::from(revocable), "{engine:?}");
        assert_eq!(
            is_logged_in(&auth, &keys[0]).await,
            !revocable,
            "{engine:?}"
        );
        assert!(is_logged_in(&auth, &keys[1]).await, "{engine:?}");
        assert_eq!(
            rows(&auth).await.len(),
            usize::from(revocable),
            "{engine:?}"
        );
        // What ends behind our back leaves a row until it is purged.
        auth.sessions()
            .open(Some(&keys[1]))
            .flush()
            .await
            .expect("flushes");
        assert_eq!(
            sessions.list(&ann, 10).await.expect("lists").len(),
            0,
            "{engine:?}"
        );
        assert_eq!(
            sessions.purge().await.expect("purges"),
            u64::from(revocable)
        );
        assert_eq!(rows(&auth).await, [], "{engine:?}");
        auth.db().close().await;
    }
}

#[tokio::test]
async fn rows_of_sessions_that_are_gone_are_purged() {
    on_each_auth(async |database, auth, clock| {
        let ann = user(&auth, "ann").await;
        log_in(&auth, &ann, None).await;
        clock.advance(TimeDelta::days(13));
        let kept = log_in(&auth, &ann, None).await;
        clock.advance(TimeDelta::days(3));
        let sessions = auth.user_sessions();
        let listed = sessions.list(&ann, 10).await.expect("lists");
        assert_eq!(
            (listed.len(), rows(&auth).await.len()),
            (1, 2),
            "{}",
            database.name()
        );
        auth.sessions().clear_expired().await.expect("clears");
        assert_eq!(sessions.purge().await.expect("purges"), 1);
        assert_eq!(rows(&auth).await, [(kept, ann.id)], "{}", database.name());
        assert_eq!(sessions.purge().await.expect("purges"), 0);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_user_takes_the_rows_along() {
    on_each_auth(async |database, auth, _| {
        let (ann, bob) = (user(&auth, "ann").await, user(&auth, "bob").await);
        log_in(&auth, &ann, None).await;
        let bobs = log_in(&auth, &bob, None).await;
        let going = auth.users().going(&[ann.id]).await.expect("counts");
        assert_eq!(going.rows.tables["usersessions_usersession"], 1);
        assert!(going.blocking.tables.is_empty(), "{going:?}");
        let deleted = auth.users().delete(&ann).await.expect("is deleted");
        assert_eq!(
            deleted.tables["usersessions_usersession"],
            1,
            "{}",
            database.name()
        );
        assert_eq!(rows(&auth).await, [(bobs, bob.id)]);
    })
    .await;
}

/// A Django without allauth deletes the user alone.
#[tokio::test]
async fn who_does_not_know_the_table_deletes_users_too() {
    on_each_auth(async |database, auth, _| {
        let (ann, bob) = (user(&auth, "ann").await, user(&auth, "bob").await);
        log_in(&auth, &ann, None).await;
        let bobs = log_in(&auth, &bob, None).await;
        script(&auth, "DELETE FROM auth_user WHERE username = 'ann'").await;
        assert_eq!(rows(&auth).await, [(bobs, bob.id)], "{}", database.name());
    })
    .await;
}

/// However many sessions there are, and nobody else's.
#[tokio::test]
async fn the_own_session_is_known_by_its_row() {
    on_each_auth(async |database, auth, _| {
        let at = database.name();
        let (ann, bob) = (user(&auth, "ann").await, user(&auth, "bob").await);
        let own = log_in(&auth, &ann, None).await;
        let listed = auth.user_sessions().list(&ann, 1).await.expect("lists");
        let id = listed[0].id;
        for _ in 0..3 {
            log_in(&auth, &ann, None).await;
        }
        let sessions = auth.user_sessions();
        let shown = sessions.list(&ann, 3).await.expect("lists");
        assert!(shown.iter().all(|row| row.id != id), "{at}");
        let here = request(&auth, Some(&own), FIREFOX);
        let is_own = async |request: &Request, user: &User, id: i64| {
            let sessions = auth.user_sessions();
            sessions.is_own(request, user, id).await.expect("asks")
        };
        assert!(is_own(&here, &ann, id).await, "{at}");
        assert!(!is_own(&here, &bob, id).await, "{at}");
        assert!(!is_own(&here, &ann, shown[0].id).await, "{at}");
        let stranger = request(&auth, None, FIREFOX);
        assert!(!is_own(&stranger, &ann, id).await, "{at}");
    })
    .await;
}

/// Whatever a client says it is, and wherever it is.
#[tokio::test]
async fn hostile_agents_are_kept_as_text() {
    on_each_auth(async |database, auth, _| {
        let ann = user(&auth, "ann").await;
        let long = "\u{1f600}".repeat(300);
        for agent in [
            "",
            "<script>alert(1)</script>",
            "'); DROP TABLE auth_user; --",
            &long,
        ] {
            let request = request(&auth, None, agent);
            auth.login(&request, ann.clone(), None)
                .await
                .expect("logs in");
            request.session().save().await.expect("saves");
            let listed = auth.user_sessions().list(&ann, 1).await.expect("lists");
            let expected: String = agent.chars().take(200).collect();
            assert_eq!(listed[0].user_agent, expected, "{}", database.name());
            auth.logout(&request).await.expect("logs out");
        }
        // Nobody knows from where: the row could not say it.
        let nowhere = Request::detached(auth.settings().clone(), auth.sessions().open(None));
        auth.login(&nowhere, ann.clone(), None)
            .await
            .expect("logs in");
        assert_eq!(rows(&auth).await, [], "{}", database.name());
    })
    .await;
}
