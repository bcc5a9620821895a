//! The triggers behind the cache of the request path: every change moves a version, nobody waits, and what is
//! installed goes again.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use djauth::db::{Database, Dialect, Executor, Sql};
use djauth::management::{CacheStatus, Migrate, UserTable};
use djauth::{Auth, ErrorKind};
use test_databases::TestDatabase;

use crate::auth_support::{connect, settings};

/// Runs a test on each server, with three users (1 to 3), three groups and the triggers.
async fn on_each_server(test: impl AsyncFn(&TestDatabase, Auth)) {
    for database in [TestDatabase::postgres(), TestDatabase::mariadb()] {
        let (auth, _) = connect(&database).await;
        for name in ["a", "b", "c"] {
            let made = auth.users().create_user(name, "", Some("x")).await;
            made.expect("creates");
            auth.groups().create(name).await.expect("creates");
        }
        let installed = auth.cache_triggers().install(auth.db()).await;
        assert_eq!(installed.expect("installs"), CacheStatus::Installed);
        test(&database, auth.clone()).await;
        auth.db().close().await;
    }
}

/// The version of each subject.
pub(crate) async fn versions(db: &Database) -> BTreeMap<i64, i64> {
    static SUMS: Sql = Sql::new(
        "SELECT subject, CAST(SUM(stamp) AS CHAR(60)) FROM djauth_cache_change GROUP BY subject",
    );
    let read = db.fetch(&SUMS, &[], |row| Ok((row.get(0)?, row.get::<String>(1)?)));
    let sums = read.await.expect("reads");
    let version = |(subject, sum): (i64, String)| (subject, wrapped(&sum));
    sums.into_iter().map(version).collect()
}

/// As djauth takes sums: modulo 2^64.
fn wrapped(sum: &str) -> i64 {
    let sum: i128 = sum.trim().parse().expect("a number");
    u64::try_from(sum.rem_euclid(1 << 64))
        .expect("64 bits")
        .cast_signed()
}

/// The subjects whose version is another one.
pub(crate) fn moved(before: &BTreeMap<i64, i64>, after: &BTreeMap<i64, i64>) -> Vec<i64> {
    let subjects: HashSet<_> = before.keys().chain(after.keys()).copied().collect();
    let mut moved: Vec<_> = subjects
        .into_iter()
        .filter(|subject| before.get(subject) != after.get(subject))
        .collect();
    moved.sort_unstable();
    moved
}

const SHARED: i64 = -2;

/// Each kind of change with the subjects that it moves.
const CHANGES: [(&str, &[i64]); 22] = [
    ("UPDATE auth_user SET first_name = 'x' WHERE id = 1", &[1]),
    ("UPDATE auth_user SET is_active = NOT is_active", &[1, 2, 3]),
    ("UPDATE auth_user SET last_login = NULL WHERE id = 2", &[2]),
    (
        "INSERT INTO auth_user_groups (user_id, group_id) VALUES (1, 1), (2, 2)",
        &[1, 2],
    ),
    (
        "UPDATE auth_user_groups SET user_id = 2 WHERE user_id = 1",
        &[1, 2],
    ),
    (
        "UPDATE auth_user_groups SET group_id = 2 WHERE group_id = 1 AND user_id = 1",
        &[],
    ),
    ("DELETE FROM auth_user_groups WHERE group_id = 1", &[2]),
    (
        "INSERT INTO auth_user_user_permissions (user_id, permission_id) SELECT 1, MIN(id) FROM auth_permission",
        &[1],
    ),
    (
        "UPDATE auth_user_user_permissions SET permission_id = (SELECT MAX(id) FROM auth_permission)",
        &[1],
    ),
    ("DELETE FROM auth_user_user_permissions", &[1]),
    ("INSERT INTO auth_group (name) VALUES ('new')", &[SHARED]),
    (
        "UPDATE auth_group SET name = 'newer' WHERE name = 'new'",
        &[SHARED],
    ),
    ("DELETE FROM auth_group WHERE name = 'newer'", &[SHARED]),
    (
        "INSERT INTO auth_group_permissions (group_id, permission_id) SELECT 1, MIN(id) FROM auth_permission",
        &[SHARED],
    ),
    ("UPDATE auth_group_permissions SET group_id = 2", &[SHARED]),
    ("DELETE FROM auth_group_permissions", &[SHARED]),
    (
        "INSERT INTO django_content_type (app_label, model) VALUES ('x', 'y')",
        &[SHARED],
    ),
    (
        "UPDATE django_content_type SET app_label = 'z' WHERE app_label = 'x'",
        &[SHARED],
    ),
    (
        "UPDATE auth_permission SET codename = 'other' WHERE codename = 'view_session'",
        &[SHARED],
    ),
    (
        "UPDATE auth_permission SET codename = 'other' WHERE codename = 'nowhere'",
        &[],
    ),
    (
        "DELETE FROM auth_permission WHERE codename = 'other'",
        &[SHARED],
    ),
    ("UPDATE auth_user SET id = 65539 WHERE id = 1", &[1]),
];

#[tokio::test]
async fn each_kind_of_change_moves_the_versions_of_whom_it_concerns() {
    on_each_server(async |database, auth| {
        for (change, whom) in CHANGES {
            let before = versions(auth.db()).await;
            database.client(change);
            let after = versions(auth.db()).await;
            assert_eq!(moved(&before, &after), whom, "{}: {change}", database.name());
        }
        let before = versions(auth.db()).await;
        let new = "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, \
                   is_staff, is_active, date_joined) VALUES (5, '', false, 'n', '', '', '', false, true, \
                   '2026-01-01 00:00:00')";
        database.client(new);
        assert_eq!(moved(&before, &versions(auth.db()).await), [0_i64; 0], "a new user");
        database.client("DELETE FROM auth_user WHERE id = 5");
        assert_eq!(moved(&before, &versions(auth.db()).await), [5]);
    })
    .await;
}

#[tokio::test]
async fn replacing_and_truncating_are_changes_too() {
    on_each_server(async |database, auth| {
        let before = versions(auth.db()).await;
        match auth.db().dialect() {
            Dialect::Mysql => {
                database.client(
                    "REPLACE INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, \
                     is_staff, is_active, date_joined) VALUES (1, '', 1, 'a', '', '', '', 0, 1, '2026-01-01')",
                );
                assert_eq!(moved(&before, &versions(auth.db()).await), [1]);
                let before = versions(auth.db()).await;
                database.client(
                    "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, \
                     is_staff, is_active, date_joined) VALUES (2, '', 1, 'b', '', '', '', 0, 1, '2026-01-01') \
                     ON DUPLICATE KEY UPDATE is_superuser = 1",
                );
                assert_eq!(moved(&before, &versions(auth.db()).await), [2]);
            }
            _ => {
                database.client("TRUNCATE auth_user_groups");
                assert_eq!(moved(&before, &versions(auth.db()).await), [SHARED]);
                let before = versions(auth.db()).await;
                database.client("COPY auth_user_groups (user_id, group_id) FROM PROGRAM 'echo 1,1; echo 2,1' CSV");
                assert_eq!(moved(&before, &versions(auth.db()).await), [1, 2]);
                let before = versions(auth.db()).await;
                database.client("TRUNCATE auth_user CASCADE");
                assert_eq!(moved(&before, &versions(auth.db()).await), [SHARED]);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_open_transaction_delays_nobody() {
    on_each_server(async |database, auth| {
        let held = auth.db().begin().await.expect("begins");
        for statement in [
            "UPDATE auth_user SET first_name = 'held' WHERE id = 3",
            "INSERT INTO auth_user_groups (user_id, group_id) VALUES (1, 1)",
            "UPDATE auth_group SET name = 'held' WHERE id = 1",
        ] {
            held.execute_script(statement).await.expect("changes");
        }
        let others = async {
            for statement in [
                "UPDATE auth_user SET last_login = NULL WHERE id = 2",
                // The same user's subject, and that of all.
                "INSERT INTO auth_user_groups (user_id, group_id) VALUES (1, 2)",
                "UPDATE auth_group SET name = 'other' WHERE id = 2",
                "INSERT INTO auth_group (name) VALUES ('more')",
            ] {
                let other = auth.db().begin().await.expect("begins");
                other.execute_script(statement).await.expect("changes");
                other.commit().await.expect("commits");
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(5), others).await;
        waited.unwrap_or_else(|_| panic!("{}: somebody waits", database.name()));
        let before = versions(auth.db()).await;
        held.commit().await.expect("commits");
        assert_eq!(moved(&before, &versions(auth.db()).await), [SHARED, 1, 3]);
    })
    .await;
}

#[tokio::test]
async fn memberships_edited_crosswise_do_not_lock_each_other_up() {
    on_each_server(async |_, auth| {
        let [first, second] = [auth.db().begin().await, auth.db().begin().await];
        let (first, second) = (first.expect("begins"), second.expect("begins"));
        let add = |user, group| {
            format!("INSERT INTO auth_user_groups (user_id, group_id) VALUES ({user}, {group})")
        };
        let crossed = async {
            first.execute_script(&add(1, 1)).await.expect("adds");
            second.execute_script(&add(2, 2)).await.expect("adds");
            first.execute_script(&add(2, 1)).await.expect("adds");
            second.execute_script(&add(1, 2)).await.expect("adds");
            first.commit().await.expect("commits");
            second.commit().await.expect("commits");
        };
        let done = tokio::time::timeout(Duration::from_secs(10), crossed).await;
        done.expect("neither waits for the other");
    })
    .await;
}

/// Above READ COMMITTED PostgreSQL ends a transaction that deletes what has gone meanwhile.
#[tokio::test]
async fn serializable_transactions_fail_no_more_than_without() {
    let database = TestDatabase::postgres();
    let (auth, _) = connect(&database).await;
    auth.users()
        .create_user("a", "", None)
        .await
        .expect("creates");
    auth.groups().create("g").await.expect("creates");
    auth.groups().create("h").await.expect("creates");
    auth.cache_triggers()
        .install(auth.db())
        .await
        .expect("installs");
    let strict = auth.db().begin().await.expect("begins");
    let statements = [
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "UPDATE auth_group SET name = 'snapshot' WHERE name = 'nowhere'",
    ];
    for statement in statements {
        strict.execute_script(statement).await.expect("runs");
    }
    database.client("UPDATE auth_group SET name = 'h2' WHERE name = 'h'");
    database.client("UPDATE auth_group SET name = 'h3' WHERE name = 'h2'");
    let change = strict
        .execute_script("UPDATE auth_group SET name = 'g2' WHERE name = 'g'")
        .await;
    change.expect("changes another row");
    strict.commit().await.expect("commits");
    auth.db().close().await;
}

#[tokio::test]
async fn no_version_comes_again() {
    on_each_server(async |database, auth| {
        let mut seen = HashSet::new();
        let change = async |n: usize| {
            let tx = auth.db().begin().await.expect("begins");
            let statement = format!("UPDATE auth_user SET first_name = 'n{n}' WHERE id = 1");
            tx.execute_script(&statement).await.expect("changes");
            tx
        };
        for n in 0..120 {
            let tx = change(n).await;
            match n % 4 {
                0 => tx.rollback().await.expect("rolls back"),
                _ => {
                    tx.commit().await.expect("commits");
                    let version = versions(auth.db()).await.remove(&1);
                    assert!(seen.insert(version), "{}: at {n}", database.name());
                }
            }
            if n % 50 == 49 {
                let before = versions(auth.db()).await;
                auth.cache_triggers()
                    .compact(auth.db())
                    .await
                    .expect("compacts");
                assert_eq!(
                    before,
                    versions(auth.db()).await,
                    "compacting moves nothing"
                );
            }
        }
        // PostgreSQL's triggers keep about one row, compacting has seen to it on MariaDB.
        auth.cache_triggers()
            .compact(auth.db())
            .await
            .expect("compacts");
        let rows = database.client("SELECT COUNT(*) FROM djauth_cache_change WHERE subject = 1");
        assert_eq!(rows.trim(), "1");
    })
    .await;
}

/// Whoever reads sees the old rows or their sum, never some of them; what is added meanwhile stays.
#[tokio::test(flavor = "multi_thread")]
async fn compacting_is_invisible_while_others_write() {
    on_each_server(async |database, auth| {
        static ADD: Sql =
            Sql::new("INSERT INTO djauth_cache_change (subject, stamp) VALUES (?, ?)");
        let tx = auth.db().begin().await.expect("begins");
        let mut quiet = 0_i64;
        for n in 1..=500_i64 {
            let stamp = n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed());
            quiet = quiet.wrapping_add(stamp);
            tx.execute(&ADD, vec![7_i64.into(), stamp.into()])
                .await
                .expect("adds");
            tx.execute(&ADD, vec![8_i64.into(), stamp.into()])
                .await
                .expect("adds");
        }
        tx.commit().await.expect("commits");
        let writer = async {
            let mut added = 0_i64;
            for n in 1..=100_i64 {
                auth.db()
                    .execute(&ADD, vec![8_i64.into(), n.into()])
                    .await
                    .expect("adds");
                added += n;
            }
            added
        };
        let compactor = async {
            for _ in 0..3 {
                auth.cache_triggers()
                    .compact(auth.db())
                    .await
                    .expect("compacts");
            }
        };
        let reader = async {
            for _ in 0..60 {
                let sum = versions(auth.db()).await[&7];
                assert_eq!(sum, quiet, "{}", database.name());
            }
        };
        let other = auth.cache_triggers();
        let second = async { other.compact(auth.db()).await.expect("compacts") };
        let (added, ..) = tokio::join!(writer, compactor, reader, second);
        auth.cache_triggers()
            .compact(auth.db())
            .await
            .expect("compacts");
        let all = versions(auth.db()).await;
        assert_eq!(all[&8], quiet.wrapping_add(added));
        let rows = database.client("SELECT COUNT(*) FROM djauth_cache_change WHERE subject = 8");
        assert_eq!(rows.trim(), "1", "{}", database.name());
    })
    .await;
}

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
        // Another user model.
        let plain = UserTable::stock().without_permissions();
        let plain = djauth::management::CacheTriggers::new(&plain, false);
        assert_eq!(plain.install(auth.db()).await.expect("installs"), CacheStatus::Installed);
        let status = triggers.status(auth.db()).await.expect("looks");
        assert!(matches!(status, CacheStatus::Faulty(_)), "{status:?}");
        database.client("UPDATE auth_group SET name = 'unwatched' WHERE id = 1");
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
