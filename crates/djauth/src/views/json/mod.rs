//! The same views for single-page and mobile clients: JSON in, JSON out.
//!
//! Each page of [`Auth::urls`](crate::Auth::urls) answers in JSON who wants JSON
//! ([`Request::wants_json`](crate::Request::wants_json)), at the same address, with the same rules,
//! steps and limits. [`Auth::json_urls`](crate::Auth::json_urls) adds what has no page: `csrf/`,
//! `whoami/` and the description of it all, `openapi.json`.
//!
//! | | status | body |
//! |---|---|---|
//! | a form, to be shown | 200 | `{"form": {"fields": […]}, "csrf_token": …}` |
//! | done: where a browser would be led | 200 | `{"redirect_to": …, "csrf_token": …}` |
//! | a page without a form | 200 | `{"title": …, "csrf_token": …}` |
//! | a form with errors | 400 | `{"error": {"code": "invalid_form", "message": …, "fields": {NAME: [{"code": …}]}}}` |
//! | nobody is logged in | 401 | `{"error": {"code": "not_authenticated", "message": …, "login_url": …}}` |
//! | everything else | 400 … 503 | `{"error": {"code": …, "message": …}}` |
//!
//! Codes of fields are Django's; errors of the whole form stand under `__all__`. What is sent is an
//! object of texts and booleans, of type `application/json` and of no other; the CSRF token of an
//! answer goes into the header `X-CSRFToken`. There are no CORS headers: another site's pages can
//! neither send such a request nor read an answer.

mod read;
mod routes;
mod write;

pub(super) use read::read;
pub(super) use write::{bodies, respond};
