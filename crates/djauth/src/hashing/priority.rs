//! How the threads step back behind those that answer requests.

use std::cell::Cell;
#[cfg(target_os = "linux")]
use std::sync::Once;
use std::time::{Duration, Instant};

/// The niceness of the thread that sees to it that hashes are made at all: a busy core gives it a tenth
/// of its time, where it takes it.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// The guard keeps at most one of so many parts of a busy core.
const SHARE: u32 = 10;
/// So long at most it keeps others waiting in one go.
const LONGEST: Duration = Duration::from_millis(1);

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
/// had. For threads that run in idle times only: others would lose too much of their share of a busy core.
pub(super) fn offer_core() {
    djauth_hashers::offer_core_with(offer);
}

/// Who was put off in the middle of its work gets the core now, and not only at the next tick.
pub(super) fn offer() {
    #[cfg(test)]
    OFFERS.set(OFFERS.get() + 1);
    std::thread::yield_now();
}

/// As [`offer_core`], for the guard.
pub(super) fn offer_core_in_turns() {
    djauth_hashers::offer_core_with(offer_in_turns);
}

/// Offers the core when the thread has had its turn.
pub(super) fn offer_in_turns() {
    let mut turn = TURN.get();
    if turn.is_over(Instant::now()) {
        let offered = Instant::now();
        offer();
        turn = Turn::after(offered, Instant::now());
        TURN.set(turn);
    }
}

/// How long a thread keeps its core that is only nice. When it offers it on a busy machine it gets it back
/// after a long time only, however short it has had it (seen on Linux 6.18). It would get next to
/// nothing if it offered it as often as the others do.
#[derive(Clone, Copy, Debug)]
struct Turn {
    since: Option<Instant>,
    length: Duration,
}

impl Turn {
    const FIRST: Self = Self {
        since: None,
        length: Duration::ZERO,
    };

    fn is_over(self, now: Instant) -> bool {
        self.since
            .is_none_or(|since| now.saturating_duration_since(since) >= self.length)
    }

    /// The longer it had to wait for the core, the longer it keeps it. Where nobody wanted it, it offers it
    /// again as soon as it can.
    fn after(offered: Instant, back: Instant) -> Self {
        let waited = back.saturating_duration_since(offered);
        Self {
            since: Some(back),
            length: (waited / (SHARE - 1)).min(LONGEST),
        }
    }
}

thread_local! {
    static TURN: Cell<Turn> = const { Cell::new(Turn::FIRST) };
}

#[cfg(test)]
thread_local! {
    /// How often this thread has offered its core.
    pub(super) static OFFERS: Cell<usize> = const { Cell::new(0) };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_as_long_as_the_wait_allows() {
        let now = Instant::now();
        let after = |micros| Turn::after(now, now + Duration::from_micros(micros));
        assert!(Turn::FIRST.is_over(now));
        for (waited, length) in [(0, 0), (900, 100), (9_000, 1_000), (900_000, 1_000)] {
            let (turn, back) = (after(waited), now + Duration::from_micros(waited));
            let end = back + Duration::from_micros(length);
            assert!(turn.is_over(end), "{turn:?}");
            if length > 0 {
                assert!(!turn.is_over(end - Duration::from_micros(1)), "{turn:?}");
            }
        }
    }
}
