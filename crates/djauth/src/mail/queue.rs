//! Messages that leave in the background.

use std::fmt;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::{Notify, Semaphore};

use super::limits::Limits;
use super::{EmailMessage, MailSender};
use crate::Error;
use crate::settings::Settings;

/// Pieces of work that run at the same time. One mail server that is slow does not hold up all.
const AT_ONCE: usize = 4;

/// The log's name for it, Django's.
const TARGET: &str = "django.contrib.auth";

/// The bounded queue of an [`Auth`](crate::Auth). See the [module's page](super). Clones share it.
#[derive(Clone)]
pub struct MailQueue(Arc<Inner>);

struct Inner {
    sender: Arc<dyn MailSender>,
    from: String,
    limits: Limits,
    capacity: usize,
    /// Pieces of work that wait or run.
    waiting: AtomicUsize,
    /// Told when nothing waits or runs any more.
    idle: Notify,
    turns: Semaphore,
    closed: AtomicBool,
}

/// One piece of work that waits or runs, until it is dropped.
struct Place(Arc<Inner>);

impl Place {
    fn take(inner: &Arc<Inner>) -> Option<Self> {
        // Counted before the end is looked at, so that whoever closes the queue sees it.
        let before = inner.waiting.fetch_add(1, Ordering::SeqCst);
        let place = Self(inner.clone());
        let open = before < inner.capacity && !inner.closed.load(Ordering::SeqCst);
        open.then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

impl MailQueue {
    pub(crate) fn new(sender: Arc<dyn MailSender>, settings: &Settings) -> Self {
        Self(Arc::new(Inner {
            sender,
            from: settings.default_from_email.clone(),
            limits: Limits::of(settings),
            capacity: usize::try_from(settings.email_queue).unwrap_or(usize::MAX),
            waiting: AtomicUsize::new(0),
            idle: Notify::new(),
            turns: Semaphore::new(AT_ONCE),
            closed: AtomicBool::new(false),
        }))
    }

    /// Counts a request for mail to the address that somebody typed, known or not, from this client.
    /// False: over a limit; send nothing, and answer as always.
    #[must_use]
    pub fn admit(&self, address: &str, client: Option<IpAddr>) -> bool {
        let admitted = self.0.limits.admit(address, client, Instant::now());
        if !admitted {
            tracing::warn!(target: TARGET, "too much mail was asked for: nothing is sent");
        }
        admitted
    }

    /// Sends a message in the background. False: the queue is full or at its end, and the message is
    /// lost; the log says so.
    pub fn push(&self, message: EmailMessage) -> bool {
        self.defer("a message", async move { Ok(vec![message]) })
    }

    /// Does this work in the background, then sends the messages that it makes, each of which is tried.
    /// `about` stands in the log when something fails: a key, never an address.
    ///
    /// False: the queue is full or at its end, and the work is not done; the log says so. Needs a
    /// running tokio runtime.
    pub fn defer(
        &self,
        about: impl fmt::Display,
        work: impl Future<Output = Result<Vec<EmailMessage>, Error>> + Send + 'static,
    ) -> bool {
        let about = about.to_string();
        let Some(place) = Place::take(&self.0) else {
            tracing::error!(target: TARGET, about, "mail is dropped: the queue is full or closed");
            return false;
        };
        let queue = self.clone();
        tokio::spawn(async move {
            // Never closed, so this only waits.
            let _turn = queue.0.turns.acquire().await;
            let done = AssertUnwindSafe(queue.run(&about, work)).catch_unwind();
            if done.await.is_err() {
                tracing::error!(target: TARGET, about, "mail failed: the work panicked");
            }
            drop(place);
        });
        true
    }

    async fn run(&self, about: &str, work: impl Future<Output = Result<Vec<EmailMessage>, Error>>) {
        let messages = match work.await {
            Ok(messages) => messages,
            Err(error) => {
                tracing::error!(target: TARGET, about, %error, "mail could not be made");
                return;
            }
        };
        for message in messages {
            if let Err(error) = self.send(message).await {
                tracing::error!(target: TARGET, about, %error, "mail could not be sent");
            }
        }
    }

    /// Sends a message now.
    pub(super) async fn send(&self, message: EmailMessage) -> Result<(), Error> {
        self.0.sender.send(self.signed(message)).await
    }

    /// The message with a sender.
    pub(super) fn signed(&self, mut message: EmailMessage) -> EmailMessage {
        let from = message.from_email.take().filter(|from| !from.is_empty());
        message.from_email = Some(from.unwrap_or_else(|| self.0.from.clone()));
        message
    }

    /// How many pieces of work wait or run.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::SeqCst)
    }

    /// Waits until everything was tried. The queue stays open.
    pub async fn idle(&self) {
        loop {
            let told = self.0.idle.notified();
            if self.waiting() == 0 {
                return;
            }
            told.await;
        }
    }

    /// Takes nothing more on and waits for what waits. False: something was left when the time was up;
    /// the log says how much.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.0.closed.store(true, Ordering::SeqCst);
        let drained = tokio::time::timeout(limit, self.idle()).await.is_ok();
        if !drained {
            let left = self.waiting();
            tracing::error!(target: TARGET, left, "mail is lost: it did not leave in time");
        }
        drained
    }
}

impl fmt::Debug for MailQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailQueue")
            .field("waiting", &self.waiting())
            .field("capacity", &self.0.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
