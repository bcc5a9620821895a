//! `get_user`: who does this session belong to?

use std::sync::Arc;

use djauth_sessions::{Session, SessionData, Value};
use djauth_signing::crypto::constant_time_compare;

use super::{Auth, BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY};
use crate::Error;
use crate::backends::{BackendError, Context};
use crate::base_user::{BaseUser, UserId};

/// What a session says about its user; nothing of it is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim<I> {
    pub(crate) id: I,
    pub(crate) backend: String,
    /// Empty when missing.
    pub(crate) hash: String,
}

impl<I: UserId> Claim<I> {
    /// `None`: the session belongs to nobody.
    pub(crate) fn of(data: &SessionData) -> Option<Self> {
        Some(Self {
            id: stored_id(data)?,
            backend: data.get_str(BACKEND_SESSION_KEY)?.into_owned(),
            hash: data
                .get_str(HASH_SESSION_KEY)
                .unwrap_or_default()
                .into_owned(),
        })
    }
}

/// The key of the user whom a session names. Django writes it as text; an application that wrote a
/// number is understood too, as Django's `to_python` does.
pub(super) fn stored_id<I: UserId>(data: &SessionData) -> Option<I> {
    if let Some(text) = data.get_str(SESSION_KEY) {
        return I::parse(&text);
    }
    match data.get_value(SESSION_KEY)? {
        Value::Int(number) => I::parse(&number.to_string()),
        _ => None,
    }
}

/// Whether the session was made with the user's present password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashState {
    /// Yes, under `SECRET_KEY`.
    Current,
    /// Yes, under one of the fallbacks.
    Fallback,
    /// No.
    Wrong,
}

/// The user whom a session names, and whether the session may be believed.
#[derive(Clone, Debug)]
pub(crate) struct Found<U> {
    /// Possibly an entry's of the cache: whoever asks for its permissions, which a user object
    /// remembers, takes a copy, so that the entry does not grow.
    pub(crate) user: Arc<U>,
    pub(crate) hash: HashState,
}

impl<U: BaseUser> Auth<U> {
    /// The user of a session, `None` for nobody, as Django's `get_user` decides:
    ///
    /// - a backend that is not configured any more, an unknown user or one that the backend lets in no
    ///   longer: nobody, and the session stays as it is;
    /// - a hash made with one of `SECRET_KEY_FALLBACKS`: the session gets a new key and a new hash;
    /// - a wrong or missing hash (the password has changed): the session is deleted.
    ///
    /// # Errors
    /// The session store, the database or the backend failed: nothing is known about the user.
    pub async fn get_user(&self, session: &Session) -> Result<Option<U>, Error> {
        let found = self.find_user(session, &[]).await?;
        let user = self.settle(session, found.map(|(found, _)| found)).await?;
        Ok(user.map(Arc::unwrap_or_clone))
    }

    /// Changes the session as the state of its hash asks for.
    pub(crate) async fn settle(
        &self,
        session: &Session,
        found: Option<Found<U>>,
    ) -> Result<Option<Arc<U>>, Error> {
        let Some(Found { user, hash }) = found else {
            return Ok(None);
        };
        match hash {
            HashState::Current => {}
            HashState::Fallback => {
                let old = session.shared_key();
                session.cycle_key().await?;
                self.session_moved(old, session).await;
                let hash = user.base().get_session_auth_hash(self.secret_keys());
                session.insert(HASH_SESSION_KEY, &hash).await?;
            }
            HashState::Wrong => {
                let key = session.shared_key();
                session.flush().await?;
                self.session_ended(key).await;
                return Ok(None);
            }
        }
        Ok(Some(user))
    }

    /// Asks the backend that the session names.
    pub(crate) async fn claimed_user(
        &self,
        claim: &Claim<U::Id>,
    ) -> Result<Option<Found<U>>, Error> {
        let Some(backend) = self.backends().by_path(&claim.backend) else {
            return Ok(None);
        };
        let context = Context::without_request(self);
        match backend.get_user(context, claim.id).await {
            Ok(user) => Ok(user.map(|user| self.judged(user, claim))),
            Err(BackendError::PermissionDenied) => Ok(None),
            Err(BackendError::Failed(error)) => Err(error),
        }
    }

    /// The user with the state of the claim's hash, marked with the claim's backend.
    pub(crate) fn judged(&self, mut user: U, claim: &Claim<U::Id>) -> Found<U> {
        let hash = self.hash_state(&user, &claim.hash);
        Self::mark_backend(&mut user, &claim.backend);
        let user = Arc::new(user);
        Found { user, hash }
    }

    /// Whether the claim of a session is one of this user, made with the present password.
    pub(crate) fn is_believed(&self, user: &U, claim: &Claim<U::Id>) -> bool {
        claim.id == user.id()
            && self.backends().by_path(&claim.backend).is_some()
            && self.hash_state(user, &claim.hash) != HashState::Wrong
    }

    fn hash_state(&self, user: &U, stored: &str) -> HashState {
        let same = |hash: &str| constant_time_compare(stored.as_bytes(), hash.as_bytes());
        if stored.is_empty() {
            return HashState::Wrong;
        }
        let (base, keys) = (user.base(), self.secret_keys());
        if same(&base.get_session_auth_hash(keys)) {
            HashState::Current
        } else if base
            .get_session_auth_fallback_hashes(keys)
            .any(|hash| same(&hash))
        {
            HashState::Fallback
        } else {
            HashState::Wrong
        }
    }
}
