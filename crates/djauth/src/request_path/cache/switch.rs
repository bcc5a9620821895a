//! The cache is off for a while after a proof could not be had.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::moments::Moment;

/// How long it stays off before a proof is tried again.
const PAUSE: Duration = Duration::from_secs(30);

/// On until a proof fails.
#[derive(Default)]
pub(super) struct Switch {
    /// Zero while on.
    off_until: AtomicU64,
}

impl Switch {
    /// Whether the cache is on, or it is time to try again.
    pub(super) fn is_on(&self, now: impl FnOnce() -> Moment) -> bool {
        match self.off_until.load(Ordering::Relaxed) {
            0 => true,
            until => now().0 >= until,
        }
    }

    /// A proof could not be had.
    pub(super) fn turn_off(&self, now: Moment) {
        let until = (now + PAUSE).0;
        if self.off_until.swap(until, Ordering::Relaxed) == 0 {
            tracing::warn!(
                "the cache of authenticated requests is off, because it cannot be proved that nothing \
                 has changed; every request asks the database"
            );
        }
    }

    /// A proof was had.
    pub(super) fn turn_on(&self) {
        let off = self.off_until.load(Ordering::Relaxed) != 0;
        if off && self.off_until.swap(0, Ordering::Relaxed) != 0 {
            tracing::info!("the cache of authenticated requests is on again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tries_again_after_a_while() {
        let switch = Switch::default();
        let start = Moment(1);
        let later = |seconds| start + Duration::from_secs(seconds);
        assert!(switch.is_on(|| start));
        switch.turn_off(start);
        assert!(!switch.is_on(|| later(29)) && switch.is_on(|| later(30)));
        // The proof fails again.
        switch.turn_off(later(30));
        assert!(!switch.is_on(|| later(59)));
        switch.turn_on();
        assert!(switch.is_on(|| start));
    }
}
