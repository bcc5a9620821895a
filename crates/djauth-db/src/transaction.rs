//! Transactions and savepoints.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;

use crate::own_writes::OwnWrites;
use crate::sqlite::Lease;
use crate::{Dialect, Error, Executor, Result, Row, Sql, Value};
use crate::{mysql, postgres};

/// A transaction, or a savepoint inside of one. Owned and `Send`; dropped without
/// [`commit`](Transaction::commit) it is rolled back.
///
/// On SQLite it is the one writer, leased: hold it briefly. One that runs no statement for twice the
/// busy timeout (ten seconds by default) is rolled back, and later calls answer `Closed`. On PostgreSQL a failed statement spoils
/// the rest of the transaction: put what may fail into a savepoint
/// ([`begin`](Executor::begin) on the transaction).
pub struct Transaction {
    shared: Arc<Shared>,
    /// The savepoint's number; `None` is the transaction itself.
    savepoint: Option<u32>,
    open: bool,
}

struct Shared {
    dialect: Dialect,
    connection: Mutex<Option<Arc<Connection>>>,
    next: AtomicU32,
    /// None on SQLite, where the writer's thread counts.
    own_writes: Option<OwnWrites>,
    /// Savepoints that were dropped and wait to be rolled back before the next statement.
    dropped: Mutex<Vec<u32>>,
}

enum Connection {
    Sqlite(Lease),
    Postgres(postgres::Connection),
    Mysql(mysql::Connection),
}

impl Transaction {
    pub(crate) fn sqlite(lease: Lease) -> Self {
        Transaction::new(Dialect::Sqlite, Connection::Sqlite(lease), None)
    }

    pub(crate) fn postgres(connection: postgres::Connection, own_writes: OwnWrites) -> Self {
        let connection = Connection::Postgres(connection);
        Transaction::new(Dialect::Postgres, connection, Some(own_writes))
    }

    pub(crate) fn mysql(connection: mysql::Connection, own_writes: OwnWrites) -> Self {
        let connection = Connection::Mysql(connection);
        Transaction::new(Dialect::Mysql, connection, Some(own_writes))
    }

    fn new(dialect: Dialect, connection: Connection, own_writes: Option<OwnWrites>) -> Self {
        let shared = Shared {
            dialect,
            connection: Mutex::new(Some(Arc::new(connection))),
            next: AtomicU32::new(1),
            own_writes,
            dropped: Mutex::default(),
        };
        Transaction {
            shared: Arc::new(shared),
            savepoint: None,
            open: true,
        }
    }

    /// Makes it last. Of a savepoint: makes it part of the transaction around it.
    ///
    /// # Errors
    /// `ForeignKeyViolation` as well: Django's foreign keys are checked here. After an error
    /// nothing of it is in the database; after `Unavailable` that is not known.
    pub async fn commit(mut self) -> Result<()> {
        let connection = self.ready().await?;
        self.open = false;
        match self.savepoint {
            Some(number) => {
                connection
                    .run(&format!("RELEASE SAVEPOINT djauth_{number}"))
                    .await
            }
            None => {
                self.shared.connection.lock().take();
                let _writing = self.shared.own_writes.as_ref().map(OwnWrites::begin);
                connection.end(true).await
            }
        }
    }

    /// Undoes it.
    ///
    /// # Errors
    /// `Unavailable`, when it is undone by the server itself.
    pub async fn rollback(mut self) -> Result<()> {
        self.open = false;
        match self.savepoint {
            Some(number) => {
                self.shared.dropped.lock().push(number);
                self.ready().await.map(drop)
            }
            None => {
                let connection = self.shared.connection.lock().take();
                connection
                    .ok_or_else(Error::transaction_over)?
                    .end(false)
                    .await
            }
        }
    }

    /// Runs DDL: one statement, or several separated by `;`. Written by the caller's generators,
    /// never from input.
    ///
    /// On SQLite and PostgreSQL it is part of the transaction. MariaDB commits before and after
    /// each DDL statement by itself.
    ///
    /// # Errors
    /// Those of the statements.
    pub async fn execute_script(&self, sql: &str) -> Result<()> {
        let connection = self.ready().await?;
        // MariaDB commits here.
        let _writing = self.shared.own_writes.as_ref().map(OwnWrites::begin);
        connection.script(sql).await
    }

    /// The connection, after rolling back dropped savepoints.
    async fn ready(&self) -> Result<Arc<Connection>> {
        let connection = self.shared.connection.lock().clone();
        let connection = connection.ok_or_else(Error::transaction_over)?;
        // Rolling back the outermost takes the inner ones with it.
        let outermost = std::mem::take(&mut *self.shared.dropped.lock())
            .into_iter()
            .min();
        if let Some(number) = outermost {
            let undo =
                format!("ROLLBACK TO SAVEPOINT djauth_{number}; RELEASE SAVEPOINT djauth_{number}");
            connection.run(&undo).await?;
        }
        Ok(connection)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        match self.savepoint {
            Some(number) => self.shared.dropped.lock().push(number),
            None => drop(self.shared.connection.lock().take()),
        }
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("savepoint", &self.savepoint)
            .finish_non_exhaustive()
    }
}

impl Connection {
    async fn run(&self, sql: &str) -> Result<()> {
        match self {
            Connection::Sqlite(lease) => lease.execute_batch(sql).await,
            Connection::Postgres(connection) => connection.batch(sql).await,
            Connection::Mysql(connection) => connection.batch(sql).await,
        }
    }

    async fn script(&self, sql: &str) -> Result<()> {
        match self {
            Connection::Sqlite(lease) => lease.execute_batch(sql).await,
            Connection::Postgres(connection) => connection.script(sql).await,
            Connection::Mysql(connection) => connection.script(sql).await,
        }
    }

    async fn end(&self, commit: bool) -> Result<()> {
        match self {
            Connection::Sqlite(lease) => lease.end(commit).await,
            Connection::Postgres(connection) => connection.end(commit).await,
            Connection::Mysql(connection) => connection.end(commit).await,
        }
    }
}

impl Executor for Transaction {
    fn dialect(&self) -> Dialect {
        self.shared.dialect
    }

    async fn fetch<T: Send>(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        f: impl FnMut(&Row<'_>) -> Result<T> + Send,
    ) -> Result<Vec<T>> {
        match &*self.ready().await? {
            Connection::Sqlite(lease) => lease.fetch(sql, params, f).await,
            Connection::Postgres(connection) => connection.fetch(sql, params, f).await,
            Connection::Mysql(connection) => connection.fetch(sql, params, f).await,
        }
    }

    async fn fetch_each(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        f: impl FnMut(&Row<'_>) -> Result<()> + Send,
    ) -> Result<u64> {
        match &*self.ready().await? {
            Connection::Sqlite(lease) => Ok(lease.fetch(sql, params, f).await?.len() as u64),
            Connection::Postgres(connection) => connection.fetch_each(sql, params, f).await,
            Connection::Mysql(connection) => connection.fetch_each(sql, params, f).await,
        }
    }

    async fn execute(&self, sql: &Sql, params: Vec<Value<'_>>) -> Result<u64> {
        match &*self.ready().await? {
            Connection::Sqlite(lease) => lease.execute(sql, params).await,
            Connection::Postgres(connection) => connection.execute(sql, &params).await,
            Connection::Mysql(connection) => connection.execute(sql, &params).await,
        }
    }

    async fn insert(&self, sql: &Sql, params: Vec<Value<'_>>) -> Result<i64> {
        sql.check_insert()?;
        match &*self.ready().await? {
            Connection::Sqlite(lease) => lease.insert(sql, params).await,
            Connection::Postgres(connection) => connection.insert(sql, &params).await,
            Connection::Mysql(connection) => connection.insert(sql, &params).await,
        }
    }

    async fn begin(&self) -> Result<Transaction> {
        let connection = self.ready().await?;
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        // Made before the await: a future dropped half-way rolls back what may have begun.
        let savepoint = Transaction {
            shared: Arc::clone(&self.shared),
            savepoint: Some(number),
            open: true,
        };
        connection
            .run(&format!("SAVEPOINT djauth_{number}"))
            .await?;
        Ok(savepoint)
    }
}
