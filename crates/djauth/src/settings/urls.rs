//! `DATABASE_URL` and `CACHE_URL`.

use std::fmt;

use serde_json::Value as Json;

use super::kind::{HIDDEN, Kind, Optional, expected};

/// A URL that may hold a password. `Debug` and `Display` hide it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// Takes a URL as it is; whether it can be used is found when it is.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The URL with its password, for the driver alone.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What stands before `://`, such as `postgres`; empty when there is no such mark.
    pub fn scheme(&self) -> &str {
        self.0.split_once("://").map_or("", |(scheme, _)| scheme)
    }
}

impl fmt::Display for SecretUrl {
    /// The URL without its password. Parameters after `?` are hidden too when there are any,
    /// because drivers take passwords there as well.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return f.write_str(HIDDEN);
        };
        if scheme == "sqlite" {
            return f.write_str(&self.0);
        }
        // At the last `@`: passwords may hold any other mark that is not encoded.
        let (login, place) = rest
            .rsplit_once('@')
            .map_or((None, rest), |(login, place)| (Some(login), place));
        write!(f, "{scheme}://")?;
        if let Some(login) = login {
            let (user, password) = login
                .split_once(':')
                .map_or((login, ""), |(user, _)| (user, HIDDEN));
            let colon = if password.is_empty() { "" } else { ":" };
            write!(f, "{user}{colon}{password}@")?;
        }
        match place.split_once('?') {
            None => f.write_str(place),
            Some((place, _)) => write!(f, "{place}?{HIDDEN}"),
        }
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUrl({self})")
    }
}

fn read<K: Kind>(json: &Json) -> Result<SecretUrl, String> {
    json.as_str().map(SecretUrl::new).ok_or_else(expected::<K>)
}

/// `DATABASE_URL`.
pub(super) struct DatabaseUrl;

impl Kind for DatabaseUrl {
    type Value = SecretUrl;
    const EXPECTED: &'static str =
        "sqlite://PATH, postgres://USER:PASSWORD@HOST/NAME or mysql://USER:PASSWORD@HOST/NAME";
    const SECRET: bool = true;

    fn read(json: &Json) -> Result<SecretUrl, String> {
        read::<Self>(json)
    }

    fn show(value: &SecretUrl) -> Json {
        value.to_string().into()
    }

    fn from_environment(text: &str) -> Json {
        text.into()
    }

    fn check(value: &SecretUrl) -> Result<(), String> {
        let known = matches!(
            value.scheme(),
            "sqlite" | "postgres" | "postgresql" | "mysql" | "mariadb"
        );
        if known {
            Ok(())
        } else {
            Err(expected::<Self>())
        }
    }
}

/// `CACHE_URL`.
pub(super) struct CacheUrl;

impl Kind for CacheUrl {
    type Value = SecretUrl;
    const EXPECTED: &'static str = "redis://HOST:PORT/NUMBER";
    const SECRET: bool = true;

    fn read(json: &Json) -> Result<SecretUrl, String> {
        read::<Self>(json)
    }

    fn show(value: &SecretUrl) -> Json {
        value.to_string().into()
    }

    fn from_environment(text: &str) -> Json {
        text.into()
    }

    fn check(value: &SecretUrl) -> Result<(), String> {
        match value.scheme() {
            "redis" => Ok(()),
            "rediss" => Err(
                "rediss:// (Redis over TLS) is not supported: use redis:// on a private network, \
                 or a tunnel beside the server"
                    .into(),
            ),
            _ => Err(expected::<Self>()),
        }
    }
}

impl Optional for CacheUrl {
    const OPTIONAL: &'static str = "redis://HOST:PORT/NUMBER, or null";
}
