#![doc = include_str!("cache/README.md")]

mod epochs;
mod gathering;
#[cfg(test)]
mod interleavings;
mod moments;
mod proofs;
mod server;
mod source;
mod stats;
mod switch;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

pub(crate) use epochs::{Epoch, Epochs};
pub(crate) use proofs::{Mark, Proofs, Token};
pub(crate) use server::{SessionText, TOKEN_COLUMNS, Versions};
pub(crate) use source::{Outcome, Proof, Question, Read, Source, Unknown};
pub use stats::AuthCacheStats;

use crate::Error;
use moments::Moment;
use stats::{Counters, count};
use switch::Switch;

/// By the keys that questions give.
type Entries<T, V> = Cache<Arc<str>, Arc<Entry<T, V>>, ByWeight>;

/// Entries by key, each under the token of the moment at which it was read.
pub(crate) struct RequestCache<S: Source, V> {
    source: S,
    entries: Entries<S::Token, V>,
    /// Zero: strict.
    staleness: Duration,
    switch: Switch,
    counters: Counters,
    start: Instant,
}

struct Entry<T, V> {
    token: T,
    value: V,
    weight: u64,
    proven: Proven,
    made: Moment,
}

/// When an entry was last proved, and how often this process had written by then; both as of before the
/// proof, or the statement, began. The two may come from different proofs: each is true by itself.
struct Proven {
    at: AtomicU64,
    own_writes: AtomicU64,
}

#[derive(Clone)]
struct ByWeight;

impl<T, V> Weighter<Arc<str>, Arc<Entry<T, V>>> for ByWeight {
    fn weight(&self, _: &Arc<str>, entry: &Arc<Entry<T, V>>) -> u64 {
        entry.weight
    }
}

/// What an entry takes besides key and value: the counts of both pointers, and the table's own.
const OVERHEAD: usize = 160;

/// A guess for the size of the table: entries of sessions take about this many bytes.
const USUAL_WEIGHT: u64 = 1_500;

/// When something is about to be read, as bounded staleness counts.
#[derive(Clone, Copy)]
pub(crate) struct Before {
    at: Moment,
    own_writes: u64,
}

impl<S: Source, V: Send + Sync + 'static> RequestCache<S, V> {
    pub(crate) fn new(source: S, max_bytes: u64, staleness: Duration) -> Self {
        let usual = usize::try_from(max_bytes / USUAL_WEIGHT).unwrap_or(usize::MAX);
        Self {
            source,
            entries: Cache::with_weighter(usual.clamp(16, 1 << 20), max_bytes, ByWeight),
            staleness,
            switch: Switch::default(),
            counters: Counters::default(),
            start: Instant::now(),
        }
    }

    pub(crate) fn source(&self) -> &S {
        &self.source
    }

    pub(crate) fn stats(&self) -> AuthCacheStats {
        self.counters
            .read(self.entries.len() as u64, self.entries.weight())
    }

    /// The answer to a question: by an entry that is what the database would say, or by the database.
    pub(crate) async fn ask<Q>(&self, question: &Q) -> Result<Q::Answer, Error>
    where
        Q: Question<S, Value = V>,
    {
        if let Some(answer) = self.by_entry(question).await {
            count(&self.counters.hits);
            return Ok(answer);
        }
        // Boxed, because it is large and seldom needed: whoever holds this future moves it about.
        Box::pin(self.by_database(question)).await
    }

    async fn by_database<Q>(&self, question: &Q) -> Result<Q::Answer, Error>
    where
        Q: Question<S, Value = V>,
    {
        count(&self.counters.misses);
        let before = self.before();
        let mark = self.mark(before).await;
        self.source.step().await;
        let Read { answer, entry } = question.read(mark).await?;
        self.source.step().await;
        match entry {
            Outcome::Keep(token, value) => self.keep(question, token, value, before),
            Outcome::Forget => drop(self.entries.remove(&**question.key())),
            Outcome::Leave => {}
        }
        Ok(answer)
    }

    async fn mark(&self, before: Before) -> Option<S::Mark> {
        if !self.is_on() {
            return None;
        }
        match self.source.mark(before).await {
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
        let entry = self.entries.get(&**question.key())?;
        let answer = question.by(&entry.value)?;
        self.source.step().await;
        let fresh = self.is_recent(&entry) || self.is_proved(question.key(), &entry).await;
        fresh.then_some(answer)
    }

    /// Bounded staleness: proved not long ago, and we have written nothing since.
    fn is_recent(&self, entry: &Entry<S::Token, V>) -> bool {
        if self.staleness.is_zero() {
            return false;
        }
        let (now, own_writes) = (self.now(), self.source.own_writes());
        let recent = |before: Before| {
            before.at != Moment::NEVER
                && before.own_writes == own_writes
                && before.at + self.staleness > now
        };
        // A proof of another entry that began after this one was there.
        let with_others = |before: Before| before.at > entry.made && recent(before);
        recent(entry.proven.get()) || self.source.was_current(&entry.token, with_others)
    }

    async fn is_proved(&self, key: &str, entry: &Entry<S::Token, V>) -> bool {
        if !self.is_on() {
            return false;
        }
        count(&self.counters.proofs);
        let before = self.before();
        match self.source.prove(key, &entry.token, before).await {
            Proof::Holds => {
                self.switch.turn_on();
                entry.proven.set(before);
                return true;
            }
            Proof::Changed => {
                self.switch.turn_on();
                count(&self.counters.changed);
            }
            Proof::Busy => count(&self.counters.failed_proofs),
            Proof::Failed => {
                count(&self.counters.failed_proofs);
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
        if let Some(old) = self.entries.peek(&**question.key())
            && old.token == token
        {
            question.merge(&mut value, &old.value);
            // Only a proof says that the parts are of one state.
            proven = Proven::never();
        }
        let weight = OVERHEAD
            + question.key().len()
            + size_of::<Entry<S::Token, V>>()
            + question.weight(&value);
        let entry = Entry {
            token,
            value,
            weight: weight as u64,
            proven,
            made: self.now(),
        };
        self.entries.insert(question.key().clone(), Arc::new(entry));
    }

    fn is_on(&self) -> bool {
        self.switch.is_on(|| self.now())
    }

    fn now(&self) -> Moment {
        Moment::since(self.start)
    }

    fn before(&self) -> Before {
        Before {
            at: self.now(),
            own_writes: self.source.own_writes(),
        }
    }
}

impl Proven {
    fn never() -> Self {
        Self::new(Before {
            at: Moment::NEVER,
            own_writes: 0,
        })
    }

    fn new(before: Before) -> Self {
        Self {
            at: AtomicU64::new(before.at.0),
            own_writes: AtomicU64::new(before.own_writes),
        }
    }

    fn get(&self) -> Before {
        Before {
            at: Moment(self.at.load(Ordering::Acquire)),
            own_writes: self.own_writes.load(Ordering::Acquire),
        }
    }

    fn set(&self, before: Before) {
        self.own_writes.store(before.own_writes, Ordering::Release);
        self.at.store(before.at.0, Ordering::Release);
    }
}
