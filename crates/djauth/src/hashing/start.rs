//! Starts the threads.

use std::sync::Arc;
use std::thread;

use djauth_hashers::Hashers;

use super::engine::{Engine, Handle, Size};
use super::{HashingPool, blocking, guard, lanes, priority};
use crate::{Error, ErrorKind};

impl HashingPool {
    pub(super) fn start(
        hashers: Hashers,
        threads: usize,
        queue: usize,
        memory: u64,
    ) -> Result<Self, Error> {
        let threads = match threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let size = Size {
            threads,
            queue,
            memory,
        };
        // Argon2 and scrypt have threads of their own, which shall step back like these.
        djauth_hashers::on_lane_thread_start(priority::last);
        // Made first, so that an error below ends the threads that have started.
        let handle = Arc::new(Handle(Arc::new(Engine::new(size))));
        spawn_all(&handle.0).map_err(|error| {
            Error::caused(
                ErrorKind::Hashing,
                "no threads for hashing passwords",
                error,
            )
        })?;
        Ok(Self { hashers, handle })
    }
}

fn spawn_all(engine: &Arc<Engine>) -> std::io::Result<()> {
    for index in 0..engine.size.threads {
        spawn(engine, format!("djauth-hash-{index}"), move |engine| {
            priority::last();
            lanes::run(engine, index);
        })?;
        spawn(engine, format!("djauth-work-{index}"), |engine| {
            priority::last();
            blocking::run(engine);
        })?;
    }
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
