//! What logins, logouts and new keys do to the rows. Nothing of it fails what calls it.

use std::sync::Arc;

use djauth_sessions::Session;
use futures_util::future::BoxFuture;

use super::{TABLE, UserSessions, rows};
use crate::base_user::BaseUser;
use crate::http::Request;
use crate::models::has_table;
use crate::{Auth, Error};

impl<U: BaseUser> UserSessions<'_, U> {
    /// Whether the table is there. What is asked for is looked for: only hooks [believe](Self::is_believed) that
    /// there is none.
    pub(super) async fn is_there(&self) -> Result<bool, Error> {
        match self.auth.seen().table() {
            Some(true) => Ok(true),
            _ => self.look_for_table().await,
        }
    }

    /// As [`is_available`](Self::is_available), as far as is [believed](crate::models::Believed): so not every
    /// login asks for a table that another application may make.
    async fn is_believed(&self) -> Result<bool, Error> {
        if !self.can_end() {
            return Ok(false);
        }
        match self.auth.seen().table() {
            Some(there) => Ok(there),
            None => self.look_for_table().await,
        }
    }

    async fn look_for_table(&self) -> Result<bool, Error> {
        let there = has_table(self.auth.db(), TABLE).await?;
        Ok(self.auth.seen().see_table(there))
    }
}

/// What could not be written is said, without what it was about.
fn told(what: &'static str, done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::error!(target: "djauth.usersessions", %error, "{what}");
    }
}

impl<U: BaseUser> Auth<U> {
    /// Somebody has logged in, or goes on with a new password. Without the client's address nothing is
    /// written, because the row must have one.
    pub(crate) fn session_began<'a>(
        &'a self,
        request: &'a Request,
        user: &'a U,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let done = self.write_begun(request, user).await;
            told("a session is not in the list of its user", done);
        })
    }

    async fn write_begun(&self, request: &Request, user: &U) -> Result<(), Error> {
        let Some(address) = request.client_address() else {
            return Ok(());
        };
        if !self.user_sessions().is_believed().await? {
            return Ok(());
        }
        let session = request.session();
        if session.shared_key().is_none() {
            // One that was emptied gets its key when it is stored.
            session.save().await?;
        }
        let key = session
            .shared_key()
            .filter(|key| key.len() <= rows::LONGEST_KEY);
        let Some(key) = key else {
            return Ok(());
        };
        let begun = rows::Begun {
            key: &key,
            ip: address.to_string(),
            user_agent: &request.header("user-agent").unwrap_or_default(),
            now: self.now(),
        };
        Ok(rows::begin(self.db(), &begun, user.id()).await?)
    }

    /// The session of the request goes on under another key; whether its row followed.
    pub(crate) fn session_moved<'a>(
        &'a self,
        old: Option<Arc<str>>,
        session: &'a Session,
    ) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let done = self.write_moved(old, session).await;
            let moved = *done.as_ref().unwrap_or(&false);
            told(
                "a session has a new key, and its row the old one",
                done.map(drop),
            );
            moved
        })
    }

    async fn write_moved(&self, old: Option<Arc<str>>, session: &Session) -> Result<bool, Error> {
        let (Some(old), Some(new)) = (old, session.shared_key()) else {
            return Ok(false);
        };
        if !self.user_sessions().is_believed().await? {
            return Ok(false);
        }
        Ok(rows::change_key(self.db(), &old, &new).await?)
    }

    /// A session with this key is no more.
    pub(crate) fn session_ended(&self, key: Option<Arc<str>>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let done = self.write_ended(key).await;
            told("the row of a session that has ended stays", done);
        })
    }

    async fn write_ended(&self, key: Option<Arc<str>>) -> Result<(), Error> {
        match key {
            Some(key) if self.user_sessions().is_believed().await? => {
                Ok(rows::forget(self.db(), &key).await?)
            }
            _ => Ok(()),
        }
    }
}
