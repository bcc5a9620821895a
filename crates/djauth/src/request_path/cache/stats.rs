//! How the cache does.

use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers of the cache of authenticated requests, since it was made. They are for watching, and not
/// taken at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthCacheStats {
    /// Requests answered by an entry.
    pub hits: u64,
    /// Requests that asked the database: no entry, an entry that does not hold what was asked for, or one
    /// that a proof refused.
    pub misses: u64,
    /// Proofs that were asked for.
    pub proofs: u64,
    /// Proofs that said that something has changed. Each is a miss too.
    pub changed: u64,
    /// Proofs that could not be had. Each is a miss too.
    pub failed_proofs: u64,
    /// Entries now.
    pub entries: u64,
    /// About how many bytes they take.
    pub bytes: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) proofs: AtomicU64,
    pub(super) changed: AtomicU64,
    pub(super) failed_proofs: AtomicU64,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    pub(super) fn read(&self, entries: u64, bytes: u64) -> AuthCacheStats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        AuthCacheStats {
            hits: of(&self.hits),
            misses: of(&self.misses),
            proofs: of(&self.proofs),
            changed: of(&self.changed),
            failed_proofs: of(&self.failed_proofs),
            entries,
            bytes,
        }
    }
}
