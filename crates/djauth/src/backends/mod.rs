//! Authentication backends: `django/contrib/auth/backends.py`.

mod chain;
mod credentials;
mod model_backend;
mod remote_user;
mod with_perm;

use std::any::Any;
use std::collections::HashSet;
use std::error::Error as StdError;
use std::fmt;

pub(crate) use chain::{Backends, DynBackend, PermissionKind};
pub use credentials::Credentials;
pub(crate) use model_backend::RowRule;
pub use model_backend::{AllowAllUsersModelBackend, ModelBackend};
pub use remote_user::{AllowAllUsersRemoteUserBackend, ConfigureUser, RemoteUserBackend};
pub use with_perm::{Perm, WithPerm};

use crate::base_user::BaseUser;
use crate::http::Request;
use crate::{Auth, Error, ErrorKind, db};

/// Any object that a permission may be asked for; a backend downcasts to the types it knows.
pub type Object = dyn Any + Send + Sync;

/// What a backend answers. `Ok(None)` and `Ok(false)`: not mine, or wrong; the next one is asked.
pub type BackendResult<T> = Result<T, BackendError>;

/// Why a backend does not answer.
#[derive(Debug)]
pub enum BackendError {
    /// Stop: no later backend is asked, and the answer is "no".
    PermissionDenied,
    /// The answer is unknown. Never read as a "no".
    Failed(Error),
}

impl BackendError {
    /// The answer is unknown, because of `error`.
    pub fn failed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Failed(Error::caused(ErrorKind::Backend, "a backend failed", error))
    }
}

impl From<Error> for BackendError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<db::Error> for BackendError {
    fn from(error: db::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PermissionDenied => f.write_str("permission denied by a backend"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl StdError for BackendError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::PermissionDenied => None,
            Self::Failed(error) => Some(error),
        }
    }
}

/// Whom a page lets in.
pub(crate) type MayEnter<'a, U> = &'a (dyn Fn(&U) -> bool + Send + Sync + 'a);

/// What a backend is asked with.
pub struct Context<'a, U: BaseUser> {
    /// Database, settings, hashing.
    pub auth: &'a Auth<U>,
    /// The request, if there is one.
    pub request: Option<&'a Request>,
    /// `None`: everybody.
    may_enter: Option<MayEnter<'a, U>>,
}

impl<'a, U: BaseUser> Context<'a, U> {
    /// For work on a request, if there is one.
    #[must_use]
    pub fn new(auth: &'a Auth<U>, request: Option<&'a Request>) -> Self {
        Self {
            auth,
            request,
            may_enter: None,
        }
    }

    /// Outside of any request: a command, a job, a form that is checked without a page.
    #[must_use]
    pub fn without_request(auth: &'a Auth<U>) -> Self {
        Self::new(auth, None)
    }

    /// The same for a page that is for these users alone.
    pub(crate) fn for_those(self, may_enter: MayEnter<'a, U>) -> Self {
        let may_enter = Some(may_enter);
        Self { may_enter, ..self }
    }

    /// Whether the page that asks lets this user in ([`Steps::may_enter`](crate::forms::Steps::may_enter)).
    /// Whom it does not is nobody for `authenticate`, whatever a backend says; a backend that asks before
    /// it is done with the password hides from guessers that it was right.
    #[must_use]
    pub fn may_enter(&self, user: &U) -> bool {
        self.may_enter.is_none_or(|may_enter| may_enter(user))
    }
}

impl<U: BaseUser> fmt::Debug for Context<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("auth", &self.auth)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

impl<U: BaseUser> Clone for Context<'_, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U: BaseUser> Copy for Context<'_, U> {}

/// A source of users and permissions. Implement it with plain `async fn`s; everything but the path has
/// the default of Django's `BaseBackend`.
pub trait Backend<U: BaseUser>: Send + Sync + 'static {
    /// The name stored in sessions, Django's dotted path: `django.contrib.auth.backends.ModelBackend`.
    fn path(&self) -> &str;

    /// Whether these credentials are of the kind that this backend takes; if not it is skipped
    /// silently. (Django asks whether the signature of `authenticate` can bind them.)
    fn accepts(&self, credentials: &Credentials) -> bool {
        let _ = credentials;
        true
    }

    /// The user of these credentials.
    fn authenticate(
        &self,
        cx: Context<'_, U>,
        credentials: &Credentials,
    ) -> impl Future<Output = BackendResult<Option<U>>> + Send {
        let _ = (cx, credentials);
        async { Ok(None) }
    }

    /// The user of this key, asked at each request of a session that this backend began. `None` also
    /// for users who may no longer log in.
    fn get_user(
        &self,
        cx: Context<'_, U>,
        id: U::Id,
    ) -> impl Future<Output = BackendResult<Option<U>>> + Send {
        let _ = (cx, id);
        async { Ok(None) }
    }

    /// Permissions that the user has directly, as `<app_label>.<codename>`.
    fn get_user_permissions(
        &self,
        cx: Context<'_, U>,
        user: &U,
        obj: Option<&Object>,
    ) -> impl Future<Output = BackendResult<HashSet<String>>> + Send {
        let _ = (cx, user, obj);
        async { Ok(HashSet::new()) }
    }

    /// Permissions that the user has through groups.
    fn get_group_permissions(
        &self,
        cx: Context<'_, U>,
        user: &U,
        obj: Option<&Object>,
    ) -> impl Future<Output = BackendResult<HashSet<String>>> + Send {
        let _ = (cx, user, obj);
        async { Ok(HashSet::new()) }
    }

    /// Both.
    fn get_all_permissions(
        &self,
        cx: Context<'_, U>,
        user: &U,
        obj: Option<&Object>,
    ) -> impl Future<Output = BackendResult<HashSet<String>>> + Send {
        async move {
            let mut all = self.get_user_permissions(cx, user, obj).await?;
            all.extend(self.get_group_permissions(cx, user, obj).await?);
            Ok(all)
        }
    }

    /// Permissions of somebody who is not logged in. (Django hands backends an `AnonymousUser`.)
    fn get_anonymous_permissions(
        &self,
        cx: Context<'_, U>,
        obj: Option<&Object>,
    ) -> impl Future<Output = BackendResult<HashSet<String>>> + Send {
        let _ = (cx, obj);
        async { Ok(HashSet::new()) }
    }

    /// Whether the user has this permission, compared byte by byte.
    fn has_perm(
        &self,
        cx: Context<'_, U>,
        user: &U,
        perm: &str,
        obj: Option<&Object>,
    ) -> impl Future<Output = BackendResult<bool>> + Send {
        async move {
            Ok(self
                .get_all_permissions(cx, user, obj)
                .await?
                .contains(perm))
        }
    }

    /// Whether the user has any permission of this application.
    fn has_module_perms(
        &self,
        cx: Context<'_, U>,
        user: &U,
        app_label: &str,
    ) -> impl Future<Output = BackendResult<bool>> + Send {
        let _ = (cx, user, app_label);
        async { Ok(false) }
    }

    /// The users who have a permission.
    fn with_perm(
        &self,
        cx: Context<'_, U>,
        asked: WithPerm<'_>,
    ) -> impl Future<Output = BackendResult<Vec<U>>> + Send {
        let _ = (cx, asked);
        async { Ok(Vec::new()) }
    }

    /// The same, one after another: with a million of them, nothing holds them all. A backend that has them
    /// one by one says so here; this calls [`with_perm`](Backend::with_perm).
    fn with_perm_each(
        &self,
        cx: Context<'_, U>,
        asked: WithPerm<'_>,
        each: &mut (dyn FnMut(U) + Send),
    ) -> impl Future<Output = BackendResult<()>> + Send {
        async move {
            self.with_perm(cx, asked).await?.into_iter().for_each(each);
            Ok(())
        }
    }

    /// For backends of remote users: the name that such a user has here, when the server in front says
    /// `username` (Django's `clean_username`). `None` says that this is no such backend, and that the
    /// middleware leaves its sessions alone.
    fn clean_remote_user(&self, username: &str) -> Option<String> {
        let _ = username;
        None
    }

    /// For the built-in backends: their users and permissions are rows that one statement can read.
    #[doc(hidden)]
    fn row_rule(&self) -> Option<RowRule> {
        None
    }
}
