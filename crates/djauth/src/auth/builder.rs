//! How an [`Auth`] is put together.

use std::fmt;
use std::sync::Arc;

use djauth_hashers::{Hashers, PasswordHasher};
use djauth_sessions::SessionEngine;
use djauth_signing::{Clock, SecretKeys, SystemClock};

use super::{Auth, Inner};
use crate::Error;
use crate::access_log::AccessLog;
use crate::apps::{self, Apps, Dependant};
use crate::backends::{
    AllowAllUsersModelBackend, AllowAllUsersRemoteUserBackend, Backend, Backends, ModelBackend,
    RemoteUserBackend,
};
use crate::base_user::{BaseUser, UserMeta};
use crate::db::{Database, Executor};
use crate::hashing::HashingPool;
use crate::mail::{self, MailQueue, MailSender};
use crate::management::ModelMeta;
use crate::models::User;
use crate::models::model::Model;
use crate::password_validation::{
    PasswordValidator, PasswordValidators, get_default_password_validators,
};
use crate::rate_limit::LoginRateLimit;
use crate::request_path::{Hints, user_cache};
use crate::settings::{DEFAULT_MAILER_ALIAS, Settings};
use crate::signals::Signals;
use crate::templates::Templates;
use crate::usersessions::Seen;

/// Puts an [`Auth`] together. Begin with [`Auth::builder`].
#[must_use = "nothing happens before `connect` or `database`"]
pub struct Builder<U: BaseUser> {
    settings: Settings,
    backends: Option<Backends<U>>,
    hashers: Option<Hashers>,
    sessions: Option<SessionEngine>,
    clock: Arc<dyn Clock>,
    apps: Apps,
    mail_sender: Option<Arc<dyn MailSender>>,
    validators: Vec<Arc<dyn PasswordValidator>>,
}

impl<U: BaseUser> fmt::Debug for Builder<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("user_model", &std::any::type_name::<U>())
            .finish_non_exhaustive()
    }
}

impl<U: BaseUser> Builder<U> {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            backends: None,
            hashers: None,
            sessions: None,
            clock: Arc::new(SystemClock),
            apps: Apps::default(),
            mail_sender: None,
            validators: Vec::new(),
        }
    }

    /// `AUTH_USER_MODEL`. Call it before [`Builder::backend`]: backends are typed by the user.
    pub fn user_model<V: BaseUser>(self) -> Builder<V> {
        Builder {
            settings: self.settings,
            backends: None,
            hashers: self.hashers,
            sessions: self.sessions,
            clock: self.clock,
            apps: self.apps,
            mail_sender: self.mail_sender,
            validators: self.validators,
        }
    }

    /// Adds a backend after those added before; the first one replaces the backends that the setting
    /// `AUTHENTICATION_BACKENDS` names.
    pub fn backend(mut self, backend: impl Backend<U>) -> Self {
        self.backends
            .get_or_insert_with(Backends::new)
            .push(backend);
        self
    }

    /// Hashers instead of those that `PASSWORD_HASHERS` names, the preferred one first.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: the list is empty.
    pub fn password_hashers(mut self, list: Vec<Arc<dyn PasswordHasher>>) -> Result<Self, Error> {
        self.hashers = Some(Hashers::new(list)?);
        Ok(self)
    }

    /// A session engine instead of the one that `SESSION_ENGINE` names. It must use the same secret
    /// keys and clock.
    pub fn session_engine(mut self, engine: SessionEngine) -> Self {
        self.sessions = Some(engine);
        self
    }

    /// Where "now" comes from, for tests.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Adds a rule of your own for new passwords, after those that `AUTH_PASSWORD_VALIDATORS` names.
    pub fn password_validator(mut self, validator: impl PasswordValidator + 'static) -> Self {
        self.validators.push(Arc::new(validator));
        self
    }

    /// What sends mail, in place of what the settings `EMAIL_…` say.
    pub fn mail_sender(mut self, sender: impl MailSender + 'static) -> Self {
        self.mail_sender = Some(Arc::new(sender));
        self
    }

    /// A model of the application; it gets a content type and permissions when migrated.
    pub fn model(mut self, model: ModelMeta) -> Self {
        self.apps.models.push(model);
        self
    }

    /// A table of the application that refers to one of ours, so that deletes reach it.
    pub fn dependant(mut self, dependant: Dependant) -> Self {
        self.apps.dependants.push(dependant);
        self
    }

    /// Whether the application's own tables may be in the database already when [`Auth::migrate`] first
    /// runs on it. Off unless set, because a database with tables but without a sign of Django is more
    /// often the wrong one; see [`Migrate::allow_other_tables`](crate::management::Migrate::allow_other_tables).
    pub fn allow_other_tables(mut self, allow: bool) -> Self {
        self.apps.other_tables = allow;
        self
    }

    /// Connects to the database of this URL.
    ///
    /// # Errors
    /// `Unavailable`: no such database. `ImproperlyConfigured`: settings, model or URL are wrong.
    pub async fn connect(self, url: &str) -> Result<Auth<U>, Error> {
        let db = Database::connect(url).await?;
        self.database(db)
    }

    /// Uses a database that is connected already.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: settings or model are wrong.
    pub fn database(self, db: Database) -> Result<Auth<U>, Error> {
        let model = Model::new(db.dialect(), UserMeta::of::<U>(&self.settings)?)?;
        let keys = SecretKeys::with_fallbacks(
            self.settings.secret_key.clone(),
            self.settings.secret_key_fallbacks.clone(),
        );
        let backends = match self.backends {
            Some(backends) => backends,
            None => named_backends(&self.settings)?,
        };
        let hashers = match self.hashers {
            Some(hashers) => hashers,
            None => self.settings.hashers()?,
        };
        let sessions = match self.sessions {
            Some(engine) => engine,
            None => super::sessions::engine(&self.settings, &keys, &db, &self.clock)?,
        };
        let sender = match self.mail_sender {
            Some(sender) => sender,
            None => mail_sender(&self.settings)?,
        };
        let auth = Auth(Arc::new(Inner {
            mail: MailQueue::new(sender, &self.settings),
            access_log: AccessLog::new(&db, &self.settings, &self.clock),
            validators: password_validators(&self.settings, &self.validators)?,
            seen: Seen::default(),
            hashing: HashingPool::with_hashers(hashers, &self.settings)?,
            templates: Templates::new(&self.settings),
            rate_limit: LoginRateLimit::new(
                &self.settings,
                &db,
                &self.clock,
                super::sessions::shared_cache(&self.settings)?,
            ),
            hints: Hints::new(&model),
            cache: user_cache::<U>(&model.meta, &self.settings, &db, &self.clock),
            settings: Arc::new(self.settings),
            signals: Signals::new(),
            clock: self.clock,
            apps: self.apps,
            db,
            keys,
            model,
            backends,
            sessions,
        }));
        apps::ready(&auth);
        Ok(auth)
    }
}

fn mail_sender(settings: &Settings) -> Result<Arc<dyn MailSender>, Error> {
    mail::sender(&settings.mailer(DEFAULT_MAILER_ALIAS)?, settings.time_zone)
}

fn password_validators(
    settings: &Settings,
    own: &[Arc<dyn PasswordValidator>],
) -> Result<PasswordValidators, Error> {
    let named = get_default_password_validators(settings)?;
    Ok(named.iter().chain(own).cloned().collect())
}

/// A pattern cannot name a constant of a generic type without its parameter.
const REMOTE_USER_BACKEND: &str = RemoteUserBackend::<User>::PATH;
/// It knows nobody and grants nothing.
/// Each under the path that the settings give it, so that sessions keep it.
fn named_backends<U: BaseUser>(settings: &Settings) -> Result<Backends<U>, Error> {
    let mut backends = Backends::new();
    let create = settings.remote_user_create_unknown;
    for path in &settings.authentication_backends {
        match settings.builtin_backend(path) {
            Some(ModelBackend::PATH) => backends.push(ModelBackend::at_path(path)),
            Some(AllowAllUsersModelBackend::PATH) => {
                backends.push(AllowAllUsersModelBackend::at_path(path));
            }
            Some(REMOTE_USER_BACKEND) => {
                let backend = RemoteUserBackend::at_path(path);
                backends.push(backend.create_unknown_user(create));
            }
            Some(AllowAllUsersRemoteUserBackend::PATH) => {
                let backend = AllowAllUsersRemoteUserBackend::at_path(path);
                backends.push(backend.create_unknown_user(create));
            }
            Some(BASE_BACKEND) => {}
            _ => {
                return Err(Error::improperly_configured(format!(
                    "AUTHENTICATION_BACKENDS names {path:?}, which is not known here: \
                     add it with Builder::backend, or to AUTHENTICATION_BACKEND_ALIASES"
                )));
            }
        }
    }
    if backends.is_empty() {
        return Err(Error::improperly_configured(
            "AUTHENTICATION_BACKENDS has nobody who knows users",
        ));
    }
    Ok(backends)
}

const BASE_BACKEND: &str = "django.contrib.auth.backends.BaseBackend";
