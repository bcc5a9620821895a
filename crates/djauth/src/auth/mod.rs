//! `Auth`: database, settings, user model, backends and signals of one application, and the functions
//! of the package root `django/contrib/auth/__init__.py`.

mod authenticate;
mod builder;
mod get_user;
mod login;
mod password;
mod password_rules;
mod permissions;
mod schema;
mod sessions;
mod signed_cookies;

use std::fmt;
use std::sync::{Arc, Weak};

use chrono::{DateTime, Utc};
use djauth_sessions::SessionEngine;
use djauth_signing::{Clock, SecretKeys};

pub use builder::Builder;
pub(crate) use get_user::{Claim, Found, HashState};
pub use permissions::BackendPermissions;
pub(crate) use permissions::yes;

use crate::Error;
use crate::access_log::AccessLog;
use crate::apps::Apps;
use crate::backends::{Backends, DynBackend};
use crate::base_user::{BaseUser, UserMeta};
use crate::db::Database;
use crate::hashing::HashingPool;
use crate::mail::MailQueue;
use crate::models::model::Model;
use crate::models::{GroupManager, PermissionManager, User, UserManager};
use crate::password_validation::PasswordValidators;
use crate::rate_limit::LoginRateLimit;
use crate::request_path::{Hints, UserCache};
use crate::settings::Settings;
use crate::signals::Signals;
use crate::templates::Templates;
use crate::usersessions::Seen;

/// Where a session keeps the user's key, as text.
pub const SESSION_KEY: &str = "_auth_user_id";
/// Where a session keeps the path of the backend that authenticated.
pub const BACKEND_SESSION_KEY: &str = "_auth_user_backend";
/// Where a session keeps the session auth hash.
pub const HASH_SESSION_KEY: &str = "_auth_user_hash";
/// The query and form parameter that says where to go after a login.
pub const REDIRECT_FIELD_NAME: &str = "next";

/// One application's authentication. Clones are cheap and share everything.
///
/// Begin with [`Auth::connect`] for the stock [`User`], or with [`Auth::builder`] for an own user model,
/// other backends or a test's clock.
pub struct Auth<U: BaseUser = User>(Arc<Inner<U>>);

pub(crate) struct Inner<U: BaseUser> {
    db: Database,
    settings: Arc<Settings>,
    keys: SecretKeys,
    model: Model<U>,
    backends: Backends<U>,
    signals: Signals<U>,
    hashing: HashingPool,
    templates: Templates,
    sessions: SessionEngine,
    clock: Arc<dyn Clock>,
    apps: Apps,
    hints: Hints<U>,
    /// None: `AUTH_CACHE_MAX_BYTES` is 0.
    cache: Option<UserCache<U>>,
    rate_limit: LoginRateLimit,
    mail: MailQueue,
    access_log: AccessLog,
    validators: PasswordValidators,
    seen: Seen,
}

impl Auth {
    /// The stock user on this database, with everything else from the settings.
    ///
    /// # Errors
    /// `Unavailable`: no such database. `ImproperlyConfigured`: the settings contradict themselves.
    pub async fn connect(url: &str, settings: Settings) -> Result<Self, Error> {
        Self::builder(settings).connect(url).await
    }

    /// A builder that begins with the stock user.
    pub fn builder(settings: Settings) -> Builder<User> {
        Builder::new(settings)
    }
}

impl<U: BaseUser> Auth<U> {
    /// The database.
    #[must_use]
    pub fn db(&self) -> &Database {
        &self.0.db
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.0.settings
    }

    /// `SECRET_KEY` and `SECRET_KEY_FALLBACKS`.
    #[must_use]
    pub fn secret_keys(&self) -> &SecretKeys {
        &self.0.keys
    }

    /// The session engine.
    #[must_use]
    pub fn sessions(&self) -> &SessionEngine {
        &self.0.sessions
    }

    /// The threads that hash passwords.
    #[must_use]
    pub fn hashing(&self) -> &HashingPool {
        &self.0.hashing
    }

    /// The templates of the pages.
    #[must_use]
    pub fn templates(&self) -> &Templates {
        &self.0.templates
    }

    /// Where "now" comes from.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The present moment, without fractions of a microsecond.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// The limit on attempts to log in.
    #[must_use]
    pub fn login_rate_limit(&self) -> &LoginRateLimit {
        &self.0.rate_limit
    }

    /// The three signals, to connect receivers to.
    #[must_use]
    pub fn signals(&self) -> &Signals<U> {
        &self.0.signals
    }

    /// What the application registered.
    #[must_use]
    pub fn apps(&self) -> &Apps {
        &self.0.apps
    }

    /// The paths of the backends, in the order in which they are asked.
    pub fn backend_paths(&self) -> impl Iterator<Item = &str> {
        self.0.backends.iter().map(DynBackend::path)
    }

    /// Users: Django's `User.objects`.
    #[must_use]
    pub fn users(&self) -> UserManager<'_, U> {
        UserManager::new(self)
    }

    /// Groups: Django's `Group.objects`.
    #[must_use]
    pub fn groups(&self) -> GroupManager<'_, U> {
        GroupManager::new(self)
    }

    /// Permissions: Django's `Permission.objects`.
    #[must_use]
    pub fn permissions(&self) -> PermissionManager<'_, U> {
        PermissionManager::new(self)
    }

    /// What is known about the user model: Django's `_meta`.
    #[must_use]
    pub fn user_meta(&self) -> &Arc<UserMeta> {
        &self.0.model.meta
    }

    pub(crate) fn model(&self) -> &Model<U> {
        &self.0.model
    }

    pub(crate) fn backends(&self) -> &Backends<U> {
        &self.0.backends
    }

    pub(crate) fn mail_queue(&self) -> &MailQueue {
        &self.0.mail
    }

    pub(crate) fn access_log_queue(&self) -> &AccessLog {
        &self.0.access_log
    }

    pub(crate) fn cache(&self) -> Option<&UserCache<U>> {
        self.0.cache.as_ref()
    }

    pub(crate) fn hints(&self) -> &Hints<U> {
        &self.0.hints
    }

    pub(crate) fn seen(&self) -> &Seen {
        &self.0.seen
    }

    /// For tasks that do not keep the application alive.
    pub(crate) fn downgrade(&self) -> Weak<Inner<U>> {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn upgrade(inner: &Weak<Inner<U>>) -> Option<Self> {
        inner.upgrade().map(Self)
    }
}

impl<U: BaseUser> Clone for Auth<U> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<U: BaseUser> fmt::Debug for Auth<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backends: Vec<_> = self.backend_paths().collect();
        f.debug_struct("Auth")
            .field("user_model", &self.user_meta().label())
            .field("backends", &backends)
            .finish_non_exhaustive()
    }
}
