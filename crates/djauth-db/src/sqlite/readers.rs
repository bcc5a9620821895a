//! Read connections, used inline on whatever thread asks.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rusqlite::Connection;

use super::open::Options;
use crate::{Error, ErrorKind, Result};

/// A few connections, opened when first needed. Each thread has one that it tries first, so that
/// its statements and pages stay warm and threads do not meet.
pub(super) struct Readers {
    slots: Box<[Mutex<Slot>]>,
    /// For long reads on blocking threads, which must not hold up the point reads.
    long: Mutex<Vec<Connection>>,
    options: Options,
}

enum Slot {
    Unopened,
    Open(Box<Connection>),
    Closed,
}

/// Idle connections for long reads.
const KEPT_LONG: usize = 4;

impl Readers {
    pub(super) fn new(options: Options) -> Self {
        let threads = std::thread::available_parallelism().map_or(4, usize::from);
        let slots = (0..(threads * 2).clamp(4, 64))
            .map(|_| Mutex::new(Slot::Unopened))
            .collect();
        Readers {
            slots,
            long: Mutex::default(),
            options,
        }
    }

    /// Runs `f` on a connection. `f` must be short: it runs on an async worker.
    pub(super) fn with<T>(&self, f: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut slot = self.slot();
        if matches!(*slot, Slot::Unopened) {
            // The caller waits for locks without holding its thread up.
            *slot = Slot::Open(Box::new(self.options.connection(false, Duration::ZERO)?));
        }
        let Slot::Open(connection) = &*slot else {
            return Err(Error::closed());
        };
        let answer = f(connection);
        if matches!(&answer, Err(e) if is_broken(e)) {
            *slot = Slot::Unopened;
        }
        answer
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        let first = preferred() % self.slots.len();
        let others = self.slots[first..].iter().chain(&self.slots[..first]);
        others
            .into_iter()
            .find_map(Mutex::try_lock)
            .unwrap_or_else(|| self.slots[first].lock())
    }

    /// Runs `f` on a connection of its own. Call it on a blocking thread.
    pub(super) fn with_long<T>(&self, f: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        if matches!(*self.slots[0].lock(), Slot::Closed) {
            return Err(Error::closed());
        }
        let kept = self.long.lock().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.options.connection(false, self.options.busy_timeout)?,
        };
        let answer = f(&connection);
        let mut kept = self.long.lock();
        if !matches!(&answer, Err(e) if is_broken(e)) && kept.len() < KEPT_LONG {
            kept.push(connection);
        }
        answer
    }

    pub(super) fn close(&self) {
        for slot in &self.slots {
            *slot.lock() = Slot::Closed;
        }
        self.long.lock().clear();
    }
}

/// After I/O errors and the like a fresh connection may see better.
fn is_broken(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable)
}

/// A small number that stays the same for each thread.
fn preferred() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static MINE: Cell<Option<usize>> = const { Cell::new(None) });
    MINE.with(|mine| {
        mine.get().unwrap_or_else(|| {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            mine.set(Some(number));
            number
        })
    })
}
