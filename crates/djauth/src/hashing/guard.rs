//! Sees to it that passwords are hashed at all.
//!
//! The threads run only where nobody else wants the core. On a machine that is busy with other things
//! all the time, nobody would ever log in. So there is one more thread, which is only nice: it looks
//! now and then whether the others get ahead, and where they do not it does their work for a while.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::engine::Engine;
use super::shares::Kind;
use super::ticket::Lane;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// Threads that get no further than so many parts meanwhile are starved; a free core does hundreds.
const FEW: u64 = 5;
/// So long a work that blocks may keep the next one waiting.
const STUCK: Duration = Duration::from_secs(1);
/// For so long the guard works, before it sees how the others do.
const SHIFT: Duration = Duration::from_secs(5);

/// Runs until the pool is gone.
pub(super) fn run(engine: &Engine) {
    let mut starved = 0;
    while engine.wait_for_jobs() {
        let before = engine.parts.load(Relaxed);
        std::thread::sleep(LOOK);
        let now = engine.is_starved(engine.parts.load(Relaxed) - before);
        starved = if now { starved + 1 } else { 0 };
        // Once may be a job that came in the last moment.
        if starved > 1 {
            engine.take_over();
            starved = 0;
        }
    }
}

impl Engine {
    fn wait_for_jobs(&self) -> bool {
        let mut state = self.state.lock();
        while !state.closed && state.shares.waiting() == 0 && state.loads.iter().all(|n| *n == 0) {
            self.guard_ready.wait(&mut state);
        }
        !state.closed
    }

    fn is_starved(&self, parts: u64) -> bool {
        let state = self.state.lock();
        let rounds = state.shares.waits(Kind::Rounds) || state.loads.iter().any(|n| *n > 0);
        let stuck = state.work_moved.is_some_and(|then| then.elapsed() > STUCK);
        let works = state.shares.waits(Kind::Blocking) && (stuck || state.works == 0);
        rounds && parts < FEW || works
    }

    fn take_over(&self) {
        tracing::debug!("the machine leaves no time for hashing passwords: one thread insists");
        self.starved.store(true, Relaxed);
        let until = Instant::now() + SHIFT;
        let mut lanes = Vec::new();
        while Instant::now() < until && self.guard_lanes(&mut lanes) {
            self.advance(&mut lanes);
            self.settle(&mut lanes, |_, _| ());
            // Whoever waits for the core is first.
            std::thread::yield_now();
        }
        self.starved.store(false, Relaxed);
        let mut state = self.state.lock();
        for lane in lanes {
            let (head, step) = lane.wait();
            self.leave(&mut state, head, step);
        }
        self.note(&state);
        drop(state);
        self.rounds_ready.notify_all();
    }

    /// Whatever waits; false when nothing does.
    fn guard_lanes(&self, lanes: &mut Vec<Lane>) -> bool {
        let mut state = self.state.lock();
        while !state.closed && lanes.len() < self.streams {
            let Some(ticket) = self.pop(&mut state, Kind::Rounds) else {
                break;
            };
            lanes.extend(Lane::of(ticket));
        }
        self.note(&state);
        if !lanes.is_empty() || state.closed {
            return !state.closed;
        }
        let Some(ticket) = self.pop(&mut state, Kind::Blocking) else {
            // Jobs of the others are still to be handed over.
            let others = state.loads.iter().any(|load| *load > 0);
            drop(state);
            std::thread::sleep(LOOK / 10);
            return others;
        };
        state.works += 1;
        drop(state);
        self.work(ticket);
        true
    }
}
