#![doc = include_str!("cache/README.md")]

mod ahead;
mod epochs;
mod gathering;
#[cfg(test)]
mod interleavings;
mod moments;
mod proofs;
mod proven;
mod server;
mod source;
mod stats;
mod switch;
mod threads;

use std::sync::Arc;
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

pub(crate) use epochs::{Epoch, Epochs};
pub(crate) use moments::Moment;
pub(crate) use proofs::{Mark, Proofs, Token};
pub(crate) use proven::Before;
pub(crate) use server::{SessionText, TOKEN_COLUMNS, Versions};
pub(crate) use source::{Outcome, Proof, Question, Read, Source, Unknown};
pub use stats::AuthCacheStats;

use super::inline::Inline;
use crate::Error;
use ahead::{Provable, Prover};
use proven::Proven;
use stats::Counters;
use switch::Switch;

/// By the keys that questions give.
type Entries<T, V> = Cache<Inline, Arc<Entry<T, V>>, ByWeight>;

/// Entries by key, each under the token of the moment at which it was read.
pub(crate) struct RequestCache<S: Source, V> {
    prover: Arc<Prover<S>>,
    entries: Entries<S::Token, V>,
    /// Zero: strict.
    staleness: Duration,
    switch: Switch,
}

/// In this order: what every request looks at comes first.
#[repr(C)]
struct Entry<T, V> {
    proven: Proven,
    made: Moment,
    value: V,
    token: T,
    weight: u64,
}

impl<T: Send + Sync, V: Send + Sync> Provable<T> for Entry<T, V> {
    fn token(&self) -> &T {
        &self.token
    }

    fn proven(&self) -> &Proven {
        &self.proven
    }
}

#[derive(Clone)]
struct ByWeight;

impl<T, V> Weighter<Inline, Arc<Entry<T, V>>> for ByWeight {
    fn weight(&self, _: &Inline, entry: &Arc<Entry<T, V>>) -> u64 {
        entry.weight
    }
}

/// What an entry takes besides key and value: the counts of both pointers, and the table's own with its keys.
const OVERHEAD: usize = 160;

/// A guess for the size of the table: entries of sessions take about this many bytes.
const USUAL_WEIGHT: u64 = 1_500;

impl<S: Source, V: Send + Sync + 'static> RequestCache<S, V> {
    pub(crate) fn new(source: S, max_bytes: u64, staleness: Duration) -> Self {
        let usual = usize::try_from(max_bytes / USUAL_WEIGHT).unwrap_or(usize::MAX);
        Self {
            prover: Arc::new(Prover::new(source, staleness)),
            entries: Cache::with_weighter(usual.clamp(16, 1 << 20), max_bytes, ByWeight),
            staleness,
            switch: Switch::default(),
        }
    }

    pub(crate) fn source(&self) -> &S {
        &self.prover.source
    }

    pub(crate) fn stats(&self) -> AuthCacheStats {
        self.counters()
            .read(self.entries.len() as u64, self.entries.weight())
    }

    fn counters(&self) -> &Counters {
        &self.prover.counters
    }

    /// What an entry says that needs no proof now, under bounded staleness. `None` says nothing: ask.
    pub(crate) fn glance<R>(&self, key: &str, by: impl FnOnce(&V) -> Option<R>) -> Option<R> {
        if self.staleness.is_zero() {
            return None;
        }
        let entry = self.entries.get(key.as_bytes())?;
        let answer = by(&entry.value)?;
        self.is_recent(&entry).then(|| {
            self.counters().hits.add(1);
            answer
        })
    }

    /// The answer to a question: by an entry that is what the database would say, or by the database.
    pub(crate) async fn ask<Q>(&self, question: &Q) -> Result<Q::Answer, Error>
    where
        Q: Question<S, Value = V>,
    {
        if let Some(answer) = self.by_entry(question).await {
            self.counters().hits.add(1);
            return Ok(answer);
        }
        // Boxed, because it is large and seldom needed: whoever holds this future moves it about.
        Box::pin(self.by_database(question)).await
    }

    async fn by_database<Q>(&self, question: &Q) -> Result<Q::Answer, Error>
    where
        Q: Question<S, Value = V>,
    {
        self.counters().misses.add(1);
        let before = self.prover.before();
        let mark = self.mark(before).await;
        self.source().step().await;
        let Read { answer, entry } = question.read(mark).await?;
        self.source().step().await;
        match entry {
            Outcome::Keep(token, value) => self.keep(question, token, value, before),
            Outcome::Forget => drop(self.entries.remove(question.key().as_bytes())),
            Outcome::Leave => {}
        }
        Ok(answer)
    }

    async fn mark(&self, before: Before) -> Option<S::Mark> {
        if !self.is_on() {
            return None;
        }
        match self.source().mark(before).await {
            Ok(mark) => Some(mark),
            Err(Unknown::Now) => None,
            Err(Unknown::Failed) => {
                self.switch.turn_off(self.now());
                None
            }
        }
    }

    /// Looked up first and proved then: an entry may be made while a proof runs, of parts that were read
    /// before and after a commit which that proof did not see.
    async fn by_entry<Q>(&self, question: &Q) -> Option<Q::Answer>
    where
        Q: Question<S, Value = V>,
    {
        let entry = self.entries.get(question.key().as_bytes())?;
        let answer = question.by(&entry.value)?;
        self.source().step().await;
        let fresh = self.is_recent(&entry) || self.is_proved(question.key(), &entry).await;
        fresh.then_some(answer)
    }

    /// Bounded staleness: proved not long ago, and we have written nothing since.
    fn is_recent(&self, entry: &Arc<Entry<S::Token, V>>) -> bool {
        if self.staleness.is_zero() {
            return false;
        }
        let Before {
            at: now,
            own_writes,
        } = self.prover.before();
        let recent = |before: Before| {
            before.at != Moment::NEVER
                && before.own_writes == own_writes
                && before.at + self.staleness > now
        };
        let proven = entry.proven.get();
        if recent(proven) {
            if self.prover.is_late(proven.at, now) && entry.proven.becomes_due() {
                self.prover.prove_soon(entry.clone());
            }
            return true;
        }
        // A proof of another entry that began after this one was there.
        let with_others = |before: Before| before.at > entry.made && recent(before);
        self.source().was_current(&entry.token, with_others)
    }

    async fn is_proved(&self, key: &str, entry: &Entry<S::Token, V>) -> bool {
        if !self.is_on() {
            return false;
        }
        let counters = self.counters();
        counters.proofs.add(1);
        let before = self.prover.before();
        match self.source().prove(key, &entry.token, before).await {
            Proof::Holds => {
                self.switch.turn_on();
                entry.proven.set(before);
                return true;
            }
            Proof::Changed => {
                self.switch.turn_on();
                counters.changed.add(1);
            }
            Proof::Busy => counters.failed_proofs.add(1),
            Proof::Failed => {
                counters.failed_proofs.add(1);
                self.switch.turn_off(self.now());
            }
        }
        false
    }

    fn keep<Q>(&self, question: &Q, token: S::Token, mut value: V, before: Before)
    where
        Q: Question<S, Value = V>,
    {
        let mut proven = Proven::new(before);
        if let Some(old) = self.entries.peek(question.key().as_bytes())
            && old.token == token
        {
            question.merge(&mut value, &old.value);
            // Only a proof says that the parts are of one state.
            proven = Proven::never();
        }
        let key = Inline::from(question.key());
        let weight =
            OVERHEAD + key.memory() + size_of::<Entry<S::Token, V>>() + question.weight(&value);
        let entry = Entry {
            token,
            value,
            weight: weight as u64,
            proven,
            made: self.now(),
        };
        self.entries.insert(key, Arc::new(entry));
    }

    fn is_on(&self) -> bool {
        self.switch.is_on(|| self.now())
    }

    fn now(&self) -> Moment {
        self.prover.now()
    }
}
