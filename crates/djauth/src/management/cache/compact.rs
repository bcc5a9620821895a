//! Putting the stamps of a subject together.
//!
//! Some rows become one whose stamp is their sum, in one transaction: whoever reads sees the old rows or the new
//! one, and the same version both times, so that no cache notices. Only rows that were seen go, so that one which
//! is being added meanwhile is neither waited for nor lost.

use djauth_db::{Database, Dialect, Executor, Sql, Value};

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

/// Some rows of one subject. Whoever meets another on the way (MariaDB calls that a deadlock, though triggers, which
/// only add rows, have no part in it) leaves it to him.
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
    let mut params: Vec<Value<'_>> = vec![subject.into()];
    let marks = stamps.len().next_power_of_two();
    // Few statements for all lengths: the last one is named several times.
    let padding = stamps.iter().rev().take(1).cycle();
    let named = stamps.iter().chain(padding).take(marks);
    params.extend(named.map(|&stamp| Value::Int(stamp)));
    let deleted = transaction.execute(&delete(marks), params).await?;
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

fn delete(marks: usize) -> Sql {
    let marks = vec!["?"; marks].join(", ");
    let text = format!("DELETE FROM djauth_cache_change WHERE subject = ? AND stamp IN ({marks})");
    Sql::generated(text, None)
}

static CROWDED: Sql = Sql::new(
    "SELECT subject FROM djauth_cache_change WHERE subject >= ? \
     GROUP BY subject HAVING COUNT(*) > 1 ORDER BY subject LIMIT 500",
);
static SEEN: Sql = Sql::new(
    "SELECT stamp FROM djauth_cache_change WHERE subject = ? \
     ORDER BY stamp LIMIT 1000 FOR UPDATE SKIP LOCKED",
);
static STAMP: Sql = Sql::new("INSERT INTO djauth_cache_change (subject, stamp) VALUES (?, ?)");
