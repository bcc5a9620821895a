//! Moments of the monotonic clock as numbers, for atomics.

use std::ops::Add;
use std::time::{Duration, Instant};

/// Nanoseconds since the cache was made, plus one: zero is free to mean "never".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(super) u64);

impl Moment {
    pub(super) const NEVER: Self = Self(0);

    pub(super) fn since(start: Instant) -> Self {
        Self(1) + start.elapsed()
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}
