//! Threads for algorithms that split one hash into lanes (Argon2, scrypt).
//!
//! One hash at a time has all lanes: each then ends as early as it can, where two side by side
//! would both end late. The threads are our own, so that the application's rayon pool is left
//! alone; they are started by the first hash that needs them, with the priority of its thread or by
//! [`on_lane_thread_start`]'s function.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::available_parallelism;

use rayon::{ThreadPool, ThreadPoolBuilder};

static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
static TURN: Mutex<()> = Mutex::new(());
static ON_START: OnceLock<fn()> = OnceLock::new();

/// What each thread calls first that computes lanes of Argon2 and scrypt; for priorities. The first
/// call of this function counts, if it comes before the first such hash.
pub fn on_lane_thread_start(call: fn()) {
    let _ = ON_START.set(call);
}

/// Runs `hash`, whose parallel loops have `lanes` parts, on the lane threads.
pub(crate) fn run<T: Send>(lanes: u32, hash: impl FnOnce() -> T + Send) -> T {
    if lanes < 2 {
        return hash();
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    match POOL.get_or_init(start) {
        Some(pool) => pool.install(hash),
        None => hash(),
    }
}

/// How many lanes are computed at the same time.
pub(crate) fn threads() -> i64 {
    available_parallelism().map_or(1, |count| i64::try_from(count.get()).unwrap_or(i64::MAX))
}

fn start() -> Option<ThreadPool> {
    let pool = ThreadPoolBuilder::new()
        .thread_name(|i| format!("djauth-lane-{i}"))
        .start_handler(|_| {
            if let Some(call) = ON_START.get() {
                call();
            }
        })
        .build();
    pool.inspect_err(|error| tracing::warn!(%error, "no threads for hashing lanes"))
        .ok()
}
