//! PostgreSQL's and MariaDB's token: the session's text, and versions that triggers move.
//!
//! Without the triggers of [`CacheTriggers`](crate::management::CacheTriggers) nothing is kept. With them a proof
//! reads the session's row and three versions. Proofs that wait at the same time share one statement, sent after
//! all of them arrived; more that arrive meanwhile go with the next one.

mod batch;
mod crowds;
mod token;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use djauth_signing::Clock;
use parking_lot::Mutex;
use tokio::sync::oneshot;

pub(crate) use token::{TOKEN_COLUMNS, Versions};

use self::batch::Waiting;
use self::crowds::Crowds;
use super::Proof;
use crate::db::{Database, Executor, Sql};
use crate::management::cache::INSTALL;

/// Statements under way at once: one is answered while the next is being sent.
const LANES: usize = 2;

/// Seconds after which it is asked again whether the triggers are there.
const LOOK_EVERY: i64 = 30;

/// The ordinary path is better than a proof that takes longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What an entry was made of, and what is asked about it again.
#[derive(PartialEq)]
pub(crate) struct ServerToken {
    /// Nothing, where the session comes from elsewhere.
    pub(crate) session: Option<SessionText>,
    /// The user's subject.
    pub(crate) subject: i64,
    pub(crate) versions: Versions,
}

/// A row of `django_session`.
#[derive(PartialEq)]
pub(crate) struct SessionText {
    pub(crate) key: Arc<str>,
    pub(crate) data: String,
}

/// Without the session's text and key.
impl fmt::Debug for ServerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerToken")
            .field("subject", &self.subject)
            .field("versions", &self.versions)
            .finish_non_exhaustive()
    }
}

/// Proves entries by asking the server.
pub(crate) struct Server {
    shared: Arc<Shared>,
    /// When to look for triggers again, in seconds since the start; [`FOUND`] while they are there.
    next_look: AtomicI64,
    start: Instant,
}

/// Later than any time.
const FOUND: i64 = i64::MAX;

pub(super) struct Shared {
    db: Database,
    clock: Arc<dyn Clock>,
    queue: Mutex<Queue>,
    crowds: Crowds,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Lanes that are running.
    running: usize,
}

impl Server {
    pub(crate) fn new(db: &Database, clock: Arc<dyn Clock>) -> Self {
        Self {
            shared: Arc::new(Shared {
                db: db.clone(),
                clock,
                queue: Mutex::default(),
                crowds: Crowds::default(),
            }),
            next_look: AtomicI64::new(0),
            start: Instant::now(),
        }
    }

    /// Whether the table of changes can be read. Where it cannot, that is asked again by one request now and then.
    pub(crate) async fn is_installed(&self) -> bool {
        let due = self.next_look.load(Ordering::Relaxed);
        if due == FOUND {
            return true;
        }
        let now = self.seconds();
        let order = Ordering::Relaxed;
        let next = now + LOOK_EVERY;
        if now < due
            || self
                .next_look
                .compare_exchange(due, next, order, order)
                .is_err()
        {
            return false;
        }
        let rows = self
            .shared
            .db
            .fetch(&INSTALLED, &[INSTALL.into()], |_| Ok(()))
            .await;
        let found = rows.is_ok_and(|rows| rows.len() == 1);
        if found {
            self.next_look.store(FOUND, order);
        }
        found
    }

    /// The table cannot be read any more.
    pub(crate) fn lost(&self) {
        let later = self.seconds() + LOOK_EVERY;
        self.next_look.store(later, Ordering::Relaxed);
    }

    fn seconds(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_secs()).unwrap_or(FOUND - 2 * LOOK_EVERY)
    }

    /// Whether nothing of the entry has changed, at a moment after this call began.
    pub(crate) async fn prove(&self, token: &Arc<ServerToken>) -> Proof {
        let (answer, proof) = oneshot::channel();
        let lane = {
            let mut queue = self.shared.queue.lock();
            queue.waiting.push(Waiting {
                token: token.clone(),
                answer,
            });
            let more = queue.running < LANES;
            queue.running += usize::from(more);
            more
        };
        if lane {
            tokio::spawn(run(Lane {
                shared: self.shared.clone(),
                running: true,
            }));
        }
        // A task that has ended with its runtime, or that nobody polls any more, gives none.
        let proof = tokio::time::timeout(PATIENCE, proof).await;
        let proof = proof.map_or(Proof::Busy, |proof| proof.unwrap_or(Proof::Busy));
        if proof == Proof::Failed {
            self.lost();
        }
        proof
    }
}

/// A task that sends what waits, and ends when nothing does.
struct Lane {
    shared: Arc<Shared>,
    /// Whether it is still counted.
    running: bool,
}

async fn run(mut lane: Lane) {
    while let Some(waiting) = lane.next() {
        batch::answer(&lane.shared, waiting).await;
    }
}

impl Lane {
    /// What goes with the next statement. Without any the lane has ended before the next request looks.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        let mut queue = self.shared.queue.lock();
        if queue.waiting.is_empty() {
            queue.running -= 1;
            self.running = false;
            return None;
        }
        let most = queue.waiting.len().min(batch::MOST);
        let rest = queue.waiting.split_off(most);
        Some(std::mem::replace(&mut queue.waiting, rest))
    }
}

/// A task that went with its runtime: whoever waits takes the ordinary path.
impl Drop for Lane {
    fn drop(&mut self) {
        if !self.running {
            return;
        }
        let mut queue = self.shared.queue.lock();
        queue.running -= 1;
        if queue.running == 0 {
            queue.waiting.clear();
        }
    }
}

static INSTALLED: Sql = Sql::new("SELECT 1 FROM djauth_cache_change WHERE subject = ?");
