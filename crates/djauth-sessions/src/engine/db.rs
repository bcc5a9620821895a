//! Rows of `django_session`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use djauth_db::{Database, Dialect, Executor, Row, Sql, Value};

use super::Loaded;
use crate::config::SessionConfig;
use crate::data::SessionData;
use crate::error::{Error, ErrorKind, Result};
use crate::expiry::Stored;

// The key is read back because MariaDB compares text without regard to case: a second spelling of a key
// would get a copy in the cache that no logout deletes.
static LOAD: Sql = Sql::new(
    "SELECT session_key, session_data, expire_date FROM django_session \
     WHERE session_key = ? AND expire_date > ?",
);
static EXISTS: Sql = Sql::new("SELECT session_key FROM django_session WHERE session_key = ?");
static INSERT: Sql = Sql::new(
    "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?, ?, ?)",
);
static UPDATE: Sql =
    Sql::new("UPDATE django_session SET session_data = ?, expire_date = ? WHERE session_key = ?");
static DELETE: Sql = Sql::new("DELETE FROM django_session WHERE session_key = ?");
/// Where the next part begins. Rows that were deleted stay in the index for as long as some transaction may
/// still read them: from the beginning, each part would walk over all that the parts before it have left.
static OLDEST: Sql = Sql::new(
    "SELECT MIN(expire_date) FROM django_session WHERE expire_date >= ? AND expire_date < ?",
);
static OLDEST_OF_ALL: Sql =
    Sql::new("SELECT MIN(expire_date) FROM django_session WHERE expire_date < ?");
/// The outer condition spares a session that is saved between the two reads. On PostgreSQL it is no condition of an
/// index, and the keys are an array: while the statistics of the table are old, the planner would else take all that
/// has ended for a few rows, and read it for each part. MariaDB and MySQL take no limit in such a subquery, but
/// have one of DELETE.
static CLEAR: Sql = Sql::with_mysql(
    "DELETE FROM django_session WHERE expire_date + interval '0' < ? AND session_key = ANY(ARRAY(\
     SELECT session_key FROM django_session WHERE expire_date >= ? AND expire_date < ? \
      ORDER BY expire_date LIMIT 500))",
    "DELETE FROM django_session WHERE expire_date < ? AND expire_date >= ? AND expire_date < ? \
     ORDER BY expire_date LIMIT 500",
);
/// SQLite leaves nothing behind, and may hold dates that are only texts.
static CLEAR_SQLITE: Sql = Sql::new(
    "DELETE FROM django_session WHERE expire_date < ? AND session_key IN \
     (SELECT session_key FROM django_session WHERE expire_date < ? LIMIT 500)",
);
/// The longest pause between two parts.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

pub(super) struct DbStore {
    database: Database,
    pub(super) config: Arc<SessionConfig>,
}

impl DbStore {
    pub(super) fn new(database: Database, config: Arc<SessionConfig>) -> Self {
        DbStore { database, config }
    }

    pub(super) async fn load(&self, key: &str) -> Result<Loaded> {
        Ok(self
            .row(key)
            .await?
            .map_or(Loaded::Missing, |(data, _)| Loaded::Found(data)))
    }

    /// The data and the end of a session that has not ended.
    pub(super) async fn row(&self, key: &str) -> Result<Option<(SessionData, DateTime<Utc>)>> {
        let params = [Value::Text(key.into()), Value::Timestamp(self.config.now())];
        let read = |row: &Row<'_>| Ok((row.get::<String>(0)?, row.text(1)?, row.get(2)?));
        let row = self.database.fetch_optional(&LOAD, &params, read);
        let row = row.await.map_err(failure)?;
        let row = row.filter(|(stored, ..)| stored == key);
        Ok(row.map(|(_, text, expires)| (self.config.decode(&text), expires)))
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool> {
        let params = [Value::Text(key.into())];
        let read = |row: &Row<'_>| row.get::<String>(0);
        let stored = self.database.fetch_optional(&EXISTS, &params, read).await;
        Ok(stored.map_err(failure)?.as_deref() == Some(key))
    }

    pub(super) async fn add(&self, key: &str, data: &SessionData) -> Result<bool> {
        let (text, expires) = self.columns(data)?;
        let params = vec![Value::Text(key.into()), text, expires];
        match self.database.execute(&INSERT, params).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(failure(error)),
        }
    }

    /// False if there is no such row.
    pub(super) async fn save(&self, key: &str, data: &SessionData) -> Result<bool> {
        let (text, expires) = self.columns(data)?;
        let params = vec![text, expires, Value::Text(key.into())];
        let found = self
            .database
            .execute(&UPDATE, params)
            .await
            .map_err(failure)?;
        Ok(found > 0)
    }

    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        self.database
            .execute(&DELETE, vec![Value::Text(key.into())])
            .await
            .map(drop)
            .map_err(failure)
    }

    /// In parts, so that no lock is held for long. After each part others have as long as it took: a process
    /// that waits for SQLite's file looks now and then whether it is free, and would else never find it so.
    pub(super) async fn clear_expired(&self) -> Result<u64> {
        let now = self.config.now();
        let (mut total, mut from) = (0, None);
        loop {
            let begun = Instant::now();
            let deleted = match self.database.dialect() {
                Dialect::Sqlite => {
                    let now = Value::Timestamp(now);
                    let part = self.database.execute(&CLEAR_SQLITE, vec![now.clone(), now]);
                    part.await.map_err(failure)?
                }
                _ => match self.oldest(from, now).await? {
                    Some(oldest) => {
                        from = Some(oldest);
                        self.clear_from(oldest, now).await?
                    }
                    None => 0,
                },
            };
            if deleted == 0 {
                return Ok(total);
            }
            total += deleted;
            tokio::time::sleep(begun.elapsed().min(LONGEST_PAUSE)).await;
        }
    }

    /// When the first of the sessions ended that ended at `from` or later.
    async fn oldest(
        &self,
        from: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>> {
        let now = Value::Timestamp(now);
        let (sql, params) = match from {
            Some(from) => (&OLDEST, vec![Value::Timestamp(from), now]),
            None => (&OLDEST_OF_ALL, vec![now]),
        };
        let read = |row: &Row<'_>| row.get::<Option<DateTime<Utc>>>(0);
        let oldest = self.database.fetch_optional(sql, &params, read).await;
        Ok(oldest.map_err(failure)?.flatten())
    }

    async fn clear_from(&self, from: DateTime<Utc>, now: DateTime<Utc>) -> Result<u64> {
        let now = Value::Timestamp(now);
        let params = vec![now.clone(), Value::Timestamp(from), now];
        self.database.execute(&CLEAR, params).await.map_err(failure)
    }

    fn columns(&self, data: &SessionData) -> Result<(Value<'static>, Value<'static>)> {
        let text = self.config.encode(data)?;
        let expires = Stored::of(data).date(self.config.now(), self.config.cookie_age);
        Ok((Value::Text(text.into()), Value::Timestamp(expires)))
    }
}

fn failure(error: djauth_db::Error) -> Error {
    // A server that is being stopped has closed its database: the next one will answer.
    let closed = *error.kind() == djauth_db::ErrorKind::Closed;
    let kind = if error.is_transient() || closed {
        ErrorKind::Unavailable
    } else {
        ErrorKind::Database
    };
    let what = match kind {
        ErrorKind::Unavailable => "the database of the sessions is not available",
        _ => "the database of the sessions refused a statement",
    };
    Error::with_source(kind, what, error)
}
