//! Putting the stamps of a subject together.
//!
//! Some rows become one whose stamp is their sum, in one transaction: whoever reads sees the old rows or the new
//! one, and the same version both times, so that no cache notices. Only rows that were seen and are held go, and
//! each is named by its whole key, so that one which is being added meanwhile is neither waited for nor lost. A
//! list of stamps in `IN (…)` would not do: MariaDB reads the whole table instead where the list is long, and waits
//! for every transaction that has added a stamp to it.

use djauth_db::{Database, Dialect, Executor, Sql};

use crate::{Error, ErrorKind};

/// Rows that one transaction puts together; more wait for the next one.
const ROWS: usize = 1000;
/// Subjects looked up at once.
const SUBJECTS: usize = 500;

/// What was done about one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compacted {
    /// There was nothing to put together, or somebody else is doing it.
    Nothing,
    /// So many rows went.
    Rows(usize),
}

/// Every subject with more rows than one.
pub(super) async fn all(db: &Database) -> Result<u64, Error> {
    let mut gone = 0;
    if db.dialect() == Dialect::Sqlite {
        return Ok(gone);
    }
    let mut from = i64::from(i32::MIN);
    loop {
        let params = [from.into()];
        let subjects = db.fetch(&CROWDED, &params, |row| row.get::<i64>(0)).await?;
        for subject in &subjects {
            while let Compacted::Rows(rows) = compact_subject(db, *subject).await? {
                gone += rows as u64;
                if rows + 1 < ROWS {
                    break;
                }
            }
        }
        match subjects.last() {
            Some(last) if subjects.len() == SUBJECTS => from = last + 1,
            _ => return Ok(gone),
        }
    }
}

/// Some rows of one subject. Whoever meets another on the way, which these statements should never do, leaves it
/// to him.
pub(crate) async fn compact_subject(db: &Database, subject: i64) -> Result<Compacted, Error> {
    match compact_some(db, subject).await {
        Err(error) if *error.kind() == ErrorKind::Busy => Ok(Compacted::Nothing),
        done => done,
    }
}

async fn compact_some(db: &Database, subject: i64) -> Result<Compacted, Error> {
    let transaction = db.begin().await?;
    let params = [subject.into()];
    let rows = transaction.fetch(&SEEN, &params, |row| row.get::<i64>(0));
    let stamps = rows.await?;
    if stamps.len() < 2 {
        transaction.rollback().await?;
        return Ok(Compacted::Nothing);
    }
    let params = vec![listed(&stamps).into(), subject.into()];
    let deleted = transaction.execute(&DELETE, params).await?;
    if deleted != stamps.len() as u64 {
        // Somebody else has been here meanwhile.
        transaction.rollback().await?;
        return Ok(Compacted::Nothing);
    }
    let sum = stamps
        .iter()
        .fold(0_i64, |sum, stamp| sum.wrapping_add(*stamp));
    let params = vec![subject.into(), sum.into()];
    transaction.execute(&STAMP, params).await?;
    transaction.commit().await?;
    Ok(Compacted::Rows(stamps.len() - 1))
}

/// One text for any number of them, so that the statement stays the same.
fn listed(stamps: &[i64]) -> String {
    let stamps: Vec<_> = stamps.iter().map(i64::to_string).collect();
    stamps.join(",")
}

static CROWDED: Sql = Sql::new(
    "SELECT subject FROM djauth_cache_change WHERE subject >= ? \
     GROUP BY subject HAVING COUNT(*) > 1 ORDER BY subject LIMIT 500",
);
static SEEN: Sql = Sql::new(
    "SELECT stamp FROM djauth_cache_change WHERE subject = ? \
     ORDER BY stamp LIMIT 1000 FOR UPDATE SKIP LOCKED",
);
static DELETE: Sql = Sql::with_mysql(
    "DELETE FROM djauth_cache_change \
      WHERE stamp = ANY(CAST(string_to_array(?, ',') AS bigint[])) AND subject = ?",
    "DELETE c FROM JSON_TABLE(CONCAT('[', ?, ']'), '$[*]' COLUMNS (stamp bigint PATH '$')) AS s \
       STRAIGHT_JOIN djauth_cache_change AS c ON c.subject = ? AND c.stamp = s.stamp",
);
static STAMP: Sql = Sql::new("INSERT INTO djauth_cache_change (subject, stamp) VALUES (?, ?)");
