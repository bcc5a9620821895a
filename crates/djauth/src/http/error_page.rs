//! Small pages for what went wrong: one heading, one sentence, nothing that the request said.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, Response, StatusCode};
use minijinja::context;

use crate::templates::Templates;

/// A page with this status.
pub(crate) fn error_page(status: StatusCode, heading: &str, text: &str) -> Response<Body> {
    let templates = Templates::built_in();
    let values = context! { heading, text, status => status.as_u16() };
    // The template is built in; should it fail all the same, the text is what matters.
    let page = templates
        .render("error.html", values)
        .unwrap_or_else(|error| {
            tracing::error!(%error, "no error page");
            format!("<!doctype html><title>{heading}</title><h1>{heading}</h1>")
        });
    templates.response(status, page)
}

/// The page of a failure that passes by itself, with the time after which to try again.
pub(crate) fn unavailable(retry_after: Duration) -> Response<Body> {
    let mut response = error_page(
        StatusCode::SERVICE_UNAVAILABLE,
        "The site is not available right now",
        "Please try again in a moment.",
    );
    let seconds = HeaderValue::from(retry_after.as_secs().max(1));
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}
