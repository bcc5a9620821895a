//! Whether a thread gets time: what the guard judges by.
//!
//! Only the kernel can say it of another thread, and it says it to whoever may read `/proc/self`. Other
//! systems have no class for idle times, so nobody starves there.

use std::fs::File;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Those of the threads that compute lanes of Argon2 and scrypt, for all pools of the process.
static LANES: Mutex<Vec<Clock>> = Mutex::new(Vec::new());

/// The clock of one thread.
#[derive(Debug)]
pub(super) struct Clock {
    state: File,
    time: File,
}

/// What a clock showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// It runs or would, if it had a core.
    pub(super) ready: bool,
    /// The time on a core that it has had.
    pub(super) time: Duration,
}

impl Clock {
    /// `None` where there is none to be had.
    pub(super) fn of_this_thread() -> Option<Self> {
        let open = |name| File::open(format!("/proc/thread-self/{name}")).ok();
        let clock = Self {
            state: open("stat")?,
            time: open("schedstat")?,
        };
        clock.read().map(|_| clock)
    }

    /// `None` of a thread that has ended.
    pub(super) fn read(&self) -> Option<Seen> {
        let (state, time) = (read(&self.state)?, read(&self.time)?);
        // The name before the state is in brackets, and may have any in it.
        let state = state.rsplit_once(") ")?.1;
        let nanos = time.split_ascii_whitespace().next()?;
        Some(Seen {
            ready: state.starts_with('R'),
            time: Duration::from_nanos(nanos.parse().ok()?),
        })
    }
}

#[cfg(test)]
impl Clock {
    /// That of a thread which would run and never does.
    pub(super) fn stuck() -> Self {
        let file = |text: &str| {
            let mut file = tempfile::tempfile().unwrap();
            std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
            file
        };
        Self {
            state: file("1 (stuck) R 0"),
            time: file("0 0 0"),
        }
    }
}

#[cfg(unix)]
fn read(file: &File) -> Option<String> {
    use std::os::unix::fs::FileExt;

    let mut buffer = [0; 512];
    let length = file.read_at(&mut buffer, 0).ok()?;
    Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

#[cfg(not(unix))]
fn read(_: &File) -> Option<String> {
    None
}

/// Called by each thread that computes lanes. False where it has no clock.
pub(super) fn add_lane() -> bool {
    let clock = Clock::of_this_thread();
    let seen = clock.is_some();
    let mut lanes = LANES.lock().unwrap_or_else(PoisonError::into_inner);
    lanes.extend(clock);
    seen
}

/// The lane threads together.
pub(super) fn lanes() -> Seen {
    let lanes = LANES.lock().unwrap_or_else(PoisonError::into_inner);
    let all = lanes.iter().filter_map(Clock::read);
    all.fold(Seen::default(), |sum, lane| Seen {
        ready: sum.ready || lane.ready,
        time: sum.time + lane.time,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn another_threads_clock_runs_when_it_does() {
        let (send, clocks) = mpsc::channel();
        let (release, wait) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("a) S (b".into());
        let thread = thread.spawn(move || {
            let clock = Clock::of_this_thread().unwrap();
            let busy = Clock::of_this_thread().unwrap();
            while busy.read().unwrap().time < Duration::from_millis(20) {}
            assert!(busy.read().unwrap().ready);
            send.send(clock).unwrap();
            wait.recv().unwrap_err();
        });
        let clock = clocks.recv().unwrap();
        while clock.read().unwrap().ready {}
        assert!(clock.read().unwrap().time >= Duration::from_millis(20));
        drop(release);
        thread.unwrap().join().unwrap();
        // It may be a moment until the kernel has forgotten it.
        while clock.read().is_some() {}
    }
}
