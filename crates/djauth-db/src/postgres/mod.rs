//! PostgreSQL through tokio-postgres and a pool.

mod connection;
mod errors;
mod params;

use std::time::Duration;

use deadpool::managed::{Hook, HookError, Pool};
use deadpool_postgres::{ClientWrapper, Manager, ManagerConfig, RecyclingMethod};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode as DriverMode;
use tokio_postgres_rustls::MakeRustlsConnect;

pub(crate) use self::connection::Connection;
pub(crate) use self::params::column;
use crate::pool::{self, Limits};
use crate::tls::{SslMode, client_config};
use crate::url::Server;
use crate::{Result, Row, Sql, Value};

/// A pool of connections to one PostgreSQL database.
pub(crate) struct Postgres {
    pool: Pool<Manager>,
    limits: Limits,
}

impl Postgres {
    pub(crate) async fn connect(server: Server) -> Result<Self> {
        let config = config(&server);
        let manager = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let tls = MakeRustlsConnect::new(client_config(
            server.ssl_mode,
            server.root_certificate.as_deref(),
        )?);
        let builder = server
            .limits
            .builder(Manager::from_config(config, tls, manager));
        let pool = pool::build(builder.post_create(session(&server.limits)))?;
        let postgres = Postgres {
            pool,
            limits: server.limits,
        };
        drop(postgres.get().await?);
        Ok(postgres)
    }

    async fn get(&self) -> Result<Connection> {
        let object = self
            .pool
            .get()
            .await
            .map_err(|e| pool::map(e, |e| errors::map(&e)))?;
        Ok(Connection::new(object, self.limits.clone()))
    }

    /// After a broken connection the other idle ones are suspects too.
    fn checked<T>(&self, connection: &Connection, answer: Result<T>) -> Result<T> {
        if answer.is_err() && connection.is_broken() {
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
        self.read(sql, params, |row| {
            out.push(f(row)?);
            Ok(())
        })
        .await?;
        Ok(out)
    }

    pub(crate) async fn fetch_each(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        f: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<u64> {
        self.read(sql, params, f).await
    }

    /// A connection that the server has closed meanwhile is found out by the first statement on
    /// it: a read without an answer is tried once more.
    async fn read(
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
        if answer.is_ok() || begun || !connection.may_do_better() || !sql.is_select() {
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

/// What every session begins with: the server gives a statement up when we do.
fn session(limits: &Limits) -> Hook<Manager> {
    let set = format!(
        "SET statement_timeout = {}",
        limits.statement.as_millis().max(1)
    );
    Hook::async_fn(move |client: &mut ClientWrapper, _| {
        let set = set.clone();
        Box::pin(async move { client.batch_execute(&set).await.map_err(HookError::Backend) })
    })
}

fn config(server: &Server) -> Config {
    let mut config = Config::new();
    config
        .application_name("djauth")
        .connect_timeout(server.limits.connect);
    config.keepalives_idle(Duration::from_secs(60));
    config.tcp_user_timeout(server.limits.statement + server.limits.connect);
    let host = server.host.as_deref().unwrap_or("localhost");
    if host.starts_with('/') {
        config.host_path(host)
    } else {
        config.host(host)
    };
    config.port(server.port.unwrap_or(5432));
    let user = server.user.clone().or_else(|| std::env::var("USER").ok());
    if let Some(user) = user {
        config.user(user);
    }
    if let Some(password) = &server.password {
        config.password(password);
    }
    if let Some(options) = &server.options {
        config.options(options);
    }
    if let Some(database) = &server.database {
        config.dbname(database);
    }
    config.ssl_mode(match server.ssl_mode {
        SslMode::Disable => DriverMode::Disable,
        SslMode::Prefer => DriverMode::Prefer,
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => DriverMode::Require,
    });
    config
}
