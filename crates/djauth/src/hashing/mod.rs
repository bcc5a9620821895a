//! The hashing engine: a bounded pool of threads beside the async runtime.
//!
//! A password hash takes a tenth of a second of a whole core, by design. On a thread of the async
//! runtime it would stop every request that shares the thread, so it never runs there: a fixed
//! number of threads with a low priority does this work, a bounded number of jobs waits for them,
//! and further ones are refused with [`ErrorKind::Busy`] (503 with `Retry-After`) instead of
//! being kept waiting for an answer that comes too late.
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

use djauth_hashers::{ErrorKind as HasherErrorKind, Hashers, Verified};
use zeroize::Zeroizing;

use crate::settings::Settings;
use crate::{Error, ErrorKind};

mod pool;

use pool::Pool;

/// Hashes passwords on threads of its own. Cheap to clone; the threads end with the last clone,
/// after the job that they are at.
#[derive(Clone, Debug)]
pub struct HashingPool {
    hashers: Hashers,
    pool: Pool,
}

/// The answer of [`HashingPool::check_password`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Checked {
    /// What [`HashingPool::verify`] would have answered.
    pub verified: Verified,
    /// The value to store from now on, when the password is correct and the stored value is out
    /// of date.
    pub upgraded: Option<String>,
}

/// How busy a pool is, and has been since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Jobs that wait now.
    pub waiting: u64,
    /// Jobs that are worked at now.
    pub running: u64,
    /// Jobs that are done.
    pub done: u64,
    /// Jobs that were refused because too many waited.
    pub refused: u64,
    /// The time that the jobs done have taken.
    pub work: std::time::Duration,
    /// The time that they had waited before.
    pub wait: std::time::Duration,
}

impl HashingPool {
    /// How busy it is, and has been.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.pool.stats()
    }

    /// A pool of `threads` (0: one fewer than cores, and at least one) with at most `queue` waiting jobs.
    ///
    /// # Errors
    /// When the operating system starts no thread.
    pub fn new(hashers: Hashers, threads: usize, queue: usize) -> Result<Self, Error> {
        let pool = Pool::start(threads, queue).map_err(|error| {
            Error::caused(
                ErrorKind::Hashing,
                "no threads for hashing passwords",
                error,
            )
        })?;
        Ok(Self { hashers, pool })
    }

    /// The pool that `PASSWORD_HASHERS`, `HASHING_THREADS` and `HASHING_QUEUE` describe.
    ///
    /// # Errors
    /// When the settings name no usable hashers, or the operating system starts no thread.
    pub fn from_settings(settings: &Settings) -> Result<Self, Error> {
        let hashers = settings.hashers();
        let hashers = hashers.map_err(|e| Error::improperly_configured(e.to_string()))?;
        let size = |setting| usize::try_from(setting).unwrap_or(usize::MAX);
        Self::new(
            hashers,
            size(settings.hashing_threads),
            size(settings.hashing_queue),
        )
    }

    /// The hashers, for what takes no time: safe summaries, `is_password_usable`.
    pub fn hashers(&self) -> &Hashers {
        &self.hashers
    }

    /// A value to store for a new password; `None` gives one that no password fits.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`]; [`ErrorKind::Value`] when the preferred hasher cannot take a password
    /// of this length (plain bcrypt: 72 bytes).
    pub async fn make_password(&self, password: Option<&str>) -> Result<String, Error> {
        let Some(password) = password else {
            return self
                .hashers
                .make_password(None)
                .map_err(|error| failed(&error));
        };
        let password = Zeroizing::new(password.to_owned());
        let made = self
            .run(move |hashers| hashers.make_password(Some(&password)))
            .await?;
        made.map_err(|error| failed(&error))
    }

    /// Whether the password belongs to the stored value; see [`Hashers::verify_password`]. The
    /// work that equalises response times is done in the same job.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`]. A wrong password is an answer, and so is a malformed stored value.
    pub async fn verify(&self, password: &str, encoded: &str) -> Result<Verified, Error> {
        let (password, encoded) = owned(password, encoded);
        self.run(move |hashers| hashers.verify_password(&password, &encoded))
            .await
    }

    /// [`verify`](Self::verify), and in the same job the new value for a stored one that is out of
    /// date; mirrors `check_password` with a setter.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`].
    pub async fn check_password(&self, password: &str, encoded: &str) -> Result<Checked, Error> {
        let (password, encoded) = owned(password, encoded);
        self.run(move |hashers| {
            let verified = hashers.verify_password(&password, &encoded);
            let upgrade = verified.correct && verified.must_update;
            // A password that the preferred hasher cannot take keeps its old value.
            let upgraded = upgrade
                .then(|| hashers.make_password(Some(&password)).ok())
                .flatten();
            Checked { verified, upgraded }
        })
        .await
    }

    /// Takes as long as one new hash: for users that do not exist.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`], as for users that exist.
    pub async fn harden_runtime(&self) -> Result<(), Error> {
        self.run(Hashers::harden_runtime).await
    }

    /// Runs any work on a hashing thread. It is dropped unseen when the caller no longer waits by
    /// the time its turn comes.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] when too many jobs wait; [`ErrorKind::Hashing`] when the work panicked.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Hashers) -> T + Send + 'static,
    {
        let hashers = self.hashers.clone();
        let answer = self.pool.submit(move || work(&hashers)).ok_or_else(|| {
            Error::new(
                ErrorKind::Busy,
                "too many passwords are waiting to be hashed",
            )
        })?;
        answer
            .await
            .map_err(|_| Error::new(ErrorKind::Hashing, "a password hasher panicked"))
    }
}

fn owned(password: &str, encoded: &str) -> (Zeroizing<String>, Zeroizing<String>) {
    (
        Zeroizing::new(password.to_owned()),
        Zeroizing::new(encoded.to_owned()),
    )
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
