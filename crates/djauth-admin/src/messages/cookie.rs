//! `CookieStorage`.

use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use djauth::http::SetCookie;
use djauth::{Error, Request, Settings};
use djauth_signing::signing::{TimestampSigner, get_cookie_signer};
use djauth_signing::{Clock, SecretKeys, json};
use serde_json::Value as Json;

use super::Message;

pub(super) const NAME: &str = "messages";
const SALT: &str = "django.contrib.messages";

/// The longest value of the cookie, in bytes.
const MAX_SIZE: usize = 2048;

/// What stands behind the last message when there are more in the session.
const NOT_FINISHED: &str = "__messagesnotfinished__";

fn signer(keys: &SecretKeys) -> TimestampSigner {
    get_cookie_signer(keys, SALT)
}

/// The messages of the cookie, and whether there are more elsewhere. `None`: there is no cookie. One that
/// is broken, or that somebody else made, is as one without messages, and will be removed.
pub(super) fn read(
    request: &Request,
    keys: &SecretKeys,
    clock: &dyn Clock,
) -> Option<(Vec<Message>, bool)> {
    let value = request
        .cookies()
        .get(NAME)
        .filter(|value| !value.is_empty())?;
    Some(decode(value, keys, clock).unwrap_or_default())
}

pub(super) fn decode(
    value: &str,
    keys: &SecretKeys,
    clock: &dyn Clock,
) -> Option<(Vec<Message>, bool)> {
    let json: Json = signer(keys).unsign_object(value, None, clock).ok()?;
    let parts = json.as_array()?;
    let has_more = parts.last().and_then(Json::as_str) == Some(NOT_FINISHED);
    Some((
        parts.iter().filter_map(Message::from_json).collect(),
        has_more,
    ))
}

/// The value of the cookie, and how many messages fit into it. The oldest go first: whoever reads them
/// shows them in the order in which they were left.
pub(super) fn write(
    messages: &[Message],
    keys: &SecretKeys,
    clock: &dyn Clock,
) -> Result<(String, usize), Error> {
    let signer = signer(keys);
    let encode = |parts: Vec<Json>| {
        let text = json::to_string(&Json::Array(parts));
        let text = text.map_err(|error| Error::value(error.to_string()))?;
        Ok::<_, Error>(signer.sign_bytes(text.as_bytes(), true, clock))
    };
    let parts: Vec<_> = messages.iter().map(Message::to_json).collect();
    let whole = encode(parts.clone())?;
    if whole.len() <= MAX_SIZE {
        return Ok((whole, messages.len()));
    }
    let first = |count: usize| {
        let some = parts[..count].iter().cloned();
        encode(some.chain([NOT_FINISHED.into()]).collect())
    };
    let fits = bisect_keep_left(parts.len(), |count| {
        first(count).is_ok_and(|value| value.len() <= MAX_SIZE)
    });
    Ok((first(fits)?, fits))
}

/// Django's search for how many fit: compression makes the size no function that always grows, so the
/// same questions are asked in the same order.
fn bisect_keep_left(length: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, length);
    while low < high {
        let middle = usize::midpoint(low, high);
        match fits(middle + 1) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low
}

/// The attributes are those of the session's cookie; it ends with the browser.
pub(super) fn set(settings: &Settings, headers: &mut HeaderMap, value: &str) {
    let cookie = SetCookie::new(NAME, value)
        .domain(settings.session_cookie_domain.as_deref())
        .secure(settings.session_cookie_secure)
        .http_only(settings.session_cookie_httponly)
        .same_site(settings.session_cookie_samesite.value());
    append(headers, &cookie);
}

pub(super) fn delete(settings: &Settings, headers: &mut HeaderMap) {
    let domain = settings.session_cookie_domain.as_deref();
    let same_site = settings.session_cookie_samesite.value();
    append(headers, &SetCookie::delete(NAME, "/", domain, same_site));
}

fn append(headers: &mut HeaderMap, cookie: &SetCookie) {
    match cookie.to_header_value() {
        Ok(value) => drop(headers.append(SET_COOKIE, value)),
        Err(_) => tracing::error!("the SESSION_COOKIE_* settings make no cookie for messages"),
    }
}
