//! Redirects: `HttpResponseRedirect` and `redirect_to_login`.

use std::fmt;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, Response, StatusCode};

use super::{DATA_UPLOAD_MAX_NUMBER_FIELDS, QueryDict, iri_to_uri, urlsplit};

/// The longest `Location`, in characters after quoting (`MAX_URL_REDIRECT_LENGTH`).
pub const MAX_URL_REDIRECT_LENGTH: usize = 16384;

/// A redirect to where no redirect may lead: too long, or another scheme than http, https and ftp
/// (`django.core.exceptions.DisallowedRedirect`): answered with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisallowedRedirect;

impl fmt::Display for DisallowedRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a redirect to this address is not allowed")
    }
}

impl std::error::Error for DisallowedRedirect {}

/// A 302 with an empty body (`django.http.HttpResponseRedirect`).
///
/// # Errors
/// [`DisallowedRedirect`], also for an address that cannot be taken apart, where Django fails.
pub fn redirect(to: &str) -> Result<Response<Body>, DisallowedRedirect> {
    let location = HeaderValue::try_from(redirect_location(to)?).map_err(|_| DisallowedRedirect)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(LOCATION, location);
    Ok(response)
}

/// The `Location` of a redirect to `to`.
fn redirect_location(to: &str) -> Result<String, DisallowedRedirect> {
    if to.len() > MAX_URL_REDIRECT_LENGTH {
        return Err(DisallowedRedirect);
    }
    let location = iri_to_uri(to);
    let scheme = urlsplit(to).map_err(|_| DisallowedRedirect)?.scheme;
    let allowed = ["", "http", "https", "ftp"].contains(&scheme.as_str());
    if location.len() > MAX_URL_REDIRECT_LENGTH || !allowed {
        return Err(DisallowedRedirect);
    }
    Ok(location)
}

/// The login page with the page to come back to in its query string, in place of a field of that
/// name (`django.contrib.auth.views.redirect_to_login`). An empty `redirect_field_name` adds nothing.
/// Hand the result to [`redirect`].
///
/// A login URL that cannot be taken apart is returned as it is.
pub fn redirect_to_login(next: &str, login_url: &str, redirect_field_name: &str) -> String {
    let Ok(mut parts) = urlsplit(login_url) else {
        return login_url.to_owned();
    };
    if !redirect_field_name.is_empty() {
        let query = QueryDict::parse(parts.query.as_bytes(), DATA_UPLOAD_MAX_NUMBER_FIELDS);
        let Ok(mut query) = query else {
            return login_url.to_owned();
        };
        query.set(redirect_field_name, next);
        parts.query = query.urlencode_safe("/");
    }
    parts.to_string()
}
