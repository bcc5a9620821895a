//! Sees to it that passwords are hashed at all.
//!
//! The threads run only where nobody else wants the core. On a machine that is busy with other things
//! all the time, nobody would ever log in, and no thread can lift itself or another out of the class for
//! idle times without a privilege. So there is one more thread, which is only nice: it looks now and
//! then whether the others get ahead, and where they do not it does their work for a while. What one of
//! them has begun and cannot hand over it begins a second time.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::engine::Engine;
use super::priority;
use super::ticket::Lane;
use super::watch::{LOOK, Verdict, Watch};

/// For so long the guard works after it has last seen that the machine is busy.
const SHIFT: Duration = Duration::from_secs(5);
/// Where it gets less than one of so many parts of a core itself, the machine is busy: of one that is it has
/// a tenth at most.
const BUSY: u32 = 5;

/// Runs until the pool is gone.
pub(super) fn run(engine: &Engine) {
    djauth_hashers::lanes_on_this_thread();
    // One that runs is not put off for who wakes up, but at the next tick.
    priority::offer_core_in_turns();
    let mut guard = Guard::new(engine);
    while guard.wait_for_jobs() {
        guard.turn();
    }
}

struct Guard<'a> {
    engine: &'a Engine,
    clock: Option<Clock>,
    watch: Watch,
    lanes: Vec<Lane>,
    /// The end of the shift, while there is one.
    until: Option<Instant>,
    /// The threads that compute lanes of Argon2 and scrypt get no time.
    lanes_starve: bool,
}

impl<'a> Guard<'a> {
    fn new(engine: &'a Engine) -> Self {
        Self {
            engine,
            clock: Clock::of_this_thread(),
            watch: Watch::default(),
            lanes: Vec::new(),
            until: None,
            lanes_starve: false,
        }
    }

    /// False when the pool is gone. In a shift it waits no longer than that.
    fn wait_for_jobs(&mut self) -> bool {
        let mut state = self.engine.state.lock();
        while !state.closed && !state.has_jobs() {
            self.watch.rest();
            let ready = &self.engine.guard_ready;
            match self.until {
                None => ready.wait(&mut state),
                Some(until) if ready.wait_until(&mut state, until).timed_out() => break,
                Some(_) => (),
            }
        }
        !state.closed
    }

    fn turn(&mut self) {
        if self.until.is_none() {
            std::thread::sleep(LOOK);
        } else if !self.work() {
            // What the others have is still to be handed over, or they do it.
            std::thread::sleep(LOOK / 10);
        }
        self.look();
        if self.until.is_some_and(|until| Instant::now() >= until) {
            self.stand_down();
        }
    }

    /// Does of what there is, and sees how it gets ahead. False when there was nothing.
    fn work(&mut self) -> bool {
        let (begun, before) = (Instant::now(), self.time());
        let mut worked = self.rounds(begun + LOOK);
        if self.lanes.is_empty() {
            worked |=
                self.engine.work_again(self.lanes_starve) || self.engine.work_waiting(u64::MAX);
        }
        let had = self.time().zip(before).map(|(now, before)| now - before);
        if worked && had.is_some_and(|had| had * BUSY < begun.elapsed()) {
            self.until = Some(Instant::now() + SHIFT);
        }
        worked
    }

    /// Some at a time, and after them a work that blocks has its turn. False when there are none.
    fn rounds(&mut self, until: Instant) -> bool {
        let engine = self.engine;
        if self.lanes.is_empty() && !engine.guard_lanes(&mut self.lanes) {
            return false;
        }
        let mut since = None;
        while !self.lanes.is_empty() && Instant::now() < until {
            engine.advance(&mut self.lanes, &mut since);
            engine.settle(&mut self.lanes, |state, count| state.guard_load = count);
            // Whoever waits for the core is first.
            priority::offer_in_turns();
        }
        true
    }

    /// The time on a core that it has had.
    fn time(&self) -> Option<Duration> {
        let seen = self.clock.as_ref().and_then(Clock::read);
        seen.map(|seen| seen.time)
    }

    fn look(&mut self) {
        let now = Instant::now();
        if !self.watch.due(now) {
            return;
        }
        let verdict = self.watch.judge(now, &self.engine.look());
        self.act(&verdict);
    }

    fn act(&mut self, verdict: &Verdict) {
        if verdict.any_starves() {
            self.stand_in(verdict);
        } else if verdict.asleep && self.lanes.is_empty() {
            // A work may take long, and lanes that it had would stand still as long.
            self.engine.work_waiting(self.engine.size.memory);
        }
    }

    fn stand_in(&mut self, verdict: &Verdict) {
        if self.until.is_none() {
            tracing::debug!("the machine leaves no time for hashing passwords: one thread insists");
        }
        for index in &verdict.starved {
            self.engine.starved[*index].store(true, Relaxed);
        }
        self.lanes_starve |= verdict.lanes;
        self.until = Some(Instant::now() + SHIFT);
    }

    fn stand_down(&mut self) {
        (self.until, self.lanes_starve) = (None, false);
        self.watch.rest();
        self.engine.guard_hands_over(&mut self.lanes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ENDLESS, idle_pool, until};
    use super::*;

    #[tokio::test]
    async fn no_work_is_begun_beside_lanes() {
        let pool = idle_pool();
        let mut guard = Guard::new(pool.engine());
        let long = tokio::spawn({
            let pool = pool.clone();
            async move { pool.verify("x", ENDLESS).await }
        });
        until(&pool, |stats| stats.waiting == 1).await;
        assert!(pool.engine().guard_lanes(&mut guard.lanes));
        let work = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(|_| 7).await }
        });
        // It passes the gate, and waits.
        until(&pool, |stats| stats.waiting == 1).await;
        assert!(!pool.engine().guard_lanes(&mut Vec::new()));
        let asleep = Verdict {
            asleep: true,
            ..Verdict::default()
        };
        guard.act(&asleep);
        assert_eq!(pool.stats().waiting, 1);
        guard.stand_down();
        guard.act(&asleep);
        assert_eq!(work.await.unwrap().unwrap(), 7);
        long.abort();
    }
}
