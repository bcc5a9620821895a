//! Every order in which requests and writers can run, through the shipped cache and a simulated
//! database; see `README.md`.

mod sim;

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use parking_lot::Mutex;

use self::sim::{Asks, Fault, Kind, Sim, SimSource, SimValue, step};
use super::{Before, Moment, Question, RequestCache, Source};

#[derive(Clone, Copy)]
enum Task {
    /// A request for this permission.
    Ask(u8),
    /// Somebody else commits.
    Commit,
    /// Somebody else commits and holds the file meanwhile.
    CommitHolding,
    /// We commit, and are told.
    OwnCommit,
    /// The clock moves on, so often.
    Ticks(u8),
}

#[derive(Clone)]
struct Scenario {
    kind: Kind,
    staleness: Duration,
    /// Permissions asked for, one request after the other, before the rest begins.
    warm: &'static [u8],
    /// A commit after that, which no proof has noticed.
    unnoticed: bool,
    failures: u64,
    /// What the clock shows then; zero: it is the real one.
    ticks: u8,
    tasks: &'static [Task],
}

const STRICT: Scenario = Scenario {
    kind: Kind::Sqlite(1),
    staleness: Duration::ZERO,
    warm: &[0],
    unnoticed: false,
    failures: 0,
    ticks: 0,
    tasks: &[],
};

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Whether a task has something to do.
struct Awake(AtomicBool);

impl Wake for Awake {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A task, until it has ended.
struct Slot {
    task: Option<Running>,
    awake: Arc<Awake>,
}

impl Slot {
    fn new(task: Running) -> Self {
        Self {
            task: Some(task),
            awake: Arc::new(Awake(AtomicBool::new(true))),
        }
    }

    fn is_awake(&self) -> bool {
        self.task.is_some() && self.awake.0.load(Ordering::Relaxed)
    }

    fn run(&mut self) {
        self.awake.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(self.awake.clone());
        let Some(task) = &mut self.task else {
            return;
        };
        if task
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            self.task = None;
        }
    }
}

struct World {
    sim: Arc<Sim>,
    cache: Arc<RequestCache<SimSource, SimValue>>,
    slots: Vec<Slot>,
}

impl World {
    fn new(scenario: &Scenario, fault: Fault) -> Self {
        let sim = Arc::new(Sim {
            fault,
            state: Mutex::default(),
        });
        if scenario.ticks > 0 {
            sim.tick();
        }
        let source = SimSource::new(&sim, scenario.kind);
        let cache = Arc::new(RequestCache::new(source, 1 << 20, scenario.staleness));
        let mut world = Self {
            sim,
            cache,
            slots: Vec::new(),
        };
        world.warm_up(scenario);
        for task in scenario.tasks {
            world.begin(world.running(*task, scenario));
        }
        world
    }

    fn begin(&mut self, task: Running) {
        self.slots.push(Slot::new(task));
        self.sim.with(|state| state.seen.push(Vec::new()));
    }

    /// One request after the other; then all is as if nothing had ever run.
    fn warm_up(&mut self, scenario: &Scenario) {
        for perm in scenario.warm {
            self.begin(self.running(Ask(*perm), scenario));
            while let Some(at) = self.runnable().first() {
                self.run(*at);
            }
        }
        self.slots.clear();
        for _ in 1..scenario.ticks {
            self.sim.tick();
        }
        self.sim.with(|state| {
            state.seen.clear();
            state.committed += u64::from(scenario.unnoticed);
            state.failures = scenario.failures;
        });
    }

    fn running(&self, task: Task, scenario: &Scenario) -> Running {
        let sim = self.sim.clone();
        match task {
            Ask(perm) => {
                let asks = Asks {
                    sim,
                    cache: self.cache.clone(),
                    key: "key",
                    perm,
                };
                Box::pin(request(asks, scenario.staleness))
            }
            Commit => Box::pin(async move { sim.with(|state| state.committed += 1) }),
            CommitHolding => Box::pin(async move {
                sim.with(|state| state.held = true);
                step().await;
                sim.with(|state| {
                    state.committed += 1;
                    state.held = false;
                });
            }),
            OwnCommit => Box::pin(own_commit(sim)),
            Ticks(number) => Box::pin(async move {
                for _ in 0..number {
                    sim.tick();
                    step().await;
                }
            }),
        }
    }

    fn runnable(&self) -> Vec<usize> {
        let slots = self.slots.iter().enumerate();
        let awake = slots.filter(|(_, slot)| slot.is_awake());
        awake.map(|(at, _)| at).collect()
    }

    fn run(&mut self, at: usize) {
        self.sim.with(|state| state.running = at);
        // How far it has come is part of its state too.
        self.sim.note(u64::MAX);
        self.slots[at].run();
        if self.slots[at].task.is_none() {
            self.sim.note(u64::MAX);
        }
        for task in self.sim.with(|state| std::mem::take(&mut state.spawned)) {
            self.begin(task);
        }
    }

    /// When nobody has anything to do any more: whether somebody waits nevertheless.
    fn is_stuck(&self) -> bool {
        self.slots.iter().any(|slot| slot.task.is_some())
    }

    /// All that what happens next can depend on.
    fn state(&self) -> String {
        let entry = self.cache.entries.peek(&b"key"[..]).map(|entry| {
            let Before { at, own_writes } = entry.proven.get();
            let (at, due) = (self.shown(at), entry.proven.is_due());
            let (row, answers) = (entry.value.row, entry.value.answers.clone());
            let after = |before: Before| before.at > entry.made;
            let seen_after = self.cache.source().was_current(&entry.token, after);
            (
                entry.token.clone(),
                row,
                answers,
                (at, due),
                own_writes,
                seen_after,
            )
        });
        let (due, running) = self.cache.prover.state();
        let due: Vec<_> = due
            .into_iter()
            .map(|(token, Before { at, own_writes })| (token, self.shown(at), own_writes))
            .collect();
        let proofs = self.cache.source().state();
        let awake = self.runnable();
        let proof = self.cache.source().last_proof.lock().clone();
        let off = !self.cache.is_on();
        self.sim.with(|s| {
            let numbers = (s.committed, s.own_writes, s.told, s.held, s.failures);
            format!(
                "{numbers:?}{:?}{:?}{entry:?}{due:?}{running}{proofs}{proof:?}{off}{awake:?}",
                s.ticks, s.seen
            )
        })
    }

    /// Of the real clock only whether there is a moment at all.
    fn shown(&self, at: Moment) -> u64 {
        match self.sim.ticks() {
            0 => u64::from(at != Moment::NEVER),
            _ => at.0,
        }
    }
}

/// As the server does: at once, or else by asking.
async fn request(asks: Asks, staleness: Duration) {
    let sim = asks.sim.clone();
    let first = sim.note(oldest_allowed(&sim, staleness));
    let glanced = asks.cache.glance(asks.key, |value| asks.by(value));
    let (row, answer) = match glanced {
        Some(answer) => answer,
        None => {
            let asked = asks.cache.ask(&asks).await;
            asked.expect("the simulation does not fail")
        }
    };
    sim.with(|state| {
        let last = state.committed;
        if row != answer || row < first || row > last {
            let got = format!("row {row} and permission {answer}");
            state
                .wrong
                .push(format!("{got}, possible were {first} to {last}"));
        }
    });
}

/// The oldest state that a request which comes now may be told.
fn oldest_allowed(sim: &Sim, staleness: Duration) -> u64 {
    sim.with(|state| match (staleness, state.ticks.len()) {
        (Duration::ZERO, _) => state.committed,
        (_, 0) => state.told,
        (bound, now) => {
            // The first tick is the number one.
            let since = (now + 1).saturating_sub(bound.as_nanos() as usize).max(1);
            state.told.max(state.ticks[since - 1])
        }
    })
}

async fn own_commit(sim: Arc<Sim>) {
    let counted = u64::from(sim.fault != Fault::NoOwnWrites);
    sim.with(|state| state.own_writes += counted);
    step().await;
    sim.with(|state| state.committed += 1);
    let now = sim.committed();
    step().await;
    sim.with(|state| {
        state.own_writes += counted;
        state.told = state.told.max(now);
    });
}

struct Explored {
    runs: u64,
    hits: u64,
    wrong: Option<String>,
}

/// Runs every order, except for what follows a state that was reached by another order already; ends at
/// the first wrong answer.
fn explore(scenario: &Scenario, fault: Fault) -> Explored {
    let mut known = HashSet::new();
    // The choice at each step, and how many there were.
    let mut path: Vec<(usize, usize)> = Vec::new();
    let (mut runs, mut hits) = (0, 0);
    loop {
        let mut world = World::new(scenario, fault);
        let mut depth = 0;
        loop {
            let runnable = world.runnable();
            if runnable.is_empty() {
                assert!(!world.is_stuck(), "somebody waits for ever");
                break;
            }
            let replayed = depth < path.len();
            if !replayed {
                path.push((0, runnable.len()));
            }
            world.run(runnable[path[depth].0]);
            depth += 1;
            // The last choice of the path is the one that was changed.
            if depth >= path.len() && !known.insert(world.state()) {
                break;
            }
        }
        runs += 1;
        hits += world.cache.stats().hits;
        let wrong = world.sim.with(|state| state.wrong.first().cloned());
        if wrong.is_some() || !advance(&mut path) {
            return Explored { runs, hits, wrong };
        }
    }
}

/// To the next order; false after the last.
fn advance(path: &mut Vec<(usize, usize)>) -> bool {
    while let Some((choice, choices)) = path.pop() {
        if choice + 1 < choices {
            path.push((choice + 1, choices));
            return true;
        }
    }
    false
}

use Task::{Ask, Commit, CommitHolding, OwnCommit, Ticks};

/// Answers the number of hits.
fn holds(name: &str, scenario: &Scenario) -> u64 {
    let Explored { runs, hits, wrong } = explore(scenario, Fault::None);
    assert_eq!(wrong, None, "{name}");
    assert!(runs > 20, "{name}: {runs} runs");
    hits
}

fn is_caught(scenario: &Scenario, fault: Fault) {
    let wrong = explore(scenario, fault).wrong;
    assert!(wrong.is_some(), "{fault:?} is not noticed");
}

/// Both sources, with one lane and with two.
const KINDS: [Kind; 4] = [
    Kind::Server(1),
    Kind::Server(2),
    Kind::Sqlite(1),
    Kind::Sqlite(2),
];

/// Two requests and two writers, three requests and one.
#[test]
fn no_order_gives_a_stale_answer() {
    for kind in KINDS {
        // Two lanes of a server have the most orders by far.
        let all = match kind {
            Kind::Server(2) => 1..2,
            _ => 0..3,
        };
        for warm in &[&[][..], &[0], &[0, 1]][all] {
            let mut hits = 0;
            for tasks in [
                &[Ask(0), Ask(0), Commit, Commit][..],
                &[Ask(0), Ask(1), Commit, Commit],
                &[Ask(0), Ask(1), Ask(0), Commit],
                &[Ask(0), Ask(0), CommitHolding],
            ] {
                let scenario = Scenario {
                    kind,
                    warm,
                    tasks,
                    ..STRICT
                };
                let name = format!("{kind:?}, warm {warm:?}, {} tasks", tasks.len());
                hits += holds(&name, &scenario);
            }
            assert!(hits > 0, "nothing was kept");
        }
    }
}

/// A commit that no proof has seen when the requests come: entries are put together of parts from
/// before and after it.
#[test]
fn parts_of_two_states_are_never_an_answer() {
    for kind in KINDS {
        let scenario = Scenario {
            kind,
            unnoticed: true,
            tasks: &[Ask(1), Ask(0), Ask(0), Commit],
            ..STRICT
        };
        assert!(holds("unnoticed", &scenario) > 0);
    }
}

/// The watch breaks in the middle, and what comes after it begins with a number seen before.
#[test]
fn a_lost_watch_is_no_proof() {
    for failures in [1, 2] {
        let scenario = Scenario {
            failures,
            tasks: &[Ask(0), Ask(0), Commit],
            ..STRICT
        };
        let Explored { wrong, runs, .. } = explore(&scenario, Fault::None);
        assert_eq!(wrong, None);
        assert!(runs > 20, "{runs}");
    }
}

/// Bounded staleness: older states may be answered, but none from before what we wrote ourselves and were
/// told of.
#[test]
fn what_we_wrote_ourselves_is_seen_at_once() {
    let bounded = Scenario {
        staleness: Duration::from_secs(3600),
        tasks: &[Ask(0), OwnCommit, Ask(0)],
        ..STRICT
    };
    for kind in [Kind::Server(1), Kind::Server(2), Kind::Sqlite(1)] {
        for tasks in [
            &[Ask(0), OwnCommit, Ask(0)][..],
            &[Ask(1), OwnCommit, Ask(0), Commit],
        ] {
            let scenario = Scenario {
                kind,
                tasks,
                ..bounded.clone()
            };
            assert!(holds("bounded", &scenario) > 0);
        }
    }
    is_caught(&bounded, Fault::NoOwnWrites);
}

/// A clock that moves, a bound of two ticks, and a proof that is one old when the requests come: the first of them
/// has the entry proved ahead.
const AHEAD: Scenario = Scenario {
    kind: Kind::Server(1),
    staleness: Duration::from_nanos(2),
    ticks: 2,
    tasks: &[Ask(0), Commit, Ticks(2), Ask(0)],
    ..STRICT
};

/// Bounded staleness with proofs ahead of requests: no answer is older than the bound, whenever the reads begin and
/// end, and none from before what we were told of.
#[test]
fn what_is_proved_ahead_is_within_the_bound() {
    for tasks in [
        AHEAD.tasks,
        &[Ask(0), Commit, Ticks(1), Ask(1)],
        &[Ask(0), OwnCommit, Ticks(1), Ask(0)],
    ] {
        let scenario = Scenario { tasks, ..AHEAD };
        assert!(holds("ahead", &scenario) > 0);
    }
}

/// Nobody waits for a proof where one comes ahead, and without one nobody would be answered by the entry any more.
#[test]
fn who_comes_after_a_proof_ahead_needs_none() {
    let scenario = Scenario {
        tasks: &[Ask(0), Ticks(1), Ask(0)],
        ..AHEAD
    };
    let (first, clock, second, proof) = (0, 1, 2, 3);
    for (order, proofs) in [
        ([first, proof, clock, second], 1),
        ([first, clock, second, proof], 2),
    ] {
        let mut world = World::new(&scenario, Fault::None);
        for task in order {
            while world.runnable().contains(&task) {
                world.run(task);
            }
        }
        let stats = world.cache.stats();
        // The request that asks itself has to run on after its proof.
        assert_eq!((stats.proofs, stats.misses), (proofs, 1), "{order:?}");
    }
}

/// The test itself would notice.
#[test]
fn what_is_wrong_is_noticed() {
    for kind in KINDS {
        let scenario = Scenario {
            kind,
            tasks: &[Ask(0), Ask(0), Commit],
            ..STRICT
        };
        is_caught(&scenario, Fault::NoProof);
        is_caught(&scenario, Fault::OldProof);
    }
    let late = Scenario {
        tasks: &[Ask(0), Commit, Ask(0), Ask(0)],
        ..STRICT
    };
    is_caught(&late, Fault::LateMark);
    let joins = Scenario {
        kind: Kind::Server(1),
        tasks: &[Ask(0), Ask(0), Commit],
        ..STRICT
    };
    is_caught(&joins, Fault::LateJoin);
    for fault in [Fault::NoProof, Fault::EarlyRead, Fault::NoOwnWrites] {
        let tasks: &[Task] = match fault {
            Fault::NoOwnWrites => &[Ask(0), OwnCommit, Ticks(1), Ask(0)],
            _ => AHEAD.tasks,
        };
        is_caught(&Scenario { tasks, ..AHEAD }, fault);
    }
}
