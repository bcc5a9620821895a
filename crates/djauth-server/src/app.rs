//! The pages and the answers of the server.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use djauth::views::{verify, verify_original};
use djauth::{Auth, BaseUser};
use http::{StatusCode, header};

use crate::guard::Guard;
use crate::health::Health;
use crate::metrics::Metrics;

/// Everything that is served, with the guard around it.
pub(crate) fn router<U: BaseUser>(auth: &Auth<U>, metrics: Option<Arc<Metrics>>) -> Router {
    let guard = Arc::new(Guard {
        auth: auth.clone(),
        health: Health::of(auth.settings()),
        metrics,
    });
    Router::new()
        .route("/", auth.landing_page())
        // Django's default LOGIN_REDIRECT_URL.
        .route("/accounts/profile/", auth.landing_page())
        .route("/accounts/profile", auth.append_slash())
        .nest("/accounts", auth.urls().merge(auth.json_urls()))
        .fallback(auth.not_found())
        .layer(auth.layer())
        // Outside of the layer: the proxy that asks sends its own host, and throws cookies away.
        .route("/auth/verify", verify(auth))
        .merge(verify_original(auth, "/auth/original"))
        .route("/favicon.ico", get(no_icon))
        .layer(from_fn(move |request, next| {
            let guard = guard.clone();
            async move { guard.answer(request, next).await }
        }))
}

/// Browsers ask for it with every site; a 404 each time would fill the log.
async fn no_icon() -> (StatusCode, [(header::HeaderName, &'static str); 1]) {
    let day = [(header::CACHE_CONTROL, "public, max-age=86400")];
    (StatusCode::NO_CONTENT, day)
}
