//! A job on its way through the threads.

use std::sync::Arc;
use std::time::Instant;

use djauth_hashers::{Derivation, Step};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::client::Client;
use super::effort::Spent;
use super::shares::{Kind, Stage};

/// What stays the same from step to step.
#[derive(Clone)]
pub(super) struct Head {
    pub(super) client: Client,
    pub(super) answer: Arc<dyn Answer>,
    pub(super) spent: Arc<Spent>,
    pub(super) queued: Instant,
}

/// A job that waits.
pub(super) struct Ticket {
    pub(super) head: Head,
    pub(super) step: Step<()>,
    pub(super) stage: Stage,
}

/// A job whose rounds are being done.
pub(super) struct Lane {
    pub(super) head: Head,
    pub(super) rounds: Derivation,
    pub(super) next: Box<dyn FnOnce(Derivation) -> Step<()> + Send>,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shed;

/// Where the result goes.
pub(super) trait Answer: Send + Sync {
    /// Nobody waits for it any more.
    fn gone(&self) -> bool;
    /// There will be none.
    fn shed(&self);
}

pub(super) struct Slot<T>(Mutex<Option<oneshot::Sender<Result<T, Shed>>>>);

impl<T> Slot<T> {
    pub(super) fn new() -> (Arc<Self>, oneshot::Receiver<Result<T, Shed>>) {
        let (sender, receiver) = oneshot::channel();
        (Arc::new(Self(Mutex::new(Some(sender)))), receiver)
    }

    pub(super) fn send(&self, result: Result<T, Shed>) {
        if let Some(sender) = self.0.lock().take() {
            // Whoever has gone misses nothing.
            let _ = sender.send(result);
        }
    }
}

impl<T: Send> Answer for Slot<T> {
    fn gone(&self) -> bool {
        self.0
            .lock()
            .as_ref()
            .is_none_or(oneshot::Sender::is_closed)
    }

    fn shed(&self) {
        self.send(Err(Shed));
    }
}

impl Ticket {
    /// `None` for a step that is done.
    pub(super) fn kind(&self) -> Option<Kind> {
        match self.step {
            Step::Rounds(..) => Some(Kind::Rounds),
            Step::Blocking(_) => Some(Kind::Blocking),
            Step::Done(()) => None,
        }
    }

    pub(super) fn memory(&self) -> u64 {
        match &self.step {
            Step::Blocking(work) => work.memory,
            _ => 0,
        }
    }
}
