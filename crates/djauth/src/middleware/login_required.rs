//! `LoginRequiredMiddleware`.

use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::target::Target;
use crate::Auth;
use crate::base_user::BaseUser;
use crate::http::{Request, urlsplit};
use crate::mixins::{Refusal, login_options};

/// Lets only those in who are logged in, wherever a route is not marked otherwise; mirrors
/// `LoginRequiredMiddleware`. Give it to
/// [`AuthLayer::login_required`](crate::AuthLayer::login_required).
///
/// Open to everybody are the login page and, as [`Auth::urls`] mounts them beside it, the pages that
/// reset a password. Unlike Django's it guards what no route matches too, because a fallback may
/// serve something: there a stranger is sent to the login page instead of a 404
/// ([`fallback_not_required`](Self::fallback_not_required)).
///
/// ```
/// use axum::{Router, routing::get};
/// use djauth::middleware::LoginRequiredMiddleware;
///
/// # fn site(auth: djauth::Auth) -> Router {
/// let members = LoginRequiredMiddleware::new().login_not_required("/about");
/// Router::new()
///     .route("/", get(async || "for members"))
///     .route("/about", get(async || "for all"))
///     .nest("/accounts", auth.urls())
///     .layer(auth.layer().login_required(members))
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct LoginRequiredMiddleware {
    refusal: Refusal,
    open: Vec<String>,
    open_fallback: bool,
}

impl LoginRequiredMiddleware {
    /// As Django's, with `LOGIN_URL` and `next`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a route to everybody: a route as it was given to the router (`/posts/{id}`), or a whole
    /// path.
    #[must_use]
    pub fn login_not_required(mut self, route: impl Into<String>) -> Self {
        self.open.push(route.into());
        self
    }

    /// Opens what no route matches, such as a page for 404.
    #[must_use]
    pub fn fallback_not_required(mut self) -> Self {
        self.open_fallback = true;
        self
    }

    login_options!();

    /// The answer to a request that may not go on.
    pub(super) async fn process_view<U: BaseUser>(
        &self,
        auth: &Auth<U>,
        request: &Request,
        parts: &Parts,
        json: bool,
    ) -> Result<(), Box<Response>> {
        if self.is_open(request, parts) {
            return Ok(());
        }
        let rejection = match auth.user(request).await {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => self.refusal.clone().json_if(json).login(request),
            Err(error) => error.into(),
        };
        Err(Box::new(rejection.into_response()))
    }

    fn is_open(&self, request: &Request, parts: &Parts) -> bool {
        let target = Target::of(parts);
        if target.route.is_none() && self.open_fallback {
            return true;
        }
        self.open.iter().any(|open| target.is(open))
            || self.is_own_page(request, target.path, target.route)
    }

    /// The login page, and the routes of the pages that reset a password beside it.
    fn is_own_page(&self, request: &Request, path: &str, route: Option<&str>) -> bool {
        let url = &*request.settings().login_url;
        let url = self.refusal.login_url.as_deref().unwrap_or(url);
        let parts = urlsplit(url).unwrap_or_default();
        let here = || request.get_host().is_ok_and(|host| parts.netloc == host);
        if !parts.netloc.is_empty() && !here() {
            return false;
        }
        let login = &*parts.path;
        if path == login || Some(path) == login.strip_suffix('/') {
            return true;
        }
        let folder = login.strip_suffix("login/").filter(|f| f.ends_with('/'));
        let page = folder
            .zip(route)
            .and_then(|(f, route)| route.strip_prefix(f));
        page.is_some_and(|page| {
            let page = page.strip_suffix('/').unwrap_or(page);
            matches!(
                page,
                "password_reset" | "password_reset/done" | "reset/done"
            ) || page.starts_with("reset/{")
        })
    }
}
