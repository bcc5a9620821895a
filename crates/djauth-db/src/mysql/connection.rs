//! Statements on one connection, inside of a transaction or not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool::managed::{self, Metrics, Object, RecycleResult};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error as Failure, Opts, Statement, Value as Raw};
use tokio::sync::Mutex;

use super::errors::map;
use super::values;
use crate::pool::{Held, Limits};
use crate::row::Source;
use crate::{Error, ErrorKind, Result, Row, Sql, Value};

/// A connection that was not used for this long is asked before it is used again: the server may
/// have gone meanwhile.
const TRUSTED: Duration = Duration::from_millis(500);

/// Makes connections for the pool.
pub(crate) struct Manager(pub(super) Opts);

impl managed::Manager for Manager {
    type Type = Conn;
    type Error = mysql_async::Error;

    async fn create(&self) -> std::result::Result<Conn, mysql_async::Error> {
        Conn::new(self.0.clone()).await
    }

    async fn recycle(
        &self,
        conn: &mut Conn,
        metrics: &Metrics,
    ) -> RecycleResult<mysql_async::Error> {
        if metrics.last_used() > TRUSTED {
            conn.ping().await?;
        }
        Ok(())
    }
}

/// A connection taken from the pool; one statement at a time.
pub(crate) struct Connection {
    held: Mutex<Held<Manager>>,
    limits: Limits,
    in_transaction: AtomicBool,
    broken: AtomicBool,
}

impl Connection {
    pub(super) fn new(object: Object<Manager>, limits: Limits) -> Self {
        Connection {
            held: Mutex::new(Held::new(object)),
            limits,
            in_transaction: AtomicBool::new(false),
            broken: AtomicBool::new(false),
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Runs `f` on the connection. Until it has ended, and after an error of the connection, the
    /// connection does not go back to the pool. A caller that goes away in the middle leaves an answer
    /// unread, which the next statement would take for its own: that breaks the connection too.
    async fn with<T>(&self, f: impl AsyncFnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let mut held = self.held.lock().await;
        // Only now: what held the connection may have broken it.
        if self.is_broken() {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "MariaDB: the connection has broken",
            ));
        }
        held.set_clean(false);
        let underway = Underway(&self.broken);
        let answer = f(held.get_mut()).await;
        underway.ended();
        let in_transaction = self.in_transaction.load(Ordering::Relaxed);
        held.set_clean(!in_transaction && !self.is_broken());
        answer
    }

    /// One statement, in time.
    async fn statement<T>(&self, f: impl Future<Output = Result<T>>) -> Result<T> {
        self.noted(self.limits.statement(f).await)
    }

    /// After a statement without an answer the connection is not used again.
    fn noted<T>(&self, answer: Result<T>) -> Result<T> {
        if matches!(&answer, Err(e) if *e.kind() == ErrorKind::Unavailable) {
            self.broken.store(true, Ordering::Relaxed);
        }
        answer
    }

    fn seen(&self, error: Failure) -> Error {
        let in_transaction = self.in_transaction.load(Ordering::Relaxed);
        if error.is_fatal() || in_transaction && ends_transaction(&error) {
            self.broken.store(true, Ordering::Relaxed);
        }
        map(error)
    }

    /// The prepared statement, from the connection's cache.
    async fn prepare(&self, conn: &mut Conn, sql: &Sql, values: usize) -> Result<Statement> {
        let prepared = async { conn.prep(sql.mysql()).await.map_err(|e| self.seen(e)) };
        let statement = self.statement(prepared).await?;
        let marks = usize::from(statement.num_params());
        if marks == values {
            return Ok(statement);
        }
        Err(Error::new(
            ErrorKind::Other,
            format!("{values} values for {marks} marks"),
        ))
    }

    async fn run(&self, conn: &mut Conn, sql: &Sql, params: Vec<Raw>) -> Result<()> {
        let statement = self.prepare(conn, sql, params.len()).await?;
        let run = async {
            conn.exec_drop(statement, params)
                .await
                .map_err(|e| self.seen(e))
        };
        self.statement(run).await
    }

    /// Every row through `f`, as they arrive.
    pub(crate) async fn fetch_each(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        mut f: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<u64> {
        let params = values::params(params)?;
        self.with(async |conn| {
            let statement = self.prepare(conn, sql, params.len()).await?;
            let run = async {
                conn.exec_iter(statement, params)
                    .await
                    .map_err(|e| self.seen(e))
            };
            let mut rows = self.statement(run).await?;
            let mut count = 0;
            loop {
                let next = async { rows.next().await.map_err(|e| self.seen(e)) };
                let Some(row) = self.statement(next).await? else {
                    return Ok(count);
                };
                let mapped = f(&Row(Source::Mysql(&row)));
                if let Err(e) = mapped {
                    let rest = async { rows.drop_result().await.map_err(|e| self.seen(e)) };
                    self.statement(rest).await?;
                    return Err(e);
                }
                count += 1;
            }
        })
        .await
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

    pub(crate) async fn execute(&self, sql: &Sql, params: &[Value<'_>]) -> Result<u64> {
        let params = values::params(params)?;
        self.with(async |conn| {
            self.run(conn, sql, params).await?;
            Ok(conn.affected_rows())
        })
        .await
    }

    pub(crate) async fn insert(&self, sql: &Sql, params: &[Value<'_>]) -> Result<i64> {
        let params = values::params(params)?;
        self.with(async |conn| {
            self.run(conn, sql, params).await?;
            let key = conn.last_insert_id().and_then(|key| key.try_into().ok());
            key.ok_or_else(|| Error::new(ErrorKind::Other, "the INSERT made no key"))
        })
        .await
    }

    /// Without parameters; several statements separated by `;` too.
    pub(crate) async fn batch(&self, sql: &str) -> Result<()> {
        self.with(async |conn| {
            self.statement(async { conn.query_drop(sql).await.map_err(|e| self.seen(e)) })
                .await
        })
        .await
    }

    /// DDL, without the limit for statements.
    pub(crate) async fn script(&self, sql: &str) -> Result<()> {
        self.with(async |conn| {
            let run = async { conn.query_drop(sql).await.map_err(|e| self.seen(e)) };
            self.noted(self.limits.script(run).await)
        })
        .await
    }

    pub(super) async fn begin(&self) -> Result<()> {
        self.in_transaction.store(true, Ordering::Relaxed);
        self.batch("START TRANSACTION").await
    }

    pub(crate) async fn end(&self, commit: bool) -> Result<()> {
        self.batch(if commit { "COMMIT" } else { "ROLLBACK" })
            .await?;
        self.in_transaction.store(false, Ordering::Relaxed);
        self.held.lock().await.set_clean(true);
        Ok(())
    }
}

/// Dropped before its end: the connection is broken.
struct Underway<'a>(&'a AtomicBool);

impl Underway<'_> {
    fn ended(self) {
        std::mem::forget(self);
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A deadlock rolls the whole transaction back, and so may a lock that was not given in time: what
/// came next would be committed statement by statement.
fn ends_transaction(error: &Failure) -> bool {
    matches!(error, Failure::Server(error) if matches!(error.code, 1205 | 1213))
}
