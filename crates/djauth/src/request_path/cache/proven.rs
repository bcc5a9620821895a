//! Until when an entry is known to have been right.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::moments::Moment;

/// When something is about to be read, as bounded staleness counts.
#[derive(Clone, Copy)]
pub(crate) struct Before {
    pub(super) at: Moment,
    pub(super) own_writes: u64,
}

/// When an entry was last proved, and how often this process had written by then; both as of before the
/// proof, or the statement, began. The two may come from different proofs: each is true by itself.
pub(super) struct Proven {
    at: AtomicU64,
    own_writes: AtomicU64,
    /// Whether it is to be proved ahead, until there is a new proof.
    due: AtomicBool,
}

impl Proven {
    pub(super) fn never() -> Self {
        Self::new(Before {
            at: Moment::NEVER,
            own_writes: 0,
        })
    }

    pub(super) fn new(before: Before) -> Self {
        Self {
            at: AtomicU64::new(before.at.0),
            own_writes: AtomicU64::new(before.own_writes),
            due: AtomicBool::new(false),
        }
    }

    pub(super) fn get(&self) -> Before {
        Before {
            at: Moment(self.at.load(Ordering::Acquire)),
            own_writes: self.own_writes.load(Ordering::Acquire),
        }
    }

    pub(super) fn set(&self, before: Before) {
        self.own_writes.store(before.own_writes, Ordering::Release);
        self.at.store(before.at.0, Ordering::Release);
        self.due.store(false, Ordering::Relaxed);
    }

    /// It is not believed any more without a proof.
    pub(super) fn forget(&self) {
        self.at.store(Moment::NEVER.0, Ordering::Release);
    }

    /// Whether it has become due only now.
    pub(super) fn becomes_due(&self) -> bool {
        !self.due.load(Ordering::Relaxed) && !self.due.swap(true, Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn is_due(&self) -> bool {
        self.due.load(Ordering::Relaxed)
    }
}
