//! MariaDB through mysql_async and a pool.

mod connection;
mod errors;
mod values;

use std::time::Duration;

use deadpool::managed::Pool;
use mysql_async::{Opts, OptsBuilder, SslOpts};

pub(crate) use self::connection::Connection;
use self::connection::Manager;
pub(crate) use self::values::{column, name};
use crate::pool::{self, Limits};
use crate::tls::SslMode;
use crate::url::Server;
use crate::{Error, ErrorKind, Result, Row, Sql, Value};

/// Prepared statements kept by one connection.
const KEPT_STATEMENTS: usize = 256;

/// What every session begins with. Times are UTC and transactions READ COMMITTED, as Django sets
/// them; the rest makes one text of a statement good for all three databases.
const SESSION: &str = "SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1, \
     sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES,ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES')";
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// A pool of connections to one MariaDB database.
pub(crate) struct Mysql {
    pool: Pool<Manager>,
    limits: Limits,
}

impl Mysql {
    pub(crate) async fn connect(server: Server) -> Result<Self> {
        if server.options.is_some() {
            return Err(Error::configuration(
                "`options` in the database URL is for PostgreSQL",
            ));
        }
        let secured = Self::open(&server, ssl(&server)).await;
        match secured {
            Err(e)
                if server.ssl_mode == SslMode::Prefer && *e.kind() == ErrorKind::Configuration =>
            {
                Self::open(&server, None).await
            }
            opened => opened,
        }
    }

    async fn open(server: &Server, ssl: Option<SslOpts>) -> Result<Self> {
        let manager = Manager(options(server, ssl));
        let limits = server.limits.clone();
        let mysql = Mysql {
            pool: pool::build(limits.builder(manager))?,
            limits,
        };
        drop(mysql.get().await?);
        Ok(mysql)
    }

    async fn get(&self) -> Result<Connection> {
        let object = self
            .pool
            .get()
            .await
            .map_err(|e| pool::map(e, errors::map))?;
        Ok(Connection::new(object, self.limits.clone()))
    }

    /// After a broken connection the other idle ones are suspects too.
    fn checked<T>(&self, connection: &Connection, answer: Result<T>) -> Result<T> {
        if connection.is_broken() {
            self.pool.retain(|_, _| false);
        }
        answer
    }

    pub(crate) async fn fetch<T>(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        mut f: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut out = Vec::new();
        self.fetch_each(sql, params, |row| {
            out.push(f(row)?);
            Ok(())
        })
        .await?;
        Ok(out)
    }

    /// A connection that the server has closed meanwhile is found out by the first statement on
    /// it: a read without an answer is tried once more.
    pub(crate) async fn fetch_each(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        mut f: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<u64> {
        let connection = self.get().await?;
        let mut begun = false;
        let read = connection.fetch_each(sql, params, |row| {
            begun = true;
            f(row)
        });
        let answer = read.await;
        let answer = self.checked(&connection, answer);
        if answer.is_ok() || begun || !connection.is_broken() || !sql.is_select() {
            return answer;
        }
        drop(connection);
        self.get().await?.fetch_each(sql, params, f).await
    }

    pub(crate) async fn execute(&self, sql: &Sql, params: &[Value<'_>]) -> Result<u64> {
        let connection = self.get().await?;
        let answer = connection.execute(sql, params).await;
        self.checked(&connection, answer)
    }

    pub(crate) async fn insert(&self, sql: &Sql, params: &[Value<'_>]) -> Result<i64> {
        let connection = self.get().await?;
        let answer = connection.insert(sql, params).await;
        self.checked(&connection, answer)
    }

    pub(crate) async fn begin(&self) -> Result<Connection> {
        let connection = self.get().await?;
        let begun = connection.begin().await;
        match self.checked(&connection, begun) {
            // As for reads: the connection had gone before anything was done.
            Err(_) if connection.is_broken() => {
                drop(connection);
                let connection = self.get().await?;
                connection.begin().await?;
                Ok(connection)
            }
            Err(e) => Err(e),
            Ok(()) => Ok(connection),
        }
    }

    pub(crate) fn stats(&self) -> pool::PoolStats {
        pool::stats(&self.pool)
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

fn options(server: &Server, ssl: Option<SslOpts>) -> Opts {
    let host = server.host.as_deref().unwrap_or("localhost");
    let socket = host.starts_with('/').then_some(host);
    OptsBuilder::default()
        .ip_or_hostname(if socket.is_some() { "localhost" } else { host })
        .socket(socket)
        .tcp_port(server.port.unwrap_or(3306))
        .user(server.user.as_deref())
        .pass(server.password.as_deref())
        .db_name(server.database.as_deref())
        .prefer_socket(false)
        .client_found_rows(true)
        .tcp_keepalive(Some(Duration::from_secs(60)))
        .stmt_cache_size(KEPT_STATEMENTS)
        .ssl_opts(ssl)
        .init(vec![
            SESSION.to_owned(),
            ISOLATION.to_owned(),
            lock_wait(&server.limits),
        ])
        .into()
}

/// The server gives a lock up before we give the statement up, and says so.
fn lock_wait(limits: &Limits) -> String {
    let seconds = limits.statement.as_secs().saturating_sub(1).max(1);
    format!("SET innodb_lock_wait_timeout = {seconds}")
}

fn ssl(server: &Server) -> Option<SslOpts> {
    let ssl = SslOpts::default();
    let root = server.root_certificate.clone();
    Some(match (server.ssl_mode, root) {
        (SslMode::Disable, _) => return None,
        (SslMode::Prefer, _) | (SslMode::Require, None) => {
            ssl.with_danger_accept_invalid_certs(true)
        }
        // The driver always checks the name as well.
        (_, Some(root)) => ssl
            .with_root_certs(vec![root.into()])
            .with_disable_built_in_roots(true),
        (_, None) => ssl,
    })
}
