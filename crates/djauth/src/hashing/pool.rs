//! Threads and the queue before them.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

/// How much the threads step back behind those that answer requests (`nice`): a busy core gives
/// them a tenth of its time, an idle one all of it.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

#[derive(Clone)]
pub(super) struct Pool(Arc<Handle>);

/// Closes the queue when the last clone of the pool goes.
struct Handle(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
    capacity: usize,
    counts: Counts,
}

/// What has happened since the start.
#[derive(Default)]
struct Counts {
    running: AtomicU64,
    done: AtomicU64,
    refused: AtomicU64,
    work_nanos: AtomicU64,
    wait_nanos: AtomicU64,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<(Instant, Box<dyn Job>)>,
    closed: bool,
}

trait Job: Send {
    /// Nobody waits for the answer any more.
    fn abandoned(&self) -> bool;
    fn run(self: Box<Self>);
}

struct Task<F, T> {
    work: F,
    answer: oneshot::Sender<T>,
}

impl<F: FnOnce() -> T + Send, T: Send> Job for Task<F, T> {
    fn abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn run(self: Box<Self>) {
        let Task { work, answer } = *self;
        // A panic drops the sender, which the caller sees; the thread lives on.
        if let Ok(result) = catch_unwind(AssertUnwindSafe(work)) {
            let _ = answer.send(result);
        }
    }
}

impl Pool {
    pub(super) fn start(threads: usize, capacity: usize) -> std::io::Result<Self> {
        let threads = if threads == 0 {
            default_threads()
        } else {
            threads
        };
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            ready: Condvar::new(),
            capacity,
            counts: Counts::default(),
        });
        // Made first, so that an error below ends the threads that have started.
        let pool = Pool(Arc::new(Handle(shared)));
        for index in 0..threads {
            let shared = pool.0.0.clone();
            let name = format!("djauth-hash-{index}");
            thread::Builder::new()
                .name(name)
                .spawn(move || shared.work())?;
        }
        Ok(pool)
    }

    pub(super) fn stats(&self) -> super::Stats {
        let Handle(shared) = &*self.0;
        let counts = &shared.counts;
        let time = |nanos: &AtomicU64| Duration::from_nanos(nanos.load(Relaxed));
        super::Stats {
            waiting: shared.queue.lock().jobs.len() as u64,
            running: counts.running.load(Relaxed),
            done: counts.done.load(Relaxed),
            refused: counts.refused.load(Relaxed),
            work: time(&counts.work_nanos),
            wait: time(&counts.wait_nanos),
        }
    }

    /// Queues the work, or refuses it when too much is waiting.
    pub(super) fn submit<T, F>(&self, work: F) -> Option<oneshot::Receiver<T>>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let Handle(shared) = &*self.0;
        let (answer, receiver) = oneshot::channel();
        let mut queue = shared.queue.lock();
        if queue.jobs.len() >= shared.capacity {
            queue.jobs.retain(|(_, job)| !job.abandoned());
        }
        if queue.jobs.len() >= shared.capacity {
            shared.counts.refused.fetch_add(1, Relaxed);
            return None;
        }
        let task = Box::new(Task { work, answer });
        queue.jobs.push_back((Instant::now(), task));
        drop(queue);
        shared.ready.notify_one();
        Some(receiver)
    }
}

fn add(sum: &AtomicU64, time: Duration) {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    sum.fetch_add(nanos, Relaxed);
}

/// One core is left to those that answer requests, where there are several.
fn default_threads() -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.saturating_sub(1).max(1)
}

impl Shared {
    fn work(&self) {
        step_back();
        while let Some((queued, job)) = self.next() {
            let begun = Instant::now();
            self.counts.running.fetch_add(1, Relaxed);
            job.run();
            self.counts.running.fetch_sub(1, Relaxed);
            self.counts.done.fetch_add(1, Relaxed);
            add(&self.counts.wait_nanos, begun - queued);
            add(&self.counts.work_nanos, begun.elapsed());
        }
    }

    /// The next job that somebody waits for; `None` when the pool is gone.
    fn next(&self) -> Option<(Instant, Box<dyn Job>)> {
        let mut queue = self.queue.lock();
        loop {
            if queue.closed {
                return None;
            }
            match queue.jobs.pop_front() {
                Some((_, job)) if job.abandoned() => {}
                Some(next) => return Some(next),
                None => self.ready.wait(&mut queue),
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut queue = self.0.queue.lock();
        queue.closed = true;
        queue.jobs.clear();
        drop(queue);
        self.0.ready.notify_all();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.0.0.queue.lock().jobs.len();
        let capacity = self.0.0.capacity;
        f.debug_struct("Pool")
            .field("waiting", &waiting)
            .field("capacity", &capacity)
            .finish()
    }
}

/// On Linux this is the thread's own; elsewhere it would be the whole process's.
#[cfg(target_os = "linux")]
fn step_back() {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "hashing threads keep the usual priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}
