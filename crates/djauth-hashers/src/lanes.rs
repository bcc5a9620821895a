//! Threads for algorithms that split one hash into lanes (Argon2, scrypt).
//!
//! One hash at a time has all lanes: each then ends as early as it can, where two side by side
//! would both end late. The threads are our own, so that the application's rayon pool is left
//! alone; they are started by the first hash that needs them, with the priority of its thread or by
//! [`on_lane_thread_start`]'s function.

use std::cell::OnceCell;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::available_parallelism;

use rayon::{ThreadPool, ThreadPoolBuilder};

static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
static TURN: Mutex<()> = Mutex::new(());
static ON_START: OnceLock<fn()> = OnceLock::new();

thread_local! {
    /// A pool of this thread and no other.
    static ALONE: OnceCell<ThreadPool> = const { OnceCell::new() };
}

/// From now on the calling thread computes the lanes of its hashes itself, one after another, and waits
/// for nobody's: for a thread that has to get ahead where the others do not. It should be one of the
/// caller's own, for it belongs to a rayon pool from then on.
pub fn lanes_on_this_thread() {
    let pool = ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build();
    match pool {
        Ok(pool) => drop(ALONE.with(|alone| alone.set(pool))),
        Err(error) => tracing::warn!(%error, "this thread does not compute lanes alone"),
    }
}

/// What each thread calls first that computes lanes of Argon2 and scrypt; for priorities. The first
/// call of this function counts, if it comes before the first such hash.
pub fn on_lane_thread_start(call: fn()) {
    let _ = ON_START.set(call);
}

/// Runs `hash`, whose parallel loops have `lanes` parts, on the lane threads.
pub(crate) fn run<T: Send>(lanes: u32, hash: impl FnOnce() -> T + Send) -> T {
    // In a thread that belongs to a pool, parallel loops are that pool's.
    if lanes < 2 || ALONE.with(|alone| alone.get().is_some()) {
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::{Hashers, Parameters};

    /// The lane threads are somebody's who never ends.
    #[test]
    fn a_thread_that_computes_lanes_itself_waits_for_nobody() {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (send, made) = mpsc::channel();
        std::thread::spawn(move || {
            lanes_on_this_thread();
            let hashers = Hashers::from_names(&["argon2", "scrypt"], &Parameters::default());
            let hashers = hashers.unwrap();
            let here = std::thread::current().id();
            let pools = run(2, || {
                (rayon::current_num_threads(), std::thread::current().id())
            });
            assert_eq!(pools, (1, here));
            for name in ["argon2", "scrypt"] {
                let hasher = hashers.get_hasher(name).unwrap();
                send.send(hasher.encode(b"horse", "abcdefghijklmnop"))
                    .unwrap();
            }
        });
        for _ in 0..2 {
            let made = made.recv_timeout(Duration::from_secs(120));
            made.expect("it does not wait").unwrap();
        }
    }
}
