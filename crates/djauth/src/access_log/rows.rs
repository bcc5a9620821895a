//! Events as rows.

use chrono::{DateTime, Utc};

use super::entry::{Entry, Event};
use super::layout::Layout;
use crate::db::{Database, Dialect, Error, Executor, Sql, Transaction, Value};

/// Rows in one statement.
const CHUNK: usize = 100;

const COLUMNS: &str = "user_agent, ip_address, username, http_accept, path_info, attempt_time";

static NEWEST: Sql = Sql::new(
    "SELECT id FROM axes_accesslog WHERE username = ? AND session_hash = ? AND logout_time IS NULL \
     ORDER BY id DESC LIMIT 1",
);
static LOGGED_OUT: Sql = Sql::new("UPDATE axes_accesslog SET logout_time = ? WHERE id = ?");

/// Writes them all in one transaction: logins and failures, then logouts, which look for their login.
pub(super) async fn write(db: &Database, layout: Layout, events: &[Event]) -> Result<(), Error> {
    let transaction = db.begin().await?;
    match write_in(&transaction, layout, events).await {
        Ok(()) => transaction.commit().await,
        Err(error) => {
            // The first error tells more than one of rolling back.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}

async fn write_in(tx: &Transaction, layout: Layout, events: &[Event]) -> Result<(), Error> {
    if layout.logins {
        add_logins(tx, layout, events).await?;
    }
    if layout.failures {
        add_failures(tx, events).await?;
    }
    if layout.session_hash {
        add_logouts(tx, events).await?;
    }
    Ok(())
}

async fn add_logins(tx: &Transaction, layout: Layout, events: &[Event]) -> Result<(), Error> {
    let logins = events.iter().filter_map(|event| match event {
        Event::Login(entry, hash) => Some((entry, layout.session_hash.then_some(hash))),
        _ => None,
    });
    let logins: Vec<_> = logins.collect();
    let more: &[&str] = match layout.session_hash {
        true => &["logout_time", "session_hash"],
        false => &["logout_time"],
    };
    for chunk in logins.chunks(CHUNK) {
        let mut params = Vec::new();
        for (entry, hash) in chunk {
            entry_params(entry, &mut params);
            params.push(Value::Null);
            params.extend(hash.map(Value::from));
        }
        let sql = insert(tx.dialect(), "axes_accesslog", more, chunk.len());
        tx.execute(&sql, params).await?;
    }
    Ok(())
}

async fn add_failures(tx: &Transaction, events: &[Event]) -> Result<(), Error> {
    let failures = events.iter().filter_map(|event| match event {
        Event::Failure(entry) => Some(entry),
        _ => None,
    });
    let failures: Vec<_> = failures.collect();
    for chunk in failures.chunks(CHUNK) {
        let mut params = Vec::new();
        for entry in chunk {
            entry_params(entry, &mut params);
            params.push(false.into());
        }
        let table = "axes_accessfailurelog";
        let sql = insert(tx.dialect(), table, &["locked_out"], chunk.len());
        tx.execute(&sql, params).await?;
    }
    Ok(())
}

async fn add_logouts(tx: &Transaction, events: &[Event]) -> Result<(), Error> {
    for event in events {
        if let Event::Logout {
            username,
            session_hash,
            at,
        } = event
        {
            add_logout(tx, username, session_hash, *at).await?;
        }
    }
    Ok(())
}

async fn add_logout(
    tx: &Transaction,
    username: &str,
    hash: &str,
    at: DateTime<Utc>,
) -> Result<(), Error> {
    let params = [username.into(), hash.into()];
    let newest = tx.fetch_optional(&NEWEST, &params, |row| row.get::<i64>(0));
    if let Some(id) = newest.await? {
        tx.execute(&LOGGED_OUT, vec![at.into(), id.into()]).await?;
    }
    Ok(())
}

fn entry_params<'a>(entry: &'a Entry, params: &mut Vec<Value<'a>>) {
    params.push(entry.user_agent.as_str().into());
    params.push(entry.ip_address.map(|ip| ip.to_string()).into());
    params.push(entry.username.as_deref().into());
    params.push(entry.http_accept.as_str().into());
    params.push(entry.path_info.as_str().into());
    params.push(entry.attempt_time.into());
}

fn insert(dialect: Dialect, table: &str, more: &[&str], rows: usize) -> Sql {
    // A bound text is no `inet` by itself.
    let ip = match dialect {
        Dialect::Postgres => "CAST(CAST(? AS text) AS inet)",
        Dialect::Sqlite | Dialect::Mysql => "?",
    };
    let (names, marks) = (more.join(", "), vec!["?"; more.len()].join(", "));
    let row = format!("(?, {ip}, ?, ?, ?, ?, {marks})");
    let all = vec![row.as_str(); rows].join(", ");
    let text = format!("INSERT INTO {table} ({COLUMNS}, {names}) VALUES {all}");
    Sql::generated(text, None)
}
