//! One migration at a time, across processes.

use std::time::Duration;

use djauth_db::{Database, Dialect, Executor, Sql, Transaction};

use crate::{Error, ErrorKind};

/// How often the lock is asked for again, and how often in all: a minute. A statement that waited for
/// it would be given up long before, as every statement that does not answer.
const PAUSE: Duration = Duration::from_millis(100);
const ATTEMPTS: usize = 600;

/// Takes the lock for the rest of the transaction, waiting a minute at most. SQLite's transactions exclude
/// each other already.
pub(super) async fn in_transaction(transaction: &Transaction) -> Result<(), Error> {
    match transaction.dialect() {
        Dialect::Postgres => wait_for(transaction, &POSTGRES).await,
        Dialect::Sqlite | Dialect::Mysql => Ok(()),
    }
}

/// Runs a statement that tries to take the lock until it answers 1.
async fn wait_for(transaction: &Transaction, attempt: &Sql) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let taken = transaction
            .fetch_optional(attempt, &[], |row| row.get::<Option<i64>>(0))
            .await?;
        if taken.flatten() == Some(1) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Error::new(
        ErrorKind::Busy,
        "another process has been migrating this database for a minute",
    ))
}

/// A lock that lives as long as its connection; for MariaDB, where each statement of DDL ends a transaction.
pub(super) struct Lock(Transaction);

impl Lock {
    /// Waits for the lock, a minute at most.
    pub(super) async fn acquire(db: &Database) -> Result<Self, Error> {
        let connection = db.begin().await?;
        wait_for(&connection, &TAKE).await?;
        Ok(Lock(connection))
    }

    /// The connection that holds the lock.
    pub(super) fn connection(&self) -> &Transaction {
        &self.0
    }

    /// Gives the lock back. What was not committed is undone unless it is to be kept.
    pub(super) async fn release(self, keep: bool) -> Result<(), Error> {
        let released = self
            .0
            .fetch(&RELEASE, &[], |row| row.get::<Option<i64>>(0))
            .await;
        if keep {
            released?;
            return Ok(self.0.commit().await?);
        }
        // The error that led here tells more; a connection that is gone has lost the lock anyhow.
        let _ = self.0.rollback().await;
        Ok(())
    }
}

/// The key is `djauth_m` in ASCII.
static POSTGRES: Sql =
    Sql::new("SELECT CAST(pg_try_advisory_xact_lock(7235702908416188269) AS integer)");
static TAKE: Sql = Sql::new("SELECT GET_LOCK(CONCAT('djauth.migrate.', MD5(DATABASE())), 0)");
static RELEASE: Sql = Sql::new("SELECT RELEASE_LOCK(CONCAT('djauth.migrate.', MD5(DATABASE())))");
