//! How far a job in a lane gets: the clock that equal effort goes by.
//!
//! Argon2, bcrypt and the wait for a thread that does them cannot be counted in rounds. They are worth the
//! rounds that a job in a lane would have been given in the same time. Load slows down lanes and such works
//! each in its own way; by this clock an attempt that has a work takes as long as one that has none, on
//! an idle server and on a busy one.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The mean is that of about so many parts: half a second of a thread that is alone.
const LATELY: f64 = 4096.0;

/// Where a work wants the cores as well, a part counts for so much. The job that the clock is for would
/// have had no such work.
pub(super) const BESIDE_WORK: f64 = 0.1;

/// What a round takes, by how many jobs the thread has. Where two threads learn at the same moment, what
/// one has seen is lost.
#[derive(Debug)]
pub(super) struct Pace {
    sha256: Vec<Learned>,
    /// For a job that has the thread for itself.
    sha1: Learned,
}

/// A mean, as the bits of an `f64`.
#[derive(Debug, Default)]
struct Learned {
    /// Nanoseconds of a round; 0 where none was seen.
    nanos: AtomicU64,
    /// Of all that was learned.
    weight: AtomicU64,
}

impl Pace {
    pub(super) fn new(streams: usize) -> Self {
        Self {
            sha256: (0..streams).map(|_| Learned::default()).collect(),
            sha1: Learned::default(),
        }
    }

    /// A thread with so many jobs has given each of them so many rounds of SHA-256 in this time, in which it
    /// may have had to wait for its core.
    pub(super) fn learn(&self, jobs: usize, rounds: u32, time: Duration, weight: f64) {
        let index = jobs.checked_sub(1);
        if let Some(learned) = index.and_then(|index| self.sha256.get(index)) {
            learned.learn(each(rounds, time), weight);
        }
    }

    /// A thread with one job has given it so many rounds of SHA-1 in this time.
    pub(super) fn learn_sha1(&self, rounds: u32, time: Duration) {
        self.sha1.learn(each(rounds, time), 1.0);
    }

    /// Rounds of SHA-256 that one of SHA-1 is worth.
    pub(super) fn sha1(&self) -> f64 {
        let nanos = self.sha1.nanos().zip(self.nanos(1.0));
        nanos.map_or(1.0, |(sha1, sha256)| sha1 / sha256)
    }

    /// Rounds that a job is given in a nanosecond, where a thread has so many on the average. 0 before
    /// anything was learned.
    pub(super) fn rate(&self, jobs: f64) -> f64 {
        let jobs = jobs.clamp(1.0, self.sha256.len().max(1) as f64);
        let (some, more) = (self.nanos(jobs.floor()), self.nanos(jobs.ceil()));
        let nanos = some
            .zip(more)
            .map(|(some, more)| some + (more - some) * jobs.fract());
        nanos.map_or(0.0, f64::recip)
    }

    /// As with fewer jobs where that was not seen yet, or with more.
    fn nanos(&self, jobs: f64) -> Option<f64> {
        let (fewer, more) = self.sha256.split_at(jobs as usize);
        fewer.iter().rev().chain(more).find_map(Learned::nanos)
    }
}

fn each(rounds: u32, time: Duration) -> f64 {
    time.as_secs_f64() * 1e9 / f64::from(rounds)
}

impl Learned {
    fn learn(&self, nanos: f64, weight: f64) {
        let total = LATELY.min(f64::from_bits(self.weight.load(Relaxed)) + weight);
        self.weight.store(total.to_bits(), Relaxed);
        let mean = self.nanos().unwrap_or(nanos);
        let mean = mean + (nanos - mean) * weight / total;
        self.nanos.store(mean.to_bits(), Relaxed);
    }

    fn nanos(&self) -> Option<f64> {
        let nanos = f64::from_bits(self.nanos.load(Relaxed));
        (nanos > 0.0).then_some(nanos)
    }
}

/// Rounds that a job in a lane would have been given since the start.
#[derive(Debug, Default)]
pub(super) struct Meanwhile {
    rounds: f64,
    rate: f64,
    since: Option<Instant>,
}

impl Meanwhile {
    pub(super) fn read(&self, now: Instant) -> f64 {
        let since = self.since.unwrap_or(now);
        self.rounds + self.rate * now.saturating_duration_since(since).as_secs_f64() * 1e9
    }

    /// From now on a lane is given this.
    pub(super) fn go_on(&mut self, now: Instant, rate: f64) {
        debug_assert!(rate.is_finite());
        (self.rounds, self.rate, self.since) = (self.read(now), rate, Some(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-6
    }

    fn learned(pace: &Pace, jobs: usize, micros: u64, times: u32, weight: f64) -> f64 {
        for _ in 0..times {
            pace.learn(jobs, 1000, Duration::from_micros(micros), weight);
        }
        pace.rate(jobs as f64).recip()
    }

    #[test]
    fn what_was_not_seen_is_as_what_was() {
        let pace = Pace::new(4);
        assert!(close(pace.rate(1.0), 0.0) && close(pace.sha1(), 1.0));
        learned(&pace, 2, 200, 1, 1.0);
        for jobs in [0.0, 1.0, 2.0, 3.5, 9.0] {
            assert!(close(pace.rate(jobs), 1.0 / 200.0), "{jobs}");
        }
        learned(&pace, 4, 400, 1, 1.0);
        for (jobs, nobodys) in [(0, 1_000_000), (5, 1_000_000), (3, 0)] {
            learned(&pace, jobs, nobodys, 1, 1.0);
        }
        assert!(close(pace.rate(3.0), 1.0 / 200.0));
        assert!(close(pace.rate(3.5), 1.0 / 300.0));
        assert!(close(pace.rate(4.0), 1.0 / 400.0));
        pace.learn_sha1(1000, Duration::from_micros(100));
        assert!(close(pace.sha1(), 0.5));
    }

    #[test]
    fn one_long_wait_is_soon_forgotten() {
        let pace = Pace::new(1);
        assert!(close(learned(&pace, 1, 300, 1, 1.0), 300.0));
        assert!(close(learned(&pace, 1, 100, 1, 1.0), 200.0));
        assert!(learned(&pace, 1, 100, 40_000, 1.0) < 100.1);
        assert!(learned(&pace, 1, 4_000, 1, 1.0) < 101.0);
        assert!(learned(&pace, 1, 200, 40_000, 1.0) > 199.9);
    }

    #[test]
    fn what_was_seen_beside_works_counts_for_little() {
        let pace = Pace::new(1);
        assert!(close(learned(&pace, 1, 9_000, 1, BESIDE_WORK), 9_000.0));
        assert!(
            learned(&pace, 1, 100, 99, 1.0) < 110.0,
            "the first is soon forgotten"
        );
        let before = learned(&pace, 1, 100, 40_000, 1.0);
        let after = learned(&pace, 1, 200, 409, BESIDE_WORK);
        assert!((0.5..1.5).contains(&(after - before)), "{before} {after}");
        assert!(learned(&pace, 1, 200, 400_000, BESIDE_WORK) > 199.0);
    }

    #[test]
    fn the_clock_goes_as_fast_as_lanes_do() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut clock = Meanwhile::default();
        assert!(close(clock.read(start), 0.0));
        clock.go_on(start, 0.005);
        assert!(close(clock.read(start + second), 5e6));
        clock.go_on(start + second, 0.002);
        assert!(close(clock.read(start + 2 * second), 7e6));
        assert!(close(clock.read(start), 5e6), "it does not go back");
    }
}
