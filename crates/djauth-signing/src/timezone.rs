//! The present moment, as a value that can be replaced in tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Where "now" comes from. Always whole microseconds, as everywhere in Django.
pub trait Clock: Send + Sync {
    /// The present moment in UTC, without fractions of a microsecond.
    fn now(&self) -> DateTime<Utc>;
}

/// The clock of the operating system (`django.utils.timezone.now`).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that stands still until it is set; clones share the same hand.
///
/// For tests of expiry and for known answers.
#[derive(Clone, Debug)]
pub struct FixedClock(Arc<AtomicI64>);

impl FixedClock {
    /// A clock that shows `now`, cut to whole microseconds.
    pub fn new(now: DateTime<Utc>) -> Self {
        FixedClock(Arc::new(AtomicI64::new(now.timestamp_micros())))
    }

    /// Shows `now` from here on, in every clone.
    pub fn set(&self, now: DateTime<Utc>) {
        self.0.store(now.timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves the hand by `delta`, which may be negative; stops at the ends of what can be shown.
    pub fn advance(&self, delta: TimeDelta) {
        let moved = self.now().checked_add_signed(delta);
        let end = if delta < TimeDelta::zero() {
            DateTime::UNIX_EPOCH
        } else {
            self.now()
        };
        self.set(moved.unwrap_or(end));
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> DateTime<Utc> {
        (**self).now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_shows_whole_microseconds() {
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1000, 0);
    }

    #[test]
    fn clones_of_a_fixed_clock_share_the_hand() {
        let start = DateTime::from_timestamp(1_767_225_600, 123_456_789).unwrap();
        let clock = FixedClock::new(start);
        let other = clock.clone();
        assert_eq!(other.now().timestamp_subsec_nanos(), 123_456_000);
        clock.advance(TimeDelta::seconds(90));
        assert_eq!(other.now().timestamp(), 1_767_225_690);
        other.set(start);
        assert_eq!(clock.now().timestamp(), 1_767_225_600);
    }
}
