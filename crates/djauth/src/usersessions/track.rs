//! When sessions were last seen: noted in memory, written once a minute.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{DateTime, Datelike, SubsecRound, Timelike, Utc};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::{UserSessions, rows};
use crate::auth::Inner;
use crate::base_user::BaseUser;
use crate::db::{Database, Dialect, Executor};
use crate::models::{Believed, has_table};
use crate::{Auth, Error, ErrorKind};

/// How long notes wait.
const PAUSE: Duration = Duration::from_secs(60);
/// Notes that wait at most; further sessions are seen a minute later.
const MOST: usize = 65_536;

/// The about-a-minute of the year that a moment is in: a session is noted once in each. Of the parts that a
/// moment is kept in, because every request asks.
#[inline]
pub(crate) fn slot(now: DateTime<Utc>) -> u32 {
    let now = now.naive_utc();
    (now.ordinal() << 11) | (now.num_seconds_from_midnight() >> 6)
}

/// What was noted since it was last written.
#[derive(Default)]
pub(crate) struct Seen {
    notes: Mutex<HashMap<Arc<str>, DateTime<Utc>>>,
    /// A task is about to write them.
    waits: AtomicBool,
    /// Whether the table is there.
    table: Believed<bool>,
    /// Nothing is to be written here.
    off: AtomicBool,
}

impl Seen {
    /// Whether the table is there; `None`: the database has to be asked.
    pub(super) fn table(&self) -> Option<bool> {
        self.table.get()
    }

    pub(super) fn see_table(&self, there: bool) -> bool {
        if there {
            self.off.store(false, Ordering::Relaxed);
        }
        self.table.keep(there)
    }

    /// Tables are made.
    pub(crate) fn forget_table(&self) {
        self.table.forget();
    }

    fn note(&self, key: &str, now: DateTime<Utc>) -> bool {
        if self.off.load(Ordering::Relaxed) {
            return false;
        }
        let mut notes = self.notes.lock();
        let room = notes.len() < MOST || notes.contains_key(key);
        if room {
            notes.insert(key.into(), now);
        }
        room && !self.waits.swap(true, Ordering::Relaxed)
    }

    /// By second, so that few statements write many.
    fn take(&self) -> BTreeMap<DateTime<Utc>, Vec<Arc<str>>> {
        self.waits.store(false, Ordering::Relaxed);
        let mut taken = BTreeMap::new();
        for (key, at) in std::mem::take(&mut *self.notes.lock()) {
            let second: &mut Vec<_> = taken.entry(at.trunc_subsecs(0)).or_default();
            second.push(key);
        }
        // In the same order in every process, so that two do not wait for each other.
        taken.values_mut().for_each(|keys| keys.sort_unstable());
        taken
    }

    /// What could not be written waits for the next task, as far as there is room.
    fn put_back(&self, noted: BTreeMap<DateTime<Utc>, Vec<Arc<str>>>) {
        let mut notes = self.notes.lock();
        for (at, keys) in noted {
            for key in keys {
                if notes.len() >= MOST {
                    return;
                }
                notes.entry(key).or_insert(at);
            }
        }
    }
}

impl<U: BaseUser> Auth<U> {
    /// A session was used, as an entry of the cache knows that was last noted in `last`.
    #[inline]
    pub(crate) fn seen_again(&self, last: &AtomicU32, key: &str, now: DateTime<Utc>) {
        if last.load(Ordering::Relaxed) != slot(now) {
            last.store(slot(now), Ordering::Relaxed);
            self.session_seen(key, now);
        }
    }

    /// A session was used.
    #[cold]
    pub(crate) fn session_seen(&self, key: &str, now: DateTime<Utc>) {
        if self.seen().note(key, now)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(write_later(self.downgrade()));
        }
    }
}

async fn write_later<U: BaseUser>(auth: Weak<Inner<U>>) {
    tokio::time::sleep(PAUSE).await;
    let Some(auth) = Auth::upgrade(&auth) else {
        return;
    };
    if let Err(error) = auth.user_sessions().write_last_seen().await {
        tracing::error!(
            target: "djauth.usersessions", %error,
            "it was not written when sessions were last seen"
        );
    }
}

impl<U: BaseUser> UserSessions<'_, U> {
    /// Writes now when sessions were last seen, instead of within a minute; how many rows. A server calls it
    /// at its end.
    ///
    /// # Errors
    /// As [`is_available`](Self::is_available). What was noted is written the next time, if the failure can pass.
    pub async fn write_last_seen(&self) -> Result<u64, Error> {
        let noted = self.auth.seen().take();
        if noted.is_empty() {
            return Ok(0);
        }
        let written = self.write_noted(&noted).await;
        let passes =
            |error: &Error| matches!(error.kind(), ErrorKind::Busy | ErrorKind::Unavailable);
        if written.as_ref().is_err_and(passes) {
            self.auth.seen().put_back(noted);
        }
        written
    }

    async fn write_noted(
        &self,
        noted: &BTreeMap<DateTime<Utc>, Vec<Arc<str>>>,
    ) -> Result<u64, Error> {
        if !self.tracks().await? {
            self.auth.seen().off.store(true, Ordering::Relaxed);
            return Ok(0);
        }
        write(self.auth.db(), noted).await
    }

    /// The setting, or else whether the table is ours: where ours of the login attempts is.
    async fn tracks(&self) -> Result<bool, Error> {
        if !self.is_available().await? {
            return Ok(false);
        }
        match self.auth.settings().usersessions_track_activity {
            Some(tracks) => Ok(tracks),
            None => has_table(self.auth.db(), "djauth_login_attempts").await,
        }
    }
}

/// In one transaction on SQLite, where each commit empties the cache; elsewhere in short ones, as each row stays
/// locked until the end of its own.
async fn write(
    db: &Database,
    noted: &BTreeMap<DateTime<Utc>, Vec<Arc<str>>>,
) -> Result<u64, Error> {
    let (mut open, mut rows) = (None, 0);
    for (at, keys) in noted {
        let keys: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
        for keys in keys.chunks(rows::CHUNK) {
            let tx = match open.take() {
                Some(tx) => tx,
                None => db.begin().await?,
            };
            rows += rows::see(&tx, *at, keys).await?;
            match db.dialect() {
                Dialect::Sqlite => open = Some(tx),
                Dialect::Postgres | Dialect::Mysql => tx.commit().await?,
            }
        }
    }
    if let Some(tx) = open {
        tx.commit().await?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn slots_are_minutes_of_a_year() {
        let start = DateTime::UNIX_EPOCH;
        let after = |seconds| slot(start + TimeDelta::seconds(seconds));
        let slots: Vec<u32> = (0..366 * 1_350).map(|number| after(number * 64)).collect();
        assert!(slots[..365 * 1_350].is_sorted_by(|a, b| a < b));
        assert_eq!((after(63), after(64) - after(63)), (slots[0], 1));
    }

    #[test]
    fn notes_are_bounded_and_one_task_writes_them() {
        let (seen, now) = (Seen::default(), DateTime::UNIX_EPOCH);
        let key = |number: usize| Arc::from(format!("key{number}"));
        assert!(seen.note(&key(0), now), "the first one calls for a task");
        for number in 1..MOST + 10 {
            assert!(!seen.note(&key(number), now));
        }
        let later = now + TimeDelta::milliseconds(1_500);
        assert!(!seen.note(&key(0), later));
        let taken = seen.take();
        assert_eq!(taken.values().map(Vec::len).sum::<usize>(), MOST);
        assert_eq!(taken[&(now + TimeDelta::seconds(1))], [key(0)]);
        // What is put back is older than what came meanwhile.
        seen.notes.lock().insert(key(1), later);
        seen.put_back(BTreeMap::from([(now, vec![key(1), key(2)])]));
        assert_eq!(
            *seen.notes.lock(),
            HashMap::from([(key(1), later), (key(2), now)])
        );
        seen.take();
        assert!(seen.take().is_empty() && seen.note(&key(0), now));
        seen.off.store(true, Ordering::Relaxed);
        assert!(seen.take().len() == 1 && !seen.note(&key(0), now) && seen.take().is_empty());
    }
}
