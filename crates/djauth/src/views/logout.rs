use axum::body::Body;
use axum::http::{Method, Response};
use minijinja::context;

use super::{PageRequest, RedirectTarget, allow, redirect_response};
use crate::base_user::BaseUser;
use crate::{Auth, Error};

/// Logs out; mirrors `LogoutView`. Only `POST` does: a link or an image on another site must not.
///
/// It leads to `next`, if that is an address of this site, or to `LOGOUT_REDIRECT_URL`; without
/// either it shows a page that says so.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LogoutView {
    /// Where a logout leads instead of to `LOGOUT_REDIRECT_URL`.
    pub next_page: Option<String>,
}

impl LogoutView {
    /// The view as Django configures it.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) async fn dispatch<U: BaseUser>(
        &self,
        auth: &Auth<U>,
        request: &PageRequest,
    ) -> Result<Response<Body>, Error> {
        if *request.handle.method() != Method::POST {
            return Ok(allow(&request.handle, "POST, OPTIONS"));
        }
        auth.logout(&request.handle).await?;
        let target = self.success_url(auth, request);
        if target != request.handle.get_full_path() {
            return Ok(redirect_response(&target));
        }
        let values = context! { login_url => auth.settings().login_url.clone() };
        auth.templates()
            .page(&request.handle, "registration/logged_out.html", values)
    }

    fn success_url<U: BaseUser>(&self, auth: &Auth<U>, request: &PageRequest) -> String {
        let configured = || {
            self.next_page
                .clone()
                .or(auth.settings().logout_redirect_url.clone())
        };
        RedirectTarget::of(request)
            .or_else(configured)
            .unwrap_or_else(|| request.handle.path())
    }
}
