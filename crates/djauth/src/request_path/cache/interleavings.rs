//! Every order in which requests and writers can run, through the shipped cache and a simulated
//! database; see `README.md`.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;

use super::epochs::{Unseen, Watch};
use super::*;

/// What goes wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// The proof is skipped.
    NoProof,
    /// A proof that began before the request arrived serves it.
    OldProof,
    /// The mark is loaded after the snapshot was taken.
    LateMark,
    /// Our own writes are not counted.
    NoOwnWrites,
}

/// The database whose whole state is the number of commits so far.
struct Sim {
    fault: Fault,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    committed: u64,
    own_writes: u64,
    /// The latest state that a writer of our own was told of.
    told: u64,
    /// A writer holds the file: it cannot be watched.
    held: bool,
    /// How often the watch fails from now on.
    failures: u64,
    /// The task that runs.
    running: usize,
    /// All that each task has seen so far, which is all that its own state can depend on.
    seen: Vec<Vec<u64>>,
    wrong: Vec<String>,
}

impl Sim {
    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock())
    }

    /// The task that runs has seen this.
    fn note(&self, value: u64) -> u64 {
        self.with(|state| state.seen[state.running].push(value));
        value
    }

    fn committed(&self) -> u64 {
        self.note(self.with(|state| state.committed))
    }
}

/// Lets the others run.
async fn step() {
    let mut come_back = false;
    std::future::poll_fn(|_| match std::mem::replace(&mut come_back, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

struct SimWatch {
    sim: Arc<Sim>,
    /// Each connection counts from somewhere else.
    offset: u64,
}

impl Watch for SimWatch {
    /// `gathering` has tests of its own.
    fn has_company(_: Moment, _: Moment) -> bool {
        false
    }

    async fn data_version(&mut self) -> Result<i64, Unseen> {
        step().await;
        let (held, fails) = self.sim.with(|state| {
            let fails = state.failures > 0;
            state.failures -= u64::from(fails);
            (state.held, fails)
        });
        self.sim.note(u64::from(held) * 2 + u64::from(fails));
        if held {
            return Err(Unseen::Busy);
        }
        if fails {
            // Another connection comes, which happens to begin at the same number.
            self.offset = 100 - self.sim.committed();
            return Err(Unseen::Lost);
        }
        let now = self.sim.committed() + self.offset;
        step().await;
        Ok(now.cast_signed())
    }
}

/// A source of either kind: SQLite's epochs, or versions that the statement itself reads.
struct SimSource {
    sim: Arc<Sim>,
    epochs: Option<Epochs<SimWatch>>,
    last_proof: Mutex<Option<(SimToken, Proof)>>,
}

#[derive(Clone, Debug, PartialEq)]
enum SimToken {
    Epoch(Epoch),
    Version(u64),
}

impl SimSource {
    async fn proved(&self, token: &SimToken, before: Before) -> Proof {
        match (&self.epochs, token) {
            (Some(epochs), SimToken::Epoch(epoch)) => epochs.prove(epoch, before).await,
            (None, SimToken::Version(version)) => {
                step().await;
                let now = self.sim.committed();
                step().await;
                if now == *version {
                    Proof::Holds
                } else {
                    Proof::Changed
                }
            }
            _ => unreachable!("a token of another source"),
        }
    }
}

impl Source for SimSource {
    type Token = SimToken;
    type Mark = Option<Epoch>;

    async fn mark(&self, before: Before) -> Result<Option<Epoch>, Unknown> {
        match &self.epochs {
            Some(epochs) => epochs.load(before).await.map(Some),
            None => Ok(None),
        }
    }

    async fn prove(&self, _: &str, token: &SimToken, before: Before) -> Proof {
        let old = self.last_proof.lock().clone();
        match (self.sim.fault, old) {
            (Fault::NoProof, _) => Proof::Holds,
            (Fault::OldProof, Some((proved, proof))) if proved == *token => proof,
            _ => {
                let proof = self.proved(token, before).await;
                *self.last_proof.lock() = Some((token.clone(), proof));
                proof
            }
        }
    }

    fn was_current(&self, token: &SimToken, at: impl Fn(Before) -> bool) -> bool {
        match (&self.epochs, token) {
            (Some(epochs), SimToken::Epoch(epoch)) => epochs.was_current(epoch, at),
            _ => false,
        }
    }

    fn own_writes(&self) -> u64 {
        self.sim.note(self.sim.with(|state| state.own_writes))
    }

    fn step(&self) -> impl Future<Output = ()> + Send {
        step()
    }
}

/// The row and the answers, each as the state that it was read from.
struct SimValue {
    row: u64,
    answers: Vec<(u8, u64)>,
}

struct Asks {
    sim: Arc<Sim>,
    cache: Arc<RequestCache<SimSource, SimValue>>,
    key: Arc<str>,
    perm: u8,
}

impl Question<SimSource> for Asks {
    type Value = SimValue;
    type Answer = (u64, u64);

    fn key(&self) -> &Arc<str> {
        &self.key
    }

    fn by(&self, value: &SimValue) -> Option<(u64, u64)> {
        self.sim.note(value.row);
        let answer = value.answers.iter().find(|(perm, _)| *perm == self.perm);
        answer.map(|(_, answer)| (value.row, self.sim.note(*answer)))
    }

    async fn read(
        &self,
        mark: Option<Option<Epoch>>,
    ) -> Result<Read<(u64, u64), SimToken, SimValue>, Error> {
        let now = self.sim.committed();
        let mark = match (self.sim.fault, &self.cache.source.epochs) {
            (Fault::LateMark, Some(epochs)) => {
                step().await;
                epochs.load(self.cache.before()).await.ok().map(Some)
            }
            _ => mark,
        };
        let token = mark.map(|epoch| epoch.map_or(SimToken::Version(now), SimToken::Epoch));
        let value = SimValue {
            row: now,
            answers: vec![(self.perm, now)],
        };
        Ok(Read {
            answer: (now, now),
            entry: token.map_or(Outcome::Forget, |token| Outcome::Keep(token, value)),
        })
    }

    fn merge(&self, new: &mut SimValue, old: &SimValue) {
        let missing = |(perm, _): &&(u8, u64)| new.answers.iter().all(|(has, _)| has != perm);
        let added: Vec<_> = old.answers.iter().filter(missing).copied().collect();
        new.answers.extend(added);
    }

    fn weight(&self, _: &SimValue) -> usize {
        0
    }
}

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
}

#[derive(Clone)]
struct Scenario {
    sqlite_lanes: usize,
    staleness: Duration,
    /// Permissions asked for, one request after the other, before the rest begins.
    warm: &'static [u8],
    /// A commit after that, which no proof has noticed.
    unnoticed: bool,
    failures: u64,
    tasks: &'static [Task],
}

const STRICT: Scenario = Scenario {
    sqlite_lanes: 1,
    staleness: Duration::ZERO,
    warm: &[0],
    unnoticed: false,
    failures: 0,
    tasks: &[],
};

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

struct World {
    sim: Arc<Sim>,
    cache: Arc<RequestCache<SimSource, SimValue>>,
    tasks: Vec<Option<Running>>,
}

impl World {
    fn new(scenario: &Scenario, fault: Fault) -> Self {
        let sim = Arc::new(Sim {
            fault,
            state: Mutex::default(),
        });
        sim.with(|state| state.seen = vec![Vec::new(); scenario.tasks.len() + 1]);
        let watch = |lane| SimWatch {
            sim: sim.clone(),
            offset: 10 * lane as u64,
        };
        let lanes = scenario.sqlite_lanes;
        let source = SimSource {
            sim: sim.clone(),
            epochs: (lanes > 0).then(|| Epochs::new((0..lanes).map(watch))),
            last_proof: Mutex::default(),
        };
        let cache = Arc::new(RequestCache::new(source, 1 << 20, scenario.staleness));
        let mut world = Self {
            sim,
            cache,
            tasks: Vec::new(),
        };
        world.warm_up(scenario);
        let tasks = scenario.tasks.iter();
        world.tasks = tasks
            .map(|task| Some(world.running(*task, scenario)))
            .collect();
        world
    }

    fn warm_up(&self, scenario: &Scenario) {
        self.sim.with(|state| state.running = scenario.tasks.len());
        for perm in scenario.warm {
            let mut task = self.running(Ask(*perm), scenario);
            while task
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
            {}
        }
        self.sim.with(|state| {
            state.committed += u64::from(scenario.unnoticed);
            state.failures = scenario.failures;
        });
    }

    fn running(&self, task: Task, scenario: &Scenario) -> Running {
        let sim = self.sim.clone();
        match task {
            Ask(perm) => {
                let bounded = !scenario.staleness.is_zero();
                let asks = Asks {
                    sim,
                    cache: self.cache.clone(),
                    key: "key".into(),
                    perm,
                };
                Box::pin(request(asks, bounded))
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
        }
    }

    fn runnable(&self) -> Vec<usize> {
        let tasks = self.tasks.iter().enumerate();
        tasks
            .filter_map(|(at, task)| task.as_ref().map(|_| at))
            .collect()
    }

    fn run(&mut self, at: usize) {
        self.sim.with(|state| state.running = at);
        // How far it has come is part of its state too.
        self.sim.note(u64::MAX);
        let Some(task) = &mut self.tasks[at] else {
            return;
        };
        if task
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
        {
            self.tasks[at] = None;
            self.sim.note(u64::MAX);
        }
    }

    /// All that what happens next can depend on.
    fn state(&self) -> String {
        let entry = self.cache.entries.peek("key").map(|entry| {
            let at = entry.proven.at.load(Ordering::Relaxed) > 0;
            let own_writes = entry.proven.own_writes.load(Ordering::Relaxed);
            let (row, answers) = (entry.value.row, entry.value.answers.clone());
            let after = |before: Before| before.at > entry.made;
            let seen_after = self.cache.source.was_current(&entry.token, after);
            (
                entry.token.clone(),
                row,
                answers,
                at,
                own_writes,
                seen_after,
            )
        });
        let epochs = self.cache.source.epochs.as_ref().map(Epochs::states);
        let proof = self.cache.source.last_proof.lock().clone();
        let off = !self.cache.is_on();
        self.sim.with(|s| {
            let numbers = (s.committed, s.own_writes, s.told, s.held, s.failures);
            format!("{numbers:?}{:?}{entry:?}{epochs:?}{proof:?}{off}", s.seen)
        })
    }
}

async fn request(asks: Asks, bounded: bool) {
    let sim = asks.sim.clone();
    let first = sim.with(|state| match bounded {
        true => state.told,
        false => state.committed,
    });
    sim.note(first);
    let (row, answer) = asks
        .cache
        .ask(&asks)
        .await
        .expect("the simulation does not fail");
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

use Task::{Ask, Commit, CommitHolding, OwnCommit};

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

/// Two requests and two writers, three requests and one: on SQLite with one lane and with two, and on a
/// server.
#[test]
fn no_order_gives_a_stale_answer() {
    for sqlite_lanes in [0, 1, 2] {
        for warm in [&[][..], &[0], &[0, 1]] {
            let mut hits = 0;
            for tasks in [
                &[Ask(0), Ask(0), Commit, Commit][..],
                &[Ask(0), Ask(1), Commit, Commit],
                &[Ask(0), Ask(1), Ask(0), Commit],
                &[Ask(0), Ask(0), CommitHolding],
            ] {
                let scenario = Scenario {
                    sqlite_lanes,
                    warm,
                    tasks,
                    ..STRICT
                };
                let name = format!("{sqlite_lanes} lanes, warm {warm:?}, {} tasks", tasks.len());
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
    for sqlite_lanes in [0, 1, 2] {
        let scenario = Scenario {
            sqlite_lanes,
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
    for sqlite_lanes in [0, 1] {
        for tasks in [
            &[Ask(0), OwnCommit, Ask(0)][..],
            &[Ask(1), OwnCommit, Ask(0), Commit],
        ] {
            let scenario = Scenario {
                sqlite_lanes,
                tasks,
                ..bounded.clone()
            };
            assert!(holds("bounded", &scenario) > 0);
        }
    }
    is_caught(&bounded, Fault::NoOwnWrites);
}

/// The test itself would notice.
#[test]
fn what_is_wrong_is_noticed() {
    for sqlite_lanes in [0, 1] {
        let scenario = Scenario {
            sqlite_lanes,
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
}
