//! Answers that the layer makes itself, and what it adds to others.

use axum::http::header::{CONTENT_LANGUAGE, CONTENT_LENGTH, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use djauth_sessions::{CookieAction, Outcome};
use http_body::Body as _;

use crate::http::{
    ErrorPage, Request, SetCookie, error_page, http_date, patch_vary_headers, try_again_later,
};
use crate::settings::Settings;
use crate::{Error, ErrorKind};

/// The answer to a request whose host is not ours.
pub(super) fn bad_host(request: &Request) -> Response {
    let host = request.header("host");
    tracing::error!(
        target: "django.security.DisallowedHost", ?request, ?host,
        "the host is malformed or not one of ALLOWED_HOSTS"
    );
    error_page(
        StatusCode::BAD_REQUEST,
        "error_page.bad_request",
        "error_page.host",
    )
}

/// The answer to a failure: what passes by itself is 503 with a time to come back, too many attempts
/// to log in 429 with such a time, a session that was
/// deleted meanwhile 400, everything else 500. Never an answer to who somebody is or what they may do.
pub(crate) fn failure(error: &Error) -> Response {
    if let Some(wait) = error.try_again_after() {
        let status = match error.kind() {
            ErrorKind::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        tracing::warn!(target: "django.request", %error, "not answered now");
        return try_again_later(status, wait);
    }
    if *error.kind() == ErrorKind::SessionInterrupted {
        tracing::warn!(target: "django.request", %error, "the session was deleted meanwhile");
        return ErrorPage::new(
            StatusCode::BAD_REQUEST,
            "error_page.session_ended",
            "error_page.session_ended_text",
        )
        .code("session_ended")
        .response();
    }
    tracing::error!(target: "django.request", ?error, "a request failed");
    ErrorPage::of(StatusCode::INTERNAL_SERVER_ERROR).response()
}

/// `Content-Length` where it is known and not set (`CommonMiddleware`). A response to HEAD no longer
/// has the body whose length would count.
pub(super) fn set_content_length(request: &Request, response: &mut Response) {
    let bodiless = [
        StatusCode::NO_CONTENT,
        StatusCode::NOT_MODIFIED,
        StatusCode::SWITCHING_PROTOCOLS,
    ];
    if request.method() == Method::HEAD || bodiless.contains(&response.status()) {
        return;
    }
    if let Some(length) = response.body().size_hint().exact() {
        let length = HeaderValue::from(length);
        response
            .headers_mut()
            .entry(CONTENT_LENGTH)
            .or_insert(length);
    }
}

/// Says in which language the response is, where the client's wish decided that (`LocaleMiddleware`).
/// Django leaves `Cookie` out of `Vary`, though the language may come from one.
pub(super) fn language(request: &Request, headers: &mut HeaderMap) {
    if let Some(language) = request.language_of_response() {
        patch_vary_headers(headers, &["Cookie", "Accept-Language"]);
        let code = HeaderValue::from_static(language.code());
        headers.entry(CONTENT_LANGUAGE).or_insert(code);
    }
}

/// Sets or deletes the session cookie, and adds `Vary`.
pub(super) fn session_cookie(settings: &Settings, outcome: Outcome, headers: &mut HeaderMap) {
    let cookie = match outcome.cookie {
        CookieAction::Delete => Some(SetCookie::delete(
            &*settings.session_cookie_name,
            &*settings.session_cookie_path,
            settings.session_cookie_domain.as_deref(),
            settings.session_cookie_samesite.value(),
        )),
        CookieAction::Set {
            value,
            max_age,
            expires,
        } => {
            let cookie = SetCookie::new(&*settings.session_cookie_name, value)
                .path(&*settings.session_cookie_path)
                .domain(settings.session_cookie_domain.as_deref())
                .secure(settings.session_cookie_secure)
                .http_only(settings.session_cookie_httponly)
                .same_site(settings.session_cookie_samesite.value());
            Some(cookie.lifetime(max_age, expires.map(http_date)))
        }
        _ => None,
    };
    match cookie.map(|cookie| cookie.to_header_value()) {
        Some(Ok(cookie)) => drop(headers.append(SET_COOKIE, cookie)),
        Some(Err(_)) => tracing::error!("the SESSION_COOKIE_* settings make no cookie"),
        None => {}
    }
    if outcome.vary {
        patch_vary_headers(headers, &["Cookie"]);
    }
}
