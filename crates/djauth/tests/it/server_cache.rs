//! The cache of authenticated requests on PostgreSQL and MariaDB: with the triggers installed the next answer is
//! what the database says, whoever changed it.

use std::time::Duration;

use chrono::TimeDelta;
use djauth::Auth;
use djauth::db::{Dialect, Executor, Sql};
use djauth::management::{CacheTriggers, UserTable};
use djauth::request_path::AuthCacheStats;
use djauth::settings::SessionEngine;
use djauth_signing::FixedClock;
use test_databases::TestDatabase;

use crate::auth_support::{connect, logged_in, settings};

struct Site {
    auth: Auth,
    clock: FixedClock,
    keys: Vec<String>,
    database: TestDatabase,
}

const VIEW: &str = "auth.view_user";

impl Site {
    async fn new(database: TestDatabase) -> Self {
        let (auth, clock) = connect(&database).await;
        auth.cache_triggers()
            .install(auth.db())
            .await
            .expect("installs");
        let mut keys = Vec::new();
        for name in ["alice", "bob"] {
            let made = auth
                .users()
                .create_user(name, "a@example.com", Some("x"))
                .await;
            keys.push(logged_in(&auth, &made.expect("creates")).await);
        }
        auth.groups().create("readers").await.expect("creates");
        Self {
            auth,
            clock,
            keys,
            database,
        }
    }

    fn stats(&self) -> AuthCacheStats {
        self.auth.auth_cache_stats().expect("is on")
    }

    async fn verify(&self, at: usize) -> Option<(String, bool)> {
        verify(&self.auth, &self.keys[at]).await
    }

    /// The same again, and in the end by the cache.
    async fn settled(&self, at: usize) -> Option<(String, bool)> {
        let first = self.verify(at).await;
        assert_eq!(self.verify(at).await, first);
        let hits = self.stats().hits;
        assert_eq!(self.verify(at).await, first);
        if first.is_some() {
            assert_eq!(
                self.stats().hits,
                hits + 1,
                "{}: {:?}",
                self.database.name(),
                self.stats()
            );
        }
        first
    }
}

async fn verify(auth: &Auth, key: &str) -> Option<(String, bool)> {
    let session = auth.sessions().open(Some(key));
    let verdict = auth.verify(&session, &[VIEW]).await.expect("answers");
    verdict.map(|verdict| (verdict.user.email, verdict.permitted))
}

async fn on_each_site(test: impl AsyncFn(Site)) {
    for database in [TestDatabase::postgres(), TestDatabase::mariadb()] {
        let site = Site::new(database).await;
        let auth = site.auth.clone();
        test(site).await;
        auth.db().close().await;
    }
}

fn says(email: &str, permitted: bool) -> Option<(String, bool)> {
    Some((email.to_owned(), permitted))
}

const A: &str = "a@example.com";

#[tokio::test]
async fn the_next_answer_is_what_the_database_says() {
    on_each_site(async |site| {
        assert_eq!(site.settled(0).await, says(A, false));
        let sql = async |text: &str| site.database.client(text);
        let of_view = "SELECT id FROM auth_permission WHERE codename = 'view_user'";
        for (change, then) in [
            ("UPDATE auth_user SET email = 'b' WHERE username = 'alice'".to_owned(), says("b", false)),
            (
                format!("INSERT INTO auth_user_user_permissions (user_id, permission_id) SELECT 1, id FROM auth_permission WHERE id IN ({of_view})"),
                says("b", true),
            ),
            ("DELETE FROM auth_user_user_permissions".to_owned(), says("b", false)),
            (
                format!("INSERT INTO auth_group_permissions (group_id, permission_id) SELECT 1, id FROM auth_permission WHERE id IN ({of_view})"),
                says("b", false),
            ),
            ("INSERT INTO auth_user_groups (user_id, group_id) VALUES (1, 1)".to_owned(), says("b", true)),
            ("UPDATE auth_permission SET codename = 'x' WHERE codename = 'view_user'".to_owned(), says("b", false)),
            ("UPDATE auth_permission SET codename = 'view_user' WHERE codename = 'x'".to_owned(), says("b", true)),
            ("DELETE FROM auth_user_groups".to_owned(), says("b", false)),
            ("UPDATE auth_user SET is_superuser = true WHERE id = 1".to_owned(), says("b", true)),
            ("UPDATE auth_user SET is_active = false WHERE id = 1".to_owned(), None),
            ("UPDATE auth_user SET is_active = true WHERE id = 1".to_owned(), says("b", true)),
            ("UPDATE auth_user SET password = 'other' WHERE id = 1".to_owned(), None),
        ] {
            sql(&change).await;
            assert_eq!(site.verify(0).await, then, "{}: {change}", site.database.name());
            assert_eq!(site.settled(0).await, then);
        }
        assert!(site.stats().changed >= 8, "{:?}", site.stats());
    })
    .await;
}

#[tokio::test]
async fn what_others_do_to_their_own_rows_costs_nobody_an_entry() {
    on_each_site(async |site| {
        site.settled(0).await;
        let before = site.stats();
        for change in [
            "UPDATE auth_user SET last_login = NULL WHERE id = 2",
            "INSERT INTO auth_user_groups (user_id, group_id) VALUES (2, 1)",
            "DELETE FROM django_session WHERE session_key NOT IN (SELECT k FROM (SELECT MIN(session_key) AS k FROM django_session) t)",
        ] {
            site.database.client(change);
        }
        // One of the two sessions has gone.
        let [first, second] = [site.verify(0).await, site.verify(1).await];
        assert!(first.is_some() != second.is_some(), "{first:?} {second:?}");
        if first.is_some() {
            assert_eq!(site.stats().changed, before.changed, "{}", site.database.name());
        }
    })
    .await;
}

#[tokio::test]
async fn sessions_end_with_their_row_and_by_both_clocks() {
    on_each_site(async |site| {
        for at in [0, 1] {
            assert!(site.settled(at).await.is_some());
        }
        // Its end is brought forward by somebody else.
        let key = &site.keys[0];
        site.database.client(&format!(
            "UPDATE django_session SET expire_date = '2025-01-01 00:00:00' WHERE session_key = '{key}'"
        ));
        assert_eq!(site.verify(0).await, None);
        // The other one's row is replaced by one that differs in case alone.
        let key = &site.keys[1];
        site.database.client(&format!(
            "UPDATE django_session SET session_key = UPPER(session_key) WHERE session_key = '{key}'"
        ));
        assert_eq!(site.verify(1).await, None, "{}", site.database.name());
    })
    .await;
    on_each_site(async |site| {
        assert!(site.settled(0).await.is_some());
        site.clock.advance(TimeDelta::weeks(3));
        assert_eq!(site.verify(0).await, None);
    })
    .await;
}

#[tokio::test]
async fn without_the_triggers_every_request_asks() {
    on_each_site(async |site| {
        assert!(site.settled(0).await.is_some());
        let triggers = site.auth.cache_triggers();
        triggers.remove(site.auth.db()).await.expect("removes");
        site.database
            .client("UPDATE auth_user SET email = 'late' WHERE id = 1");
        for _ in 0..3 {
            assert_eq!(site.verify(0).await, says("late", false));
        }
        let hits = site.stats().hits;
        triggers.install(site.auth.db()).await.expect("installs");
        site.database
            .client("UPDATE auth_user SET email = 'later' WHERE id = 1");
        assert_eq!(site.verify(0).await, says("later", false));
        assert_eq!(site.stats().hits, hits, "it is off for a while");
    })
    .await;
    // Never installed: nothing is kept, and nothing fails.
    for database in [TestDatabase::postgres(), TestDatabase::mariadb()] {
        let (auth, _) = connect(&database).await;
        let user = auth
            .users()
            .create_user("alice", A, Some("x"))
            .await
            .expect("creates");
        let key = logged_in(&auth, &user).await;
        for _ in 0..3 {
            assert_eq!(verify(&auth, &key).await, says(A, false));
        }
        let stats = auth.auth_cache_stats().expect("is on");
        assert_eq!((stats.hits, stats.entries), (0, 0));
        auth.db().close().await;
    }
}

/// An installation that began anew, as after triggers were gone for a while.
#[tokio::test]
async fn an_installation_throws_old_entries_away() {
    on_each_site(async |site| {
        assert!(site.settled(0).await.is_some());
        let disable = match site.auth.db().dialect() {
            Dialect::Mysql => "DROP TRIGGER djauth_cache_user_update",
            _ => "ALTER TABLE auth_user DISABLE TRIGGER djauth_cache_row",
        };
        site.database.client(disable);
        site.database
            .client("UPDATE auth_user SET email = 'unheard' WHERE id = 1");
        assert_eq!(site.verify(0).await, says(A, false), "the named limit");
        site.auth
            .cache_triggers()
            .install(site.auth.db())
            .await
            .expect("installs");
        assert_eq!(site.verify(0).await, says("unheard", false));
        assert_eq!(site.settled(0).await, says("unheard", false));
    })
    .await;
}

/// Somebody installs the triggers of another user model: from the next request on nothing kept is believed, though
/// the table of changes is there and its versions stand still.
#[tokio::test]
async fn triggers_of_another_model_are_not_believed() {
    on_each_site(async |site| {
        assert!(site.settled(0).await.is_some());
        let db = site.auth.db();
        let plain = UserTable::stock().without_permissions();
        let plain = CacheTriggers::new(&plain, false);
        let permit = "INSERT INTO auth_user_user_permissions (user_id, permission_id) \
                      SELECT 1, id FROM auth_permission WHERE codename = 'view_user'";
        site.auth
            .cache_triggers()
            .remove(db)
            .await
            .expect("removes");
        plain.install(db).await.expect("installs");
        let other = Auth::builder(settings())
            .clock(site.clock.clone())
            .database(db.clone())
            .expect("builds");
        for auth in [&site.auth, &other] {
            for _ in 0..3 {
                assert_eq!(verify(auth, &site.keys[0]).await, says(A, false));
            }
            site.database.client(permit);
            assert_eq!(
                verify(auth, &site.keys[0]).await,
                says(A, true),
                "{}",
                site.database.name()
            );
            site.database
                .client("DELETE FROM auth_user_user_permissions");
        }
        assert_eq!(other.auth_cache_stats().expect("is on").hits, 0);
    })
    .await;
}

/// The same behind the back of a server that has looked already: the stamp tells it at the next proof.
#[tokio::test]
async fn another_installation_is_noticed_at_the_next_request() {
    on_each_site(async |site| {
        assert!(site.settled(0).await.is_some());
        let before = site.stats();
        site.database
            .client("UPDATE djauth_cache_change SET stamp = stamp + 1 WHERE subject = -1");
        let (failed, hits) = (before.failed_proofs + 1, before.hits);
        for _ in 0..3 {
            assert_eq!(site.verify(0).await, says(A, false));
            let stats = site.stats();
            assert_eq!(
                (stats.failed_proofs, stats.hits, stats.entries),
                (failed, hits, 0)
            );
        }
    })
    .await;
}

/// A foreign key by which the server changes rows of users unheard: nothing is kept from the start.
#[tokio::test]
async fn faulty_triggers_are_not_believed() {
    let site = Site::new(TestDatabase::mariadb()).await;
    site.database.client(
        "CREATE TABLE club (id integer PRIMARY KEY) ENGINE = InnoDB; INSERT INTO club VALUES (1); \
         ALTER TABLE auth_user_groups ADD club_id integer NULL, \
         ADD CONSTRAINT club FOREIGN KEY (club_id) REFERENCES club (id) ON DELETE CASCADE; \
         INSERT INTO auth_group_permissions (group_id, permission_id) \
         SELECT 1, id FROM auth_permission WHERE codename = 'view_user'; \
         INSERT INTO auth_user_groups (user_id, group_id, club_id) VALUES (1, 1, 1)",
    );
    for _ in 0..3 {
        assert_eq!(site.verify(0).await, says(A, true));
    }
    site.database.client("DELETE FROM club");
    assert_eq!(site.verify(0).await, says(A, false));
    assert_eq!(site.stats().hits, 0);
    site.auth.db().close().await;
}

/// Proofs share statements: none is answered by one that was sent before it was asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_see_each_change_that_was_made_before() {
    on_each_site(async |site| {
        for round in 0..12 {
            let email = format!("r{round}");
            let change = format!("UPDATE auth_user SET email = '{email}' WHERE id = 1");
            let change = Sql::generated(change, None);
            let asking = || {
                let (auth, key) = (site.auth.clone(), site.keys[0].clone());
                tokio::spawn(async move {
                    let session = auth.sessions().open(Some(&key));
                    auth.verify(&session, &[VIEW])
                        .await
                        .expect("answers")
                        .map(|v| v.user.email)
                })
            };
            let during: Vec<_> = (0..40).map(|_| asking()).collect();
            site.auth
                .db()
                .execute(&change, vec![])
                .await
                .expect("changes");
            let after: Vec<_> = (0..100).map(|_| asking()).collect();
            for answer in after {
                assert_eq!(answer.await.expect("ends").as_deref(), Some(email.as_str()));
            }
            for answer in during {
                assert!(answer.await.expect("ends").is_some());
            }
        }
        let stats = site.stats();
        assert!(stats.hits > 50, "{}: {stats:?}", site.database.name());
    })
    .await;
}

/// Whoever goes away in the middle, and a runtime that ends, leave nobody waiting.
#[test]
fn requests_that_go_away_strand_nobody() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("starts")
    };
    for database in [TestDatabase::postgres(), TestDatabase::mariadb()] {
        let main = runtime();
        let site = main.block_on(Site::new(database));
        main.block_on(async {
            site.settled(0).await;
            for micros in [0, 50, 200, 1_000] {
                let ask = || verify(&site.auth, &site.keys[0]);
                let gone = tokio::time::timeout(Duration::from_micros(micros), ask());
                let (_, stays) = tokio::join!(gone, ask());
                assert_eq!(stays, says(A, false));
            }
        });
        // Another runtime asks, and ends while its proof is under way.
        let other = runtime();
        let (auth, key) = (site.auth.clone(), site.keys[0].clone());
        other.block_on(async {
            let asked = tokio::spawn(async move { verify(&auth, &key).await });
            tokio::task::yield_now().await;
            drop(asked);
        });
        drop(other);
        main.block_on(async {
            let waited = tokio::time::timeout(Duration::from_secs(20), site.verify(0)).await;
            assert_eq!(waited.expect("nobody is stranded"), says(A, false));
            site.auth.db().close().await;
        });
    }
}

/// The session from its engine, the user and the permissions under the proof.
#[tokio::test]
async fn users_of_other_session_engines_are_proved_too() {
    for database in [TestDatabase::postgres(), TestDatabase::mariadb()] {
        let (first, clock) = connect(&database).await;
        first
            .cache_triggers()
            .install(first.db())
            .await
            .expect("installs");
        let mut settings = settings();
        settings.session_engine = SessionEngine::SignedCookies;
        let auth = Auth::builder(settings)
            .clock(clock)
            .database(first.db().clone())
            .expect("builds");
        let user = auth
            .users()
            .create_user("alice", A, Some("x"))
            .await
            .expect("creates");
        let key = logged_in(&auth, &user).await;
        for _ in 0..3 {
            assert_eq!(verify(&auth, &key).await, says(A, false));
        }
        assert!(auth.auth_cache_stats().expect("is on").hits >= 1);
        database.client("UPDATE auth_user SET email = 'b' WHERE id = 1");
        assert_eq!(verify(&auth, &key).await, says("b", false));
        database.client("DELETE FROM auth_user_groups");
        database.client("UPDATE auth_user SET is_active = false WHERE id = 1");
        assert_eq!(verify(&auth, &key).await, None);
        auth.db().close().await;
    }
}

/// MariaDB's stamps add up; a server that may write puts them together, and no entry is lost by it.
#[tokio::test]
async fn crowded_subjects_are_put_together_by_the_way() {
    let site = Site::new(TestDatabase::mariadb()).await;
    let many = "UPDATE auth_user SET first_name = 'x' WHERE id = 1;".repeat(100);
    site.database.client(&many);
    site.settled(0).await;
    let rows = || {
        let rows = site
            .database
            .client("SELECT COUNT(*) FROM djauth_cache_change WHERE subject = 1");
        rows.trim().parse::<u32>().expect("a number")
    };
    for _ in 0..100 {
        if rows() < 64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(rows(), 1);
    let changed = site.stats().changed;
    assert_eq!(site.verify(0).await, says(A, false));
    assert_eq!(site.stats().changed, changed);
    site.auth.db().close().await;
}
