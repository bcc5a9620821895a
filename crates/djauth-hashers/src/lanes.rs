//! Threads for algorithms that split one hash into lanes (Argon2, scrypt).
//!
//! One hash at a time has all lanes: each then ends as early as it can, where two side by side
//! would both end late. The threads are our own, so that the application's rayon pool is left
//! alone; they are started by the first hash that needs them, with the priority of its thread.

use std::sync::{Mutex, OnceLock, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
static TURN: Mutex<()> = Mutex::new(());

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

fn start() -> Option<ThreadPool> {
    let pool = ThreadPoolBuilder::new()
        .thread_name(|i| format!("djauth-lane-{i}"))
        .build();
    pool.inspect_err(|error| tracing::warn!(%error, "no threads for hashing lanes"))
        .ok()
}
