//! Threads for what cannot be done in parts: Argon2, scrypt, bcrypt, and an application's own hashers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use djauth_hashers::{Blocking, Step};

use super::engine::Engine;
use super::shares::Kind;
use super::ticket::{Head, Ticket};

/// Memory that was kept for the next hash is given back when none has come for so long.
const KEEP: Duration = Duration::from_secs(30);

/// Runs until the pool is gone.
pub(super) fn run(engine: &Engine) {
    while let Some(ticket) = engine.next_work() {
        engine.work(ticket);
    }
}

impl Engine {
    /// Waits for one. `None` when the pool is gone.
    fn next_work(&self) -> Option<Ticket> {
        let mut state = self.state.lock();
        let mut kept = true;
        loop {
            if state.closed {
                return None;
            }
            if let Some(ticket) = self.pop(&mut state, Kind::Blocking) {
                state.works += 1;
                state.work_moved = Some(Instant::now());
                return Some(ticket);
            }
            if !kept {
                self.work_ready.wait(&mut state);
            } else if self.work_ready.wait_for(&mut state, KEEP).timed_out() && state.works == 0 {
                djauth_hashers::release_memory();
                kept = false;
            }
        }
    }

    pub(super) fn work(&self, ticket: Ticket) {
        let Ticket { head, step, .. } = ticket;
        let Step::Blocking(Blocking { memory, name, run }) = step else {
            return;
        };
        let begun = Instant::now();
        // A panic drops the answer, which the caller sees; the thread lives on.
        let step = catch_unwind(AssertUnwindSafe(run));
        self.effort.measured_work(&name, begun.elapsed());
        head.spent.work(name);
        self.worked(head, memory, step.ok());
    }

    fn worked(&self, head: Head, memory: u64, step: Option<Step<()>>) {
        let mut state = self.state.lock();
        state.works -= 1;
        state.work_moved = Some(Instant::now());
        state.memory -= memory;
        match step.filter(|step| matches!(step, Step::Done(())) || !head.answer.gone()) {
            Some(step) => self.leave(&mut state, head, step),
            None => {
                self.counts.dropped();
                state.shares.release(head.client);
            }
        }
        // There is room for those whose memory was not there.
        self.work_ready.notify_all();
        self.note(&state);
    }
}
