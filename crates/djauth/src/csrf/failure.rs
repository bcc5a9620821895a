//! The page for a refused request: `django.views.csrf.csrf_failure`.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use minijinja::context;

use super::RejectReason;
use crate::http::ErrorPage;

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
    let text = format!("{reason} {advice}");
    let values = context! {
        reason => reason.to_string(),
        advice,
        no_cookie => reason == RejectReason::NoCsrfCookie,
        no_referer => reason == RejectReason::NoReferer,
    };
    ErrorPage::new(StatusCode::FORBIDDEN, "The form was not accepted", &text)
        .template("403_csrf.html", values)
        .response()
}
