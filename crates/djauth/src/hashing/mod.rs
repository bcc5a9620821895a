//! The hashing engine: threads beside the async runtime.
//!
//! A password hash takes a tenth of a second of a whole core, by design. On a thread of the async
//! runtime it would stop every request that shares the thread, so it never runs there.
//!
//! - One thread for each core does PBKDF2 rounds of several jobs beside each other, which gives
//!   more than twice the hashes of one after the other. Jobs join and leave at any time. As many
//!   threads run what cannot be done in parts (Argon2, scrypt, bcrypt, own hashers), as far as the
//!   memory that is set aside for it goes.
//! - They run where nobody else wants the core (`SCHED_IDLE` on Linux), so that requests that hash
//!   nothing do not feel them. A machine that is busy all the time still hashes, with a tenth of a core:
//!   one thread, which is only nice, does what the others get no time for.
//! - Networks of clients take turns (/24 of IPv4; /32 of IPv6, in it /48, in it /56), and so do the
//!   usernames of one network. A bounded number of jobs waits; of more, the newest of the network with
//!   the most is refused with [`ErrorKind::Busy`] (503 with `Retry-After`), known user or not. A job
//!   whose caller has gone is dropped. For whom it is, [`Auth::authenticate`](crate::Auth::authenticate)
//!   and the forms tell, where the server passes the peer's address on
//!   (`into_make_service_with_connect_info`); an application tells by [`on_behalf_of`].
//! - A login is one job, whoever it is, and one that fails takes as long as the dearest failure: whether
//!   there is such an account, and what is stored for it, is not to be told by time.
//!
//! ```
//! # async fn example(settings: &djauth::settings::Settings) -> Result<(), djauth::Error> {
//! use djauth::hashing::HashingPool;
//!
//! let pool = HashingPool::from_settings(settings)?;
//! let stored = pool.make_password(Some("correct horse")).await?;
//! assert!(pool.verify("correct horse", &stored).await?.correct);
//! # Ok(())
//! # }
//! ```

mod attempt;
mod blocking;
mod client;
mod clock;
mod effort;
mod engine;
mod guard;
mod lanes;
mod pace;
mod priority;
mod shares;
mod start;
mod stats;
mod ticket;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use djauth_hashers::{Blocking, ErrorKind as HasherErrorKind, Hashers, Step, Verified};

use self::effort::Spent;
use self::engine::{Engine, Handle};
use self::shares::Stage;
use self::ticket::{Head, Slot, Ticket};
use crate::settings::Settings;
use crate::{Error, ErrorKind};

pub use self::attempt::Checked;
pub(crate) use self::client::Client;
pub use self::client::on_behalf_of;
pub use self::stats::Stats;

/// Hashes passwords on threads of its own. Cheap to clone; the threads end with the last clone,
/// after the work that they are at. Where there is a Tokio runtime, its methods want that one's timer.
#[derive(Clone)]
pub struct HashingPool {
    hashers: Hashers,
    handle: Arc<Handle>,
}

impl HashingPool {
    /// A pool of `threads` (0: one for each core) with at most `queue` waiting jobs, and 512 MiB for
    /// hashes that need much memory.
    ///
    /// # Errors
    /// When the operating system starts no thread.
    pub fn new(hashers: Hashers, threads: usize, queue: usize) -> Result<Self, Error> {
        Self::start(hashers, threads, queue, 512 * 1024)
    }

    /// The pool that `PASSWORD_HASHERS`, `HASHING_THREADS`, `HASHING_QUEUE` and `HASHING_MEMORY`
    /// describe.
    ///
    /// # Errors
    /// When the settings name no usable hashers, or the operating system starts no thread.
    pub fn from_settings(settings: &Settings) -> Result<Self, Error> {
        let hashers = settings.hashers();
        let hashers = hashers.map_err(|e| Error::improperly_configured(e.to_string()))?;
        Self::with_hashers(hashers, settings)
    }

    pub(crate) fn with_hashers(hashers: Hashers, settings: &Settings) -> Result<Self, Error> {
        let size = |setting| usize::try_from(setting).unwrap_or(usize::MAX);
        Self::start(
            hashers,
            size(settings.hashing_threads),
            size(settings.hashing_queue),
            settings.hashing_memory.saturating_mul(1024),
        )
    }

    /// The hashers, for what takes no time: safe summaries, `is_password_usable`.
    pub fn hashers(&self) -> &Hashers {
        &self.hashers
    }

    /// How busy it is, and has been.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.engine().stats()
    }

    /// A value to store for a new password; `None` gives one that no password fits. Where a request asks
    /// for it, say so with [`on_behalf_of`].
    ///
    /// # Errors
    /// [`ErrorKind::Busy`]; [`ErrorKind::Value`] when the preferred hasher cannot take a password
    /// of this length (plain bcrypt: 72 bytes).
    pub async fn make_password(&self, password: Option<&str>) -> Result<String, Error> {
        let made = match password {
            Some(password) => {
                let start = attempt::when_short(password, &self.hashers, |hashers, password| {
                    hashers.start_make_password(password)
                });
                self.submit(start, Arc::default()).await?
            }
            None => self.hashers.make_password(None),
        };
        made.map_err(|error| failed(&error))
    }

    /// Whether the password belongs to the stored value; see [`Hashers::verify_password`]. The
    /// work that equalises response times is done in the same job.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`]. A wrong password is an answer, and so is a malformed stored value.
    pub async fn verify(&self, password: &str, encoded: &str) -> Result<Verified, Error> {
        let upgrade = false;
        let checked = self.attempt(password, encoded, true, upgrade).await?;
        Ok(checked.verified)
    }

    /// [`verify`](Self::verify), and in the same job the new value for a stored one that is out of
    /// date; mirrors `check_password` with a setter.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`].
    pub async fn check_password(&self, password: &str, encoded: &str) -> Result<Checked, Error> {
        self.attempt(password, encoded, true, true).await
    }

    /// Takes as long as a wrong password: for users that do not exist.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`], as for users that exist.
    pub async fn harden_runtime(&self) -> Result<(), Error> {
        self.attempt("", attempt::NOBODY, false, false).await?;
        Ok(())
    }

    /// Runs any work on a thread for what cannot be done in parts. It is dropped unseen when the caller
    /// no longer waits by the time its turn comes.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] when too many jobs wait; [`ErrorKind::Hashing`] when the work panicked.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Hashers) -> T + Send + 'static,
    {
        let hashers = self.hashers.clone();
        let step = Step::Blocking(Blocking::once(0, String::new(), move || {
            Step::Done(work(&hashers))
        }));
        self.submit(step, Arc::default()).await
    }

    fn engine(&self) -> &Engine {
        &self.handle.0
    }

    /// Has all of it done, in the name of the present [`Client`].
    async fn submit<T>(&self, step: Step<T>, spent: Arc<Spent>) -> Result<T, Error>
    where
        T: Send + 'static,
    {
        let (slot, answer) = Slot::new();
        let queued = Instant::now();
        let head = Head {
            client: Client::current(),
            answer: slot.clone(),
            spent,
            queued,
        };
        let engine = self.handle.0.clone();
        let step = step.map(move |result| {
            engine.counts.done(queued);
            slot.send(Ok(result));
        });
        let stage = Stage::New;
        let ticket = Ticket { head, step, stage };
        self.engine().submit(ticket).await;
        match answer.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(ticket::Shed)) => Err(Error::new(
                ErrorKind::Busy,
                "too many passwords are waiting to be hashed",
            )),
            Err(_) => Err(Error::new(ErrorKind::Hashing, "a password hasher panicked")),
        }
    }
}

impl fmt::Debug for HashingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashingPool")
            .field("hashers", &self.hashers)
            .field("size", &self.engine().size)
            .field("stats", &self.stats())
            .finish()
    }
}

fn failed(error: &djauth_hashers::Error) -> Error {
    let kind = match error.kind() {
        HasherErrorKind::PasswordTooLong => ErrorKind::Value,
        _ => ErrorKind::Hashing,
    };
    Error::new(kind, error.to_string())
}

#[cfg(test)]
mod tests;
