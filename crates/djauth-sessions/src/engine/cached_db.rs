//! Rows of `django_session` with a copy in the cache.
//!
//! The cache may be away: reads then go to the database, and what cannot be copied is logged. Deleting is
//! the exception: a copy that outlives its row would keep somebody logged in, so a logout that cannot
//! reach the cache fails and can be tried again.
//!
//! A session that has ended leaves a mark in the place of its copy for a while, over which no copy is
//! written: a load that read the row before the logout would show it to others after the logout. And a
//! copy is only left behind while its row exists: whoever writes one looks at the row afterwards, in case
//! Django has ended the session, which leaves no mark. Django itself does neither, so there a load that
//! overlaps a logout can bring the session back.

use super::Loaded;
use super::db::DbStore;
use crate::cache::Cache;
use crate::data::SessionData;
use crate::error::{ErrorKind, Result};
use crate::expiry::Stored;

const KEY_PREFIX: &str = "django.contrib.sessions.cached_db";

/// In the place of a copy: the session has ended. Python's `None`, which Django takes for no copy.
const ENDED: &[u8] = b"\x80\x05N.";
/// How long that stays, in seconds: longer than any request that has read the row before.
const ENDED_AGE: i64 = 120;

pub(super) struct CachedDbStore {
    db: DbStore,
    cache: Cache,
}

/// What the cache said.
enum Copy {
    Hit(SessionData),
    Miss,
    /// The session has ended, unless its row says otherwise.
    Ended,
    /// Something that is no session.
    Unreadable,
    Away,
}

impl CachedDbStore {
    pub(super) fn new(db: DbStore, cache: Cache) -> Self {
        CachedDbStore { db, cache }
    }

    pub(super) async fn load(&self, key: &str) -> Result<Loaded> {
        let copy = self.copy(key).await;
        if let Copy::Hit(data) = copy {
            return Ok(Loaded::Found(data));
        }
        let Some((data, expires)) = self.db.row(key).await? else {
            return Ok(Loaded::Missing);
        };
        let age = Stored::At(expires).age(self.db.config.now(), self.db.config.cookie_age);
        match copy {
            // Never over a newer copy that a save has left meanwhile.
            Copy::Miss => self.leave_copy(key, &data, age, true).await,
            Copy::Unreadable => self.leave_copy(key, &data, age, false).await,
            Copy::Hit(_) | Copy::Ended | Copy::Away => {}
        }
        Ok(Loaded::Found(data))
    }

    pub(super) async fn add(&self, key: &str, data: &SessionData) -> Result<bool> {
        let added = self.db.add(key, data).await?;
        if added {
            self.leave_copy(key, data, self.age(data), false).await;
        }
        Ok(added)
    }

    pub(super) async fn save(&self, key: &str, data: &SessionData) -> Result<bool> {
        let saved = self.db.save(key, data).await?;
        if saved {
            self.leave_copy(key, data, self.age(data), false).await;
        }
        Ok(saved)
    }

    /// The copy goes first, so that a cache that is away leaves the session whole; and again after the
    /// row, because Django may have copied it in between.
    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        self.mark_as_ended(key).await?;
        self.db.delete(key).await?;
        self.mark_as_ended(key).await
    }

    async fn mark_as_ended(&self, key: &str) -> Result<()> {
        self.cache.set(&name(key), ENDED, ENDED_AGE).await
    }

    pub(super) async fn clear_expired(&self) -> Result<u64> {
        self.db.clear_expired().await
    }

    async fn copy(&self, key: &str) -> Copy {
        match self.cache.get(&name(key)).await {
            Ok(None) => Copy::Miss,
            Ok(Some(bytes)) if bytes == ENDED => Copy::Ended,
            Ok(Some(bytes)) => SessionData::from_pickle(&bytes).map_or(Copy::Unreadable, Copy::Hit),
            Err(error) => {
                tracing::warn!(target: "django.contrib.sessions", %error, "the session cache cannot be read");
                Copy::Away
            }
        }
    }

    async fn leave_copy(&self, key: &str, data: &SessionData, age: i64, only_if_absent: bool) {
        if let Err(error) = self.try_leave_copy(key, data, age, only_if_absent).await {
            tracing::error!(target: "django.contrib.sessions", %error, "a session was not copied to the cache");
        }
    }

    async fn try_leave_copy(
        &self,
        key: &str,
        data: &SessionData,
        age: i64,
        only_if_absent: bool,
    ) -> Result<()> {
        let name = name(key);
        let Some(pickle) = pickle(data)? else {
            return self.cache.delete(&name).await.map(drop);
        };
        if only_if_absent {
            self.cache.add(&name, &pickle, age).await?;
        } else {
            self.cache.set_unless(&name, ENDED, &pickle, age).await?;
        }
        if self.db.exists(key).await? {
            Ok(())
        } else {
            self.mark_as_ended(key).await
        }
    }

    fn age(&self, data: &SessionData) -> i64 {
        Stored::of(data).age(self.db.config.now(), self.db.config.cookie_age)
    }
}

/// None if the data cannot be pickled: it is then served from its row alone.
fn pickle(data: &SessionData) -> Result<Option<Vec<u8>>> {
    match data.to_pickle() {
        Ok(pickle) => Ok(Some(pickle)),
        Err(error) if error.kind() == ErrorKind::NotCarried => Ok(None),
        Err(error) => Err(error),
    }
}

fn name(key: &str) -> String {
    format!("{KEY_PREFIX}{key}")
}
