//! Counters in Redis: a key for each period, which goes by itself.

use djauth_sessions::Cache;

use super::Counter;
use crate::Error;

pub(super) struct Redis(Cache);

/// What the names of all keys begin with.
const PREFIX: &str = "djauth.login_attempts.";

impl Redis {
    pub(super) fn new(cache: Cache) -> Self {
        Self(cache)
    }

    pub(super) async fn count(&self, counter: &Counter) -> Result<bool, Error> {
        // A minute more, for clocks that go after.
        let age = counter.period_end - counter.now + 60;
        let limit = counter.limit.into();
        Ok(self.0.count_up(&name(counter), limit, age).await?)
    }

    pub(super) async fn take_back(&self, counter: &Counter) -> Result<(), Error> {
        Ok(self.0.count_down(&name(counter)).await?)
    }

    pub(super) async fn forget(&self, counter: &Counter) -> Result<bool, Error> {
        Ok(self.0.delete(&name(counter)).await?)
    }

    pub(super) async fn forget_all(&self) -> Result<(), Error> {
        Ok(self.0.delete_all(PREFIX).await?)
    }
}

fn name(counter: &Counter) -> String {
    format!("{PREFIX}{}.{}", counter.id, counter.period_end)
}
