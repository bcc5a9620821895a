//! Threads that do not keep a core for as long as a hash takes.

use std::cell::Cell;

/// After so many blocks of Argon2, which take about a tenth of a millisecond, a thread can do something
/// else for a moment.
pub(crate) const BLOCKS: usize = 256;

thread_local! {
    static OFFER: Cell<Option<fn()>> = const { Cell::new(None) };
}

/// From now on the calling thread calls `offer` some times a millisecond while it hashes, as far as the
/// algorithm allows: with Argon2. For threads that shall do no harm to others, because they run where nobody
/// else wants the core (`SCHED_IDLE` on Linux) or are nice: who was put off in the middle of its work gets a
/// core back from such a thread at once only when it is offered.
///
/// It is to be brief, and must not panic. PBKDF2 is done in parts by the caller, who can do the same
/// between them; scrypt and bcrypt are libraries', which do not let go in between.
pub fn offer_core_with(offer: fn()) {
    OFFER.set(Some(offer));
}

/// Lets others have the core, where the thread is one that does.
#[inline]
pub(crate) fn offer() {
    if let Some(offer) = OFFER.get() {
        offer();
    }
}
