//! Proofs ahead of requests, for bounded staleness where a proof is a statement.
//!
//! An entry that is used while its proof is not far from too old becomes *due*. A task waits a moment for others,
//! and proves all of them with few statements, while requests go on to be answered within the bound. Whoever comes
//! when that was too late, or could not be had, asks for a proof as in the strict mode.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::moments::Moment;
use super::proven::{Before, Proven};
use super::stats::Counters;
use super::{Proof, Source};

/// More than these are not proved ahead.
const MOST: usize = 65_536;

/// How long the first waits for others, at most.
const LONGEST: Duration = Duration::from_millis(250);

/// An entry that can be proved without its cache.
pub(super) trait Provable<T>: Send + Sync {
    fn token(&self) -> &T;
    fn proven(&self) -> &Proven;
}

/// The source with its clock, and what is due.
pub(super) struct Prover<S: Source> {
    pub(super) source: S,
    pub(super) counters: Counters,
    start: Instant,
    /// How old a proof is when its entry becomes due. None: nothing is proved ahead.
    soon: Option<Duration>,
    company: Duration,
    due: Mutex<Due<S::Token>>,
}

struct Due<T> {
    entries: Vec<Arc<dyn Provable<T>>>,
    /// Whether a task is there that will prove them.
    running: bool,
}

impl<S: Source> Prover<S> {
    pub(super) fn new(source: S, staleness: Duration) -> Self {
        let ahead = !staleness.is_zero() && source.together() > 0;
        Self {
            source,
            counters: Counters::default(),
            start: Instant::now(),
            soon: ahead.then_some(staleness * 5 / 8),
            company: (staleness / 8).min(LONGEST),
            due: Mutex::new(Due {
                entries: Vec::new(),
                running: false,
            }),
        }
    }

    pub(super) fn now(&self) -> Moment {
        self.source.now(self.start)
    }

    pub(super) fn before(&self) -> Before {
        Before {
            at: self.now(),
            own_writes: self.source.own_writes(),
        }
    }

    /// Whether a proof from then is not far from too old.
    pub(super) fn is_late(&self, proof: Moment, now: Moment) -> bool {
        self.soon.is_some_and(|soon| proof + soon <= now)
    }

    /// The entry is proved again before long.
    pub(super) fn prove_soon(self: &Arc<Self>, entry: Arc<dyn Provable<S::Token>>) {
        let mut due = self.due.lock();
        if due.entries.len() >= MOST {
            return;
        }
        due.entries.push(entry);
        if !std::mem::replace(&mut due.running, true) {
            drop(due);
            let round = Round {
                prover: self.clone(),
                running: true,
            };
            self.source.spawn(round.run());
        }
    }

    /// What is due, and whether a task is there for it.
    #[cfg(test)]
    pub(super) fn state(&self) -> (Vec<(S::Token, Before)>, bool) {
        let due = self.due.lock();
        let entries = due.entries.iter();
        let entries = entries.map(|entry| (entry.token().clone(), entry.proven().get()));
        (entries.collect(), due.running)
    }
}

/// The task that proves what is due, and ends when nothing is.
struct Round<S: Source> {
    prover: Arc<Prover<S>>,
    /// Whether it still counts as there.
    running: bool,
}

impl<S: Source> Round<S> {
    async fn run(mut self) {
        loop {
            self.prover.source.pause(self.prover.company).await;
            let Some(due) = self.next() else {
                return;
            };
            for some in due.chunks(self.prover.source.together().max(1)) {
                self.prove(some).await;
            }
        }
    }

    fn next(&mut self) -> Option<Vec<Arc<dyn Provable<S::Token>>>> {
        let mut due = self.prover.due.lock();
        if due.entries.is_empty() {
            due.running = false;
            self.running = false;
            return None;
        }
        Some(std::mem::take(&mut due.entries))
    }

    /// By one statement, which begins after the moment that counts.
    async fn prove(&self, entries: &[Arc<dyn Provable<S::Token>>]) {
        let tokens: Vec<_> = entries.iter().map(|entry| entry.token().clone()).collect();
        self.prover.counters.proofs.add(tokens.len() as u64);
        let before = self.prover.before();
        let proofs = self.prover.source.prove_all(&tokens).await;
        for (entry, proof) in entries.iter().zip(proofs) {
            match proof {
                Proof::Holds => entry.proven().set(before),
                Proof::Changed => entry.proven().forget(),
                // Whoever comes when the last proof is too old asks for one, and hears why.
                Proof::Busy | Proof::Failed => {}
            }
        }
    }
}

/// A task that went with its runtime: the next one begins anew.
impl<S: Source> Drop for Round<S> {
    fn drop(&mut self) {
        if self.running {
            let mut due = self.prover.due.lock();
            due.running = false;
            due.entries.clear();
        }
    }
}
