//! The page for a refused request: `django.views.csrf.csrf_failure`.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};

use super::RejectReason;

/// A 403 page that says what to do. The reason is told to everybody: it holds nothing that the request
/// said, and whoever made the request knows it.
pub(crate) fn csrf_failure(reason: RejectReason) -> Response<Body> {
    let advice = match reason {
        RejectReason::NoCsrfCookie => "Please allow cookies for this site and try again.",
        RejectReason::NoReferer => {
            "Please let your browser send the Referer header to this site and try again."
        }
        _ => "Please go back, reload the page and send the form again.",
    };
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>The form was not accepted</title>\n</head>\n<body>\n<main>\n\
         <h1>The form was not accepted</h1>\n<p>{reason} {advice}</p>\n</main>\n</body>\n</html>\n"
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::FORBIDDEN;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}
