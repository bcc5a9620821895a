//! The triggers behind the cache of the request path: every change moves a version, nobody waits, and what is
//! installed goes again.

mod compacting;
mod installation;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use djauth::Auth;
use djauth::db::{Database, Dialect, Executor, Sql};
use djauth::management::CacheStatus;
use test_databases::TestDatabase;

use crate::auth_support::connect;

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
