//! Database URLs. A URL may hold a password: none of it ever gets into an error.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::pool::Limits;
use crate::sqlite;
use crate::tls::SslMode;
use crate::{Error, Result};

/// How long a caller waits for a locked database before `Busy` (Django's sqlite3 `timeout`).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Where to connect to.
pub(crate) enum Target {
    Sqlite(sqlite::Options),
    Postgres(Server),
    Mysql(Server),
}

/// A server, an account and a database. No `Debug`: it holds the password.
#[derive(Default)]
pub(crate) struct Server {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// A name, an address, or the folder (PostgreSQL) or path (MariaDB) of a Unix socket.
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) database: Option<String>,
    /// PostgreSQL's `options`, such as `-c search_path=app`.
    pub(crate) options: Option<String>,
    pub(crate) ssl_mode: SslMode,
    pub(crate) root_certificate: Option<PathBuf>,
    pub(crate) limits: Limits,
}

pub(crate) fn parse(url: &str) -> Result<Target> {
    match url.split_once("://") {
        Some(("sqlite", rest)) => parse_sqlite(rest).map(Target::Sqlite),
        Some(("postgres" | "postgresql", rest)) => parse_server(rest).map(Target::Postgres),
        Some(("mysql" | "mariadb", rest)) => parse_server(rest).map(Target::Mysql),
        _ => Err(Error::configuration(
            "a database URL begins with `sqlite://`, `postgres://` or `mysql://`",
        )),
    }
}

/// `[user[:password]@][host[:port]][/database][?options]`
fn parse_server(rest: &str) -> Result<Server> {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (account, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = match account.split_once(':') {
        Some((user, password)) => (user, Some(decode(password)?)),
        None => (account, None),
    };
    let (host, port) = parse_address(address)?;
    let mut server = Server {
        user: non_empty(decode(user)?),
        password,
        host,
        port,
        database: non_empty(decode(database)?),
        ..Server::default()
    };
    for (key, value) in pairs(query)? {
        server.set(&key, value)?;
    }
    Ok(server)
}

impl Server {
    fn set(&mut self, key: &str, value: String) -> Result<()> {
        match key {
            "host" => self.host = non_empty(value),
            "options" => self.options = non_empty(value),
            "sslmode" => {
                self.ssl_mode = SslMode::parse(&value).ok_or_else(|| unknown(key))?;
            }
            "sslrootcert" => self.root_certificate = Some(value.into()),
            "connect_timeout" => self.limits.connect = seconds(key, &value)?,
            "statement_timeout" => self.limits.statement = seconds(key, &value)?,
            "pool_size" => {
                let size = value.parse().ok().filter(|size| (1..=1000).contains(size));
                self.limits.size = size.ok_or_else(|| unknown(key))?;
            }
            _ => return Err(unknown(key)),
        }
        Ok(())
    }
}

/// `host`, `host:port`, `[v6]:port`, or a percent-encoded socket path.
fn parse_address(address: &str) -> Result<(Option<String>, Option<u16>)> {
    let (host, port) = match address
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or(rest)),
        None => address.rsplit_once(':').unwrap_or((address, "")),
    };
    let port = match port {
        "" => None,
        port => Some(port.parse().map_err(|_| {
            Error::configuration("the port in the database URL is no number up to 65535")
        })?),
    };
    Ok((non_empty(decode(host)?), port))
}

fn non_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
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
        mode: sqlite::Mode::Write,
        wal: false,
        busy_timeout: BUSY_TIMEOUT,
    };
    for (key, value) in pairs(query)? {
        match (key.as_str(), value.as_str()) {
            ("mode", "ro") => options.mode = sqlite::Mode::Read,
            ("mode", "rw") => options.mode = sqlite::Mode::Write,
            ("mode", "rwc") => options.mode = sqlite::Mode::Create,
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn server(url: &str) -> Server {
        match parse(url) {
            Ok(Target::Postgres(server) | Target::Mysql(server)) => server,
            Ok(Target::Sqlite(_)) => panic!("not a server"),
            Err(e) => panic!("{e}"),
        }
    }

    fn sqlite(url: &str) -> sqlite::Options {
        match parse(url) {
            Ok(Target::Sqlite(options)) => options,
            Ok(_) => panic!("not SQLite"),
            Err(e) => panic!("{e}"),
        }
    }

    #[test]
    fn sqlite_paths_and_modes() {
        assert_eq!(
            sqlite("sqlite://db.sqlite3").path,
            PathBuf::from("db.sqlite3")
        );
        assert_eq!(
            sqlite("sqlite:///var/a%20b.db").path,
            PathBuf::from("/var/a b.db")
        );
        assert_eq!(sqlite("sqlite://a").mode, sqlite::Mode::Write);
        assert_eq!(sqlite("sqlite://a?mode=rwc").mode, sqlite::Mode::Create);
        assert_eq!(sqlite("sqlite://a?mode=ro").mode, sqlite::Mode::Read);
        assert!(sqlite("sqlite://a?journal_mode=wal&timeout=0.5").wal);
        for wrong in [
            "sqlite://",
            "sqlite://:memory:",
            "sqlite://a?mode=x",
            "sqlite://a?x=1",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_part_of_a_server_url() {
        let all = server(
            "postgres://an%40n:p%3A%2F@db.example:6543/li%20ve?sslmode=verify-full&pool_size=3&connect_timeout=2",
        );
        assert_eq!(all.user.as_deref(), Some("an@n"));
        assert_eq!(all.password.as_deref(), Some("p:/"));
        assert_eq!(
            (all.host.as_deref(), all.port),
            (Some("db.example"), Some(6543))
        );
        assert_eq!(all.database.as_deref(), Some("li ve"));
        assert_eq!(all.ssl_mode, SslMode::VerifyFull);
        assert_eq!(
            (all.limits.size, all.limits.connect),
            (3, Duration::from_secs(2))
        );
        let v6 = server("mysql://u@[::1]:3307/x");
        assert_eq!((v6.host.as_deref(), v6.port), (Some("::1"), Some(3307)));
        let socket = server("postgresql://u@%2Frun%2Fpg/x");
        assert_eq!(
            (socket.host.as_deref(), socket.port),
            (Some("/run/pg"), None)
        );
        let bare = server("mysql:///x");
        assert_eq!(
            (bare.user, bare.host, bare.database.as_deref()),
            (None, None, Some("x"))
        );
    }

    #[test]
    fn errors_show_no_part_of_the_url() {
        for url in [
            "postgres://u:hunter2@h:port/x",
            "postgres://u:hunter2@h/x?hunter2!=1",
            "postgres://u:hunter2@h:99999/x",
            "hunter2://u@h/x",
            "mysql://u:hunter2@h/x?sslmode=hunter2",
            "mysql://u:hunter2%FF@h/x",
            "hunter2",
        ] {
            let error = parse(url).err().unwrap();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_safe(scheme in "(sqlite|postgres|mysql)", rest in "\\PC{0,60}") {
            let _ = parse(&format!("{scheme}://{rest}"));
        }
    }
}
