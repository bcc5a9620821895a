//! One migration at a time, across processes.

use djauth_db::{Database, Dialect, Executor, Sql, Transaction};

use crate::{Error, ErrorKind};

/// Takes the lock for the rest of the transaction. SQLite's transactions exclude each other already.
pub(super) async fn in_transaction(transaction: &Transaction) -> Result<(), Error> {
    if transaction.dialect() == Dialect::Postgres {
        // The function answers `void`, which is no value: ask for something beside it.
        transaction
            .fetch(&POSTGRES, &[], |row| row.get::<bool>(0))
            .await?;
    }
    Ok(())
}

/// A lock that lives as long as its connection; for MariaDB, where each statement of DDL ends a transaction.
pub(super) struct Lock(Transaction);

impl Lock {
    /// Waits for the lock, a minute at most.
    pub(super) async fn acquire(db: &Database) -> Result<Self, Error> {
        let connection = db.begin().await?;
        let taken = connection
            .fetch_optional(&TAKE, &[], |row| row.get::<Option<i64>>(0))
            .await?;
        if taken.flatten() == Some(1) {
            return Ok(Lock(connection));
        }
        Err(Error::new(
            ErrorKind::Busy,
            "another process has been migrating this database for a minute",
        ))
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
static POSTGRES: Sql = Sql::new("SELECT pg_advisory_xact_lock(7235702908416188269) IS NULL");
static TAKE: Sql = Sql::new("SELECT GET_LOCK(CONCAT('djauth.migrate.', MD5(DATABASE())), 60)");
static RELEASE: Sql = Sql::new("SELECT RELEASE_LOCK(CONCAT('djauth.migrate.', MD5(DATABASE())))");
