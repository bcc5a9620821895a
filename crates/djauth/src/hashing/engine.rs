//! What the threads share: who waits, who is at work, and how much of it there is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use djauth_hashers::{Derivation, Step};
use parking_lot::{Condvar, Mutex};

use super::effort::Effort;
use super::shares::{Kind, Shares};
use super::stats::Counts;
use super::ticket::{Head, Lane, Ticket};

/// What nobody waits for any more is looked for so often, when too much waits.
const CLEAR: Duration = Duration::from_millis(20);

/// The size of an engine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Threads for rounds, and as many for what blocks.
    pub(super) threads: usize,
    /// Jobs that may wait.
    pub(super) queue: usize,
    /// KiB that what blocks may use at once.
    pub(super) memory: u64,
}

pub(super) struct Engine {
    pub(super) state: Mutex<State>,
    pub(super) size: Size,
    /// Jobs beside each other in one thread.
    pub(super) streams: usize,
    pub(super) rounds_ready: Condvar,
    pub(super) work_ready: Condvar,
    pub(super) guard_ready: Condvar,
    /// Rounds wait: read by busy threads without the lock.
    pub(super) rounds_wait: AtomicBool,
    /// A network has nothing under way while another has more than its share.
    pub(super) unfair: AtomicBool,
    /// The machine leaves the threads no time; the guard does the work.
    pub(super) starved: AtomicBool,
    /// Parts of rounds that the threads have done.
    pub(super) parts: AtomicU64,
    pub(super) counts: Counts,
    pub(super) effort: Effort,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) shares: Shares<Ticket>,
    /// Jobs that each thread for rounds has.
    pub(super) loads: Vec<usize>,
    /// KiB that is in use.
    pub(super) memory: u64,
    /// When work that blocks was last begun or ended, or came where there was none.
    pub(super) work_moved: Option<Instant>,
    /// Works that block and are under way.
    pub(super) works: usize,
    cleared: Option<Instant>,
    pub(super) closed: bool,
}

impl Engine {
    pub(super) fn new(size: Size) -> Self {
        let state = State {
            loads: vec![0; size.threads],
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            size,
            // Where two are no faster than one after the other, the second need not wait all the same.
            streams: Derivation::streams().max(2),
            rounds_ready: Condvar::new(),
            work_ready: Condvar::new(),
            guard_ready: Condvar::new(),
            rounds_wait: AtomicBool::new(false),
            unfair: AtomicBool::new(false),
            starved: AtomicBool::new(false),
            parts: AtomicU64::new(0),
            counts: Counts::default(),
            effort: Effort::default(),
        }
    }

    /// Queues a new job. When too much waits, one of the heaviest client is refused: perhaps this one.
    pub(super) fn submit(&self, ticket: Ticket) {
        let mut state = self.state.lock();
        if state.shares.waiting() >= self.size.queue {
            state.clear();
        }
        self.queue(&mut state, ticket);
        if state.shares.waiting() > self.size.queue
            && let Some(shed) = state.shares.shed()
        {
            self.counts.shed(shed.head.client);
            shed.head.answer.shed();
        }
        self.note(&state);
    }

    /// Has a job wait for the threads that its step needs.
    pub(super) fn queue(&self, state: &mut State, ticket: Ticket) {
        let Some(kind) = ticket.kind().filter(|_| !state.closed) else {
            return;
        };
        if kind == Kind::Blocking && state.works == 0 && !state.shares.waits(kind) {
            state.work_moved = Some(Instant::now());
        }
        let client = ticket.head.client;
        match ticket.begun {
            true => state.shares.push_begun(client, kind, ticket),
            false => state.shares.push(client, kind, ticket),
        }
        match kind {
            Kind::Rounds => self.rounds_ready.notify_one(),
            Kind::Blocking => self.work_ready.notify_one(),
        };
        self.guard_ready.notify_one();
    }

    /// The next job of this kind that somebody waits for and whose memory there is.
    pub(super) fn pop(&self, state: &mut State, kind: Kind) -> Option<Ticket> {
        let (used, most) = (state.memory, self.size.memory);
        // What can never fit beside others runs alone.
        let fits = |ticket: &Ticket| {
            let memory = ticket.memory();
            memory == 0 || used == 0 || used.saturating_add(memory) <= most
        };
        loop {
            let ticket = state
                .shares
                .pop(kind, |t| fits(t) || t.head.answer.gone())?;
            if !ticket.head.answer.gone() {
                if !ticket.begun {
                    self.counts.waited(ticket.head.queued);
                }
                state.memory += ticket.memory();
                return Some(ticket);
            }
            self.counts.dropped();
            state.shares.release(ticket.head.client);
        }
    }

    /// Tells the busy threads, who read this without the lock.
    pub(super) fn note(&self, state: &State) {
        self.rounds_wait
            .store(state.shares.waits(Kind::Rounds), Relaxed);
        self.unfair.store(state.shares.unfair(), Relaxed);
    }

    /// A job has left its thread; what is left of it waits again.
    pub(super) fn leave(&self, state: &mut State, head: Head, step: Step<()>) {
        state.shares.release(head.client);
        let ticket = Ticket {
            head,
            step,
            begun: true,
        };
        self.queue(state, ticket);
    }

    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        // Their callers see that no answer will come.
        state.shares = Shares::default();
        drop(state);
        self.rounds_ready.notify_all();
        self.work_ready.notify_all();
        self.guard_ready.notify_all();
    }

    pub(super) fn stats(&self) -> super::Stats {
        let state = self.state.lock();
        let lanes: usize = state.loads.iter().sum();
        let mut stats = self.counts.stats();
        stats.waiting = state.shares.waiting() as u64;
        stats.lanes = lanes as u64;
        stats.running = (lanes + state.works) as u64;
        stats.memory = state.memory * 1024;
        stats
    }
}

impl State {
    fn clear(&mut self) {
        let now = Instant::now();
        if self.cleared.is_none_or(|then| now - then >= CLEAR) {
            self.cleared = Some(now);
            self.shares.retain(|ticket| !ticket.head.answer.gone());
        }
    }
}

impl Lane {
    /// A job whose step is rounds.
    pub(super) fn of(ticket: Ticket) -> Option<Self> {
        match ticket.step {
            Step::Rounds(rounds, next) => Some(Self {
                head: ticket.head,
                rounds,
                next,
            }),
            _ => None,
        }
    }

    pub(super) fn wait(self) -> (Head, Step<()>) {
        (self.head, Step::Rounds(self.rounds, self.next))
    }
}

/// Closes the engine when the last clone of the pool goes.
pub(super) struct Handle(pub(super) Arc<Engine>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}
