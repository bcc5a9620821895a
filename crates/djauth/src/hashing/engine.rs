//! What the threads share: who waits, who is at work, and how much of it there is.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use djauth_hashers::{Derivation, Hashers, Step};
use parking_lot::{Condvar, Mutex};

use super::blocking::Begun;
use super::clock::{self, Clock};
use super::effort::Effort;
use super::pace::Meanwhile;
use super::shares::{Kind, Shares, Stage};
use super::stats::{Counts, Gauges};
use super::ticket::{Head, Lane, Ticket};
use super::watch::Look;

/// What nobody waits for any more is looked for so often, when too much waits.
const CLEAR: Duration = Duration::from_millis(20);

/// So long a new job is kept back where a thread holds the lock.
const AGAIN: Duration = Duration::from_millis(1);

/// So often: a lock that many want is hardly ever seen free, and who waits for it gets it in the end.
const TRIES: u32 = 100;

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

/// Where every job begins, whatever it is: it waits there as one would for whom nothing is stored. What
/// load does to a login says nothing of whose it is. A job that has passed and waits for other threads may
/// still be refused: one host could fill the queue with those otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gate {
    pub(super) kind: Kind,
    /// KiB of a new hash.
    pub(super) memory: u64,
}

pub(super) struct Engine {
    pub(super) state: Mutex<State>,
    pub(super) size: Size,
    pub(super) gate: Gate,
    /// Jobs beside each other in one thread.
    pub(super) streams: usize,
    pub(super) rounds_ready: Condvar,
    pub(super) work_ready: Condvar,
    pub(super) guard_ready: Condvar,
    /// Rounds wait: read by busy threads without the lock.
    pub(super) rounds_wait: AtomicBool,
    /// A network has nothing under way while another has more than its share.
    pub(super) unfair: AtomicBool,
    /// The guard is at a work.
    pub(super) guard_works: AtomicBool,
    /// The machine leaves the thread no time, and it leaves its work to others: those for rounds, and after
    /// them as many for what blocks.
    pub(super) starved: Vec<AtomicBool>,
    /// The clocks of these threads.
    pub(super) clocks: Vec<OnceLock<Clock>>,
    pub(super) counts: Counts,
    pub(super) gauges: Gauges,
    pub(super) effort: Effort,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) shares: Shares<Ticket>,
    /// Jobs that each thread for rounds has.
    pub(super) loads: Vec<usize>,
    /// Those that the guard has.
    pub(super) guard_load: usize,
    /// KiB that is in use.
    pub(super) memory: u64,
    /// The work that each thread for what blocks is at.
    pub(super) works: Vec<Option<Arc<Begun>>>,
    /// The work that the guard is at, perhaps a second time.
    pub(super) guard_work: Option<Arc<Begun>>,
    /// How far a job in a lane would have come.
    pub(super) meanwhile: Meanwhile,
    cleared: Option<Instant>,
    pub(super) closed: bool,
}

impl Engine {
    pub(super) fn new(size: Size, gate: Gate) -> Self {
        let state = State {
            loads: vec![0; size.threads],
            works: vec![None; size.threads],
            ..State::default()
        };
        // Where two are no faster than one after the other, the second need not wait all the same.
        let streams = Derivation::streams().max(2);
        Self {
            state: Mutex::new(state),
            size,
            gate,
            streams,
            rounds_ready: Condvar::new(),
            work_ready: Condvar::new(),
            guard_ready: Condvar::new(),
            rounds_wait: AtomicBool::new(false),
            unfair: AtomicBool::new(false),
            guard_works: AtomicBool::new(false),
            starved: (0..2 * size.threads)
                .map(|_| AtomicBool::default())
                .collect(),
            clocks: (0..2 * size.threads).map(|_| OnceLock::new()).collect(),
            counts: Counts::default(),
            gauges: Gauges::default(),
            effort: Effort::new(streams),
        }
    }

    /// Queues a new job. When too much waits, one of the heaviest client is refused: perhaps this one.
    ///
    /// The threads hold the lock for moments, but the machine may stop one in such a moment for long: the
    /// thread of the runtime goes on with other tasks meanwhile. Without a runtime it has none.
    pub(super) async fn submit(&self, mut ticket: Ticket) {
        let tries = tokio::runtime::Handle::try_current().map_or(0, |_| TRIES);
        for _ in 0..tries {
            let Some(back) = self.try_submit(ticket) else {
                return;
            };
            ticket = back;
            tokio::time::sleep(AGAIN).await;
        }
        self.admit(&mut self.state.lock(), ticket);
    }

    /// Gives the ticket back where the lock is held.
    fn try_submit(&self, ticket: Ticket) -> Option<Ticket> {
        let Some(mut state) = self.state.try_lock() else {
            return Some(ticket);
        };
        self.admit(&mut state, ticket);
        None
    }

    fn admit(&self, state: &mut State, ticket: Ticket) {
        if state.shares.waiting() >= self.size.queue {
            state.clear();
        }
        self.queue(state, ticket);
        if state.shares.waiting() > self.size.queue
            && let Some(shed) = state.shares.shed()
        {
            self.counts.shed(shed.head.client);
            shed.head.answer.shed();
        }
        self.note(state);
    }

    /// Has a job wait: a new one at the gate, one that has passed it for the threads that its step needs.
    pub(super) fn queue(&self, state: &mut State, ticket: Ticket) {
        let Some(kind) = ticket.kind().filter(|_| !state.closed) else {
            return;
        };
        let (client, stage) = (ticket.head.client, ticket.stage);
        let kind = match stage {
            Stage::New => self.gate.kind,
            Stage::Passed | Stage::Begun => kind,
        };
        state.shares.push(client, kind, stage, ticket);
        match kind {
            Kind::Rounds => self.rounds_ready.notify_one(),
            Kind::Blocking => self.work_ready.notify_one(),
        };
        self.guard_ready.notify_one();
    }

    /// The next job of this kind that somebody waits for and that fits into so much memory. Those that only
    /// had to pass the gate wait for what they need from then on.
    pub(super) fn pop(&self, state: &mut State, kind: Kind, most: u64) -> Option<Ticket> {
        loop {
            let used = state.memory;
            // What can never fit beside others runs alone.
            let fits = |ticket: &Ticket| {
                let memory = self.needs(ticket);
                memory == 0 || used == 0 || used.saturating_add(memory) <= most
            };
            let ticket = state
                .shares
                .pop(kind, |t| fits(t) || t.head.answer.gone())?;
            if ticket.head.answer.gone() {
                self.counts.dropped();
                state.shares.release(ticket.head.client);
            } else if let Some(ticket) = self.pass(state, kind, ticket) {
                state.memory += ticket.memory();
                return Some(ticket);
            }
        }
    }

    /// What a job needs in memory to be taken.
    fn needs(&self, ticket: &Ticket) -> u64 {
        match ticket.stage {
            Stage::New => self.gate.memory,
            Stage::Passed | Stage::Begun => ticket.memory(),
        }
    }

    /// Lets a job through the gate. `None` where it waits again, for other threads or more memory.
    fn pass(&self, state: &mut State, kind: Kind, ticket: Ticket) -> Option<Ticket> {
        let may = ticket.kind() == Some(kind) && ticket.memory() <= self.gate.memory;
        let (spent, now) = (&ticket.head.spent, state.meanwhile.read(Instant::now()));
        if ticket.stage == Stage::New {
            spent.go_away(now);
        }
        if ticket.stage == Stage::New && !may {
            self.again(state, ticket.head, ticket.step, Stage::Passed);
            return None;
        }
        if kind == Kind::Rounds {
            spent.take_lane(now);
        }
        if ticket.stage != Stage::Begun {
            self.counts.waited(ticket.head.queued);
        }
        Some(ticket)
    }

    /// Whether the thread leaves what waits to the guard. While that is at a work it does nothing else, and for
    /// as long as the work takes: as much as the machine lets the thread do is better then.
    pub(super) fn stands_back(&self, state: &State, thread: usize) -> bool {
        self.starved[thread].load(Relaxed) && state.guard_work.is_none()
    }

    /// Tells the busy threads, who read this without the lock.
    pub(super) fn note(&self, state: &mut State) {
        let rate = self.effort.pace.rate(self.jobs_each(state));
        state.meanwhile.go_on(Instant::now(), rate);
        self.rounds_wait
            .store(state.shares.waits(Kind::Rounds), Relaxed);
        self.unfair.store(state.shares.unfair(), Relaxed);
        self.guard_works.store(state.guard_work.is_some(), Relaxed);
        self.gauges.show(state);
    }

    /// The jobs of a thread on the average, were there one more. It would begin where there are as many or
    /// more, and see some of them end.
    fn jobs_each(&self, state: &State) -> f64 {
        let threads = self.starved[..self.size.threads].iter();
        let threads = threads.filter(|starved| !starved.load(Relaxed)).count();
        (state.lanes() + 1) as f64 / threads.max(1) as f64
    }

    /// A job has left its thread; what is left of it waits again.
    pub(super) fn leave(&self, state: &mut State, head: Head, step: Step<()>) {
        if matches!(step, Step::Blocking(_)) {
            head.spent.go_away(state.meanwhile.read(Instant::now()));
        }
        self.again(state, head, step, Stage::Begun);
    }

    pub(super) fn again(&self, state: &mut State, head: Head, step: Step<()>, stage: Stage) {
        state.shares.release(head.client);
        self.queue(state, Ticket { head, step, stage });
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

    /// Without the lock.
    pub(super) fn stats(&self) -> super::Stats {
        let mut stats = self.counts.stats();
        self.gauges.read(&mut stats);
        stats
    }

    /// How the threads do.
    pub(super) fn look(&self) -> Look {
        let read = |clock: &OnceLock<Clock>| clock.get().and_then(Clock::read);
        let (threads, lanes) = (self.clocks.iter().map(read).collect(), clock::lanes());
        let state = self.state.lock();
        let full = state.works.iter().all(Option::is_some);
        Look {
            threads,
            lanes,
            works_full: full && state.shares.waits(Kind::Blocking),
        }
    }
}

impl Gate {
    /// The first step of a new hash, which is what nobody's password takes.
    pub(super) fn of(hashers: &Hashers) -> Self {
        match hashers.start_harden_runtime() {
            Step::Blocking(work) => Self {
                kind: Kind::Blocking,
                memory: work.memory,
            },
            _ => Self {
                kind: Kind::Rounds,
                memory: 0,
            },
        }
    }
}

impl State {
    /// Something waits, or is under way.
    pub(super) fn has_jobs(&self) -> bool {
        self.shares.waiting() + self.lanes() > 0 || self.works()
    }

    /// Jobs whose rounds are being done.
    pub(super) fn lanes(&self) -> usize {
        self.loads.iter().sum::<usize>() + self.guard_load
    }

    /// Works that block and are under way.
    pub(super) fn running_works(&self) -> usize {
        let works = self.works.iter().flatten();
        let again = |begun: &&Arc<Begun>| !works.clone().any(|other| Arc::ptr_eq(begun, other));
        let guard = self.guard_work.iter().filter(again);
        let works = works.clone().chain(guard);
        works.filter(|begun| begun.is_open()).count()
    }

    pub(super) fn works(&self) -> bool {
        self.running_works() > 0
    }

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
