//! Starts the threads.

use std::sync::Arc;
use std::thread;

use djauth_hashers::Hashers;

use super::clock::{self, Clock};
use super::engine::{Engine, Gate, Handle, Size};
use super::{HashingPool, blocking, guard, lanes, priority};
use crate::{Error, ErrorKind};

impl HashingPool {
    pub(super) fn start(
        hashers: Hashers,
        threads: usize,
        queue: usize,
        memory: u64,
    ) -> Result<Self, Error> {
        let size = Size {
            threads: or_cores(threads),
            queue,
            memory,
        };
        djauth_hashers::bound_memory(memory);
        // Argon2 and scrypt have threads of their own, which shall step back like these.
        djauth_hashers::on_lane_thread_start(|| {
            if priority::step_back(clock::add_lane(), priority::last) {
                priority::offer_core();
            }
        });
        Self::with_threads(hashers, size, |engine| {
            spawn_threads(engine, priority::last)?;
            spawn_guard(engine)
        })
    }

    pub(super) fn with_threads(
        hashers: Hashers,
        size: Size,
        spawn: impl FnOnce(&Arc<Engine>) -> std::io::Result<()>,
    ) -> Result<Self, Error> {
        let engine = Engine::new(size, Gate::of(&hashers));
        // Made first, so that an error below ends the threads that have started.
        let handle = Arc::new(Handle(Arc::new(engine)));
        spawn(&handle.0).map_err(|error| {
            Error::caused(
                ErrorKind::Hashing,
                "no threads for hashing passwords",
                error,
            )
        })?;
        Ok(Self { hashers, handle })
    }
}

fn or_cores(threads: usize) -> usize {
    match threads {
        0 => thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

pub(super) fn spawn_threads(engine: &Arc<Engine>, priority: fn() -> bool) -> std::io::Result<()> {
    let threads = engine.size.threads;
    for index in 0..threads {
        spawn(engine, format!("djauth-hash-{index}"), move |engine| {
            let idle = begin(engine, index, priority);
            lanes::run(engine, index, idle);
        })?;
        spawn(engine, format!("djauth-work-{index}"), move |engine| {
            if begin(engine, threads + index, priority) {
                priority::offer_core();
            }
            blocking::run(engine, index);
        })?;
    }
    Ok(())
}

/// Whether the thread runs in idle times only.
fn begin(engine: &Engine, thread: usize, priority: fn() -> bool) -> bool {
    let clock = Clock::of_this_thread();
    let seen = clock.is_some();
    if let Some(clock) = clock {
        // Each sets its own, once.
        let _ = engine.clocks[thread].set(clock);
    }
    priority::step_back(seen, priority)
}

pub(super) fn spawn_guard(engine: &Arc<Engine>) -> std::io::Result<()> {
    spawn(engine, "djauth-guard".into(), |engine| {
        priority::nice();
        guard::run(engine);
    })
}

fn spawn(
    engine: &Arc<Engine>,
    name: String,
    run: impl FnOnce(&Engine) + Send + 'static,
) -> std::io::Result<()> {
    let engine = engine.clone();
    let thread = thread::Builder::new().name(name);
    thread.spawn(move || run(&engine)).map(|_| ())
}
