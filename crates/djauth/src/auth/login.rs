//! `login`, `logout`, `update_session_auth_hash`.

use std::sync::Arc;

use djauth_sessions::Session;
use djauth_signing::crypto::constant_time_compare;
use futures_util::future::BoxFuture;

use super::get_user::stored_id;
use super::{Auth, BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY};
use crate::Error;
use crate::backends::DynBackend;
use crate::base_user::BaseUser;
use crate::http::Request;
use crate::signals::{UserLoggedIn, UserLoggedOut};

impl<U: BaseUser> Auth<U> {
    /// Logs a user in: the session gets the user's key, the backend's path and the session auth hash.
    /// A session of nobody keeps its data under a new key; a session of the same user with the same
    /// password keeps its key; any other is emptied first. Then the CSRF secret changes, and
    /// `user_logged_in` is sent (which writes `last_login`).
    ///
    /// The hash is that of the password in `user`, which is the one that was verified: if the row has
    /// another one by now, the next request is not logged in.
    ///
    /// `backend` names the backend for a user who did not come from [`Auth::authenticate`]; it may be
    /// left out where only one is configured. A mistake in it is found before the session is touched
    /// (Django finds it after).
    ///
    /// # Errors
    /// `Value`: the user was never saved, or no backend can be told. Otherwise the session store's, the
    /// database's or a receiver's; the session may have changed by then.
    pub async fn login(
        &self,
        request: &Request,
        user: U,
        backend: Option<&str>,
    ) -> Result<Arc<U>, Error> {
        let id = user
            .pk()
            .ok_or_else(|| Error::value("a user that was never saved cannot log in"))?;
        let backend = self.backend_of(&user, backend)?;
        let session = request.session();
        let hash = user.base().get_session_auth_hash(self.secret_keys());
        let old = session.shared_key();
        if self.renew(session, id, &hash).await? {
            self.session_ended(old).await;
        }
        session.insert(SESSION_KEY, &id.to_string()).await?;
        session.insert(BACKEND_SESSION_KEY, &backend).await?;
        session.insert(HASH_SESSION_KEY, &hash).await?;
        let user = Arc::new(user);
        request.set_user(Some(user.clone()));
        request.csrf().rotate_token();
        let event = UserLoggedIn {
            auth: self.clone(),
            user: user.clone(),
            request: request.clone(),
        };
        self.signals().user_logged_in.send(event).await?;
        self.session_began(request, &user).await;
        Ok(user)
    }

    fn backend_of(&self, user: &U, given: Option<&str>) -> Result<String, Error> {
        let only = || self.backends().only().map(DynBackend::path);
        let path = given.or_else(|| user.base().backend()).or_else(only);
        path.map(str::to_owned).ok_or_else(|| {
            Error::value("several backends are configured: say which one logs this user in")
        })
    }

    /// A new key, an empty session, or neither; whether it is a session less.
    async fn renew(&self, session: &Session, id: U::Id, hash: &str) -> Result<bool, Error> {
        if !session.contains_key(SESSION_KEY).await? {
            session.cycle_key().await?;
            return Ok(false);
        }
        let stored_hash = session.get_str(HASH_SESSION_KEY).await?.unwrap_or_default();
        let same_user = session.read(stored_id::<U::Id>).await? == Some(id);
        let other = !same_user || !constant_time_compare(stored_hash.as_bytes(), hash.as_bytes());
        if other {
            session.flush().await?;
        }
        Ok(other)
    }

    /// `request.user`: who is logged in, `None` for nobody; found out once per request.
    ///
    /// # Errors
    /// As [`Auth::get_user`].
    pub async fn user(&self, request: &Request) -> Result<Option<Arc<U>>, Error> {
        request.user_or_load(self.load_user(request)).await
    }

    /// Boxed as a trait's object, so that the futures of handlers do not nest deeper than compilers look.
    fn load_user<'a>(
        &'a self,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Option<Arc<U>>, Error>> {
        Box::pin(async { Ok(self.get_user(request.session()).await?.map(Arc::new)) })
    }

    /// Logs out: `user_logged_out` is sent, then the session is deleted, data and key. The CSRF secret
    /// stays.
    ///
    /// # Errors
    /// A receiver's: nothing was removed. The database's or the session store's.
    pub async fn logout(&self, request: &Request) -> Result<(), Error> {
        let event = UserLoggedOut {
            auth: self.clone(),
            user: self.user(request).await?,
            request: request.clone(),
        };
        self.signals().user_logged_out.send(event).await?;
        let key = request.session().shared_key();
        request.session().flush().await?;
        request.set_user(None::<Arc<U>>);
        self.session_ended(key).await;
        Ok(())
    }

    /// After a password change: a new session key, and, if `user` is the one logged in, the new session
    /// auth hash, so that this session goes on while the user's others end.
    ///
    /// # Errors
    /// The database's or the session store's.
    pub async fn update_session_auth_hash(&self, request: &Request, user: &U) -> Result<(), Error> {
        let current = self.user(request).await?;
        let session = request.session();
        let old = session.shared_key();
        session.cycle_key().await?;
        let moved = self.session_moved(old, session).await;
        if current.is_some_and(|current| current.pk().is_some() && current.pk() == user.pk()) {
            let hash = user.base().get_session_auth_hash(self.secret_keys());
            session.insert(HASH_SESSION_KEY, &hash).await?;
            if !moved {
                self.session_began(request, user).await;
            }
        }
        Ok(())
    }
}
