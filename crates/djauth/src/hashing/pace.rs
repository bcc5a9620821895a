//! How far a job in a lane gets: the clock that equal effort goes by.
//!
//! Argon2, bcrypt and the wait for a thread that does them cannot be counted in rounds. They are worth the
//! rounds that a job in a lane would have been given in the same time. Load slows down lanes and such works
//! each in its own way; by this clock an attempt that has a work takes as long as one that has none, on
//! an idle server and on a busy one.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What was seen counts for less and less, and after so long for a third.
const LATELY: Duration = Duration::from_secs(2);

/// Where a work wants the cores as well, a part counts for so much. The job that the clock is for would
/// have had no such work.
pub(super) const BESIDE_WORK: f64 = 0.1;

/// A part that took longer than so many times the mean counts as so much: a few more like it are believed.
const LONGEST: f64 = 64.0;

/// After so long without a job that is alone one looks what it would be given.
const OLD: Duration = Duration::from_secs(60);

/// A mean of more than so many times what a part takes now is of another time.
const WRONG: f64 = 1.5;

/// What a round takes, by how many jobs the thread has. Where two threads learn at the same moment, what
/// one has seen is lost.
#[derive(Debug)]
pub(super) struct Pace {
    lanes: Vec<Learned>,
    start: Instant,
}

/// A mean, as the bits of an `f64`.
#[derive(Debug, Default)]
struct Learned {
    /// Nanoseconds of a round; 0 where none was seen.
    nanos: AtomicU64,
    /// Of all that was learned, as it is now.
    weight: AtomicU64,
    /// When it was, in nanoseconds since the start.
    last: AtomicU64,
}

impl Pace {
    pub(super) fn new(streams: usize) -> Self {
        Self {
            lanes: (0..streams.max(1)).map(|_| Learned::default()).collect(),
            start: Instant::now(),
        }
    }

    /// A thread with so many jobs has given each of them so many rounds of SHA-256 in this time, in which it
    /// may have had to wait for its core.
    pub(super) fn learn(&self, jobs: usize, rounds: u32, time: Duration, weight: f64) {
        self.learn_at(self.start.elapsed(), jobs, rounds, time, weight);
    }

    fn learn_at(&self, now: Duration, jobs: usize, rounds: u32, time: Duration, weight: f64) {
        let index = jobs.checked_sub(1);
        if let Some(learned) = index.and_then(|index| self.lanes.get(index)) {
            learned.learn(now, each(rounds, time), weight);
        }
    }

    /// Nothing was learned of a job that is alone, or not for long.
    pub(super) fn is_old(&self) -> bool {
        let alone = &self.lanes[0];
        let since = nanos(self.start.elapsed()).saturating_sub(alone.last.load(Relaxed));
        alone.nanos().is_none() || since > nanos(OLD)
    }

    /// A job that is alone is given so many rounds in this time, as was just seen.
    pub(super) fn correct(&self, rounds: u32, time: Duration) {
        let (alone, took) = (&self.lanes[0], each(rounds, time));
        alone.last.store(nanos(self.start.elapsed()), Relaxed);
        if alone.nanos().is_none_or(|mean| mean > WRONG * took) {
            alone.nanos.store(took.to_bits(), Relaxed);
            alone.weight.store(0, Relaxed);
        }
    }

    /// Rounds that a job is given in a nanosecond, where a thread has so many on the average. 0 before
    /// anything was learned.
    pub(super) fn rate(&self, jobs: f64) -> f64 {
        let jobs = jobs.clamp(1.0, self.lanes.len() as f64);
        let (some, more) = (self.nanos(jobs.floor()), self.nanos(jobs.ceil()));
        let nanos = some
            .zip(more)
            .map(|(some, more)| some + (more - some) * jobs.fract());
        nanos.map_or(0.0, f64::recip)
    }

    /// Rounds that each of so many jobs of a thread is given in this time.
    pub(super) fn rounds(&self, jobs: usize, time: Duration) -> f64 {
        self.rate(jobs as f64) * nanos(time) as f64
    }

    /// As with fewer jobs where that was not seen yet, or with more.
    fn nanos(&self, jobs: f64) -> Option<f64> {
        let (fewer, more) = self.lanes.split_at(jobs as usize);
        fewer.iter().rev().chain(more).find_map(Learned::nanos)
    }
}

/// Nanoseconds of a round.
fn each(rounds: u32, time: Duration) -> f64 {
    nanos(time) as f64 / f64::from(rounds)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Learned {
    fn learn(&self, now: Duration, took: f64, weight: f64) {
        let total = self.fade(nanos(now)) + weight;
        self.weight.store(total.to_bits(), Relaxed);
        let mean = self.nanos().unwrap_or(took);
        let mean = mean + (took.min(LONGEST * mean) - mean) * weight / total;
        self.nanos.store(mean.to_bits(), Relaxed);
    }

    /// The weight that is left of what was learned before.
    fn fade(&self, now: u64) -> f64 {
        let since = now.saturating_sub(self.last.swap(now, Relaxed));
        let left = -(since as f64 / nanos(LATELY) as f64);
        f64::from_bits(self.weight.load(Relaxed)) * left.exp()
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

    const NOW: Duration = Duration::from_secs(100);

    fn learned(pace: &Pace, jobs: usize, micros: u64, times: u32, weight: f64) -> f64 {
        learned_at(NOW, pace, jobs, micros, times, weight)
    }

    fn learned_at(
        now: Duration,
        pace: &Pace,
        jobs: usize,
        micros: u64,
        times: u32,
        weight: f64,
    ) -> f64 {
        for _ in 0..times {
            pace.learn_at(now, jobs, 1000, Duration::from_micros(micros), weight);
        }
        pace.rate(jobs as f64).recip()
    }

    #[test]
    fn what_was_not_seen_is_as_what_was() {
        let pace = Pace::new(4);
        assert!(close(pace.rate(1.0), 0.0));
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
        assert!(close(pace.rounds(4, Duration::from_micros(2)), 5.0));
        assert!(close(pace.rate(4.0), 1.0 / 400.0));
    }

    #[test]
    fn one_long_wait_is_one_of_many() {
        let pace = Pace::new(1);
        assert!(close(learned(&pace, 1, 300, 1, 1.0), 300.0));
        assert!(close(learned(&pace, 1, 100, 1, 1.0), 200.0));
        assert!(learned(&pace, 1, 100, 9_998, 1.0) < 100.1);
        let before = learned(&pace, 1, 100, 1, 1.0);
        let after = learned(&pace, 1, 1_000_000, 1, 1.0);
        assert!((0.6..0.7).contains(&(after - before)), "{before} {after}");
    }

    #[test]
    fn what_was_seen_long_ago_is_forgotten() {
        let pace = Pace::new(1);
        learned(&pace, 1, 1_000, 10_000, 1.0);
        let after = |seconds| NOW + Duration::from_secs(seconds);
        let soon = learned_at(after(2), &pace, 1, 100, 3_679, 1.0);
        assert!((540.0..560.0).contains(&soon), "{soon}");
        assert!(learned_at(after(40), &pace, 1, 100, 1, 1.0) < 101.0);
        assert!(pace.start.elapsed() < NOW && !pace.is_old());
    }

    #[test]
    fn what_a_busy_hour_has_left_is_corrected() {
        let pace = Pace::new(1);
        assert!(pace.is_old(), "nothing was seen");
        learned(&pace, 1, 1_400, 10_000, 1.0);
        pace.correct(1000, Duration::from_micros(1_000));
        assert!(close(pace.rate(1.0), 1.0 / 1_400.0));
        pace.correct(1000, Duration::from_micros(100));
        assert!(close(pace.rate(1.0), 1.0 / 100.0) && !pace.is_old());
        assert!(close(learned(&pace, 1, 120, 1, 1.0), 120.0));
    }

    #[test]
    fn what_was_seen_beside_works_counts_for_little() {
        let pace = Pace::new(1);
        assert!(close(learned(&pace, 1, 900, 1, BESIDE_WORK), 900.0));
        assert!(
            learned(&pace, 1, 100, 99, 1.0) < 101.0,
            "the first is soon forgotten"
        );
        let before = learned(&pace, 1, 100, 4_000, 1.0);
        let after = learned(&pace, 1, 200, 410, BESIDE_WORK);
        assert!((0.5..1.5).contains(&(after - before)), "{before} {after}");
        assert!(learned(&pace, 1, 200, 4_000_000, BESIDE_WORK) > 198.0);
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
