//! When sessions were last seen.

use chrono::TimeDelta;
use djauth::db::{Dialect, Executor};
use djauth::{Auth, User};
use djauth_signing::FixedClock;
use test_databases::TestDatabase;

use crate::auth_support::{on_each_auth, settings};
use crate::usersessions::{is_logged_in, log_in, script, user};

async fn seen(auth: &Auth, user: &User) -> TimeDelta {
    let listed = auth.user_sessions().list(user, 1).await.expect("lists");
    auth.now() - listed[0].last_seen_at
}

#[tokio::test]
async fn when_it_was_last_seen_is_written_later_and_at_once() {
    on_each_auth(async |database, auth, clock| {
        let ann = user(&auth, "ann").await;
        let key = log_in(&auth, &ann, None).await;
        let sessions = auth.user_sessions();
        sessions.write_last_seen().await.expect("writes");
        clock.advance(TimeDelta::minutes(30));
        for _ in 0..5 {
            assert!(is_logged_in(&auth, &key).await);
        }
        assert_eq!(
            seen(&auth, &ann).await,
            TimeDelta::minutes(30),
            "{}",
            database.name()
        );
        assert_eq!(sessions.write_last_seen().await.expect("writes"), 1);
        assert_eq!(
            seen(&auth, &ann).await,
            TimeDelta::zero(),
            "{}",
            database.name()
        );
        // Noted once in about a minute, whether or not the cache answers.
        assert!(is_logged_in(&auth, &key).await);
        clock.advance(TimeDelta::minutes(5));
        let session = auth.sessions().open(Some(&key));
        assert!(
            auth.verify(&session, &[])
                .await
                .expect("is known")
                .is_some()
        );
        assert_eq!(sessions.write_last_seen().await.expect("writes"), 1);
        assert_eq!(
            seen(&auth, &ann).await,
            TimeDelta::zero(),
            "{}",
            database.name()
        );
        // One that nobody knows is not noted.
        assert!(!is_logged_in(&auth, "abcdefghijklmnopqrstuvwxyz012345").await);
        assert_eq!(sessions.write_last_seen().await.expect("writes"), 0);
    })
    .await;
}

#[tokio::test]
async fn requests_do_not_commit() {
    let database = TestDatabase::sqlite();
    let clock = FixedClock::new(crate::auth_support::now());
    let auth = Auth::builder(settings()).clock(clock.clone());
    let auth = auth.connect(database.url()).await.expect("connects");
    auth.migrate().await.expect("migrates");
    let ann = user(&auth, "ann").await;
    let key = log_in(&auth, &ann, None).await;
    for _ in 0..3 {
        assert!(is_logged_in(&auth, &key).await);
    }
    let before = auth.auth_cache_stats().expect("there is a cache");
    for _ in 0..20 {
        clock.advance(TimeDelta::minutes(1));
        assert!(is_logged_in(&auth, &key).await);
    }
    let after = auth.auth_cache_stats().expect("there is a cache");
    assert_eq!(
        (after.hits - before.hits, after.changed - before.changed),
        (20, 0)
    );
    assert_eq!(
        auth.user_sessions()
            .write_last_seen()
            .await
            .expect("writes"),
        1
    );
    assert!(is_logged_in(&auth, &key).await);
    let last = auth.auth_cache_stats().expect("there is a cache");
    assert_eq!(last.changed - after.changed, 1, "one commit");
    auth.db().close().await;
}

/// Beside Django nothing is written of it, unless the setting says so.
#[tokio::test]
async fn last_seen_is_written_where_it_is_wanted() {
    for (ours, setting, expected) in [
        (true, None, 1),
        (true, Some(false), 0),
        (false, None, 0),
        (false, Some(true), 1),
    ] {
        let database = TestDatabase::sqlite();
        let mut settings = settings();
        settings.usersessions_track_activity = setting;
        let auth = Auth::connect(database.url(), settings)
            .await
            .expect("connects");
        auth.migrate().await.expect("migrates");
        if !ours {
            script(&auth, "DROP TABLE djauth_login_attempts").await;
        }
        assert_eq!(auth.db().dialect(), Dialect::Sqlite);
        let ann = user(&auth, "ann").await;
        let key = log_in(&auth, &ann, None).await;
        // The clock is the real one here: the row must not be newer than what is noted.
        let past = "UPDATE usersessions_usersession SET last_seen_at = '2000-01-01 00:00:00'";
        script(&auth, past).await;
        assert!(is_logged_in(&auth, &key).await);
        let written = auth
            .user_sessions()
            .write_last_seen()
            .await
            .expect("writes");
        assert_eq!(written, expected, "{ours} {setting:?}");
        auth.db().close().await;
    }
}
