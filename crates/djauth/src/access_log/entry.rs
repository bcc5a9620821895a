//! What the log keeps of a request.

use std::net::IpAddr;

use axum::http::header::{ACCEPT, USER_AGENT};
use chrono::{DateTime, Utc};
use djauth_sessions::EngineKind;
use sha2::{Digest, Sha256};

use crate::http::Request;

/// The lengths of the columns, in characters.
const USERNAME: usize = 255;
const AGENT: usize = 255;
const ACCEPTED: usize = 1025;
const PATH: usize = 255;
/// What axes writes where a header is missing.
const UNKNOWN: &str = "<unknown>";

/// The columns that both tables have.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) user_agent: String,
    pub(super) ip_address: Option<IpAddr>,
    pub(super) username: Option<String>,
    pub(super) http_accept: String,
    pub(super) path_info: String,
    pub(super) attempt_time: DateTime<Utc>,
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// With the hash of the session's key.
    Login(Entry, String),
    Logout {
        username: String,
        session_hash: String,
        at: DateTime<Utc>,
    },
    Failure(Entry),
}

impl Entry {
    pub(super) fn of(request: &Request, username: Option<&str>, now: DateTime<Utc>) -> Self {
        let header = |name, length| {
            let value = request.header(name);
            kept(value.as_deref().unwrap_or(UNKNOWN), length)
        };
        Self {
            user_agent: header(USER_AGENT, AGENT),
            ip_address: request.client_address(),
            username: username.map(|name| kept(name, USERNAME)),
            http_accept: header(ACCEPT, ACCEPTED),
            path_info: kept(&request.path(), PATH),
            attempt_time: now,
        }
    }
}

/// A name as it is found in the log.
pub(super) fn username(name: &str) -> String {
    kept(name, USERNAME)
}

/// The first characters. PostgreSQL stores no NUL.
fn kept(text: &str, length: usize) -> String {
    let kept = text.chars().take(length);
    kept.map(|c| {
        if c == '\0' {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    })
    .collect()
}

/// The hash of the key under which the request's session is stored, which is stored first if it is not yet. Empty
/// where a session has no key that stays, or where it cannot be stored: somebody else will say so.
pub(super) async fn session_hash(request: &Request) -> String {
    let session = request.session();
    if session.engine().kind() == EngineKind::SignedCookies {
        return String::new();
    }
    if session.session_key().is_none() && session.save().await.is_err() {
        return String::new();
    }
    session
        .session_key()
        .map_or_else(String::new, |key| hash(&key))
}

fn hash(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters_and_hold_no_nul() {
        assert_eq!(kept("a\0b", 9), "a\u{fffd}b");
        assert_eq!(kept(&"👩é".repeat(200), 255).chars().count(), 255);
        assert_eq!(kept("", 1), "");
    }

    /// `hashlib.sha256(b"abc").hexdigest()`.
    #[test]
    fn the_hash_is_that_of_axes() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash("abc"), expected);
    }
}
