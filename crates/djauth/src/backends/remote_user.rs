//! `RemoteUserBackend` and `AllowAllUsersRemoteUserBackend`: the server in front has found out who it is.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::model_backend::row_methods;
use super::{Backend, BackendResult, Context, Credentials, Object, RowRule, WithPerm};
use crate::Auth;
use crate::base_user::BaseUser;
use crate::http::Request;
use crate::models::User;

/// The one credential that this backend takes.
const REMOTE_USER: &str = "remote_user";

/// Users whom a server in front of this one has authenticated; it hands their name on, and
/// [`RemoteUserMiddleware`](crate::middleware::RemoteUserMiddleware) logs them in. Permissions are those
/// of [`ModelBackend`](super::ModelBackend).
///
/// Unlike Django's, it gives the users whom it makes an unusable password (Django's empty one lets them
/// receive mails to set one), and takes no user for another whom only the database's collation calls
/// equal.
///
/// ```
/// # async fn example(settings: djauth::Settings) -> Result<(), djauth::Error> {
/// use djauth::backends::RemoteUserBackend;
///
/// // alice@EXAMPLE.ORG is the user alice; nobody is made.
/// let remote = RemoteUserBackend::new()
///     .create_unknown_user(false)
///     .clean_username(|name| name.split('@').next().unwrap_or_default().to_owned());
/// let auth = djauth::Auth::builder(settings).backend(remote).connect("sqlite://db.sqlite3").await?;
/// # Ok(())
/// # }
/// ```
pub struct RemoteUserBackend<U: BaseUser = User> {
    path: String,
    create_unknown_user: bool,
    rule: RowRule,
    clean: Arc<dyn Fn(&str) -> String + Send + Sync>,
    configure: Arc<Configure<U>>,
}

type Configure<U> =
    dyn Fn(ConfigureUser<U>) -> BoxFuture<'static, BackendResult<Option<U>>> + Send + Sync;

/// What [`RemoteUserBackend::configure_user`] is told.
#[derive(Clone, Debug)]
pub struct ConfigureUser<U: BaseUser = User> {
    /// To save the user with.
    pub auth: Auth<U>,
    /// The request that brought the name, if there was one.
    pub request: Option<Request>,
    /// The user; nobody where [`RemoteUserBackend::create_unknown_user`] is off and there is none.
    pub user: Option<U>,
    /// Whether the user was made just now.
    pub created: bool,
}

impl<U: BaseUser> RemoteUserBackend<U> {
    /// Django's path of it.
    pub const PATH: &'static str = "django.contrib.auth.backends.RemoteUserBackend";

    /// The backend under Django's own path: it makes the users whom it does not know, and takes names as
    /// they come.
    #[must_use]
    pub fn new() -> Self {
        Self::at_path(Self::PATH)
    }

    /// The backend under another path: a Django site's own subclass that behaves the same.
    #[must_use]
    pub fn at_path(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            create_unknown_user: true,
            rule: RowRule::Active,
            clean: Arc::new(str::to_owned),
            configure: Arc::new(|found| Box::pin(async move { Ok(found.user) })),
        }
    }

    /// Whether a user is made for a name that nobody has. On unless set.
    #[must_use]
    pub fn create_unknown_user(mut self, create: bool) -> Self {
        self.create_unknown_user = create;
        self
    }

    /// How a name from the server in front becomes a username here.
    #[must_use]
    pub fn clean_username(
        mut self,
        clean: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        self.clean = Arc::new(clean);
        self
    }

    /// What is done with the user at every login by this backend, new or not; its answer is who logs in.
    /// What it changes it must save.
    ///
    /// ```
    /// use djauth::User;
    /// use djauth::backends::{ConfigureUser, RemoteUserBackend};
    ///
    /// let remote = RemoteUserBackend::<User>::new().configure_user(async |found| {
    ///     let ConfigureUser { auth, user, created, .. } = found;
    ///     let Some(mut user) = user else { return Ok(None) };
    ///     if created {
    ///         user.email = format!("{}@example.com", user.username);
    ///         auth.users().save(&mut user).await?;
    ///     }
    ///     Ok(Some(user))
    /// });
    /// ```
    #[must_use]
    pub fn configure_user<F>(
        mut self,
        configure: impl Fn(ConfigureUser<U>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = BackendResult<Option<U>>> + Send + 'static,
    {
        self.configure = Arc::new(move |found| Box::pin(configure(found)));
        self
    }

    fn rule(&self) -> RowRule {
        self.rule
    }

    async fn find(&self, auth: &Auth<U>, username: &str) -> BackendResult<(Option<U>, bool)> {
        if self.create_unknown_user {
            let found = auth.users().get_or_create_exact(username).await?;
            return Ok(found.map_or((None, false), |(user, created)| (Some(user), created)));
        }
        let user = auth.users().get_by_natural_key(username).await?;
        Ok((user.filter(|user| user.get_username() == username), false))
    }
}

impl<U: BaseUser> Backend<U> for RemoteUserBackend<U> {
    fn path(&self) -> &str {
        &self.path
    }

    fn accepts(&self, credentials: &Credentials) -> bool {
        credentials.iter().map(|(name, _)| name).eq([REMOTE_USER])
    }

    async fn authenticate(
        &self,
        cx: Context<'_, U>,
        credentials: &Credentials,
    ) -> BackendResult<Option<U>> {
        let username = credentials.get(REMOTE_USER).unwrap_or_default();
        let username = if username.is_empty() {
            String::new()
        } else {
            (self.clean)(username)
        };
        if !fits(cx.auth, &username) {
            return Ok(None);
        }
        let (user, created) = self.find(cx.auth, &username).await?;
        let found = ConfigureUser {
            auth: cx.auth.clone(),
            request: cx.request.cloned(),
            user,
            created,
        };
        let user = (self.configure)(found).await?;
        Ok(user.filter(|user| self.rule.allows(user)))
    }

    fn clean_remote_user(&self, username: &str) -> Option<String> {
        Some((self.clean)(username))
    }

    row_methods!();
}

/// Whether a row can hold this name: it is not empty, has no NUL, and is not too long for the column.
fn fits<U: BaseUser>(auth: &Auth<U>, username: &str) -> bool {
    let meta = auth.user_meta();
    let field = meta.field(&meta.username_field);
    let limit = field.and_then(|field| field.max_length);
    let limit = limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    !username.is_empty() && !username.contains('\0') && username.chars().count() <= limit
}

impl<U: BaseUser> Default for RemoteUserBackend<U> {
    fn default() -> Self {
        Self::new()
    }
}

impl<U: BaseUser> Clone for RemoteUserBackend<U> {
    fn clone(&self) -> Self {
        Self {
            path: self.path.clone(),
            create_unknown_user: self.create_unknown_user,
            rule: self.rule,
            clean: self.clean.clone(),
            configure: self.configure.clone(),
        }
    }
}

impl<U: BaseUser> fmt::Debug for RemoteUserBackend<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteUserBackend")
            .field("path", &self.path)
            .field("create_unknown_user", &self.create_unknown_user)
            .finish_non_exhaustive()
    }
}

/// The same, but inactive users may log in. They have no permissions.
#[derive(Clone, Copy, Debug)]
pub struct AllowAllUsersRemoteUserBackend;

impl AllowAllUsersRemoteUserBackend {
    /// Django's path of it.
    pub const PATH: &'static str = "django.contrib.auth.backends.AllowAllUsersRemoteUserBackend";

    /// The backend under Django's own path, to change further.
    #[must_use]
    pub fn backend<U: BaseUser>() -> RemoteUserBackend<U> {
        Self::at_path(Self::PATH)
    }

    /// The backend under another path.
    #[must_use]
    pub fn at_path<U: BaseUser>(path: impl Into<String>) -> RemoteUserBackend<U> {
        RemoteUserBackend {
            rule: RowRule::Any,
            ..RemoteUserBackend::at_path(path)
        }
    }
}
