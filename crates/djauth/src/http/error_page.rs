//! Small pages for what went wrong: one heading, one sentence, nothing that the request said.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};

/// A page with this status.
pub(crate) fn error_page(status: StatusCode, heading: &str, text: &str) -> Response<Body> {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{heading}</title>\n\
         </head>\n<body>\n<main>\n<h1>{heading}</h1>\n<p>{text}</p>\n</main>\n</body>\n</html>\n"
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
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
