//! The pages and the answers of the server.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::get;
use djauth::views::{verify, verify_original};
use djauth::{Auth, BaseUser};
use djauth_admin::{AdminExt, AdminSite};
use http::{Method, StatusCode, header};
use hyper::body::Incoming;

use crate::guard::Guard;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::serve::Pages;

/// Where proxies ask.
pub(crate) const VERIFY: &str = "/auth/verify";

/// Everything that is served, with the guard around it.
#[derive(Clone)]
pub(crate) struct App<U: BaseUser> {
    guard: Arc<Guard<U>>,
    router: Router,
}

impl<U: BaseUser> App<U> {
    pub(crate) fn new(auth: &Auth<U>, metrics: Option<Arc<Metrics>>) -> Self {
        let guard = Arc::new(Guard {
            auth: auth.clone(),
            health: Health::of(auth.settings()),
            metrics,
        });
        let router = router(auth, guard.clone());
        Self { guard, router }
    }
}

impl<U: BaseUser> Pages for App<U> {
    /// The question of a proxy, which comes before each request to whatever it guards, goes straight to
    /// its answer: what a router, its layers and their boxes cost is more than the answer does.
    async fn answer(&self, request: hyper::Request<Incoming>, peer: SocketAddr) -> Response {
        let path = request.uri().path();
        if path == VERIFY && request.method() == Method::GET && !self.guard.health.is_at(path) {
            return self.guard.verify(request, peer).await;
        }
        // Boxed, because it is large: whoever holds this future moves it about.
        Box::pin(self.router.answer(request, peer)).await
    }
}

fn router<U: BaseUser>(auth: &Auth<U>, guard: Arc<Guard<U>>) -> Router {
    Router::new()
        .route("/", auth.landing_page())
        // Django's default LOGIN_REDIRECT_URL.
        .route("/accounts/profile/", auth.landing_page())
        .route("/accounts/profile", auth.append_slash())
        .nest("/accounts", accounts(auth))
        .merge(admin(auth))
        .fallback(auth.not_found())
        .layer(auth.layer())
        // Outside of the layer: the proxy that asks sends its own host, and throws cookies away.
        .route(VERIFY, verify(auth))
        .merge(verify_original(auth, "/auth/original"))
        .route("/favicon.ico", get(no_icon))
        .layer(from_fn(move |request, next| {
            let guard = guard.clone();
            async move { guard.answer(request, next).await }
        }))
}

/// The pages of the account, and what programs ask there.
fn accounts<U: BaseUser>(auth: &Auth<U>) -> Router {
    auth.urls()
        .merge(auth.json_urls())
        .merge(auth.account_urls())
}

/// The admin at `ADMIN_URL`, if that names a place.
fn admin<U: BaseUser>(auth: &Auth<U>) -> Router {
    match &*auth.settings().admin_url {
        "" => Router::new(),
        url => AdminSite::new(auth).at(url).router(),
    }
}

/// Browsers ask for it with every site; a 404 each time would fill the log.
async fn no_icon() -> (StatusCode, [(header::HeaderName, &'static str); 1]) {
    let day = [(header::CACHE_CONTROL, "public, max-age=86400")];
    (StatusCode::NO_CONTENT, day)
}
