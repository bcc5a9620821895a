//! Subjects whose stamps should be put together: MariaDB's triggers cannot do it themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use super::token::Sums;
use crate::db::{Database, Dialect, Executor};
use crate::management::cache::compact_subject;

/// Rows of one subject that are still read in no time.
const ROWS: i64 = 64;

/// Milliseconds between two times; some more at random, so that many processes do not do it at once.
const PAUSE: u64 = 15_000;
const JITTER: u64 = 15_000;

/// Puts the stamps of crowded subjects together while nobody waits for it, now and then, a few at a time. An account
/// that may only read leaves it to whoever may write.
#[derive(Clone, Default)]
pub(super) struct Crowds(Arc<State>);

struct State {
    start: Instant,
    /// Milliseconds since the start.
    next: AtomicU64,
    refused: AtomicBool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            next: AtomicU64::new(0),
            refused: AtomicBool::new(false),
        }
    }
}

impl Crowds {
    /// Looks at what a proof has read.
    pub(super) fn saw(&self, db: &Database, sums: &Sums) {
        if db.dialect() != Dialect::Mysql || self.0.refused.load(Ordering::Relaxed) {
            return;
        }
        let mut crowded = sums.crowded(ROWS).peekable();
        if crowded.peek().is_none() || !self.0.is_due() {
            return;
        }
        let crowded: Vec<i64> = crowded.collect();
        let (db, state) = (db.clone(), self.0.clone());
        tokio::spawn(async move {
            for subject in crowded {
                if let Err(error) = compact_subject(&db, subject).await {
                    let transient = error.try_again_after().is_some();
                    state.refused.store(!transient, Ordering::Relaxed);
                    tracing::debug!(%error, "old stamps of the cache stay");
                    return;
                }
            }
        });
    }
}

impl State {
    fn is_due(&self) -> bool {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = self.next.load(Ordering::Relaxed);
        let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
        let jitter = (random >> 48) % JITTER;
        let next = now + PAUSE + jitter;
        let order = Ordering::Relaxed;
        now >= due && self.next.compare_exchange(due, next, order, order).is_ok()
    }
}
