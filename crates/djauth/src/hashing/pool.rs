//! Threads and the queue before them.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

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
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Box<dyn Job>>,
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
            queue.jobs.retain(|job| !job.abandoned());
        }
        if queue.jobs.len() >= shared.capacity {
            return None;
        }
        queue.jobs.push_back(Box::new(Task { work, answer }));
        drop(queue);
        shared.ready.notify_one();
        Some(receiver)
    }
}

/// One core is left to those that answer requests, where there are several.
fn default_threads() -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.saturating_sub(1).max(1)
}

impl Shared {
    fn work(&self) {
        step_back();
        while let Some(job) = self.next() {
            job.run();
        }
    }

    /// The next job that somebody waits for; `None` when the pool is gone.
    fn next(&self) -> Option<Box<dyn Job>> {
        let mut queue = self.queue.lock();
        loop {
            if queue.closed {
                return None;
            }
            match queue.jobs.pop_front() {
                Some(job) if job.abandoned() => {}
                Some(job) => return Some(job),
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
