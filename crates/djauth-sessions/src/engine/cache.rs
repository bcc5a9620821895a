//! Sessions that live in the cache alone.

use std::sync::Arc;

use super::Loaded;
use crate::cache::Cache;
use crate::config::SessionConfig;
use crate::data::SessionData;
use crate::error::Result;
use crate::expiry::Stored;

const KEY_PREFIX: &str = "django.contrib.sessions.cache";

pub(super) struct CacheStore {
    cache: Cache,
    config: Arc<SessionConfig>,
}

impl CacheStore {
    pub(super) fn new(cache: Cache, config: Arc<SessionConfig>) -> Self {
        CacheStore { cache, config }
    }

    pub(super) async fn ping(&self) -> Result<()> {
        self.cache.ping().await
    }

    /// As with Django an entry that is no dictionary is no session. But a cache that does not answer is a
    /// failure here, where Django takes everybody for logged out.
    pub(super) async fn load(&self, key: &str) -> Result<Loaded> {
        let stored = self.cache.get(&name(key)).await?;
        let data = stored.as_deref().and_then(SessionData::from_pickle);
        Ok(data.map_or(Loaded::Missing, Loaded::Found))
    }

    pub(super) async fn add(&self, key: &str, data: &SessionData) -> Result<bool> {
        self.cache
            .add(&name(key), &data.to_pickle()?, self.age(data))
            .await
    }

    pub(super) async fn save(&self, key: &str, data: &SessionData) -> Result<bool> {
        self.cache
            .replace(&name(key), &data.to_pickle()?, self.age(data))
            .await
    }

    /// Only the expiry starts anew.
    pub(super) async fn touch(&self, key: &str, data: &SessionData) -> Result<bool> {
        self.cache.touch(&name(key), self.age(data)).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        self.cache.delete(&name(key)).await.map(drop)
    }

    fn age(&self, data: &SessionData) -> i64 {
        Stored::of(data).age(self.config.now(), self.config.cookie_age)
    }
}

fn name(key: &str) -> String {
    format!("{KEY_PREFIX}{key}")
}
