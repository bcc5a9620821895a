//! Settings that name a class of Django: hashers, backends, engines.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::kind::{Kind, expected, list};
use super::{ImproperlyConfigured, Settings};

/// A class that djauth has, by Django's dotted path and by a short name.
struct Class {
    path: &'static str,
    short: &'static str,
}

const PASSWORD_HASHERS: [Class; 10] = [
    Class {
        path: "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        short: "pbkdf2_sha256",
    },
    Class {
        path: "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
        short: "pbkdf2_sha1",
    },
    Class {
        path: "django.contrib.auth.hashers.Argon2PasswordHasher",
        short: "argon2",
    },
    Class {
        path: "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
        short: "bcrypt_sha256",
    },
    Class {
        path: "django.contrib.auth.hashers.BCryptPasswordHasher",
        short: "bcrypt",
    },
    Class {
        path: "django.contrib.auth.hashers.ScryptPasswordHasher",
        short: "scrypt",
    },
    Class {
        path: "django.contrib.auth.hashers.MD5PasswordHasher",
        short: "md5",
    },
    Class {
        path: "django.contrib.auth.hashers.SHA1PasswordHasher",
        short: "sha1",
    },
    Class {
        path: "django.contrib.auth.hashers.UnsaltedMD5PasswordHasher",
        short: "unsalted_md5",
    },
    Class {
        path: "django.contrib.auth.hashers.UnsaltedSHA1PasswordHasher",
        short: "unsalted_sha1",
    },
];

const BACKENDS: [Class; 5] = [
    Class {
        path: "django.contrib.auth.backends.BaseBackend",
        short: "BaseBackend",
    },
    Class {
        path: "django.contrib.auth.backends.ModelBackend",
        short: "ModelBackend",
    },
    Class {
        path: "django.contrib.auth.backends.AllowAllUsersModelBackend",
        short: "AllowAllUsersModelBackend",
    },
    Class {
        path: "django.contrib.auth.backends.RemoteUserBackend",
        short: "RemoteUserBackend",
    },
    Class {
        path: "django.contrib.auth.backends.AllowAllUsersRemoteUserBackend",
        short: "AllowAllUsersRemoteUserBackend",
    },
];

/// The dotted path of the class that `name` means.
fn resolve(classes: &[Class], name: &str) -> Option<&'static str> {
    let class = classes
        .iter()
        .find(|class| class.path == name || class.short == name)?;
    Some(class.path)
}

/// Reads a list of classes; the complaint names the one that is not known and those that are.
fn read_classes<K: Kind>(classes: &[Class], json: &Json) -> Result<Vec<String>, String> {
    let names = list::<K>(json)?;
    names
        .iter()
        .map(|name| read_class::<K>(classes, name))
        .collect()
}

fn read_class<K: Kind>(classes: &[Class], json: &Json) -> Result<String, String> {
    let name = json.as_str().ok_or_else(expected::<K>)?;
    let known = || {
        classes
            .iter()
            .map(|class| class.short)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let path = resolve(classes, name);
    path.map(str::to_owned).ok_or_else(|| {
        format!(
            "{name:?} is not known; expected dotted paths of Django's or short names: {}",
            known()
        )
    })
}

fn not_empty<K: Kind>(names: &[String]) -> Result<(), String> {
    if names.is_empty() {
        Err(format!("is empty; {}", expected::<K>()))
    } else {
        Ok(())
    }
}

/// `PASSWORD_HASHERS`: kept as dotted paths.
pub(super) struct PasswordHashers;

impl Kind for PasswordHashers {
    type Value = Vec<String>;
    const EXPECTED: &'static str =
        "a list of hashers by dotted path or short name, such as [\"pbkdf2_sha256\", \"argon2\"]";

    fn read(json: &Json) -> Result<Vec<String>, String> {
        read_classes::<Self>(&PASSWORD_HASHERS, json)
    }

    fn show(value: &Vec<String>) -> Json {
        value.clone().into()
    }

    fn check(value: &Vec<String>) -> Result<(), String> {
        not_empty::<Self>(value)
    }
}

/// `AUTHENTICATION_BACKENDS`: kept as dotted paths. Names set in Rust may be an application's own.
pub(super) struct Backends;

impl Kind for Backends {
    type Value = Vec<String>;
    const EXPECTED: &'static str = "a list of backends by dotted path or short name, such as [\"ModelBackend\"]; \
        what is not Django's must be in AUTHENTICATION_BACKEND_ALIASES";

    fn read(json: &Json) -> Result<Vec<String>, String> {
        let names = list::<Self>(json)?.iter().map(|name| {
            let name = name.as_str().ok_or_else(expected::<Self>)?;
            Ok(resolve(&BACKENDS, name).unwrap_or(name).to_owned())
        });
        names.collect()
    }

    fn show(value: &Vec<String>) -> Json {
        value.clone().into()
    }

    fn check(value: &Vec<String>) -> Result<(), String> {
        not_empty::<Self>(value)
    }
}

/// `AUTHENTICATION_BACKEND_ALIASES`: foreign paths, with the built-in backend that takes the place of each.
pub(super) struct BackendAliases;

impl Kind for BackendAliases {
    type Value = BTreeMap<String, String>;
    const EXPECTED: &'static str = "a table from dotted paths to built-in backends, such as \
        {\"allauth.account.auth_backends.AuthenticationBackend\": \"ModelBackend\"}";

    fn read(json: &Json) -> Result<Self::Value, String> {
        let table = json.as_object().ok_or_else(expected::<Self>)?;
        let pairs = table.iter().map(|(path, name)| {
            let builtin = read_class::<Self>(&BACKENDS, name)?;
            Ok((path.clone(), builtin))
        });
        pairs.collect()
    }

    fn show(value: &Self::Value) -> Json {
        let pairs = value
            .iter()
            .map(|(path, builtin)| (path.clone(), builtin.as_str().into()));
        Json::Object(pairs.collect())
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        let foreign = |path: &str| path.contains('.') && resolve(&BACKENDS, path).is_none();
        match value.keys().find(|path| !foreign(path)) {
            Some(path) => Err(format!("{path:?} is not the path of a foreign backend")),
            None => Ok(()),
        }
    }
}

impl Settings {
    /// The built-in backend that a path means: itself, or what the aliases say.
    pub(crate) fn builtin_backend<'a>(&'a self, path: &'a str) -> Option<&'a str> {
        match self.authentication_backend_aliases.get(path) {
            Some(builtin) => Some(builtin),
            None => resolve(&BACKENDS, path),
        }
    }

    /// Refuses backends of a file that nobody can find. (A program may add its own in Rust.)
    pub(super) fn validate_backends(&self) -> Result<(), ImproperlyConfigured> {
        let mut paths = self.authentication_backends.iter();
        match paths.find(|path| self.builtin_backend(path).is_none()) {
            Some(path) => Err(ImproperlyConfigured::setting(
                "AUTHENTICATION_BACKENDS",
                format!(
                    "{path:?} is not known; expected {}, or a path in AUTHENTICATION_BACKEND_ALIASES",
                    BACKENDS.map(|class| class.short).join(", ")
                ),
            )),
            None => Ok(()),
        }
    }
}

/// The five places where Django keeps sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionEngine {
    /// `django.contrib.sessions.backends.db`: a row of `django_session`.
    Db,
    /// `django.contrib.sessions.backends.cached_db`: the row, and a copy in the cache.
    CachedDb,
    /// `django.contrib.sessions.backends.cache`: the cache alone.
    Cache,
    /// `django.contrib.sessions.backends.file`: a file for each session.
    File,
    /// `django.contrib.sessions.backends.signed_cookies`: the cookie itself.
    SignedCookies,
}

impl SessionEngine {
    const ALL: [Self; 5] = [
        Self::Db,
        Self::CachedDb,
        Self::Cache,
        Self::File,
        Self::SignedCookies,
    ];

    /// The engine's dotted path, as Django's `SESSION_ENGINE` has it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Db => "django.contrib.sessions.backends.db",
            Self::CachedDb => "django.contrib.sessions.backends.cached_db",
            Self::Cache => "django.contrib.sessions.backends.cache",
            Self::File => "django.contrib.sessions.backends.file",
            Self::SignedCookies => "django.contrib.sessions.backends.signed_cookies",
        }
    }

    /// The last part of the path, which also names the engine.
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Db => "db",
            Self::CachedDb => "cached_db",
            Self::Cache => "cache",
            Self::File => "file",
            Self::SignedCookies => "signed_cookies",
        }
    }

    /// Whether the engine needs `CACHE_URL`.
    pub const fn needs_cache(self) -> bool {
        matches!(self, Self::CachedDb | Self::Cache)
    }
}

/// `SESSION_ENGINE`.
pub(super) struct Engine;

impl Kind for Engine {
    type Value = SessionEngine;
    const EXPECTED: &'static str = "\"db\", \"cached_db\", \"cache\", \"file\" or \"signed_cookies\", \
        or the same after \"django.contrib.sessions.backends.\"";

    fn read(json: &Json) -> Result<SessionEngine, String> {
        let name = json.as_str().ok_or_else(expected::<Self>)?;
        let mut engines = SessionEngine::ALL.into_iter();
        let engine = engines.find(|engine| engine.path() == name || engine.short_name() == name);
        engine.ok_or_else(expected::<Self>)
    }

    fn show(value: &SessionEngine) -> Json {
        value.path().into()
    }

    fn from_environment(text: &str) -> Json {
        text.into()
    }
}

/// `CSRF_FAILURE_VIEW`: only Django's own name can be given; an application that wants another page
/// overrides the template `403_csrf.html`.
pub(super) struct FailureView;

impl Kind for FailureView {
    type Value = String;
    const EXPECTED: &'static str =
        "\"django.views.csrf.csrf_failure\" (for another page override the template 403_csrf.html)";

    fn read(json: &Json) -> Result<String, String> {
        json.as_str()
            .map(str::to_owned)
            .ok_or_else(expected::<Self>)
    }

    fn show(value: &String) -> Json {
        value.as_str().into()
    }

    fn from_environment(text: &str) -> Json {
        text.into()
    }

    fn check(value: &String) -> Result<(), String> {
        if value == "django.views.csrf.csrf_failure" {
            Ok(())
        } else {
            Err(expected::<Self>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hasher_that_can_be_named_exists() {
        let parameters = djauth_hashers::Parameters::default();
        for class in PASSWORD_HASHERS {
            let by_path = djauth_hashers::Hashers::from_names(&[class.path], &parameters).unwrap();
            assert_eq!(by_path.preferred().algorithm(), class.short);
        }
    }
}
