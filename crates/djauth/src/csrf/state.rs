//! The secret of one request: where it comes from, and where it goes.

use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use chrono::{DateTime, Utc};
use djauth_sessions::Session;
use parking_lot::Mutex;

use super::RejectReason;
use super::token::{is_well_formed, mask, new_secret, unmask};
use crate::http::{Request, SetCookie, patch_vary_headers};
use crate::mixins::Rejection;

/// Where the session keeps the secret under `CSRF_USE_SESSIONS`.
pub const CSRF_SESSION_KEY: &str = "_csrftoken";

/// The secret of one request, shared by its clones.
#[derive(Clone, Default)]
pub struct CsrfState(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Django's `request.META["CSRF_COOKIE"]`.
    secret: Option<String>,
    /// Django's `CSRF_COOKIE_NEEDS_UPDATE`: the response (re)sends the cookie.
    needs_update: bool,
}

impl CsrfState {
    /// A token for a form or page of this request, masked anew at every call (`get_token`). The
    /// response then carries the cookie and varies by it.
    pub fn get_token(&self) -> String {
        let mut state = self.0.lock();
        state.needs_update = true;
        mask(state.secret.get_or_insert_with(new_secret))
    }

    /// Replaces the secret, as `login` does (`rotate_token`). Checks of this request are not touched:
    /// they compare with what the request brought.
    pub fn rotate_token(&self) {
        *self.0.lock() = State {
            secret: Some(new_secret()),
            needs_update: true,
        };
    }

    fn pending(&self) -> Option<String> {
        let mut state = self.0.lock();
        std::mem::take(&mut state.needs_update).then(|| state.secret.clone())?
    }
}

/// Shows no secret.
impl fmt::Debug for CsrfState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needs_update = self.0.lock().needs_update;
        f.debug_struct("CsrfState")
            .field("needs_update", &needs_update)
            .finish_non_exhaustive()
    }
}

/// The secret that the request's cookie holds. Cookies of Django before 4.0 hold it masked.
fn cookie_secret(request: &Request) -> Result<Option<String>, RejectReason> {
    let Some(cookie) = request.cookies().get(&request.settings().csrf_cookie_name) else {
        return Ok(None);
    };
    is_well_formed(cookie).map_err(RejectReason::malformed_cookie)?;
    Ok(Some(unmask(cookie)))
}

/// Takes over the secret that the request brought; a malformed cookie is replaced by a new secret.
/// Answers what the request's token will be compared with.
pub(crate) async fn process_request(
    request: &Request,
) -> djauth_sessions::Result<Result<Option<String>, RejectReason>> {
    let secret = if request.settings().csrf_use_sessions {
        let stored = request.session().get_str(CSRF_SESSION_KEY).await?;
        Ok(stored.as_deref().map(unmask))
    } else {
        cookie_secret(request)
    };
    match &secret {
        Ok(secret) => request.csrf().0.lock().secret.clone_from(secret),
        Err(_) => request.csrf().rotate_token(),
    }
    Ok(secret)
}

/// Sends the secret where a token was taken or the secret was replaced: into the session, or in a
/// cookie with `Vary`.
pub(crate) async fn process_response(
    request: &Request,
    headers: &mut HeaderMap,
    now: DateTime<Utc>,
) -> djauth_sessions::Result<()> {
    let Some(secret) = request.csrf().pending() else {
        return Ok(());
    };
    if request.settings().csrf_use_sessions {
        return store(request.session(), &secret).await;
    }
    if let Some(cookie) = cookie(request, secret, now) {
        headers.append(SET_COOKIE, cookie);
    }
    patch_vary_headers(headers, &["Cookie"]);
    Ok(())
}

async fn store(session: &Session, secret: &str) -> djauth_sessions::Result<()> {
    if session.get_str(CSRF_SESSION_KEY).await?.as_deref() != Some(secret) {
        session.insert(CSRF_SESSION_KEY, secret).await?;
    }
    Ok(())
}

fn cookie(request: &Request, secret: String, now: DateTime<Utc>) -> Option<HeaderValue> {
    let settings = request.settings();
    let mut cookie = SetCookie::new(&*settings.csrf_cookie_name, secret)
        .path(&*settings.csrf_cookie_path)
        .domain(settings.csrf_cookie_domain.as_deref())
        .secure(settings.csrf_cookie_secure)
        .http_only(settings.csrf_cookie_httponly)
        .same_site(settings.csrf_cookie_samesite.value());
    if let Some(age) = settings.csrf_cookie_age {
        cookie = cookie.max_age(i64::try_from(age).unwrap_or(i64::MAX), now);
    }
    let value = cookie.to_header_value();
    value
        .inspect_err(|_| tracing::error!("the CSRF_COOKIE_* settings make no cookie"))
        .ok()
}

/// The token for a form of this request: put it into the field
/// [`csrfmiddlewaretoken`](super::CSRF_FIELD_NAME).
///
/// Taking it sends the cookie along with the response. The layer must be there:
/// `.layer(auth.layer())`.
#[derive(Clone)]
pub struct CsrfToken(String);

impl CsrfToken {
    /// The token: 64 letters and digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shows no token.
impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfToken(…)")
    }
}

impl<S: Sync> FromRequestParts<S> for CsrfToken {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let request = parts.extensions.get::<Request>();
        let request = request.ok_or(Rejection::MissingLayer { what: "CsrfToken" })?;
        Ok(CsrfToken(request.csrf().get_token()))
    }
}
