//! The log of logins, logouts and failures, in the tables of django-axes: `axes_accesslog` and
//! `axes_accessfailurelog`.
//!
//! [`Auth::migrate`] makes the tables in databases that it makes. Beside a Django site they are used if the site has
//! django-axes, and never made. Receivers of the three [signals](crate::signals) write what axes writes: a row for
//! each login, with the SHA-256 of the session's key; when that session's user logs out, the time of it in the newest
//! such row; and a row for each failure, with the *name* that was given and never a password. Who types a password
//! into the field of the name finds it in the log, as with axes: who may read the log reads that too.
//!
//! - **No login waits for it, or fails by it.** What happened is put into a queue in memory, whoever it was about, and
//!   written about a second later: everything that waits in one transaction, so that a storm of failures is one commit
//!   a second. What the database cannot take at the moment waits; [`AccessLog::flush`] writes at once.
//! - **The queue is bounded.** Beyond 4,096 entries failures are dropped and counted, beyond 5,120 everything is; the
//!   log says how many.
//! - **It is drained.** The server writes what waits when it is stopped; see [`AccessLog::drain`].
//! - **Old rows go.** `clearsessions` deletes those older than `ACCESS_LOG_DAYS` days ([`AccessLog::trim`]), in
//!   databases that djauth made. In others axes' own commands do that.
//!
//! Failures without a request are not written, as axes does not write them; and attempts that the
//! [limit](crate::rate_limit) refuses are no failures, because nothing was looked at.

mod entry;
mod layout;
mod queue;
mod receivers;
mod rows;
mod trim;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use djauth_signing::Clock;

use self::queue::Queue;
pub(crate) use self::receivers::connect;
use crate::base_user::BaseUser;
use crate::db::Database;
use crate::settings::Settings;
use crate::{Auth, Error};

/// The log's name for it.
const TARGET: &str = "djauth.access_log";

/// The log of logins of an [`Auth`]. See the [module's page](self). Clones share it.
#[derive(Clone)]
pub struct AccessLog {
    db: Database,
    queue: Queue,
    clock: Arc<dyn Clock>,
    /// Zero: for ever.
    days: u64,
}

impl AccessLog {
    pub(crate) fn new(db: &Database, settings: &Settings, clock: &Arc<dyn Clock>) -> Self {
        Self {
            db: db.clone(),
            queue: Queue::new(db),
            clock: clock.clone(),
            days: settings.access_log_days,
        }
    }

    /// Writes what waits, now. What cannot be written waits on; the log says so.
    pub async fn flush(&self) {
        self.queue.flush().await;
    }

    /// Takes nothing more on and writes what waits. False: something was left when the time was up; the log says
    /// how much.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.queue.drain(limit).await
    }

    /// How many entries wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Deletes rows that are older than `ACCESS_LOG_DAYS`, a thousand at a time, and answers how many. Nothing in
    /// databases that djauth has not made, or if the setting is 0.
    ///
    /// # Errors
    /// The database's.
    pub async fn trim(&self) -> Result<u64, Error> {
        let days = i64::try_from(self.days).unwrap_or(i64::MAX);
        let age = TimeDelta::try_days(days).filter(|age| !age.is_zero());
        match age.and_then(|age| self.clock.now().checked_sub_signed(age)) {
            Some(end) => trim::before(&self.db, end).await,
            None => Ok(0),
        }
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLog")
            .field("waiting", &self.waiting())
            .field("days", &self.days)
            .finish_non_exhaustive()
    }
}

impl<U: BaseUser> Auth<U> {
    /// The log of logins, logouts and failures.
    #[must_use]
    pub fn access_log(&self) -> &AccessLog {
        self.access_log_queue()
    }
}
