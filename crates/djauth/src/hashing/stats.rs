//! How busy the threads are, and have been.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::client::{Client, Network};
use super::engine::State;

/// How busy a pool is, and has been since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Jobs that wait now.
    pub waiting: u64,
    /// Jobs that are worked at now.
    pub running: u64,
    /// Those of them that are PBKDF2 rounds, several to a thread.
    pub lanes: u64,
    /// Memory that is set aside for those that need much, in bytes.
    pub memory: u64,
    /// Jobs that are done.
    pub done: u64,
    /// Jobs that were refused because too many waited, and their client's network had the most.
    pub refused: u64,
    /// Those of them that came from no request, or from one whose peer is unknown.
    pub refused_unnamed: u64,
    /// Jobs whose caller had gone before they were done.
    pub dropped: u64,
    /// The time from the call to the answer that the jobs done have taken, without the wait.
    pub work: Duration,
    /// The time that they had waited before.
    pub wait: Duration,
}

/// What is now, for those who do not wait for the lock.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    waiting: AtomicU64,
    lanes: AtomicU64,
    works: AtomicU64,
    memory: AtomicU64,
}

impl Gauges {
    pub(super) fn show(&self, state: &State) {
        self.waiting.store(state.shares.waiting() as u64, Relaxed);
        self.lanes.store(state.lanes() as u64, Relaxed);
        self.works.store(state.running_works() as u64, Relaxed);
        self.memory.store(state.memory * 1024, Relaxed);
    }

    /// A thread is at a work.
    pub(super) fn works(&self) -> bool {
        self.works.load(Relaxed) > 0
    }

    pub(super) fn read(&self, stats: &mut Stats) {
        stats.waiting = self.waiting.load(Relaxed);
        stats.lanes = self.lanes.load(Relaxed);
        stats.running = stats.lanes + self.works.load(Relaxed);
        stats.memory = self.memory.load(Relaxed);
    }
}

/// What has happened since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    done: AtomicU64,
    refused: AtomicU64,
    refused_unnamed: AtomicU64,
    dropped: AtomicU64,
    all_nanos: AtomicU64,
    wait_nanos: AtomicU64,
}

impl Counts {
    pub(super) fn waited(&self, since: Instant) {
        add(&self.wait_nanos, since.elapsed());
    }

    pub(super) fn done(&self, since: Instant) {
        self.done.fetch_add(1, Relaxed);
        add(&self.all_nanos, since.elapsed());
    }

    pub(super) fn dropped(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    pub(super) fn shed(&self, client: Client) {
        self.refused.fetch_add(1, Relaxed);
        if client.network == Network::None {
            self.refused_unnamed.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let time = |nanos: &AtomicU64| Duration::from_nanos(nanos.load(Relaxed));
        let wait = time(&self.wait_nanos);
        Stats {
            done: self.done.load(Relaxed),
            refused: self.refused.load(Relaxed),
            refused_unnamed: self.refused_unnamed.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            work: time(&self.all_nanos).saturating_sub(wait),
            wait,
            ..Stats::default()
        }
    }
}

fn add(sum: &AtomicU64, time: Duration) {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    sum.fetch_add(nanos, Relaxed);
}
