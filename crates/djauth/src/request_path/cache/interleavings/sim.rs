//! The simulated database, its sources, and a question.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::epochs::{Unseen, Watch};
use super::super::server::queue::{Ask, Queue, Waiting};
use super::super::*;
use super::Running;

/// What goes wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// The proof is skipped.
    NoProof,
    /// A proof that began before the request arrived serves it.
    OldProof,
    /// The mark is loaded after the snapshot was taken.
    LateMark,
    /// Our own writes are not counted.
    NoOwnWrites,
    /// A request joins a batch that was sent before it arrived.
    LateJoin,
    /// What is proved ahead was read before the moment that counts for it, as if that were the end of the read.
    EarlyRead,
}

/// The database whose whole state is the number of commits so far.
pub(super) struct Sim {
    pub(super) fault: Fault,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) committed: u64,
    pub(super) own_writes: u64,
    /// The latest state that a writer of our own was told of.
    pub(super) told: u64,
    /// How many commits there were when the clock came to each of its ticks; none: the clock is the real one.
    pub(super) ticks: Vec<u64>,
    /// What a faulty read has seen already.
    early: u64,
    /// A writer holds the file: it cannot be watched.
    pub(super) held: bool,
    /// How often the watch fails from now on.
    pub(super) failures: u64,
    /// The task that runs.
    pub(super) running: usize,
    /// All that each task has seen so far, which is all that its own state can depend on.
    pub(super) seen: Vec<Vec<u64>>,
    /// Tasks that tasks have begun: the lanes of a server's proofs.
    pub(super) spawned: Vec<Running>,
    pub(super) wrong: Vec<String>,
}

impl Sim {
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock())
    }

    /// The task that runs has seen this.
    pub(super) fn note(&self, value: u64) -> u64 {
        self.with(|state| state.seen[state.running].push(value));
        value
    }

    pub(super) fn committed(&self) -> u64 {
        self.note(self.with(|state| state.committed))
    }

    /// What the clock shows.
    pub(super) fn ticks(&self) -> usize {
        self.with(|state| state.ticks.len())
    }

    /// The clock moves on.
    pub(super) fn tick(&self) {
        self.with(|state| state.ticks.push(state.committed));
    }
}

/// Lets the others run.
pub(super) async fn step() {
    let mut come_back = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut come_back, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

pub(super) struct SimWatch {
    pub(super) sim: Arc<Sim>,
    /// Each connection counts from somewhere else.
    pub(super) offset: u64,
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

/// Which source, with how many lanes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// SQLite's epochs.
    Sqlite(usize),
    /// Versions that the statement itself reads, and proofs that share statements.
    Server(usize),
}

/// The shipped epochs, or the shipped queue, of a simulated database.
pub(super) struct SimSource {
    sim: Arc<Sim>,
    pub(super) proofs: Proofs,
    pub(super) last_proof: Mutex<Option<(SimToken, Proof)>>,
}

pub(super) enum Proofs {
    Epochs(Epochs<SimWatch>),
    Queue(Arc<Queue<SimAsk>>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum SimToken {
    Epoch(Epoch),
    Version(u64),
}

/// The version that is to be proved, and whose proof it is.
#[derive(Debug)]
pub(super) struct Asked {
    version: u64,
    by: usize,
}

/// A server that is asked for its version.
pub(super) struct SimAsk {
    sim: Arc<Sim>,
    queue: Weak<Queue<Self>>,
}

impl Ask for SimAsk {
    type Token = Asked;

    const MOST: usize = 2;

    async fn answer(&self, mut waiting: Vec<Waiting<Asked>>) {
        let note = |waiting: &Waiting<Asked>| self.sim.note(waiting.token.by as u64);
        waiting.iter().map(note).for_each(drop);
        step().await;
        let now = self.sim.committed();
        step().await;
        if self.sim.fault == Fault::LateJoin {
            let late = self.queue.upgrade().map(|queue| queue.late());
            waiting.extend(late.unwrap_or_default());
        }
        for Waiting { token, answer } in waiting {
            self.sim.note(token.by as u64);
            let proof = if token.version == now {
                Proof::Holds
            } else {
                Proof::Changed
            };
            // Everybody waits.
            let _ = answer.send(proof);
        }
    }
}

impl SimSource {
    pub(super) fn new(sim: &Arc<Sim>, kind: Kind) -> Self {
        let watch = |lane| SimWatch {
            sim: sim.clone(),
            offset: 10 * lane as u64,
        };
        let ask = |queue: &Weak<Queue<SimAsk>>| SimAsk {
            sim: sim.clone(),
            queue: queue.clone(),
        };
        let proofs = match kind {
            Kind::Sqlite(lanes) => Proofs::Epochs(Epochs::new((0..lanes).map(watch))),
            Kind::Server(lanes) => {
                Proofs::Queue(Arc::new_cyclic(|queue| Queue::new(ask(queue), lanes)))
            }
        };
        Self {
            sim: sim.clone(),
            proofs,
            last_proof: Mutex::default(),
        }
    }

    async fn proved(&self, token: &SimToken, before: Before) -> Proof {
        match (&self.proofs, token) {
            (Proofs::Epochs(epochs), SimToken::Epoch(epoch)) => epochs.prove(epoch, before).await,
            (Proofs::Queue(queue), SimToken::Version(version)) => {
                let (version, by) = (*version, self.sim.with(|state| state.running));
                let (proof, lane) = queue.join(Arc::new(Asked { version, by }));
                if let Some(lane) = lane {
                    let lane = Box::pin(lane.run());
                    self.sim.with(|state| state.spawned.push(lane));
                }
                let proof = proof.await.expect("a lane answers");
                self.sim.note(u64::from(proof == Proof::Holds));
                proof
            }
            _ => unreachable!("a token of another source"),
        }
    }

    /// What the proofs hold.
    pub(super) fn state(&self) -> String {
        match &self.proofs {
            Proofs::Epochs(epochs) => format!("{:?}", epochs.states()),
            Proofs::Queue(queue) => {
                let early = self.sim.with(|state| state.early);
                format!("{:?}{early}", queue.state())
            }
        }
    }
}

impl Source for SimSource {
    type Token = SimToken;
    type Mark = Option<Epoch>;

    async fn mark(&self, before: Before) -> Result<Option<Epoch>, Unknown> {
        match &self.proofs {
            Proofs::Epochs(epochs) => epochs.load(before).await.map(Some),
            Proofs::Queue(_) => Ok(None),
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
        match (&self.proofs, token) {
            (Proofs::Epochs(epochs), SimToken::Epoch(epoch)) => epochs.was_current(epoch, at),
            _ => false,
        }
    }

    fn own_writes(&self) -> u64 {
        self.sim.note(self.sim.with(|state| state.own_writes))
    }

    fn together(&self) -> usize {
        match (&self.proofs, self.sim.ticks()) {
            (Proofs::Queue(_), 1..) => 2,
            _ => 0,
        }
    }

    async fn prove_all(&self, tokens: &[SimToken]) -> Vec<Proof> {
        let version = |token: &SimToken| match token {
            SimToken::Version(version) => self.sim.note(*version),
            SimToken::Epoch(_) => unreachable!("a token of another source"),
        };
        let versions: Vec<u64> = tokens.iter().map(version).collect();
        step().await;
        let now = match self.sim.fault {
            Fault::EarlyRead => self.sim.note(self.sim.with(|state| state.early)),
            _ => self.sim.committed(),
        };
        step().await;
        let proof = |version| match self.sim.fault {
            Fault::NoProof => Proof::Holds,
            _ if version == now => Proof::Holds,
            _ => Proof::Changed,
        };
        versions.into_iter().map(proof).collect()
    }

    fn now(&self, start: Instant) -> Moment {
        match self.sim.ticks() {
            0 => Moment::since(start),
            ticks => Moment(self.sim.note(ticks as u64)),
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.sim.with(|state| state.spawned.push(Box::pin(task)));
    }

    async fn pause(&self, _: Duration) {
        step().await;
        if self.sim.fault == Fault::EarlyRead {
            let now = self.sim.committed();
            self.sim.with(|state| state.early = now);
            step().await;
        }
    }

    fn step(&self) -> impl Future<Output = ()> + Send {
        step()
    }
}

/// The row and the answers, each as the state that it was read from.
pub(super) struct SimValue {
    pub(super) row: u64,
    pub(super) answers: Vec<(u8, u64)>,
}

pub(super) struct Asks {
    pub(super) sim: Arc<Sim>,
    pub(super) cache: Arc<RequestCache<SimSource, SimValue>>,
    pub(super) key: &'static str,
    pub(super) perm: u8,
}

impl Question<SimSource> for Asks {
    type Value = SimValue;
    type Answer = (u64, u64);

    fn key(&self) -> &str {
        self.key
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
        let mark = match (self.sim.fault, &self.cache.source().proofs) {
            (Fault::LateMark, Proofs::Epochs(epochs)) => {
                step().await;
                epochs.load(self.cache.prover.before()).await.ok().map(Some)
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
