//! The seam between the cache and a database: what an entry is tagged with, and how one is proved.

use std::time::{Duration, Instant};

use super::{Before, Moment};
use crate::Error;

/// A database as the cache sees it.
///
/// The whole protocol, in the order in which the cache drives it:
///
/// 1. A request looks its entry up, and only then calls [`prove`](Source::prove).
/// 2. Without an entry, or when the proof says `Changed`, it calls [`mark`](Source::mark) and only then
///    begins its statement ([`Question::read`]), which makes a token of the mark, of the row, or of both.
///
/// What an implementation promises:
///
/// - A token stands for the state of everything that the entry was made of, as one snapshot of the
///   database saw it. Tokens are equal only if nothing of it was committed between their snapshots.
/// - `prove` answers `Holds` only if that state was still the database's at some moment **after the call
///   began**. A batch must therefore not serve a request that arrived after it was sent.
/// - Neither waits for a lock of the database, and neither holds the thread up.
///
/// A source that reads versions from the server makes its token from columns of the very statement that
/// reads the entry (one snapshot), and its mark says nothing but that there are such columns. SQLite has
/// no such column: its token is the mark itself ([`Epochs`](super::Epochs)), loaded before the statement
/// began, and therefore never newer than what was read.
///
/// To add a source: implement this trait, add it to [`Proofs`](super::Proofs) with its mark and token,
/// and let `Statements` add its columns where the mark asks for them.
pub(crate) trait Source: Send + Sync + 'static {
    /// What was current when an entry was read. It carries whatever `prove` needs to ask again.
    type Token: Clone + PartialEq + Send + Sync + 'static;
    /// What is loaded before a statement begins, so that its answer may become an entry.
    type Mark: Send;

    /// An error: nothing that is read now may be kept.
    fn mark(&self, before: Before) -> impl Future<Output = Result<Self::Mark, Unknown>> + Send;

    /// Whether what the token stands for is still so.
    fn prove(
        &self,
        key: &str,
        token: &Self::Token,
        before: Before,
    ) -> impl Future<Output = Proof> + Send;

    /// Whether it is known to have been so at such a moment, from proofs of other entries.
    fn was_current(&self, token: &Self::Token, at: impl Fn(Before) -> bool) -> bool {
        let _ = (token, at);
        false
    }

    /// How often this process has written: moves before a write begins and after it is committed.
    fn own_writes(&self) -> u64;

    /// How many entries [`prove_all`](Source::prove_all) proves with one statement, where that is cheaper than by
    /// each request. Zero: not here.
    fn together(&self) -> usize {
        0
    }

    /// As [`prove`](Source::prove), for each of these at once.
    fn prove_all(&self, tokens: &[Self::Token]) -> impl Future<Output = Vec<Proof>> + Send {
        std::future::ready(vec![Proof::Busy; tokens.len()])
    }

    /// The clock that bounded staleness counts by.
    fn now(&self, start: Instant) -> Moment {
        Moment::since(start)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    fn pause(&self, time: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(time)
    }

    /// Nothing; the test of all interleavings lets others run here.
    fn step(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// What became of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The entry is what the database would answer.
    Holds,
    /// Something has changed, or may have.
    Changed,
    /// Not known this time, as when somebody holds the file: ask the database.
    Busy,
    /// It cannot be had: the cache switches itself off for a while.
    Failed,
}

/// Why there is no mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// Not this time, or not on this database.
    Now,
    /// It cannot be had: the cache switches itself off for a while.
    Failed,
}

/// What a read gives, or why the database did not answer.
pub(crate) type Reading<A, T, V> = Result<Read<A, T, V>, Error>;

/// What a request wants to know: how an entry answers it, and how the database does.
pub(crate) trait Question<S: Source>: Sync {
    /// What an entry holds.
    type Value: Send + Sync + 'static;
    /// What the request gets.
    type Answer: Send;

    /// The entry's key.
    fn key(&self) -> &str;

    /// The answer by an entry; `None` when it has ended by the clock, or does not hold it. Without side
    /// effects on any answer: it is asked before the proof.
    fn by(&self, value: &Self::Value) -> Option<Self::Answer>;

    /// Asks the database. With a mark the answer may become an entry.
    fn read(
        &self,
        mark: Option<S::Mark>,
    ) -> impl Future<Output = Reading<Self::Answer, S::Token, Self::Value>> + Send;

    /// Adds to a new value what an old one under an equal token holds besides.
    fn merge(&self, new: &mut Self::Value, old: &Self::Value);

    /// About how many bytes a value takes.
    fn weight(&self, value: &Self::Value) -> usize;
}

/// What the database said.
pub(crate) struct Read<A, T, V> {
    pub(crate) answer: A,
    pub(crate) entry: Outcome<T, V>,
}

/// What becomes of the key's entry.
pub(crate) enum Outcome<T, V> {
    /// Kept under this token.
    Keep(T, V),
    /// There is nothing to keep: no such session, or one that belongs to nobody.
    Forget,
    /// Nothing is known about it.
    Leave,
}
