//! How the threads step back behind those that answer requests.

#[cfg(target_os = "linux")]
use std::sync::Once;

/// The niceness of the thread that sees to it that hashes are made at all: a busy core gives it a tenth
/// of its time.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// All threads fare alike.
#[cfg(target_os = "linux")]
static REFUSED: Once = Once::new();
#[cfg(target_os = "linux")]
static UNSEEN: Once = Once::new();

/// As `last` says, where somebody sees whether the thread gets any time. The guard stands in for those
/// alone: another in the class for idle times could starve for good. Whether the thread runs in idle times
/// only.
pub(super) fn step_back(seen: bool, last: fn() -> bool) -> bool {
    if !seen {
        unseen();
    }
    seen && last()
}

#[cfg(target_os = "linux")]
fn unseen() {
    UNSEEN.call_once(|| {
        tracing::warn!(
            "the system does not tell what time hashing threads get (/proc/thread-self/schedstat): they \
             are only nice, and requests wait for them"
        );
    });
    nice();
}

/// Only where nobody else wants the core: whoever wakes up takes it at once. On Linux this is the
/// class `SCHED_IDLE`, which needs no privilege. Who was put off in the middle of its work does not wake
/// up, and gets the core back at the next tick only: so threads should offer it now and then. False where
/// the system refuses.
#[cfg(target_os = "linux")]
pub(super) fn last() -> bool {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };

    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    let this = thread_native_id();
    let set = set_thread_priority_and_policy(this, ThreadPriority::Min, idle);
    if let Err(error) = &set {
        REFUSED.call_once(|| {
            tracing::warn!(
                ?error,
                "the system refuses hashing threads the class for idle times (SCHED_IDLE): they are \
                 only nice, and requests wait for them. A sandbox must allow sched_setscheduler"
            );
        });
        nice();
    }
    set.is_ok()
}

/// From now on the calling thread offers its core in the middle of what it hashes, as far as that can be
/// had. For threads that run in idle times only, and for the guard: others would lose too much of their
/// share of a busy core.
pub(super) fn offer_core() {
    djauth_hashers::offer_core_with(offer);
}

/// Who was put off in the middle of its work gets the core now, and not only at the next tick.
pub(super) fn offer() {
    #[cfg(test)]
    OFFERS.set(OFFERS.get() + 1);
    std::thread::yield_now();
}

#[cfg(test)]
thread_local! {
    /// How often this thread has offered its core.
    pub(super) static OFFERS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// A little, always. On Linux niceness is the thread's own; elsewhere it would be the whole process's.
#[cfg(target_os = "linux")]
pub(super) fn nice() {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "hashing threads keep the usual priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn unseen() {}

#[cfg(not(target_os = "linux"))]
pub(super) fn last() -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(super) fn nice() {}
