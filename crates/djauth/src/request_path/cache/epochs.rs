//! SQLite's token: a number that moves whenever `PRAGMA data_version` says that somebody has committed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;

use super::gathering::Gathering;
use super::moments::Moment;
use super::proven::{Before, Proven};
use super::threads::preferred;
use super::{Proof, Unknown};
use crate::db::{DataVersion, ErrorKind};

/// Connections that watch the file, so that threads do not wait for each other. Each has an epoch of its
/// own, because each finds a commit out by itself.
pub(crate) const LANES: usize = 4;

/// Looks that are nearer to each other than this are made together.
const COMPANY: Duration = Duration::from_micros(100);

/// Whoever waits for another's look longer than this takes one of his own.
const PATIENCE: Duration = Duration::from_millis(2);

/// What tells that something was committed. The shipped one is [`DataVersion`].
pub(crate) trait Watch: Send + 'static {
    /// Whether others are likely to look at the same time, so that it pays to wait for them.
    fn has_company(last: Moment, now: Moment) -> bool {
        last != Moment::NEVER && last + COMPANY > now
    }

    /// A number that differs from the one before if something was committed in between.
    fn data_version(&mut self) -> impl Future<Output = Result<i64, Unseen>> + Send;
}

/// Why there is no number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unseen {
    /// Somebody holds the file. The next number can be compared with the last.
    Busy,
    /// The next number cannot be compared with the last.
    Lost,
}

impl Watch for DataVersion {
    fn data_version(&mut self) -> impl Future<Output = Result<i64, Unseen>> + Send {
        std::future::ready(self.read().map_err(|error| match error.kind() {
            ErrorKind::Busy => Unseen::Busy,
            _ => {
                tracing::debug!(%error, "a SQLite file cannot be watched");
                Unseen::Lost
            }
        }))
    }
}

/// The epochs of one file.
pub(crate) struct Epochs<W> {
    lanes: Box<[Lane<W>]>,
}

/// The epoch of each lane when a statement had not yet begun; zero where a lane has no baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch([u64; LANES]);

struct Lane<W> {
    /// Zero: there is no baseline to compare with. Otherwise the number of changes seen.
    epoch: AtomicU64,
    watching: Mutex<Watching<W>>,
    /// The latest look that ended well.
    latest: Proven,
    /// When somebody last wanted to look.
    wanted: AtomicU64,
    /// Those who look together.
    gathering: Gathering<Observed>,
}

/// The lane through which the file was seen, and its epoch then.
type Observed = Result<(usize, u64), Unseen>;

struct Watching<W> {
    watch: W,
    last: Option<i64>,
    /// Never goes back, also when a baseline was lost.
    seen: u64,
}

/// The epoch of a lane, our writes before its latest look, and what its connection saw last and under which
/// epoch, where nobody uses it.
#[cfg(test)]
pub(super) type LaneState = (u64, u64, Option<(Option<i64>, u64)>);

impl<W: Watch> Epochs<W> {
    /// One lane for each of the first [`LANES`] watches.
    pub(crate) fn new(watches: impl IntoIterator<Item = W>) -> Self {
        let lane = |watch| Lane {
            epoch: AtomicU64::new(0),
            watching: Mutex::new(Watching {
                watch,
                last: None,
                seen: 0,
            }),
            latest: Proven::never(),
            wanted: AtomicU64::new(Moment::NEVER.0),
            gathering: Gathering::default(),
        };
        Self {
            lanes: watches.into_iter().take(LANES).map(lane).collect(),
        }
    }

    /// To be loaded before a statement begins. An error: no lane has a baseline, and none can be had now.
    pub(crate) async fn load(&self, before: Before) -> Result<Epoch, Unknown> {
        let epoch = self.loaded();
        if epoch != Epoch([0; LANES]) {
            return Ok(epoch);
        }
        let found = self.observe(before).await;
        self.begin(before).await;
        match found {
            Ok(_) => Ok(self.loaded()),
            Err(Unseen::Busy) => Err(Unknown::Now),
            Err(Unseen::Lost) => Err(Unknown::Failed),
        }
    }

    /// A baseline for every lane: an entry that is made while a lane has none is of no use to its thread.
    async fn begin(&self, before: Before) {
        for lane in &self.lanes {
            if let Ok(mut watching) = lane.watching.try_lock()
                && watching.last.is_none()
            {
                // Without a baseline that lane proves nothing.
                let _ = lane.look(&mut watching, before).await;
            }
        }
    }

    fn loaded(&self) -> Epoch {
        let mut epoch = [0; LANES];
        for (slot, lane) in epoch.iter_mut().zip(&self.lanes) {
            *slot = lane.epoch.load(Ordering::Acquire);
        }
        Epoch(epoch)
    }

    /// Whether nothing was committed since the epoch was loaded, until some moment after this call began.
    pub(crate) async fn prove(&self, epoch: &Epoch, before: Before) -> Proof {
        match self.observed(before).await {
            Ok((lane, seen)) if epoch.0[lane] == seen => Proof::Holds,
            Ok(_) => Proof::Changed,
            Err(Unseen::Busy) => Proof::Busy,
            Err(Unseen::Lost) => Proof::Failed,
        }
    }

    #[cfg(test)]
    pub(super) fn states(&self) -> Vec<LaneState> {
        let lanes = self.lanes.iter().map(|lane| {
            let watching = lane.watching.try_lock().ok();
            let watching = watching.map(|watching| (watching.last, watching.seen));
            let own_writes = lane.latest.get().own_writes;
            (lane.epoch.load(Ordering::Acquire), own_writes, watching)
        });
        lanes.collect()
    }

    /// Whether the epoch was current at such a moment, as some look has found.
    pub(crate) fn was_current(&self, epoch: &Epoch, at: impl Fn(Before) -> bool) -> bool {
        let mut lanes = self.lanes.iter().zip(epoch.0);
        lanes.any(|(lane, epoch)| {
            // The moment first: a look that finds a change moves the epoch before it.
            let latest = lane.latest.get();
            epoch != 0 && at(latest) && lane.epoch.load(Ordering::Acquire) == epoch
        })
    }

    /// A look that begins after this call: one's own, or, where many come, one for all of them. It costs
    /// several system calls, and a task that waits costs none.
    async fn observed(&self, before: Before) -> Observed {
        let Some(lane) = self.lanes.get(self.preferred()) else {
            return Err(Unseen::Lost);
        };
        let last = Moment(lane.wanted.swap(before.at.0, Ordering::Relaxed));
        let look = self.observe(before);
        if !W::has_company(last, before.at) {
            return look.await;
        }
        // The thread's other tasks come first.
        let others = tokio::task::yield_now();
        let patience = tokio::time::sleep(PATIENCE);
        match lane.gathering.ask(others, look, patience).await {
            Some(observed) => observed,
            None => self.observe(before).await,
        }
    }

    fn preferred(&self) -> usize {
        preferred() % self.lanes.len().max(1)
    }

    /// Looks at the file through a lane that nobody uses.
    async fn observe(&self, before: Before) -> Observed {
        let first = self.preferred();
        for turn in 0..self.lanes.len() {
            let lane = (first + turn) % self.lanes.len();
            if let Ok(mut watching) = self.lanes[lane].watching.try_lock() {
                let seen = self.lanes[lane].look(&mut watching, before).await;
                return seen.map(|seen| (lane, seen));
            }
        }
        Err(Unseen::Busy)
    }
}

impl<W: Watch> Lane<W> {
    async fn look(&self, watching: &mut Watching<W>, before: Before) -> Result<u64, Unseen> {
        // A caller that goes away in the middle leaves no baseline behind that it did not compare.
        let last = watching.last.take();
        match watching.watch.data_version().await {
            Ok(now) => {
                if last != Some(now) {
                    watching.seen += 1;
                    self.epoch.store(watching.seen, Ordering::Release);
                }
                watching.last = Some(now);
                self.latest.set(before);
                Ok(watching.seen)
            }
            Err(Unseen::Busy) => {
                watching.last = last;
                Err(Unseen::Busy)
            }
            Err(Unseen::Lost) => {
                self.epoch.store(0, Ordering::Release);
                Err(Unseen::Lost)
            }
        }
    }
}
