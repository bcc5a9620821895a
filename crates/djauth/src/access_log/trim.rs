//! Old rows go.

use chrono::{DateTime, Utc};

use crate::Error;
use crate::db::{Database, ErrorKind, Executor, Sql};

/// Whether djauth has made this database.
static OURS: Sql = Sql::new("SELECT 1 FROM djauth_login_attempts WHERE counter = ''");

/// The last of the first thousand rows, and what deletes the old ones among these: there is no index on the time, and
/// rows are as good as in its order.
struct Table {
    last: Sql,
    delete: Sql,
}

static LOGINS: Table = Table {
    last: Sql::new(
        "SELECT MAX(id) FROM (SELECT id FROM axes_accesslog ORDER BY id LIMIT 1000) first",
    ),
    delete: Sql::new("DELETE FROM axes_accesslog WHERE id <= ? AND attempt_time < ?"),
};
static FAILURES: Table = Table {
    last: Sql::new(
        "SELECT MAX(id) FROM (SELECT id FROM axes_accessfailurelog ORDER BY id LIMIT 1000) first",
    ),
    delete: Sql::new("DELETE FROM axes_accessfailurelog WHERE id <= ? AND attempt_time < ?"),
};

/// Deletes rows from before this moment, where the tables are ours.
pub(super) async fn before(db: &Database, end: DateTime<Utc>) -> Result<u64, Error> {
    match trimmed(db, end).await {
        Err(error) if *error.kind() == ErrorKind::SchemaMissing => Ok(0),
        deleted => Ok(deleted?),
    }
}

async fn trimmed(db: &Database, end: DateTime<Utc>) -> Result<u64, crate::db::Error> {
    db.fetch(&OURS, &[], |_| Ok(())).await?;
    let mut deleted = 0;
    for table in [&LOGINS, &FAILURES] {
        loop {
            let part = trim(db, table, end).await?;
            deleted += part;
            if part == 0 {
                break;
            }
        }
    }
    Ok(deleted)
}

/// Among the oldest thousand.
async fn trim(db: &Database, table: &Table, end: DateTime<Utc>) -> Result<u64, crate::db::Error> {
    let last = db.fetch_optional(&table.last, &[], |row| row.get::<Option<i64>>(0));
    let Some(last) = last.await?.flatten() else {
        return Ok(0);
    };
    let params = vec![last.into(), end.into()];
    db.execute(&table.delete, params).await
}
