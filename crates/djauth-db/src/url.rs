//! Database URLs. A URL may hold a password: none of it ever gets into an error.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::sqlite;
use crate::{Error, Result};

/// How long a caller waits for a locked database before `Busy` (Django's sqlite3 `timeout`).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Where to connect to.
pub(crate) enum Target {
    Sqlite(sqlite::Options),
}

pub(crate) fn parse(url: &str) -> Result<Target> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| {
        Error::configuration("a database URL begins with `sqlite://`, `postgres://` or `mysql://`")
    })?;
    match scheme {
        "sqlite" => parse_sqlite(rest).map(Target::Sqlite),
        _ => Err(Error::configuration(
            "a database URL begins with `sqlite://`, `postgres://` or `mysql://`",
        )),
    }
}

fn parse_sqlite(rest: &str) -> Result<sqlite::Options> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = decode(path)?;
    if path.is_empty() {
        return Err(Error::configuration("the SQLite URL names no file"));
    }
    if path.starts_with(":memory:") {
        return Err(Error::configuration(
            "SQLite databases in memory are not supported: each connection would see its own; \
             use a file in a temporary folder",
        ));
    }
    let mut options = sqlite::Options {
        path: PathBuf::from(path),
        mode: sqlite::Mode::ReadWrite,
        wal: false,
        busy_timeout: BUSY_TIMEOUT,
    };
    for (key, value) in pairs(query)? {
        match (key.as_str(), value.as_str()) {
            ("mode", "ro") => options.mode = sqlite::Mode::ReadOnly,
            ("mode", "rw") => options.mode = sqlite::Mode::ReadWrite,
            ("mode", "rwc") => options.mode = sqlite::Mode::ReadWriteCreate,
            ("journal_mode", "wal") => options.wal = true,
            ("timeout", _) => options.busy_timeout = seconds(&key, &value)?,
            _ => return Err(unknown(&key)),
        }
    }
    Ok(options)
}

/// The decoded pairs of a query.
fn pairs(query: &str) -> Result<Vec<(String, String)>> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decode(key)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| Error::configuration("the database URL is not UTF-8"))
}

fn seconds(key: &str, value: &str) -> Result<Duration> {
    let seconds = value
        .parse::<f64>()
        .ok()
        .filter(|s| (0.0..=3600.0).contains(s));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| {
        Error::configuration(format!(
            "`{key}` in the database URL must be 0 to 3600 seconds"
        ))
    })
}

fn unknown(key: &str) -> Error {
    // Keys come from whoever wrote the URL; anything odd could be part of a password.
    let plain = key.len() <= 32 && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let key = if plain { key } else { "…" };
    Error::configuration(format!(
        "unknown option, or unknown value of the option `{key}` in the database URL"
    ))
}
