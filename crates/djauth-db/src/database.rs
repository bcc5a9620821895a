//! The database handle.

use std::fmt;
use std::sync::Arc;

use crate::mysql::Mysql;
use crate::own_writes::{OwnWrites, Writing};
use crate::pool::PoolStats;
use crate::postgres::Postgres;
use crate::sqlite::{DataVersion, Sqlite};
use crate::url::{self, Target};
use crate::{Dialect, Error, Executor, Result, Row, Sql, Transaction, Value};

/// A database with its connections. A cheap handle: clones share everything.
///
/// Needs a Tokio runtime with I/O and time.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    backend: Backend,
    own_writes: OwnWrites,
}

enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
    Mysql(Mysql),
}

impl Database {
    /// Connects by URL and makes sure that the database answers.
    ///
    /// - `sqlite://relative/path`, `sqlite:///absolute/path`, with the options `mode=ro`, `mode=rw`
    ///   (the default: the file must be there) or `mode=rwc` (made when missing, in WAL mode,
    ///   readable by its owner only), `journal_mode=wal` (turns WAL on for a file that is there),
    ///   `timeout=SECONDS` (how long to wait for a locked file, 5 by default). The journal mode of
    ///   a file that somebody else made is left alone. `:memory:` is refused: each connection
    ///   would see a database of its own.
    ///
    /// - `postgres://user:password@host:port/database` and `mysql://…` (MariaDB), with the options
    ///   `sslmode` (`disable`, `prefer`, which is the default, `require`, `verify-ca`,
    ///   `verify-full`, as libpq defines them; on MariaDB `verify-ca` checks the name as well),
    ///   `sslrootcert=FILE` (without it the system's authorities are trusted, on MariaDB Mozilla's),
    ///   `host=/socket`, `pool_size`, `connect_timeout` (seconds to wait for a connection, 5 by
    ///   default), `statement_timeout` (seconds for one statement, 30 by default), and for
    ///   PostgreSQL `options` (such as `-c search_path=app`, percent-encoded). A broken connection
    ///   is replaced by itself. Sessions keep settings and prepared statements: a pooler in between
    ///   must not hand them out by the transaction, unless it knows about both.
    ///
    /// Special characters in parts of a URL are percent-encoded.
    ///
    /// # Errors
    /// `Configuration` when the URL cannot be used, `Unavailable` when the server cannot be
    /// reached. No error shows the URL.
    pub async fn connect(url: &str) -> Result<Self> {
        let own_writes = OwnWrites::default();
        let backend = match url::parse(url)? {
            Target::Sqlite(options) => {
                let counter = own_writes.clone();
                let open = || Sqlite::open(options, counter);
                let opened = tokio::task::spawn_blocking(open).await;
                Backend::Sqlite(opened.map_err(|_| Error::closed())??)
            }
            Target::Postgres(server) => Backend::Postgres(Postgres::connect(server).await?),
            Target::Mysql(server) => Backend::Mysql(Mysql::connect(server).await?),
        };
        Ok(Database(Arc::new(Inner {
            backend,
            own_writes,
        })))
    }

    /// Runs `f` in a transaction: committed when it answers `Ok`, else rolled back.
    ///
    /// ```no_run
    /// # use djauth_db::{Database, Error, Executor, Sql};
    /// # async fn f(db: Database) -> Result<(), Error> {
    /// static CLEAR: Sql = Sql::new("DELETE FROM auth_group");
    /// db.transaction(async |tx| tx.execute(&CLEAR, vec![]).await).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of `f`, of beginning and of committing.
    pub async fn transaction<T, E: From<Error>>(
        &self,
        f: impl AsyncFnOnce(&Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.begin().await?;
        match f(&transaction).await {
            Ok(answer) => {
                transaction.commit().await?;
                Ok(answer)
            }
            Err(e) => {
                // The first error tells more than one of rolling back.
                let _ = transaction.rollback().await;
                Err(e)
            }
        }
    }

    /// How busy the connections are; `None` for SQLite, which has no pool in this sense.
    #[must_use]
    pub fn pool_stats(&self) -> Option<PoolStats> {
        match &self.0.backend {
            Backend::Sqlite(_) => None,
            Backend::Postgres(postgres) => Some(postgres.stats()),
            Backend::Mysql(mysql) => Some(mysql.stats()),
        }
    }

    /// What tells whether a SQLite file has been written to, by anybody; `None` for a server. Each has
    /// a connection of its own.
    #[must_use]
    pub fn data_version(&self) -> Option<DataVersion> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => Some(sqlite.data_version()),
            Backend::Postgres(_) | Backend::Mysql(_) => None,
        }
    }

    /// A number that moves before and after each write of our own through this handle and its clones
    /// (statements and transactions; whether they change anything is not looked at). Who loads it
    /// and then reads knows, as long as it stays, that nothing which this process has written since
    /// is missing from what was read.
    #[must_use]
    pub fn own_writes(&self) -> u64 {
        self.0.own_writes.count()
    }

    /// Whether the database answers a statement.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<()> {
        static PING: Sql = Sql::new("SELECT 1");
        self.fetch_optional(&PING, &[], |_| Ok(())).await.map(drop)
    }

    /// Closes every connection after what is under way. Later calls answer `Closed`.
    pub async fn close(&self) {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close(),
            Backend::Mysql(mysql) => mysql.close(),
        }
    }
}

impl Database {
    /// Counts a write to a server. That to SQLite is counted where it happens, because it may happen
    /// after its caller has gone.
    fn writing(&self, writes: bool) -> Option<Writing<'_>> {
        let here = writes && !matches!(self.0.backend, Backend::Sqlite(_));
        here.then(|| self.0.own_writes.begin())
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({:?})", self.dialect())
    }
}

impl Executor for Database {
    fn dialect(&self) -> Dialect {
        match &self.0.backend {
            Backend::Sqlite(_) => Dialect::Sqlite,
            Backend::Postgres(_) => Dialect::Postgres,
            Backend::Mysql(_) => Dialect::Mysql,
        }
    }

    async fn fetch<T: Send>(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        f: impl FnMut(&Row<'_>) -> Result<T> + Send,
    ) -> Result<Vec<T>> {
        let _writing = self.writing(!sql.is_select());
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.fetch(sql, params, f).await,
            Backend::Postgres(postgres) => postgres.fetch(sql, params, f).await,
            Backend::Mysql(mysql) => mysql.fetch(sql, params, f).await,
        }
    }

    async fn fetch_each(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        f: impl FnMut(&Row<'_>) -> Result<()> + Send,
    ) -> Result<u64> {
        let _writing = self.writing(!sql.is_select());
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.fetch_each(sql, params, f).await,
            Backend::Postgres(postgres) => postgres.fetch_each(sql, params, f).await,
            Backend::Mysql(mysql) => mysql.fetch_each(sql, params, f).await,
        }
    }

    async fn execute(&self, sql: &Sql, params: Vec<Value<'_>>) -> Result<u64> {
        let _writing = self.writing(true);
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.execute(sql, params).await,
            Backend::Postgres(postgres) => postgres.execute(sql, &params).await,
            Backend::Mysql(mysql) => mysql.execute(sql, &params).await,
        }
    }

    async fn insert(&self, sql: &Sql, params: Vec<Value<'_>>) -> Result<i64> {
        sql.check_insert()?;
        let _writing = self.writing(true);
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.insert(sql, params).await,
            Backend::Postgres(postgres) => postgres.insert(sql, &params).await,
            Backend::Mysql(mysql) => mysql.insert(sql, &params).await,
        }
    }

    async fn begin(&self) -> Result<Transaction> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => Ok(Transaction::sqlite(sqlite.begin().await?)),
            Backend::Postgres(postgres) => {
                let own_writes = self.0.own_writes.clone();
                Ok(Transaction::postgres(postgres.begin().await?, own_writes))
            }
            Backend::Mysql(mysql) => {
                let own_writes = self.0.own_writes.clone();
                Ok(Transaction::mysql(mysql.begin().await?, own_writes))
            }
        }
    }
}
