//! Threads for what cannot be done in parts: Argon2, scrypt, bcrypt, and an application's own hashers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use djauth_hashers::{Run, Step};
use parking_lot::{Mutex, MutexGuard};

use super::engine::{Engine, State};
use super::shares::{Kind, Stage};
use super::ticket::{Head, Ticket};

/// Memory that was kept for the next hash is given back when none has come for so long.
const KEEP: Duration = Duration::from_secs(30);

/// Runs until the pool is gone.
pub(super) fn run(engine: &Engine, thread: usize) {
    while let Some(begun) = engine.next_work(thread) {
        engine.measure_when_old();
        engine.work(&begun, |state| state.works[thread] = None);
    }
}

/// A work that somebody is at: a thread, and perhaps the guard too.
pub(super) struct Begun {
    /// Taken by whoever ends it first.
    head: Mutex<Option<Head>>,
    run: Run<()>,
    memory: u64,
    name: String,
    /// When it was begun, by the clock of lanes.
    since: f64,
    /// The guard has begun it too.
    again: AtomicBool,
}

impl Begun {
    fn of(ticket: Ticket, since: f64) -> Option<Self> {
        let Step::Blocking(work) = ticket.step else {
            return None;
        };
        ticket.head.spent.begin_work(since);
        Some(Self {
            head: Mutex::new(Some(ticket.head)),
            run: work.run,
            memory: work.memory,
            name: work.name,
            since,
            again: AtomicBool::new(false),
        })
    }

    /// Nobody has ended it.
    pub(super) fn is_open(&self) -> bool {
        self.head.lock().is_some()
    }

    /// Somebody waits for it, and the guard has not begun it.
    fn wants_another(&self) -> bool {
        let head = self.head.lock();
        head.as_ref().is_some_and(|head| !head.answer.gone()) && !self.again.load(Relaxed)
    }
}

/// It may be much to unmap, and whoever has a new job shall not wait for that.
pub(super) fn release(state: &mut MutexGuard<'_, State>, release: impl FnOnce()) {
    MutexGuard::unlocked(state, release);
}

impl Engine {
    /// Waits for one. `None` when the pool is gone.
    pub(super) fn next_work(&self, thread: usize) -> Option<Arc<Begun>> {
        let mut state = self.state.lock();
        let mut kept = true;
        loop {
            if state.closed {
                return None;
            }
            if let Some(begun) = self.begin(&mut state, thread) {
                return Some(begun);
            }
            if !kept {
                self.work_ready.wait(&mut state);
            } else if self.work_ready.wait_for(&mut state, KEEP).timed_out() && !state.works() {
                release(&mut state, djauth_hashers::release_memory);
                kept = false;
            }
        }
    }

    fn begin(&self, state: &mut State, thread: usize) -> Option<Arc<Begun>> {
        if self.stands_back(state, self.size.threads + thread) {
            return None;
        }
        let begun = self.begin_work(state, self.size.memory);
        state.works[thread].clone_from(&begun);
        // Some may have been dropped, too.
        self.note(state);
        begun
    }

    fn begin_work(&self, state: &mut State, memory: u64) -> Option<Arc<Begun>> {
        let ticket = self.pop(state, Kind::Blocking, memory)?;
        let now = state.meanwhile.read(Instant::now());
        Begun::of(ticket, now).map(Arc::new)
    }

    /// The guard does what waits, if that fits in so much memory. False when there is nothing.
    pub(super) fn work_waiting(&self, memory: u64) -> bool {
        let mut state = self.state.lock();
        let begun = self.begin_work(&mut state, memory);
        // Some may have been dropped, too.
        self.note(&mut state);
        begun.is_some_and(|begun| self.guard_works(state, &begun))
    }

    /// The guard is at it until it ends. Others take what waits meanwhile.
    fn guard_works(&self, mut state: MutexGuard<'_, State>, begun: &Arc<Begun>) -> bool {
        state.guard_work = Some(begun.clone());
        self.note(&mut state);
        if state.shares.waits(Kind::Rounds) {
            self.rounds_ready.notify_all();
        }
        if state.shares.waits(Kind::Blocking) {
            self.work_ready.notify_all();
        }
        drop(state);
        self.work(begun, |state| state.guard_work = None);
        true
    }

    /// The guard begins a second time what a thread has begun that gets no time. False when there is
    /// nothing.
    pub(super) fn work_again(&self, lanes_starve: bool) -> bool {
        let mut state = self.state.lock();
        let starved = &self.starved[self.size.threads..];
        let stuck = state
            .works
            .iter()
            .zip(starved)
            .filter_map(|(begun, starved)| {
                let begun = begun.as_ref()?;
                // Whose lanes others compute, sleeps.
                let stuck = starved.load(Relaxed) || lanes_starve && begun.memory > 0;
                (stuck && begun.wants_another()).then(|| begun.clone())
            });
        let Some(begun) = { stuck }.next() else {
            return false;
        };
        begun.again.store(true, Relaxed);
        state.memory += begun.memory;
        self.guard_works(state, &begun)
    }

    pub(super) fn work(&self, begun: &Begun, leave: impl FnOnce(&mut State)) {
        // A panic drops the answer, which the caller sees; the thread lives on.
        let ended = match catch_unwind(AssertUnwindSafe(|| (begun.run)())) {
            Ok(Some(step)) => Some(Some(step)),
            // Somebody else was faster.
            Ok(None) => None,
            Err(_) => Some(None),
        };
        let mut state = self.state.lock();
        leave(&mut state);
        state.memory -= begun.memory;
        let head = begun.head.lock().take_if(|_| ended.is_some());
        if let Some((head, step)) = head.zip(ended) {
            self.worked(&mut state, begun, head, step);
        }
        // There is room for those whose memory was not there.
        self.work_ready.notify_all();
        self.note(&mut state);
    }

    fn worked(&self, state: &mut State, begun: &Begun, head: Head, step: Option<Step<()>>) {
        let now = state.meanwhile.read(Instant::now());
        // Of one that was begun twice most of the time was perhaps a wait.
        let took = (!begun.again.load(Relaxed)).then_some(now - begun.since);
        head.spent.end_work(&begun.name, took, now);
        match step.filter(|step| matches!(step, Step::Done(())) || !head.answer.gone()) {
            // It was only to make ready: all wait at the gate, whosever password it is.
            Some(step) if begun.name.is_empty() => self.again(state, head, step, Stage::New),
            Some(step) => self.leave(state, head, step),
            None => {
                self.counts.dropped();
                state.shares.release(head.client);
            }
        }
    }
}
