//! Counters in the table `djauth_login_attempts`.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use super::Counter;
use crate::db::{Database, ErrorKind as DbErrorKind, Executor, Sql};
use crate::{Error, ErrorKind};

pub(super) struct Table {
    db: Database,
    /// When rows whose period is over are deleted again.
    next_sweep: AtomicI64,
}

static FIND: Sql = Sql::new("SELECT 1 FROM djauth_login_attempts WHERE counter = ''");
/// One statement compares and counts: the row is locked meanwhile. On MariaDB the assignments are made
/// in this order, each on what the ones before left.
static COUNT: Sql = Sql::new(
    "UPDATE djauth_login_attempts \
     SET attempts = CASE WHEN period_end < ? THEN 1 ELSE attempts + 1 END, \
         period_end = CASE WHEN period_end < ? THEN ? ELSE period_end END \
     WHERE counter = ? AND (period_end < ? OR attempts < ?)",
);
/// A row that is there and was not counted may have been begun in between.
static FULL: Sql = Sql::new(
    "SELECT 1 FROM djauth_login_attempts WHERE counter = ? AND period_end >= ? AND attempts >= ?",
);
static FIRST: Sql =
    Sql::new("INSERT INTO djauth_login_attempts (counter, period_end, attempts) VALUES (?, ?, 1)");
static TAKE_BACK: Sql = Sql::new(
    "UPDATE djauth_login_attempts SET attempts = attempts - 1 \
     WHERE counter = ? AND period_end = ? AND attempts > 0",
);
static TAKE_BACK_TWO: Sql = Sql::new(
    "UPDATE djauth_login_attempts SET attempts = attempts - 1 \
     WHERE (counter = ? AND period_end = ? OR counter = ? AND period_end = ?) AND attempts > 0",
);
static FORGET: Sql = Sql::new("DELETE FROM djauth_login_attempts WHERE counter = ?");
static FORGET_ALL: Sql = Sql::new("DELETE FROM djauth_login_attempts");
/// In parts: a flood of names leaves many rows, and nobody can log in while they are locked.
static SWEEP: Sql = Sql::with_mysql(
    "DELETE FROM djauth_login_attempts WHERE counter IN \
     (SELECT counter FROM djauth_login_attempts WHERE period_end <= ? LIMIT 500) AND period_end <= ?",
    "DELETE FROM djauth_login_attempts WHERE period_end <= ? AND period_end <= ? LIMIT 500",
);

/// How often a counter that several begin at once is tried.
const ATTEMPTS: usize = 8;
/// Seconds between two sweeps.
const SWEEP_EVERY: i64 = 300;
/// The longest pause between two parts of one.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

impl Table {
    /// The table, if the database has it.
    pub(super) async fn find(db: &Database) -> Result<Option<Self>, Error> {
        match db.fetch(&FIND, &[], |_| Ok(())).await {
            Ok(_) => Ok(Some(Self {
                db: db.clone(),
                next_sweep: AtomicI64::new(0),
            })),
            Err(error) if *error.kind() == DbErrorKind::SchemaMissing => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn count(&self, counter: &Counter) -> Result<bool, Error> {
        self.sweep(counter.now);
        for _ in 0..ATTEMPTS {
            match self.try_count(counter).await {
                Ok(Some(counted)) => return Ok(counted),
                Ok(None) => {}
                // On MariaDB rows that are begun at once may block each other; one of them is undone.
                Err(error) if *error.kind() == DbErrorKind::Busy => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::new(
            ErrorKind::Busy,
            "too many attempts to log in are being counted at once",
        ))
    }

    /// `None`: somebody else began the counter meanwhile.
    async fn try_count(&self, counter: &Counter) -> Result<Option<bool>, crate::db::Error> {
        let id = || counter.id.as_str().into();
        let end = || counter.period_end.into();
        let limit = || i64::from(counter.limit).into();
        let params = vec![end(), end(), end(), id(), end(), limit()];
        if self.db.execute(&COUNT, params).await? > 0 {
            return Ok(Some(true));
        }
        let params = [id(), end(), limit()];
        let full = self.db.fetch_optional(&FULL, &params, |_| Ok(())).await?;
        if full.is_some() {
            return Ok(Some(false));
        }
        match self.db.execute(&FIRST, vec![id(), end()]).await {
            Ok(_) => Ok(Some(true)),
            Err(error) if error.is_unique_violation() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Of two at a time in one statement: each would wait for the disk.
    pub(super) async fn take_back(&self, counters: &[Counter]) -> Result<(), Error> {
        for some in counters.chunks(2) {
            let statement = if some.len() == 2 {
                &TAKE_BACK_TWO
            } else {
                &TAKE_BACK
            };
            let params = some
                .iter()
                .flat_map(|counter| [counter.id.as_str().into(), counter.period_end.into()]);
            self.db.execute(statement, params.collect()).await?;
        }
        Ok(())
    }

    pub(super) async fn forget(&self, counter: &Counter) -> Result<bool, Error> {
        let params = vec![counter.id.as_str().into()];
        Ok(self.db.execute(&FORGET, params).await? > 0)
    }

    pub(super) async fn forget_all(&self) -> Result<(), Error> {
        self.db.execute(&FORGET_ALL, Vec::new()).await?;
        Ok(())
    }

    /// Deletes what is over, now and then, while nobody waits for it.
    fn sweep(&self, now: i64) {
        let due = self.next_sweep.load(Ordering::Relaxed);
        let next = now + SWEEP_EVERY;
        let order = Ordering::Relaxed;
        if now < due
            || self
                .next_sweep
                .compare_exchange(due, next, order, order)
                .is_err()
        {
            return;
        }
        let db = self.db.clone();
        tokio::spawn(async move {
            if let Err(error) = delete_old(&db, now).await {
                tracing::debug!(target: "djauth.rate_limit", %error, "old counters stay");
            }
        });
    }
}

/// After each part others have as long as it took.
async fn delete_old(db: &Database, now: i64) -> Result<(), crate::db::Error> {
    loop {
        let begun = Instant::now();
        if db.execute(&SWEEP, vec![now.into(), now.into()]).await? == 0 {
            return Ok(());
        }
        tokio::time::sleep(begun.elapsed().min(LONGEST_PAUSE)).await;
    }
}
