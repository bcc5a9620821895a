//! The statements.

use chrono::{DateTime, Utc};

use super::UserSession;
use crate::Error;
use crate::base_user::UserId;
use crate::db::{self, Database, Dialect, Executor, Row, Sql, Transaction, Value};

/// How long a key and the name of a browser may be.
pub(super) const LONGEST_KEY: usize = 40;
const LONGEST_AGENT: usize = 200;
/// Rows in one statement.
pub(super) const CHUNK: usize = 400;

/// What a login tells.
pub(super) struct Begun<'a> {
    pub(super) key: &'a str,
    pub(super) ip: String,
    pub(super) user_agent: &'a str,
    pub(super) now: DateTime<Utc>,
}

static INSERT: Sql = Sql::new(
    "INSERT INTO usersessions_usersession \
     (created_at, ip, last_seen_at, session_key, user_agent, data, user_id) \
     VALUES (?, ?, ?, ?, ?, '{}', ?)",
);
static INSERT_POSTGRES: Sql = Sql::new(
    "INSERT INTO usersessions_usersession \
     (created_at, ip, last_seen_at, session_key, user_agent, data, user_id) \
     VALUES (?, CAST(CAST(? AS text) AS inet), ?, ?, ?, CAST('{}' AS jsonb), ?)",
);
static AGAIN: Sql = Sql::new(
    "UPDATE usersessions_usersession SET ip = ?, last_seen_at = ?, user_agent = ?, user_id = ? \
     WHERE session_key = ?",
);
static AGAIN_POSTGRES: Sql = Sql::new(
    "UPDATE usersessions_usersession SET ip = CAST(CAST(? AS text) AS inet), last_seen_at = ?, \
     user_agent = ?, user_id = ? WHERE session_key = ?",
);
static MOVE: Sql =
    Sql::new("UPDATE usersessions_usersession SET session_key = ? WHERE session_key = ?");
static FORGET: Sql = Sql::new("DELETE FROM usersessions_usersession WHERE session_key = ?");
static DELETE: Sql =
    Sql::new("DELETE FROM usersessions_usersession WHERE id = ? AND session_key = ?");
static KEY_OF: Sql =
    Sql::new("SELECT session_key FROM usersessions_usersession WHERE id = ? AND user_id = ?");
static OF_USER: Sql = Sql::new(
    "SELECT id, created_at, ip, last_seen_at, session_key, user_agent \
     FROM usersessions_usersession WHERE user_id = ? ORDER BY last_seen_at DESC, id DESC LIMIT ?",
);
static OF_USER_POSTGRES: Sql = Sql::new(
    "SELECT id, created_at, host(ip), last_seen_at, session_key, user_agent \
     FROM usersessions_usersession WHERE user_id = ? ORDER BY last_seen_at DESC, id DESC LIMIT ?",
);
static AFTER: Sql = Sql::new(
    "SELECT id, session_key FROM usersessions_usersession WHERE user_id = ? AND id > ? \
     ORDER BY id LIMIT 500",
);

fn of(dialect: Dialect, common: &'static Sql, postgres: &'static Sql) -> &'static Sql {
    match dialect {
        Dialect::Postgres => postgres,
        Dialect::Sqlite | Dialect::Mysql => common,
    }
}

/// Adds the row of a session, or says anew whose it is and from where.
pub(super) async fn begin<I: UserId>(
    db: &Database,
    begun: &Begun<'_>,
    user: I,
) -> Result<(), db::Error> {
    let agent: String = begun.user_agent.chars().take(LONGEST_AGENT).collect();
    let (key, now) = (|| begun.key.into(), || Value::Timestamp(begun.now));
    let (ip, agent) = (|| begun.ip.as_str().into(), || agent.as_str().into());
    let sql = of(db.dialect(), &INSERT, &INSERT_POSTGRES);
    let row = vec![now(), ip(), now(), key(), agent(), user.to_value()];
    match db.execute(sql, row).await {
        Err(error) if error.is_unique_violation() => {
            let sql = of(db.dialect(), &AGAIN, &AGAIN_POSTGRES);
            let row = vec![ip(), now(), agent(), user.to_value(), key()];
            db.execute(sql, row).await.map(drop)
        }
        done => done.map(drop),
    }
}

/// Whether there was a row.
pub(super) async fn change_key(db: &Database, old: &str, new: &str) -> Result<bool, db::Error> {
    Ok(db.execute(&MOVE, vec![new.into(), old.into()]).await? > 0)
}

pub(super) async fn forget(db: &Database, key: &str) -> Result<(), db::Error> {
    db.execute(&FORGET, vec![key.into()]).await.map(drop)
}

/// Whether the row was there with this key.
pub(super) async fn delete(db: &Database, id: i64, key: &str) -> Result<bool, Error> {
    Ok(db.execute(&DELETE, vec![id.into(), key.into()]).await? > 0)
}

/// The key of a session, if the row is this user's.
pub(super) async fn key_of<I: UserId>(
    db: &Database,
    user: I,
    id: i64,
) -> Result<Option<String>, Error> {
    let params = [id.into(), user.to_value()];
    Ok(db
        .fetch_optional(&KEY_OF, &params, |row| row.get(0))
        .await?)
}

/// The latest rows of a user.
pub(super) async fn of_user<I: UserId>(
    db: &Database,
    user: I,
    limit: i64,
) -> Result<Vec<UserSession<I>>, Error> {
    let sql = of(db.dialect(), &OF_USER, &OF_USER_POSTGRES);
    let read = |row: &Row<'_>| {
        Ok(UserSession {
            id: row.get(0)?,
            user_id: user,
            created_at: row.get(1)?,
            ip: row.get(2)?,
            last_seen_at: row.get(3)?,
            session_key: row.get(4)?,
            user_agent: row.get(5)?,
        })
    };
    Ok(db
        .fetch(sql, &[user.to_value(), limit.into()], read)
        .await?)
}

/// Numbers and keys of a user's rows in the order of the numbers, from the first after one on.
pub(super) async fn after<I: UserId>(
    db: &Database,
    user: I,
    last: i64,
) -> Result<Vec<(i64, String)>, Error> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let params = [user.to_value(), last.into()];
    Ok(db.fetch(&AFTER, &params, read).await?)
}

/// When these were last seen; never earlier than is known already.
pub(super) async fn see(
    tx: &Transaction,
    at: DateTime<Utc>,
    keys: &[&str],
) -> Result<u64, db::Error> {
    let marks = vec!["?"; keys.len()].join(", ");
    let text = format!(
        "UPDATE usersessions_usersession SET last_seen_at = ? \
         WHERE last_seen_at < ? AND session_key IN ({marks})"
    );
    let mut params = vec![Value::Timestamp(at), Value::Timestamp(at)];
    params.extend(keys.iter().map(|&key| Value::from(key)));
    tx.execute(&Sql::generated(text, None), params).await
}
