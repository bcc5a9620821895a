//! What is installed goes again, is looked at, and serves one user model.

use std::time::Duration;

use djauth::db::{Dialect, Executor};
use djauth::management::{CacheStatus, CacheTriggers, Migrate, UserTable};
use djauth::{Auth, ErrorKind};
use test_databases::TestDatabase;

use super::{SHARED, moved, on_each_server, versions};
use crate::auth_support::{connect, settings};

/// Everything that there is besides tables' rows.
fn objects(database: &TestDatabase) -> String {
    database.client(match database.name() {
        "postgres" => {
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace \
             UNION ALL SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal \
             UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
        }
        _ => {
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() \
             UNION ALL SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() \
             ORDER BY 1"
        }
    })
}

#[tokio::test]
async fn what_is_installed_goes_again_and_may_come_twice() {
    for database in TestDatabase::all() {
        let (auth, _) = connect(&database).await;
        let triggers = auth.cache_triggers();
        let status = async || triggers.status(auth.db()).await.expect("looks");
        if auth.db().dialect() == Dialect::Sqlite {
            assert_eq!(
                triggers.install(auth.db()).await.expect("is asked"),
                CacheStatus::NotNeeded
            );
            triggers.remove(auth.db()).await.expect("is asked");
            continue;
        }
        let bare = objects(&database);
        assert_eq!(status().await, CacheStatus::NotInstalled);
        triggers.remove(auth.db()).await.expect("removes nothing");
        let both = tokio::join!(triggers.install(auth.db()), triggers.install(auth.db()));
        assert_eq!(both.0.expect("installs"), CacheStatus::Installed);
        assert_eq!(both.1.expect("installs"), CacheStatus::Installed);
        let first = versions(auth.db()).await[&-1];
        let whole = objects(&database);
        triggers.install(auth.db()).await.expect("installs");
        assert_eq!(objects(&database), whole);
        assert_ne!(versions(auth.db()).await[&-1], first, "caches begin anew");
        assert!(
            Migrate::new()
                .plan(auth.db())
                .await
                .expect("plans")
                .is_empty()
        );
        auth.check().await.expect("the schema is Django's");
        auth.migrate().await.expect("has nothing to do");
        triggers.remove(auth.db()).await.expect("removes");
        assert_eq!(objects(&database), bare, "{}", database.name());
        assert_eq!(status().await, CacheStatus::NotInstalled);
        auth.db().close().await;
    }
}

#[tokio::test]
async fn faults_are_found_and_mended() {
    on_each_server(async |database, auth| {
        let triggers = auth.cache_triggers();
        let faults: &[&str] = match auth.db().dialect() {
            Dialect::Mysql => &[
                "DROP TRIGGER djauth_cache_user_update",
                "DROP TRIGGER djauth_cache_group_insert; CREATE TRIGGER djauth_cache_group_insert AFTER INSERT \
                 ON auth_group FOR EACH ROW SET @x = 1",
                "DELETE FROM djauth_cache_change",
            ],
            _ => &[
                "ALTER TABLE auth_user DISABLE TRIGGER djauth_cache_row",
                "ALTER TABLE auth_user ENABLE TRIGGER djauth_cache_row",
                "ALTER TABLE auth_group DISABLE TRIGGER ALL",
                "DROP TRIGGER djauth_cache_truncate ON auth_permission",
                "CREATE OR REPLACE FUNCTION djauth_cache_user() RETURNS trigger LANGUAGE plpgsql AS \
                 'BEGIN RETURN NULL; END'",
                "DROP TRIGGER djauth_cache_row ON auth_user_groups; CREATE TRIGGER djauth_cache_row AFTER INSERT \
                 ON auth_user_groups FOR EACH ROW EXECUTE FUNCTION djauth_cache_groups()",
                "TRUNCATE djauth_cache_change",
            ],
        };
        for fault in faults {
            database.client(fault);
            let status = triggers.status(auth.db()).await.expect("looks");
            assert!(matches!(status, CacheStatus::Faulty(_)), "{fault}: {status:?}");
            let mended = triggers.install(auth.db()).await.expect("mends");
            assert_eq!(mended, CacheStatus::Installed, "{fault}");
        }
    })
    .await;
}

/// A server believes the triggers of its own model alone, so those of another one are neither taken away nor added to.
#[tokio::test]
async fn one_user_model_has_the_triggers_of_a_database() {
    on_each_server(async |database, auth| {
        let stock = auth.cache_triggers();
        let plain = UserTable::stock().without_permissions();
        let plain = CacheTriggers::new(&plain, false);
        // As with settings that forget AUTH_USER_MODEL, beside a table that was left over.
        database.client("CREATE TABLE clubs_member (id integer PRIMARY KEY, name varchar(9))");
        let clubs = UserTable::own("clubs", "member").without_permissions();
        let clubs = CacheTriggers::new(&clubs, false);
        let refused = async |first: &CacheTriggers, second: &CacheTriggers| {
            assert_eq!(
                first.install(auth.db()).await.expect("installs"),
                CacheStatus::Installed
            );
            let there = objects(database);
            let version = versions(auth.db()).await[&-1];
            let error = second.install(auth.db()).await.expect_err("is refused");
            assert_eq!(*error.kind(), ErrorKind::Schema, "{error}");
            assert!(error.to_string().contains("cache remove"), "{error}");
            assert_eq!(objects(database), there, "{}", database.name());
            assert_eq!(versions(auth.db()).await[&-1], version);
            assert_eq!(
                first.status(auth.db()).await.expect("looks"),
                CacheStatus::Installed
            );
            let status = second.status(auth.db()).await.expect("looks");
            assert!(matches!(status, CacheStatus::Faulty(_)), "{status:?}");
            first.remove(auth.db()).await.expect("removes");
        };
        for (first, second) in [
            (&stock, &plain),
            (&plain, &stock),
            (&stock, &clubs),
            (&clubs, &plain),
        ] {
            refused(first, second).await;
        }
    })
    .await;
}

/// Rows that the server itself changes (MariaDB), and rows of tables that inherit (PostgreSQL).
#[tokio::test]
async fn tables_whose_changes_are_not_all_heard_of_are_faulty() {
    on_each_server(async |database, auth| {
        let triggers = auth.cache_triggers();
        let status = async || triggers.status(auth.db()).await.expect("looks");
        let (spoil, mend, told) = match auth.db().dialect() {
            Dialect::Mysql => (
                "CREATE TABLE clubs_club (id integer PRIMARY KEY) ENGINE = InnoDB; \
                 ALTER TABLE auth_user ADD club_id integer NULL, \
                 ADD CONSTRAINT club FOREIGN KEY (club_id) REFERENCES clubs_club (id) ON DELETE SET NULL",
                "ALTER TABLE auth_user DROP FOREIGN KEY club",
                "auth_user.club_id",
            ),
            _ => (
                "CREATE TABLE old_users () INHERITS (auth_user)",
                "DROP TABLE old_users",
                "INHERIT",
            ),
        };
        database.client(spoil);
        let CacheStatus::Faulty(faults) = status().await else {
            panic!("{}: nothing is told", database.name());
        };
        assert!(faults.len() == 1 && faults[0].contains(told), "{faults:?}");
        match triggers.install(auth.db()).await {
            Ok(installed) => assert_eq!(installed, CacheStatus::Faulty(faults)),
            Err(error) => assert!(error.to_string().contains(told), "{error}"),
        }
        database.client(mend);
        assert_eq!(status().await, CacheStatus::Installed, "{}", database.name());
    })
    .await;
}

/// What SECURITY.md names: changes that no trigger hears of.
#[tokio::test]
async fn the_named_limits_are_these() {
    on_each_server(async |database, auth| {
        let before = versions(auth.db()).await;
        if auth.db().dialect() == Dialect::Postgres {
            // Not a limit: triggers fire always.
            database.client(
                "SET session_replication_role = replica; UPDATE auth_user SET is_active = false WHERE id = 1",
            );
            assert_eq!(moved(&before, &versions(auth.db()).await), [1]);
            let before = versions(auth.db()).await;
            database.client(
                "ALTER TABLE auth_user DISABLE TRIGGER USER; UPDATE auth_user SET is_active = true WHERE id = 1",
            );
            assert_eq!(moved(&before, &versions(auth.db()).await), [0_i64; 0]);
            return;
        }
        database.client("TRUNCATE auth_user_groups");
        assert_eq!(moved(&before, &versions(auth.db()).await), [0_i64; 0]);
        database.client(
            "INSERT INTO auth_user_groups (user_id, group_id) VALUES (1, 1); \
             ALTER TABLE auth_user_groups DROP FOREIGN KEY auth_user_groups_group_id_97559544_fk_auth_group_id; \
             ALTER TABLE auth_user_groups ADD FOREIGN KEY (group_id) REFERENCES auth_group (id) ON DELETE CASCADE",
        );
        let before = versions(auth.db()).await;
        database.client("DELETE FROM auth_group WHERE id = 1");
        // The group's own row is heard of, the membership that the database took along is not.
        assert_eq!(moved(&before, &versions(auth.db()).await), [SHARED]);
    })
    .await;
}

#[tokio::test]
async fn an_account_without_the_rights_is_told_what_to_grant() {
    for database in [TestDatabase::postgres(), TestDatabase::mariadb()] {
        let (auth, _) = connect(&database).await;
        let name = database
            .url()
            .rsplit('/')
            .next()
            .expect("a name")
            .to_owned();
        let role = format!("r{}", &name[name.len() - 10..]);
        let make = match auth.db().dialect() {
            Dialect::Mysql => format!(
                "CREATE USER {role} IDENTIFIED BY 'secret'; GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO {role}"
            ),
            _ => format!(
                "CREATE ROLE {role} LOGIN PASSWORD 'secret'; \
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
            ),
        };
        database.client(&make);
        let (scheme, rest) = database.url().split_once("://").expect("a URL");
        let (_, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let url = format!("{scheme}://{role}:secret@{place}");
        let poor = Auth::connect(&url, settings()).await.expect("connects");
        let refused = poor.cache_triggers().install(poor.db()).await;
        let error = refused.expect_err("may not");
        assert_eq!(*error.kind(), ErrorKind::Denied, "{error}");
        assert!(error.to_string().contains("GRANT"), "{error}");
        // It writes as before where somebody else has installed them, though it may not write to the table.
        auth.cache_triggers()
            .install(auth.db())
            .await
            .expect("installs");
        let mut user = poor
            .users()
            .create_user("poor", "", Some("x"))
            .await
            .expect("creates");
        poor.users().save(&mut user).await.expect("saves");
        let status = poor
            .cache_triggers()
            .status(poor.db())
            .await
            .expect("looks");
        match status {
            CacheStatus::Faulty(faults) => {
                assert!(
                    faults.iter().all(|fault| fault.contains("GRANT")),
                    "{faults:?}"
                );
            }
            other => panic!("{other:?}"),
        }
        poor.db().close().await;
        let undo = match auth.db().dialect() {
            Dialect::Mysql => format!("DROP USER {role}"),
            _ => format!("DROP OWNED BY {role}; DROP ROLE {role}"),
        };
        database.client(&undo);
        auth.db().close().await;
    }
}

#[tokio::test]
async fn a_table_in_use_is_waited_for() {
    on_each_server(async |_, auth| {
        auth.cache_triggers()
            .remove(auth.db())
            .await
            .expect("removes");
        let held = auth.db().begin().await.expect("begins");
        let change = "UPDATE auth_user SET first_name = 'held' WHERE id = 1";
        held.execute_script(change).await.expect("changes");
        let triggers = auth.cache_triggers();
        let install = triggers.install(auth.db());
        let free = async {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            held.commit().await.expect("commits");
        };
        let (installed, ()) = tokio::join!(install, free);
        assert_eq!(installed.expect("installs"), CacheStatus::Installed);
    })
    .await;
}
