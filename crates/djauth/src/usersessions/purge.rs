//! Rows whose session is gone.

use djauth_sessions::EngineKind;

use super::{UserSessions, rows};
use crate::Error;
use crate::base_user::BaseUser;
use crate::db::{Executor, Row, Sql};

static PART: Sql = Sql::new(
    "SELECT id, session_key FROM usersessions_usersession WHERE id > ? ORDER BY id LIMIT 500",
);
/// Where sessions are rows too.
static DELETE_PART: Sql = Sql::new(
    "DELETE FROM usersessions_usersession WHERE id > ? AND id <= ? AND NOT EXISTS (\
     SELECT 1 FROM django_session \
     WHERE django_session.session_key = usersessions_usersession.session_key)",
);

impl<U: BaseUser> UserSessions<'_, U> {
    /// Deletes the rows whose session is no longer stored; how many. Call it after
    /// [`SessionEngine::clear_expired`](djauth_sessions::SessionEngine::clear_expired), as `djauth
    /// clearsessions` does.
    ///
    /// # Errors
    /// As [`is_available`](Self::is_available). What was deleted by then stays deleted.
    pub async fn purge(&self) -> Result<u64, Error> {
        if !self.is_available().await? {
            return Ok(0);
        }
        let (mut deleted, mut from) = (0, 0);
        loop {
            let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<String>(1)?));
            let part = self.auth.db().fetch(&PART, &[from.into()], read).await?;
            let Some((last, _)) = part.last() else {
                return Ok(deleted);
            };
            deleted += self.purge_part(from, *last, &part).await?;
            from = *last;
        }
    }

    async fn purge_part(&self, from: i64, to: i64, part: &[(i64, String)]) -> Result<u64, Error> {
        if self.auth.sessions().kind().needs_database() {
            let range = vec![from.into(), to.into()];
            return Ok(self.auth.db().execute(&DELETE_PART, range).await?);
        }
        let mut deleted = 0;
        for (id, key) in part {
            let gone = !self.is_stored(key).await?;
            if gone && rows::delete(self.auth.db(), *id, key).await? {
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    /// A store that is away is an error, and never a no.
    async fn is_stored(&self, key: &str) -> Result<bool, Error> {
        debug_assert_ne!(self.auth.sessions().kind(), EngineKind::SignedCookies);
        let session = self.auth.sessions().open(Some(key));
        session.read(|_| ()).await?;
        Ok(session.shared_key().is_some())
    }
}
