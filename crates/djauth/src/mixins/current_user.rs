//! `request.user`.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::Rejection;
use crate::base_user::BaseUser;
use crate::http::Request;
use crate::middleware::Installed;
use crate::models::User;
use crate::{Auth, Error};

/// Who is logged in, and what they may do. Reads like the user itself.
#[derive(Clone)]
pub struct CurrentUser<U: BaseUser = User> {
    user: Arc<U>,
    auth: Auth<U>,
}

impl<U: BaseUser> CurrentUser<U> {
    pub(super) fn new(user: Arc<U>, auth: Auth<U>) -> Self {
        CurrentUser { user, auth }
    }

    /// The user, to keep.
    pub fn user(&self) -> &Arc<U> {
        &self.user
    }

    /// The authentication that the user belongs to.
    pub fn auth(&self) -> &Auth<U> {
        &self.auth
    }

    /// Whether the user has a permission, `app_label.codename`.
    ///
    /// # Errors
    /// A backend failed: the answer is unknown.
    pub async fn has_perm(&self, perm: &str) -> Result<bool, Error> {
        self.auth.has_perm(&self.user, perm, None).await
    }

    /// Whether the user has every one of these permissions.
    ///
    /// # Errors
    /// As [`CurrentUser::has_perm`].
    pub async fn has_perms(&self, perms: &[impl AsRef<str> + Sync]) -> Result<bool, Error> {
        self.auth.has_perms(&self.user, perms, None).await
    }
}

impl<U: BaseUser> Deref for CurrentUser<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.user
    }
}

impl<U: BaseUser> fmt::Display for CurrentUser<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.user.fmt(f)
    }
}

impl<U: BaseUser> fmt::Debug for CurrentUser<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CurrentUser").field(&self.user).finish()
    }
}

/// Somebody or nobody, not known until asked: no query and no `Vary: Cookie` before
/// [`MaybeUser::get`], and one load however often it is asked.
#[derive(Clone, Debug)]
pub struct MaybeUser<U: BaseUser = User> {
    auth: Auth<U>,
    request: Request,
}

impl<U: BaseUser> MaybeUser<U> {
    /// Who is logged in; `None` for nobody.
    ///
    /// # Errors
    /// The session store, the database or a backend failed: it is not known.
    pub async fn get(&self) -> Result<Option<CurrentUser<U>>, Error> {
        let user = self.auth.user(&self.request).await?;
        Ok(user.map(|user| CurrentUser::new(user, self.auth.clone())))
    }

    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Finds the layer, without asking who is logged in.
    pub(super) fn of(parts: &Parts, what: &'static str) -> Result<Self, Rejection> {
        let (installed, request) = Installed::of(parts, what)?;
        Ok(MaybeUser {
            auth: installed.auth()?,
            request: request.clone(),
        })
    }
}

impl<S: Sync, U: BaseUser> FromRequestParts<S> for MaybeUser<U> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        MaybeUser::of(parts, "MaybeUser")
    }
}

/// The handle of the request: the session, the CSRF secret, and what `login` and `logout` take.
impl<S: Sync> FromRequestParts<S> for Request {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        Installed::of(parts, "Request").map(|(_, request)| request.clone())
    }
}
