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
        RejectReason::NoCsrfCookie => "csrf.advice_cookies",
        RejectReason::NoReferer => "csrf.advice_referer",
        _ => "csrf.advice_reload",
    };
    let values = context! {
        no_cookie => reason == RejectReason::NoCsrfCookie,
        no_referer => reason == RejectReason::NoReferer,
    };
    let page = ErrorPage::new(StatusCode::FORBIDDEN, "csrf.title", "csrf.text");
    page.template("403_csrf.html", values)
        .code("csrf_failed")
        .say("reason", reason.key())
        .say("advice", advice)
        .response()
}
