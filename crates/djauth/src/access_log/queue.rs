//! What waits to be written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::TARGET;
use super::entry::Event;
use super::layout::Layout;
use super::rows;
use crate::db::{Database, Error, ErrorKind};

/// Failures that may wait.
const FAILURES: usize = 4096;
/// Everything that may wait: a storm of failures leaves room for logins.
const ALL: usize = FAILURES + 1024;
/// From the first entry on until all are written.
const PAUSE: Duration = Duration::from_secs(1);
/// The same after the database could not take them.
const LONGER_PAUSE: Duration = Duration::from_secs(5);
/// How long it is believed that the tables are not there.
const BELIEVED: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub(super) struct Queue(Arc<Inner>);

struct Inner {
    db: Database,
    state: Mutex<State>,
    /// Held while somebody writes: what the tables are, and when that was found out.
    layout: tokio::sync::Mutex<Option<(Layout, Instant)>>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Event>,
    dropped: u64,
    /// Whether a task will write what waits.
    scheduled: bool,
    closed: bool,
}

impl State {
    /// Whether the event found a place.
    fn take(&mut self, event: Event) -> bool {
        let room = match event {
            Event::Failure(_) => FAILURES,
            Event::Login(..) | Event::Logout { .. } => ALL,
        };
        let taken = self.waiting.len() < room && !self.closed;
        match taken {
            true => self.waiting.push(event),
            false => self.dropped += 1,
        }
        taken
    }
}

impl Queue {
    pub(super) fn new(db: &Database) -> Self {
        Self(Arc::new(Inner {
            db: db.clone(),
            state: Mutex::default(),
            layout: tokio::sync::Mutex::new(None),
        }))
    }

    pub(super) fn waiting(&self) -> usize {
        self.0.state.lock().waiting.len()
    }

    /// Puts an event into the queue. The first one starts the clock.
    pub(super) fn push(&self, event: Event) {
        let mut state = self.0.state.lock();
        if !state.take(event) || state.scheduled {
            return;
        }
        // Without a runtime it waits for `flush`.
        if let Ok(runtime) = Handle::try_current() {
            state.scheduled = true;
            runtime.spawn(self.clone().write_later());
        }
    }

    /// Ends when nothing waits any more.
    async fn write_later(self) {
        let mut pause = PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            pause = match self.flush().await {
                true => PAUSE,
                false => LONGER_PAUSE,
            };
            let mut state = self.0.state.lock();
            if state.waiting.is_empty() {
                state.scheduled = false;
                return;
            }
        }
    }

    /// Writes what waits. False: the database cannot take it at the moment, and it waits on.
    pub(super) async fn flush(&self) -> bool {
        let mut layout = self.0.layout.lock().await;
        let (events, dropped) = {
            let mut state = self.0.state.lock();
            let dropped = std::mem::take(&mut state.dropped);
            (std::mem::take(&mut state.waiting), dropped)
        };
        if dropped > 0 {
            tracing::error!(target: TARGET, dropped, "entries of the log of logins are lost: too many at once");
        }
        if events.is_empty() {
            return true;
        }
        let left = self.write(&mut layout, events).await;
        let done = left.is_empty();
        self.put_back(left);
        done
    }

    /// Before what has come meanwhile, as far as there is room.
    fn put_back(&self, mut left: Vec<Event>) {
        let mut state = self.0.state.lock();
        let come = std::mem::take(&mut state.waiting);
        let room = ALL.saturating_sub(left.len());
        state.dropped += u64::try_from(come.len().saturating_sub(room)).unwrap_or(u64::MAX);
        left.extend(come.into_iter().take(room));
        state.waiting = left;
    }

    /// Answers what has to wait on.
    async fn write(&self, known: &mut Option<(Layout, Instant)>, events: Vec<Event>) -> Vec<Event> {
        let layout = match self.layout(known).await {
            Ok(layout) => layout,
            Err(error) => return waits(&error, events),
        };
        if !layout.is_there() {
            return Vec::new();
        }
        let mut parts = vec![events];
        while let Some(part) = parts.pop() {
            match rows::write(&self.0.db, layout, &part).await {
                Ok(()) => {}
                Err(error) if error.is_transient() => {
                    parts.push(part);
                    let left = parts.into_iter().rev().flatten().collect();
                    return waits(&error, left);
                }
                Err(error) => parts.extend(halves(&error, part, known)),
            }
        }
        Vec::new()
    }

    async fn layout(&self, known: &mut Option<(Layout, Instant)>) -> Result<Layout, Error> {
        if let Some((layout, at)) = *known
            && (layout.is_there() || at.elapsed() < BELIEVED)
        {
            return Ok(layout);
        }
        let layout = Layout::read(&self.0.db).await?;
        *known = Some((layout, Instant::now()));
        Ok(layout)
    }

    pub(super) async fn drain(&self, limit: Duration) -> bool {
        self.0.state.lock().closed = true;
        let flushed = tokio::time::timeout(limit, self.flush()).await;
        let done = flushed.unwrap_or(false);
        if !done {
            tracing::error!(target: TARGET, "entries of the log of logins are lost: they were not written in time");
        }
        done
    }
}

fn waits(error: &Error, events: Vec<Event>) -> Vec<Event> {
    let waiting = events.len();
    tracing::error!(target: TARGET, %error, waiting, "the log of logins cannot be written at the moment");
    events
}

/// One entry that the database refuses must not take the others with it: nobody hides a storm by a name that cannot
/// be stored. The first half is written first.
fn halves(
    error: &Error,
    mut part: Vec<Event>,
    known: &mut Option<(Layout, Instant)>,
) -> Vec<Vec<Event>> {
    if *error.kind() == ErrorKind::SchemaMissing {
        // The tables are gone or have changed.
        *known = None;
    } else if *error.kind() != ErrorKind::Closed && part.len() > 1 {
        let second = part.split_off(part.len() / 2);
        return vec![second, part];
    }
    let lost = part.len();
    tracing::error!(target: TARGET, %error, lost, "entries of the log of logins are lost");
    Vec::new()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::super::entry::Entry;
    use super::*;

    fn entry() -> Entry {
        Entry {
            user_agent: String::new(),
            ip_address: None,
            username: None,
            http_accept: String::new(),
            path_info: String::new(),
            attempt_time: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_storm_of_failures_leaves_room_for_logins() {
        let mut state = State::default();
        for _ in 0..FAILURES + 5 {
            state.take(Event::Failure(entry()));
        }
        assert_eq!((state.waiting.len(), state.dropped), (FAILURES, 5));
        for _ in FAILURES..ALL {
            assert!(state.take(Event::Login(entry(), String::new())));
        }
        assert!(!state.take(Event::Login(entry(), String::new())));
        assert_eq!((state.waiting.len(), state.dropped), (ALL, 6));
    }
}
