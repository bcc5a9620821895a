//! The end of a request: whether the session is saved, and what happens to its cookie.

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::Result;
use crate::session::Session;

/// What the response needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What happens to the session cookie.
    pub cookie: CookieAction,
    /// Whether `Cookie` belongs into `Vary`.
    pub vary: bool,
}

/// What happens to the session cookie.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CookieAction {
    /// Nothing is sent.
    Keep,
    /// The cookie is set, with the attributes of the settings.
    Set {
        /// The session key; with the engine `signed_cookies` the session itself.
        value: String,
        /// `Max-Age` in seconds; none for a cookie that ends with the browser.
        max_age: Option<i64>,
        /// `Expires`, in whole seconds; none for a cookie that ends with the browser.
        expires: Option<DateTime<Utc>>,
    },
    /// The cookie is deleted: empty, `Max-Age` 0, `Expires` 1970, same path, domain and `SameSite`.
    Delete,
}

/// The value of the cookie is as good as a password: it is left out.
impl std::fmt::Debug for CookieAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CookieAction::Keep => f.write_str("Keep"),
            CookieAction::Delete => f.write_str("Delete"),
            CookieAction::Set {
                max_age, expires, ..
            } => f
                .debug_struct("Set")
                .field("max_age", max_age)
                .field("expires", expires)
                .finish_non_exhaustive(),
        }
    }
}

/// What is known of a session and its request when the response is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The request had the session cookie, even an unusable one.
    pub had_cookie: bool,
    /// [`Session::is_empty`].
    pub empty: bool,
    /// [`Session::accessed`].
    pub accessed: bool,
    /// [`Session::modified`].
    pub modified: bool,
    /// `SESSION_SAVE_EVERY_REQUEST`.
    pub save_every_request: bool,
    /// The status of the response.
    pub status: u16,
}

/// What follows from [`Facts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Delete the cookie.
    pub delete: bool,
    /// Save the session and set the cookie.
    pub save: bool,
    /// Add `Cookie` to `Vary`.
    pub vary: bool,
}

/// The rules of Django's session middleware, without side effects.
///
/// A response of status 500 and above saves nothing. The loading that a save brings about counts as an
/// access: with `SESSION_SAVE_EVERY_REQUEST` the response varies by the cookie even if nothing but the
/// middleware touched the session (CVE-2026-35192).
pub fn decide(facts: Facts) -> Decision {
    if facts.had_cookie && facts.empty {
        return Decision {
            delete: true,
            save: false,
            vary: true,
        };
    }
    let wants_save = (facts.modified || facts.save_every_request) && !facts.empty;
    let save = wants_save && facts.status < 500;
    Decision {
        delete: false,
        save,
        vary: facts.accessed || save,
    }
}

/// Ends the session's part of a request: saves where [`decide`] says so and tells what to do with the
/// cookie. `had_cookie` is whether the request carried a cookie of that name.
///
/// One rule differs from Django: with `SESSION_SAVE_EVERY_REQUEST` an unknown key in the cookie makes no
/// row; the cookie is deleted, as it is without the setting.
///
/// # Errors
/// [`Interrupted`](crate::ErrorKind::Interrupted) if the session was deleted during the request: Django
/// answers 400. Otherwise those of [`Session::save`]; the response must then not go out as if it
/// had been saved.
pub async fn process_response(session: &Session, had_cookie: bool, status: u16) -> Result<Outcome> {
    let mut decision = decide(facts(session, had_cookie, status));
    if decision.save {
        // Loads; an unknown key shows only now.
        session.read(|_| ()).await?;
        decision = decide(facts(session, had_cookie, status));
    }
    let cookie = match decision {
        Decision { delete: true, .. } => CookieAction::Delete,
        Decision { save: true, .. } => save(session).await?,
        _ => CookieAction::Keep,
    };
    Ok(Outcome {
        cookie,
        vary: decision.vary,
    })
}

fn facts(session: &Session, had_cookie: bool, status: u16) -> Facts {
    Facts {
        had_cookie,
        empty: session.is_empty(),
        accessed: session.accessed(),
        modified: session.modified(),
        save_every_request: session.engine().config().save_every_request,
        status,
    }
}

async fn save(session: &Session) -> Result<CookieAction> {
    let (max_age, expires) = if session.get_expire_at_browser_close().await? {
        (None, None)
    } else {
        let age = session.get_expiry_age().await?;
        (
            Some(age),
            Some(expires(session.engine().config().now(), age)),
        )
    };
    session.save().await?;
    let value = session.session_key().unwrap_or_default();
    Ok(CookieAction::Set {
        value,
        max_age,
        expires,
    })
}

fn expires(now: DateTime<Utc>, age: i64) -> DateTime<Utc> {
    let last = DateTime::from_timestamp(253_402_300_799, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
    TimeDelta::try_seconds(age)
        .and_then(|age| now.checked_add_signed(age))
        .unwrap_or(if age < 0 { DateTime::UNIX_EPOCH } else { last })
        .clamp(DateTime::UNIX_EPOCH, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination against the rules written out once more, the other way round.
    #[test]
    fn the_whole_table() {
        for bits in 0..32u8 {
            for status in [200, 302, 404, 499, 500, 503] {
                let bit = |at: u8| bits >> at & 1 == 1;
                let facts = Facts {
                    had_cookie: bit(0),
                    empty: bit(1),
                    accessed: bit(2),
                    modified: bit(3),
                    save_every_request: bit(4),
                    status,
                };
                let decision = decide(facts);
                assert_eq!(
                    decision.delete,
                    facts.had_cookie && facts.empty,
                    "{facts:?}"
                );
                let changed = facts.modified || facts.save_every_request;
                assert_eq!(
                    decision.save,
                    !facts.empty && changed && status < 500,
                    "{facts:?}"
                );
                let vary = decision.delete || decision.save || facts.accessed;
                assert_eq!(decision.vary, vary, "{facts:?}");
            }
        }
    }

    #[test]
    fn a_stale_cookie_that_nobody_looked_at_stays() {
        let facts = Facts {
            had_cookie: true,
            empty: false,
            accessed: false,
            modified: false,
            save_every_request: false,
            status: 200,
        };
        assert_eq!(
            decide(facts),
            Decision {
                delete: false,
                save: false,
                vary: false
            }
        );
    }

    #[test]
    fn expires_is_clamped() {
        let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        assert_eq!(expires(now, 60), now + TimeDelta::seconds(60));
        assert_eq!(expires(now, i64::MIN), DateTime::UNIX_EPOCH);
        assert_eq!(expires(now, i64::MAX).timestamp(), 253_402_300_799);
    }
}
