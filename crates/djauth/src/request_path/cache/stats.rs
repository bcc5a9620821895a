//! How the cache does.

use super::threads::Counter;

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
    /// Proofs that were asked for, by a request or ahead of one.
    pub proofs: u64,
    /// Proofs of requests that said that something has changed. Each is a miss too.
    pub changed: u64,
    /// Proofs of requests that could not be had. Each is a miss too.
    pub failed_proofs: u64,
    /// Entries now.
    pub entries: u64,
    /// About how many bytes they take.
    pub bytes: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) hits: Counter,
    pub(super) misses: Counter,
    pub(super) proofs: Counter,
    pub(super) changed: Counter,
    pub(super) failed_proofs: Counter,
}

impl Counters {
    pub(super) fn read(&self, entries: u64, bytes: u64) -> AuthCacheStats {
        AuthCacheStats {
            hits: self.hits.get(),
            misses: self.misses.get(),
            proofs: self.proofs.get(),
            changed: self.changed.get(),
            failed_proofs: self.failed_proofs.get(),
            entries,
            bytes,
        }
    }
}
