//! Looks at the threads now and then, and says which of them starve.
//!
//! A thread starves that would run and gets no core for it. One that sleeps, because its work waits for
//! something, does not; nor does one whose work takes long.

use std::time::{Duration, Instant};

use super::clock::Seen;

/// Time between two looks.
pub(super) const LOOK: Duration = Duration::from_millis(100);
/// What the guard itself gets of a core that is busy: a tenth at most.
const GUARD: f64 = 0.1;
/// A thread that gets less than this starves, however many others do as well as it.
const LEAST: f64 = 0.01;
/// In so many looks in a row a thread must have got nothing: once may be a job that came in the last
/// moment.
const STARVED: u32 = 2;
/// In so many looks the works must have slept, before another is begun beside them.
const ASLEEP: u32 = 10;

/// What was seen of all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    /// The threads, in their order; `None` of one that cannot be seen.
    pub(super) threads: Vec<Option<Seen>>,
    /// Those that compute lanes, together.
    pub(super) lanes: Seen,
    /// Every thread for what blocks is at work, and more waits.
    pub(super) works_full: bool,
}

/// What follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The threads that starve.
    pub(super) starved: Vec<usize>,
    /// The threads that compute lanes do.
    pub(super) lanes: bool,
    /// All works sleep while more waits.
    pub(super) asleep: bool,
}

impl Verdict {
    pub(super) fn any_starves(&self) -> bool {
        self.lanes || !self.starved.is_empty()
    }
}

/// Compares each look with the one before.
#[derive(Debug, Default)]
pub(super) struct Watch {
    last: Option<(Instant, Look)>,
    /// For each thread, and for the lanes behind them.
    hungry: Vec<u32>,
    asleep: u32,
}

impl Watch {
    /// Whether it is time for the next look.
    pub(super) fn due(&self, now: Instant) -> bool {
        let last = self.last.as_ref();
        last.is_none_or(|(then, _)| now.saturating_duration_since(*then) >= LOOK)
    }

    /// Nothing was to be done for a while.
    pub(super) fn rest(&mut self) {
        *self = Self::default();
    }

    pub(super) fn judge(&mut self, now: Instant, look: &Look) -> Verdict {
        let Some((then, before)) = self.last.replace((now, look.clone())) else {
            return Verdict::default();
        };
        let elapsed = now.saturating_duration_since(then);
        let few = elapsed.mul_f64((GUARD / look.ready()).max(LEAST));
        let pairs = before.all().zip(look.all());
        let pairs: Vec<_> = pairs.map(|(before, now)| before.zip(now)).collect();
        self.count_hungry(&pairs, few);
        let works = &pairs[look.threads.len() / 2..];
        let full = before.works_full && look.works_full;
        count(
            &mut self.asleep,
            full && works.iter().all(|pair| sleeps(pair, few)),
        );
        self.verdict(look.threads.len())
    }

    fn count_hungry(&mut self, pairs: &[Option<(Seen, Seen)>], few: Duration) {
        self.hungry.resize(pairs.len(), 0);
        for (hungry, pair) in self.hungry.iter_mut().zip(pairs) {
            count(hungry, starves(pair, few));
        }
    }

    fn verdict(&self, threads: usize) -> Verdict {
        let hungry = |index: &usize| self.hungry[*index] >= STARVED;
        Verdict {
            starved: (0..threads).filter(hungry).collect(),
            lanes: hungry(&threads),
            asleep: self.asleep >= ASLEEP,
        }
    }
}

impl Look {
    fn all(&self) -> impl Iterator<Item = Option<Seen>> {
        self.threads.iter().copied().chain([Some(self.lanes)])
    }

    /// How many would run.
    fn ready(&self) -> f64 {
        let ready = self.all().flatten().filter(|seen| seen.ready);
        ready.count().max(1) as f64
    }
}

/// How often in a row.
fn count(times: &mut u32, again: bool) {
    *times = if again { *times + 1 } else { 0 };
}

fn starves(pair: &Option<(Seen, Seen)>, few: Duration) -> bool {
    pair.is_some_and(|(before, now)| before.ready && now.ready && gained(before, now) < few)
}

/// A thread that cannot be seen may be at work.
fn sleeps(pair: &Option<(Seen, Seen)>, few: Duration) -> bool {
    pair.is_some_and(|(before, now)| !now.ready && gained(before, now) < few)
}

fn gained(before: Seen, now: Seen) -> Duration {
    now.time.saturating_sub(before.time)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What many looks in a row come to, in which two threads for rounds and two for what blocks, and
    /// the lanes, get so many microseconds each; `None` sleeps.
    fn judged(got: [Option<u64>; 5], looks: u32) -> Verdict {
        let (mut watch, begun) = (Watch::default(), Instant::now());
        let mut verdict = Verdict::default();
        for n in 0..=looks {
            let seen = got.map(|micros| Seen {
                ready: micros.is_some(),
                time: n * Duration::from_micros(micros.unwrap_or(0)),
            });
            let look = Look {
                threads: seen[..4].iter().copied().map(Some).collect(),
                lanes: seen[4],
                works_full: true,
            };
            verdict = watch.judge(begun + n * LOOK, &look);
        }
        verdict
    }

    #[test]
    fn who_would_run_and_gets_no_core_starves() {
        let (none, all) = (Some(300), Some(90_000));
        assert!(judged([none, all, None, None, None], 1).starved.is_empty());
        assert_eq!(judged([none, all, None, None, None], 2).starved, [0]);
        // Four of them have together what five parts of each were once taken for.
        let four = judged([none, none, none, none, None], 2);
        assert_eq!(four.starved, [0, 1, 2, 3]);
        let lanes = judged([None, None, None, None, none], 2);
        assert!(lanes.lanes && lanes.starved.is_empty() && lanes.any_starves());
    }

    #[test]
    fn who_gets_as_much_as_the_guard_would_does_not() {
        let healthy = judged([Some(30_000), None, Some(30_000), None, None], 100);
        assert!(!healthy.any_starves());
        // A share of what the guard would get is enough for each of several.
        let several = judged(
            [Some(3_000), Some(3_000), Some(3_000), Some(3_000), None],
            100,
        );
        assert!(!several.any_starves());
        assert_eq!(
            judged([Some(3_000), None, None, None, None], 2).starved,
            [0]
        );
    }

    #[test]
    fn work_that_takes_long_is_neither_starved_nor_asleep() {
        let slow = judged([None, None, Some(80_000), Some(80_000), None], 100);
        assert_eq!(slow, Verdict::default());
        let one_sleeps = judged([None, None, None, Some(80_000), None], 100);
        assert_eq!(one_sleeps, Verdict::default());
        // Both wait for their lanes.
        let lanes = judged([None, None, None, None, Some(80_000)], 100);
        assert_eq!(lanes, Verdict::default());
        assert!(!judged([None; 5], 9).asleep);
        assert!(judged([None; 5], 10).asleep);
    }

    #[test]
    fn who_cannot_be_seen_is_not_asleep() {
        let (mut watch, begun) = (Watch::default(), Instant::now());
        let look = Look {
            threads: vec![None; 4],
            works_full: true,
            ..Look::default()
        };
        for n in 0..=20 {
            assert!(!watch.judge(begun + n * LOOK, &look).asleep);
        }
    }
}
