//! System checks: `django/core/checks` and `django/contrib/auth/checks.py`.
//!
//! A check looks at settings and models and answers messages, under Django's identifiers where
//! Django has the same check. Identifiers that begin with `djauth.` are our own.

mod auth;
mod mail;
mod proxies;
mod security;

use std::fmt;
use std::str::FromStr;

use crate::management::CacheStatus;
use crate::rate_limit::Place;

pub use auth::{check_models_permissions, check_user_model};
pub use mail::{check_mailers_default_alias, check_mailers_production_backend};
pub use proxies::{check_proxies, check_remote_user};
pub use security::check_deploy;

/// How bad it is: `django.core.checks.messages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// 10.
    Debug = 10,
    /// 20.
    Info = 20,
    /// 30.
    Warning = 30,
    /// 40: commands refuse to run.
    Error = 40,
    /// 50.
    Critical = 50,
}

/// The tags by which `check --tag` chooses, with Django's names.
pub const TAGS: [&str; 4] = ["database", "mail", "models", "security"];

impl Level {
    const ALL: [Self; 5] = [
        Self::Debug,
        Self::Info,
        Self::Warning,
        Self::Error,
        Self::Critical,
    ];

    /// Django's name of the level, as `--fail-level` takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }
}

/// The text names no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLevel;

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected DEBUG, INFO, WARNING, ERROR or CRITICAL")
    }
}

impl std::error::Error for UnknownLevel {}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        Self::ALL
            .into_iter()
            .find(|level| level.name() == name)
            .ok_or(UnknownLevel)
    }
}

/// What a check found: `django.core.checks.CheckMessage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckMessage {
    /// How bad it is.
    pub level: Level,
    /// Django's identifier, such as `security.W012`.
    pub id: &'static str,
    /// What is at fault: a model or a setting.
    pub object: Option<String>,
    /// What is wrong.
    pub text: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl CheckMessage {
    fn new(level: Level, id: &'static str, text: impl Into<String>) -> Self {
        Self {
            level,
            id,
            object: None,
            text: text.into(),
            hint: None,
        }
    }

    /// What [`Auth::check`](crate::Auth::check) found about the database's tables.
    #[must_use]
    pub fn schema(error: &crate::Error) -> Self {
        Self::new(Level::Error, "djauth.E001", error.to_string()).object("DATABASE_URL")
    }

    /// Triggers of the cache that cannot be relied upon: an answer may be older than the database.
    #[must_use]
    pub fn cache_triggers(status: &CacheStatus) -> Option<Self> {
        let CacheStatus::Faulty(faults) = status else {
            return None;
        };
        let text = format!("the triggers of the cache: {}", faults.join("; "));
        let message = Self::new(Level::Error, "djauth.E002", text).object("DATABASE_URL");
        Some(
            message
                .hint("`djauth cache install` completes them, `djauth cache remove` does without"),
        )
    }

    /// The tag that the check has in Django, or would have there.
    #[must_use]
    pub fn tag(&self) -> &'static str {
        match self.id {
            "djauth.E001" | "djauth.E002" => "database",
            id if id.starts_with("auth.") => "models",
            id if id.starts_with("mail.") => "mail",
            _ => "security",
        }
    }

    /// Where failed logins are counted, looked at for `check --deploy`.
    #[must_use]
    pub fn login_rate_limit(place: Place) -> Option<Self> {
        if place != Place::Memory {
            return None;
        }
        let text = "each process counts failed logins for itself, and forgets them when it ends";
        let message = Self::new(Level::Warning, "djauth.W007", text).object("CACHE_URL");
        Some(message.hint("name a Redis that all processes share"))
    }

    fn object(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for CheckMessage {
    /// In Django's form: `object: (id) text`, and the hint on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = self.object.as_deref().unwrap_or("?");
        write!(f, "{object}: ({}) {}", self.id, self.text)?;
        match &self.hint {
            Some(hint) => write!(f, "\n\tHINT: {hint}"),
            None => Ok(()),
        }
    }
}
