//! A user's sessions: since when, from where, last seen, and ending them. The table is
//! `usersessions_usersession` of [django-allauth](https://docs.allauth.org), column for column, so that both may
//! serve one database.
//!
//! [`Auth::migrate`] makes the table in databases that are made here, and records it as allauth's migration.
//! Beside a Django site it is used when it is there, and never made. Then, and with the session engine
//! `signed_cookies`, whose sessions nobody can end, [`UserSessions::is_available`] says no.
//!
//! A row is written after a login, follows the session's key when that changes (a new password, a new
//! `SECRET_KEY`), and goes with the session when it is logged out. The time at which it was last seen is
//! noted in memory and written by a task, at most once a minute and all in one transaction: on SQLite each
//! commit empties the cache of authenticated requests. Rows are bookkeeping: where one cannot be written,
//! the log says so, and the login goes on.
//!
//! Differences from allauth: a look at the list deletes nothing ([`UserSessions::purge`] does, which `djauth
//! clearsessions` calls), and only the time of a later request is kept, not its address and browser.
//!
//! ```no_run
//! # async fn example(auth: djauth::Auth, request: djauth::Request) -> Result<(), djauth::Error> {
//! if let Some(user) = auth.user(&request).await? {
//!     for session in auth.user_sessions().list(&user, 20).await? {
//!         println!("{} from {}", session.last_seen_at, session.ip);
//!     }
//!     auth.user_sessions().end_others(&request, &user).await?;
//! }
//! # Ok(()) }
//! ```

mod hooks;
mod purge;
mod rows;
mod track;

use std::fmt;

use chrono::{DateTime, Utc};
use djauth_sessions::EngineKind;
use djauth_signing::crypto::constant_time_compare;

pub(crate) use self::track::{Seen, slot};
use crate::auth::Claim;
use crate::base_user::BaseUser;
use crate::http::Request;
use crate::{Auth, Error, ErrorKind};

/// The table.
pub(crate) const TABLE: &str = "usersessions_usersession";

/// A session of a user, as it stands in the table. Its key is as good as a password and never shown.
#[derive(Clone)]
#[non_exhaustive]
pub struct UserSession<I> {
    /// The row's key.
    pub id: i64,
    /// The user's key.
    pub user_id: I,
    /// When the user logged in, or first appeared with it.
    pub created_at: DateTime<Utc>,
    /// The address that it was begun from.
    pub ip: String,
    /// When it was last used, as far as that was written.
    pub last_seen_at: DateTime<Utc>,
    /// What the browser said it is: whatever a client likes to send, cut to 200 characters.
    pub user_agent: String,
    session_key: String,
}

impl<I: fmt::Debug> fmt::Debug for UserSession<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserSession")
            .field("id", &self.id)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

impl<I> UserSession<I> {
    /// Whether it is the session that this request is part of.
    #[must_use]
    pub fn is_of(&self, request: &Request) -> bool {
        let key = request.session().shared_key();
        key.is_some_and(|key| same(&key, &self.session_key))
    }
}

fn same(a: &str, b: &str) -> bool {
    constant_time_compare(a.as_bytes(), b.as_bytes())
}

/// The sessions of users: [`Auth::user_sessions`].
pub struct UserSessions<'a, U: BaseUser> {
    auth: &'a Auth<U>,
}

impl<U: BaseUser> fmt::Debug for UserSessions<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UserSessions").field(self.auth).finish()
    }
}

impl<U: BaseUser> Auth<U> {
    /// The sessions of users.
    #[must_use]
    pub fn user_sessions(&self) -> UserSessions<'_, U> {
        UserSessions { auth: self }
    }
}

/// Rows that are looked at to find sessions that still live.
const MOST_ROWS: i64 = 500;
/// Tries to end a session whose key changes meanwhile.
const ATTEMPTS: usize = 5;

impl<U: BaseUser> UserSessions<'_, U> {
    /// Whether sessions can be listed and ended: the table is there, and sessions are kept on our side.
    ///
    /// # Errors
    /// The database's; they hold for every method here, with those of the session store.
    pub async fn is_available(&self) -> Result<bool, Error> {
        Ok(self.can_end() && self.is_there().await?)
    }

    /// Whether sessions are kept on our side, so that one can be ended: with every engine but
    /// `signed_cookies`.
    #[must_use]
    pub fn can_end(&self) -> bool {
        self.auth.sessions().kind() != EngineKind::SignedCookies
    }

    /// The user's sessions that still count, the one seen last first, at most `limit`. `user` must be as it is
    /// in the database now: a session that was begun with another password is none. Only reads.
    ///
    /// # Errors
    /// As [`is_available`](Self::is_available).
    pub async fn list(&self, user: &U, limit: usize) -> Result<Vec<UserSession<U::Id>>, Error> {
        if !self.is_available().await? {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for row in rows::of_user(self.auth.db(), user.id(), MOST_ROWS).await? {
            if found.len() >= limit {
                break;
            }
            if self.lives(user, &row.session_key).await? {
                found.push(row);
            }
        }
        Ok(found)
    }

    /// Whether the key is that of a session of this user, with the present password.
    async fn lives(&self, user: &U, key: &str) -> Result<bool, Error> {
        let session = self.auth.sessions().open(Some(key));
        let Some(claim) = session.read(Claim::<U::Id>::of).await? else {
            return Ok(false);
        };
        Ok(self.auth.is_believed(user, &claim))
    }

    /// Ends a session of this user; whether there was one of this number. It is out at its next request.
    ///
    /// # Errors
    /// As [`is_available`](Self::is_available); `Busy` if its key changes again and again meanwhile.
    pub async fn end(&self, user: &U, id: i64) -> Result<bool, Error> {
        if !self.is_available().await? {
            return Ok(false);
        }
        for attempt in 0..ATTEMPTS {
            let Some(key) = rows::key_of(self.auth.db(), user.id(), id).await? else {
                return Ok(attempt > 0);
            };
            self.auth.sessions().open(Some(&key)).flush().await?;
            // Not if the session has another key by now, which is to be ended then.
            if rows::delete(self.auth.db(), id, &key).await? {
                return Ok(true);
            }
        }
        Err(Error::new(
            ErrorKind::Busy,
            "the session changes its key again and again",
        ))
    }

    /// Ends every session of this user that is known here, also those that a request just now is part of;
    /// how many.
    ///
    /// # Errors
    /// As [`end`](Self::end). What was ended by then stays ended.
    pub async fn end_all(&self, user: &U) -> Result<u64, Error> {
        self.end_but(user, None).await
    }

    /// Ends the sessions of this user but that of the request; how many.
    ///
    /// # Errors
    /// As [`end`](Self::end). What was ended by then stays ended.
    pub async fn end_others(&self, request: &Request, user: &U) -> Result<u64, Error> {
        let kept = request.session().shared_key();
        self.end_but(user, kept.as_deref()).await
    }

    async fn end_but(&self, user: &U, kept: Option<&str>) -> Result<u64, Error> {
        if !self.is_available().await? {
            return Ok(0);
        }
        let (mut ended, mut last) = (0, 0);
        loop {
            let rows = rows::after(self.auth.db(), user.id(), last).await?;
            let Some((id, _)) = rows.last() else {
                return Ok(ended);
            };
            last = *id;
            for (id, key) in &rows {
                let keep = kept.is_some_and(|kept| same(kept, key));
                if !keep && self.end(user, *id).await? {
                    ended += 1;
                }
            }
        }
    }
}
