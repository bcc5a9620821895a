//! How often this process has written through one handle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A counter that moves before each write begins and again after it is committed, so that whoever
/// loaded it before reading can tell later that nothing of our own has changed since.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnWrites(Arc<AtomicU64>);

impl OwnWrites {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn bump(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts now, and again when the guard goes: also when the future that holds it is dropped.
    pub(crate) fn begin(&self) -> Writing<'_> {
        self.bump();
        Writing(self)
    }
}

/// A write under way.
pub(crate) struct Writing<'a>(&'a OwnWrites);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.bump();
    }
}
