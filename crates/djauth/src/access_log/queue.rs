//! What waits to be written.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::TARGET;
use super::entry::Event;
use super::layout::Layout;
use super::rows;
use crate::db::{Database, Error, ErrorKind};
use crate::models::{Believed, Found};

/// Failures that may wait.
const FAILURES: usize = 4096;
/// Everything that may wait: a storm of failures leaves room for logins.
const ALL: usize = FAILURES + 1024;
/// From the first entry on until all are written.
const PAUSE: Duration = Duration::from_secs(1);
/// The same after the database could not take them.
const LONGER_PAUSE: Duration = Duration::from_secs(5);
/// Between two tries at the end.
const LAST_PAUSE: Duration = Duration::from_millis(500);

#[derive(Clone)]
pub(super) struct Queue(Arc<Inner>);

struct Inner {
    db: Database,
    state: Mutex<State>,
    /// Held while somebody writes: what the tables are.
    layout: tokio::sync::Mutex<Believed<Layout>>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Event>,
    /// How many a task is writing just now.
    writing: usize,
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

    /// How many are not in the database, and will not be if nobody writes any more.
    fn missing(&self) -> u64 {
        let held = self.waiting.len() + self.writing;
        self.dropped + u64::try_from(held).unwrap_or(u64::MAX)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let lost = self.state.get_mut().missing();
        if lost > 0 {
            tracing::error!(target: TARGET, lost, "entries of the log of logins are lost: it ended before they were written");
        }
    }
}

impl Queue {
    pub(super) fn new(db: &Database) -> Self {
        Self(Arc::new(Inner {
            db: db.clone(),
            state: Mutex::default(),
            layout: tokio::sync::Mutex::default(),
        }))
    }

    /// What is being written at this moment waits too.
    pub(super) fn waiting(&self) -> usize {
        let state = self.0.state.lock();
        state.waiting.len() + state.writing
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
            // A runtime that ends drops the task at once, which takes the lock.
            drop(state);
            runtime.spawn(Scheduled(Arc::downgrade(&self.0)).run());
        }
    }

    /// Writes what waits. False: the database cannot take it at the moment, and it waits on. By a task of its own:
    /// whoever asks may go away in the middle, and must not take the events along.
    pub(super) async fn flush(&self) -> bool {
        let queue = self.clone();
        let written = tokio::spawn(async move { queue.write_now().await }).await;
        written.unwrap_or_else(|error| {
            tracing::error!(target: TARGET, %error, "the task that writes the log of logins broke off");
            false
        })
    }

    async fn write_now(&self) -> bool {
        let layout = self.0.layout.lock().await;
        let (events, dropped) = {
            let mut state = self.0.state.lock();
            let dropped = std::mem::take(&mut state.dropped);
            state.writing = state.waiting.len();
            (std::mem::take(&mut state.waiting), dropped)
        };
        if dropped > 0 {
            tracing::error!(target: TARGET, dropped, "entries of the log of logins are lost: too many at once");
        }
        if events.is_empty() {
            return true;
        }
        let left = self.write(&layout, events).await;
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
        state.writing = 0;
    }

    /// Answers what has to wait on.
    async fn write(&self, known: &Believed<Layout>, events: Vec<Event>) -> Vec<Event> {
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

    async fn layout(&self, known: &Believed<Layout>) -> Result<Layout, Error> {
        match known.get() {
            Some(layout) => Ok(layout),
            None => Ok(known.keep(Layout::read(&self.0.db).await?)),
        }
    }

    pub(super) async fn drain(&self, limit: Duration) -> bool {
        self.0.state.lock().closed = true;
        let written = tokio::time::timeout(limit, self.written()).await;
        let lost = self.0.state.lock().missing();
        if lost > 0 {
            tracing::error!(target: TARGET, lost, "entries of the log of logins are lost: they were not written in time");
        }
        written.is_ok()
    }

    async fn written(&self) {
        while !self.flush().await {
            tokio::time::sleep(LAST_PAUSE).await;
        }
    }
}

/// The task that writes what waits. It does not hold the queue while it pauses, and however it ends, by a panic or
/// with its runtime, the next event gets another.
struct Scheduled(Weak<Inner>);

impl Scheduled {
    /// Ends when nothing waits any more, and when the queue is closed: who drains it writes it.
    async fn run(mut self) {
        let mut pause = PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            let Some(queue) = self.0.upgrade().map(Queue) else {
                return;
            };
            pause = match queue.flush().await {
                true => PAUSE,
                false => LONGER_PAUSE,
            };
            let mut state = queue.0.state.lock();
            if state.waiting.is_empty() || state.closed {
                state.scheduled = false;
                self.0 = Weak::new();
                return;
            }
        }
    }
}

impl Drop for Scheduled {
    fn drop(&mut self) {
        if let Some(inner) = self.0.upgrade() {
            inner.state.lock().scheduled = false;
        }
    }
}

fn waits(error: &Error, events: Vec<Event>) -> Vec<Event> {
    let waiting = events.len();
    tracing::error!(target: TARGET, %error, waiting, "the log of logins cannot be written at the moment");
    events
}

/// One entry that the database refuses must not take the others with it: nobody hides a storm by a name that cannot
/// be stored. The first half is written first.
fn halves(error: &Error, mut part: Vec<Event>, known: &Believed<Layout>) -> Vec<Vec<Event>> {
    if *error.kind() == ErrorKind::SchemaMissing {
        // The tables are gone or have changed.
        known.forget();
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
