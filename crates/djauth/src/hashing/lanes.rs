//! Threads that do PBKDF2 rounds, of several jobs beside each other.
//!
//! After each part of so many rounds a thread looks around: jobs that are done leave, jobs whose caller
//! has gone are dropped, and one that waits takes the free lane. Jobs are spread over the threads
//! first, because one alone is fastest, and then over the lanes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use djauth_hashers::{Derivation, Digest, Step};

use super::engine::{Engine, State};
use super::pace::BESIDE_WORK;
use super::priority;
use super::shares::Kind;
use super::ticket::{Head, Lane};

/// Rounds between two looks around: about a tenth of a millisecond for each job.
pub(super) const PART: u32 = 1024;

/// Runs until the pool is gone. Threads that run in idle times only offer their core after each part.
pub(super) fn run(engine: &Engine, thread: usize, idle: bool) {
    engine.measure_when_old();
    let mut lanes = Vec::with_capacity(engine.streams);
    let mut since = None;
    while engine.take_lanes(thread, &mut lanes, &mut since) {
        engine.advance(&mut lanes, &mut since);
        engine.settle(&mut lanes, |state, count| state.loads[thread] = count);
        if idle {
            priority::offer();
        }
    }
}

impl Engine {
    /// So that what is not counted in rounds can be compared with them from the first login on, and after a
    /// busy hour without any.
    pub(super) fn measure_when_old(&self) {
        if self.effort.pace.is_old() {
            self.effort.pace.correct(PART, shortest_part());
            self.note(&mut self.state.lock());
        }
    }

    /// Fills the free lanes as far as it is this thread's turn; waits while it has none. False when the
    /// pool is gone.
    fn take_lanes(
        &self,
        thread: usize,
        lanes: &mut Vec<Lane>,
        since: &mut Option<Instant>,
    ) -> bool {
        if !lanes.is_empty() && !self.should_look(thread, lanes.len()) {
            return true;
        }
        let mut state = self.state.lock();
        loop {
            if state.closed {
                return false;
            }
            if self.stands_back(&state, thread) {
                self.hand_over(&mut state, lanes);
                state.loads[thread] = 0;
            } else {
                self.make_room(&mut state, lanes);
                state.loads[thread] = lanes.len();
                self.fill(&mut state, thread, lanes);
            }
            self.note(&mut state);
            if !lanes.is_empty() {
                return true;
            }
            *since = None;
            self.rounds_ready.wait(&mut state);
        }
    }

    fn should_look(&self, thread: usize, lanes: usize) -> bool {
        let free = lanes < self.streams;
        free && self.rounds_wait.load(Relaxed)
            || !free && self.unfair.load(Relaxed)
            || self.starved[thread].load(Relaxed) && !self.guard_works.load(Relaxed)
    }

    fn fill(&self, state: &mut State, thread: usize, lanes: &mut Vec<Lane>) {
        // What a starved thread takes the guard cannot have.
        let most = match self.starved[thread].load(Relaxed) {
            true => 1,
            false => self.streams,
        };
        while lanes.len() < most && self.has_least(state, lanes.len()) {
            let Some(ticket) = self.pop(state, Kind::Rounds, self.size.memory) else {
                break;
            };
            lanes.extend(Lane::of(ticket));
            state.loads[thread] = lanes.len();
        }
        // Others are as free as this one, and asleep.
        if state.shares.waits(Kind::Rounds) && state.loads.contains(&0) {
            self.rounds_ready.notify_one();
        }
    }

    /// Whether no thread that takes any has fewer lanes.
    fn has_least(&self, state: &State, lanes: usize) -> bool {
        let mut loads = state.loads.iter().zip(&self.starved);
        loads.all(|(load, starved)| lanes <= *load || starved.load(Relaxed))
    }

    /// Where the next in turn has nothing under way, one that has much gives up a lane for now.
    fn make_room(&self, state: &mut State, lanes: &mut Vec<Lane>) {
        if lanes.len() < self.streams || !state.shares.unfair() {
            return;
        }
        let surplus = |lane: &Lane| state.shares.surplus(lane.head.client);
        let most = lanes.iter().enumerate();
        let most = most.filter_map(|(index, lane)| Some((surplus(lane)?, index)));
        if let Some((_, index)) = most.max() {
            let (head, step) = lanes.swap_remove(index).wait();
            self.leave(state, head, step);
        }
    }

    /// The guard takes some that wait. False when there are none.
    pub(super) fn guard_lanes(&self, lanes: &mut Vec<Lane>) -> bool {
        let mut state = self.state.lock();
        while lanes.len() < self.streams {
            let Some(ticket) = self.pop(&mut state, Kind::Rounds, u64::MAX) else {
                break;
            };
            lanes.extend(Lane::of(ticket));
        }
        state.guard_load = lanes.len();
        self.note(&mut state);
        !lanes.is_empty()
    }

    /// The guard goes, and the threads are asked again.
    pub(super) fn guard_hands_over(&self, lanes: &mut Vec<Lane>) {
        let mut state = self.state.lock();
        for starved in &self.starved {
            starved.store(false, Relaxed);
        }
        self.hand_over(&mut state, lanes);
        state.guard_load = 0;
        self.note(&mut state);
        drop(state);
        self.rounds_ready.notify_all();
        self.work_ready.notify_all();
    }

    fn hand_over(&self, state: &mut State, lanes: &mut Vec<Lane>) {
        for lane in lanes.drain(..) {
            let (head, step) = lane.wait();
            self.leave(state, head, step);
        }
    }

    /// A part of each job. `since` is when the last one ended, where there was one right before.
    pub(super) fn advance(&self, lanes: &mut [Lane], since: &mut Option<Instant>) {
        let rounds = |lane: &Lane| lane.rounds.remaining();
        let before: Vec<u64> = lanes.iter().map(rounds).collect();
        let begun = since.unwrap_or_else(Instant::now);
        Derivation::advance(lanes.iter_mut().map(|lane| &mut lane.rounds), PART);
        let ended = Instant::now();
        *since = Some(ended);
        self.account(lanes, &before, ended - begun);
    }

    fn account(&self, lanes: &[Lane], before: &[u64], time: Duration) {
        let pace = &self.effort.pace;
        for (lane, before) in lanes.iter().zip(before) {
            let (done, spent) = (before - lane.rounds.remaining(), &lane.head.spent);
            match lane.rounds.digest() {
                Digest::Sha256 => spent.rounds(done),
                Digest::Sha1 => spent.sha1(done, pace.rounds(lanes.len(), time)),
            }
        }
        let learns = |(lane, before): (&Lane, &u64)| {
            lane.rounds.digest() == Digest::Sha256 && *before >= u64::from(PART)
        };
        if lanes.iter().zip(before).all(learns) {
            let weight = match self.gauges.works() {
                true => BESIDE_WORK,
                false => 1.0,
            };
            pace.learn(lanes.len(), PART, time, weight);
        }
    }

    /// Lets those go that are done, or whose caller has gone.
    pub(super) fn settle(&self, lanes: &mut Vec<Lane>, load: impl FnOnce(&mut State, usize)) {
        let leaves = |lane: &Lane| lane.rounds.remaining() == 0 || lane.head.answer.gone();
        if !lanes.iter().any(leaves) {
            return;
        }
        let left: Vec<_> = lanes
            .extract_if(.., |lane| leaves(lane))
            .map(resume)
            .collect();
        let mut state = self.state.lock();
        for (head, step) in left {
            self.settled(&mut state, lanes, head, step);
        }
        load(&mut state, lanes.len());
        self.note(&mut state);
    }

    fn settled(
        &self,
        state: &mut State,
        lanes: &mut Vec<Lane>,
        head: Head,
        step: Option<Step<()>>,
    ) {
        match step {
            // More rounds: it keeps its lane.
            Some(Step::Rounds(rounds, next)) => lanes.push(Lane { head, rounds, next }),
            Some(step) => self.leave(state, head, step),
            None => {
                self.counts.dropped();
                state.shares.release(head.client);
            }
        }
    }
}

/// Of some parts, the shortest did not have to wait for its core.
fn shortest_part() -> Duration {
    let times = (0..4).map(|_| {
        let mut rounds = Derivation::sha256(b"a password", b"some salt", u64::from(PART));
        let begun = Instant::now();
        Derivation::advance([&mut rounds], PART);
        begun.elapsed()
    });
    times.min().unwrap_or_default()
}

/// What follows on the rounds. `None` where nobody waits for it, or where it panicked.
fn resume(lane: Lane) -> (Head, Option<Step<()>>) {
    if lane.rounds.remaining() > 0 {
        return (lane.head, None);
    }
    let next = AssertUnwindSafe(|| (lane.next)(lane.rounds));
    (lane.head, catch_unwind(next).ok())
}
