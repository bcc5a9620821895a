//! Stamps are put together so that nobody notices, waits or fails.

use std::collections::HashSet;
use std::time::Duration;

use djauth::Auth;
use djauth::db::{Executor, Sql};

use super::{on_each_server, versions};

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

static ADD: Sql = Sql::new("INSERT INTO djauth_cache_change (subject, stamp) VALUES (?, ?)");

/// As random as those of the triggers: no sum of some is another one.
fn stamp(n: i64) -> i64 {
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed());
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9_u64.cast_signed())
}

/// Adds stamps to two subjects; their sum.
async fn fill(auth: &Auth, stamps: std::ops::RangeInclusive<i64>) -> i64 {
    let tx = auth.db().begin().await.expect("begins");
    let mut sum = 0_i64;
    for n in stamps {
        sum = sum.wrapping_add(stamp(n));
        for subject in [7_i64, 8] {
            let params = vec![subject.into(), stamp(n).into()];
            tx.execute(&ADD, params).await.expect("adds");
        }
    }
    tx.commit().await.expect("commits");
    sum
}

async fn compact(auth: &Auth) -> u64 {
    let triggers = auth.cache_triggers();
    triggers.compact(auth.db()).await.expect("compacts")
}

/// Whoever reads sees the old rows or their sum, never some of them; what is added meanwhile stays.
#[tokio::test(flavor = "multi_thread")]
async fn compacting_is_invisible_while_others_write() {
    on_each_server(async |database, auth| {
        let quiet = fill(&auth, 1..=500).await;
        let writer = async {
            let mut added = 0_i64;
            for n in 1_001..=1_100 {
                let params = vec![8_i64.into(), stamp(n).into()];
                auth.db().execute(&ADD, params).await.expect("adds");
                added = added.wrapping_add(stamp(n));
            }
            added
        };
        let compactor = async {
            for _ in 0..3 {
                compact(&auth).await;
            }
        };
        let reader = async {
            for _ in 0..60 {
                let sum = versions(auth.db()).await[&7];
                assert_eq!(sum, quiet, "{}", database.name());
            }
        };
        let (added, ..) = tokio::join!(writer, compactor, reader, compact(&auth));
        compact(&auth).await;
        let all = versions(auth.db()).await;
        assert_eq!(all[&8], quiet.wrapping_add(added), "{}", database.name());
        let rows = database.client("SELECT COUNT(*) FROM djauth_cache_change WHERE subject = 8");
        assert_eq!(rows.trim(), "1", "{}", database.name());
    })
    .await;
}

/// A transaction that has added stamps, to the subject and to another one, and sleeps: it is not waited for, and goes
/// on as if nothing had been.
#[tokio::test]
async fn compacting_waits_for_nobody() {
    on_each_server(async |database, auth| {
        for last in [40, 400] {
            let quiet = fill(&auth, last / 2..=last).await;
            let before = versions(auth.db()).await;
            let held = auth.db().begin().await.expect("begins");
            for subject in [8_i64, 9] {
                let params = vec![subject.into(), stamp(last + 1).into()];
                held.execute(&ADD, params).await.expect("adds");
            }
            let gone = tokio::time::timeout(Duration::from_secs(10), compact(&auth)).await;
            let gone = gone.unwrap_or_else(|_| panic!("{}: it waits", database.name()));
            assert!(
                gone >= 2 * (last / 2) as u64,
                "{}: {gone} rows",
                database.name()
            );
            assert_eq!(before, versions(auth.db()).await);
            let params = vec![8_i64.into(), stamp(last + 2).into()];
            held.execute(&ADD, params).await.expect("adds");
            held.commit().await.expect("commits");
            let added = stamp(last + 1).wrapping_add(stamp(last + 2));
            let version = versions(auth.db()).await[&8];
            assert_eq!(version, before[&8].wrapping_add(added), "{quiet}");
            database.client("DELETE FROM djauth_cache_change WHERE subject IN (7, 8, 9)");
        }
    })
    .await;
}
