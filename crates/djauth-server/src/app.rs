//! The pages and the answers of the server.

use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use djauth::views::verify;
use djauth::{Auth, BaseUser};

use crate::guard::guard;

/// Everything that is served, with the guard around it.
pub(crate) fn router<U: BaseUser>(auth: &Auth<U>) -> Router {
    let limit = Duration::from_secs(auth.settings().server_request_timeout);
    let templates = auth.templates().clone();
    Router::new()
        .route("/", auth.landing_page())
        // Django's default LOGIN_REDIRECT_URL.
        .route("/accounts/profile/", auth.landing_page())
        .nest("/accounts", auth.urls())
        .fallback(auth.not_found())
        .layer(auth.layer())
        // Outside of the layer: the proxy that asks sends its own host, and throws cookies away.
        .route("/auth/verify", verify(auth))
        .layer(from_fn(move |request, next| {
            guard(limit, templates.clone(), request, next)
        }))
}
