//! Statements on one connection, inside of a transaction or not.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use deadpool::managed::Object;
use deadpool_postgres::Manager;
use futures_util::TryStreamExt;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::errors::map;
use super::params::{Param, is_too_wide};
use crate::pool::{Held, Limits};
use crate::row::Source;
use crate::{Error, ErrorKind, Result, Row, Sql, Value};

/// Prepared statements kept by one connection; the builder's lists could make any number.
const KEPT_STATEMENTS: usize = 512;

/// A connection taken from the pool. Statements may be sent at the same time: they are pipelined.
pub(crate) struct Connection {
    held: Held<Manager>,
    limits: Limits,
    /// The server has said farewell, or the connection failed.
    broken: AtomicBool,
    /// A prepared statement no longer fitted its tables.
    stale: AtomicBool,
}

impl Connection {
    pub(super) fn new(object: Object<Manager>, limits: Limits) -> Self {
        Connection {
            held: Held::new(object),
            limits,
            broken: AtomicBool::new(false),
            stale: AtomicBool::new(false),
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed) || self.held.is_closed()
    }

    /// Whether a statement that has given nothing yet may do better on a fresh connection, or
    /// prepared anew.
    pub(super) fn may_do_better(&self) -> bool {
        self.is_broken() || self.stale.load(Ordering::Relaxed)
    }

    /// Every row through `f`, as they arrive.
    pub(crate) async fn fetch_each(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        mut f: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<u64> {
        let statement = self.prepare(sql.postgres(), params).await?;
        let rows = self.held.query_raw(&statement, as_params(params));
        let rows = self
            .timed(async { rows.await.map_err(|e| self.seen(&e)) })
            .await?;
        let mut rows = pin!(rows);
        let mut count = 0;
        loop {
            let next = self
                .timed(async { rows.try_next().await.map_err(|e| self.seen(&e)) })
                .await;
            let Some(row) = next? else { return Ok(count) };
            f(&Row(Source::Postgres(&row)))?;
            count += 1;
        }
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
        let statement = self.prepare(sql.postgres(), params).await?;
        let run = self.held.execute_raw(&statement, as_params(params));
        self.timed(async { run.await.map_err(|e| self.seen(&e)) })
            .await
    }

    pub(crate) async fn insert(&self, sql: &Sql, params: &[Value<'_>]) -> Result<i64> {
        let text = sql.postgres_returning().unwrap_or_default();
        let statement = self.prepare(text, params).await?;
        let run = async {
            let rows = self.held.query_raw(&statement, as_params(params)).await?;
            // To the end: foreign keys that are checked late fail after the row.
            rows.try_collect::<Vec<_>>().await
        };
        let rows = self
            .timed(async { run.await.map_err(|e| self.seen(&e)) })
            .await;
        let rows = rows?;
        let row = rows.first();
        let key = row.map(|row| Row(Source::Postgres(row)).get::<i64>(0));
        key.unwrap_or_else(|| Err(Error::new(ErrorKind::Other, "the INSERT made no row")))
    }

    /// The prepared statement, with parameters wide enough for the values: an integer that does
    /// not fit its column is compared as what it is, or refused by the column.
    async fn prepare(&self, text: &str, params: &[Value<'_>]) -> Result<Statement> {
        if self.held.statement_cache.size() > KEPT_STATEMENTS {
            self.held.statement_cache.clear();
        }
        let statement = self
            .timed(async {
                self.held
                    .prepare_cached(text)
                    .await
                    .map_err(|e| self.seen(&e))
            })
            .await?;
        let types = statement.params();
        check(types, params)?;
        if !types
            .iter()
            .zip(params)
            .any(|(ty, value)| is_too_wide(value, ty))
        {
            return Ok(statement);
        }
        let wide = |(ty, value): (&Type, &Value<'_>)| {
            if is_too_wide(value, ty) {
                Type::INT8
            } else {
                ty.clone()
            }
        };
        let types: Vec<Type> = types.iter().zip(params).map(wide).collect();
        self.timed(async {
            self.held
                .prepare_typed(text, &types)
                .await
                .map_err(|e| self.seen(&e))
        })
        .await
    }

    /// Notes what an error tells about the connection and its prepared statements.
    fn seen(&self, error: &tokio_postgres::Error) -> Error {
        match error.code().map(SqlState::code) {
            // A table has changed under a plan, or somebody has discarded it.
            Some("0A000" | "26000") => {
                self.held.statement_cache.clear();
                self.stale.store(true, Ordering::Relaxed);
            }
            Some(code) if code.starts_with("57P") || code.starts_with("08") => self.set_broken(),
            None if error.is_closed() => self.set_broken(),
            _ => {}
        }
        map(error)
    }

    fn set_broken(&self) {
        self.broken.store(true, Ordering::Relaxed);
        self.held.set_clean(false);
    }

    /// Without parameters; several statements separated by `;` too.
    pub(crate) async fn batch(&self, sql: &str) -> Result<()> {
        self.timed(async {
            self.held
                .batch_execute(sql)
                .await
                .map_err(|e| self.seen(&e))
        })
        .await
    }

    /// DDL in a transaction, without the limit for statements.
    pub(crate) async fn script(&self, sql: &str) -> Result<()> {
        self.batch("SET LOCAL statement_timeout = 0").await?;
        let run = async {
            self.held
                .batch_execute(sql)
                .await
                .map_err(|e| self.seen(&e))
        };
        self.noted(self.limits.script(run).await)
    }

    pub(super) async fn begin(&self) -> Result<()> {
        self.held.set_clean(false);
        self.batch("BEGIN").await
    }

    pub(crate) async fn end(&self, commit: bool) -> Result<()> {
        // COMMIT of a transaction that has failed rolls back and calls that a success; the SELECT
        // fails there.
        let committed = if commit {
            self.batch("SELECT 1; COMMIT").await
        } else {
            Ok(())
        };
        if !commit || committed.is_err() {
            self.batch("ROLLBACK").await?;
        }
        self.held.set_clean(true);
        committed
    }

    async fn timed<T>(&self, f: impl Future<Output = Result<T>>) -> Result<T> {
        self.noted(self.limits.statement(f).await)
    }

    /// After a statement without an answer the connection is not used again.
    fn noted<T>(&self, answer: Result<T>) -> Result<T> {
        if matches!(&answer, Err(e) if *e.kind() == ErrorKind::Unavailable) {
            self.held.set_clean(false);
        }
        answer
    }
}

fn as_params<'a>(params: &'a [Value<'a>]) -> impl ExactSizeIterator<Item = Param<'a>> {
    params.iter().map(Param)
}

fn check(types: &[Type], params: &[Value<'_>]) -> Result<()> {
    if types.len() != params.len() {
        let text = format!("{} values for {} marks", params.len(), types.len());
        return Err(Error::new(ErrorKind::Other, text));
    }
    if params
        .iter()
        .any(|v| matches!(v, Value::Text(text) if text.contains('\0')))
    {
        return Err(Error::new(
            ErrorKind::Data,
            "PostgreSQL has no text with NUL characters: it can be neither stored nor found",
        ));
    }
    Ok(())
}
