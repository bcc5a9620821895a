//! Hashing off the async workers: as many at once as there are cores, and a bounded number waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use djauth_hashers::{Hashers, Verified};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::settings::Settings;
use crate::{Error, ErrorKind};

/// The configured hashers behind a limit.
pub(crate) struct Hashing {
    hashers: Hashers,
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
}

impl Hashing {
    pub(crate) fn new(hashers: Hashers, settings: &Settings) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = usize::try_from(settings.hashing_threads).unwrap_or(cores);
        Self {
            hashers,
            running: Arc::new(Semaphore::new(if threads == 0 { cores } else { threads })),
            waiting: AtomicUsize::new(0),
            most_waiting: usize::try_from(settings.hashing_queue).unwrap_or(usize::MAX),
        }
    }

    pub(crate) fn hashers(&self) -> &Hashers {
        &self.hashers
    }

    pub(crate) async fn make_password(&self, raw: Option<&str>) -> Result<String, Error> {
        let raw = raw.map(|raw| Zeroizing::new(raw.to_owned()));
        let made =
            self.run(move |hashers| hashers.make_password(raw.as_ref().map(|raw| raw.as_str())));
        Ok(made.await??)
    }

    pub(crate) async fn verify(&self, raw: &str, encoded: &str) -> Result<Verified, Error> {
        let (raw, encoded) = (Zeroizing::new(raw.to_owned()), encoded.to_owned());
        self.run(move |hashers| hashers.verify_password(&raw, &encoded))
            .await
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Hashers) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let waiting = Waiting::enter(self)?;
        let permit = self.running.clone().acquire_owned().await;
        drop(waiting);
        let hashers = self.hashers.clone();
        let running = tokio::task::spawn_blocking(move || {
            // Held until the hash is made, also when nobody waits for it any more.
            let _permit = permit;
            job(&hashers)
        });
        running
            .await
            .map_err(|error| Error::caused(ErrorKind::Unavailable, "hashing stopped", error))
    }
}

/// One more waits, until dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(hashing: &'a Hashing) -> Result<Self, Error> {
        let waiting = Self(&hashing.waiting);
        if hashing.waiting.fetch_add(1, Ordering::Relaxed) >= hashing.most_waiting {
            return Err(
                Error::new(ErrorKind::Busy, "too many passwords wait to be hashed")
                    .retry_after(Duration::from_secs(2)),
            );
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
