use axum::body::Body;
use axum::http::{Method, Response};
use minijinja::context;

use super::{PageRequest, RedirectTarget, allow, redirect_response};
use crate::base_user::BaseUser;
use crate::forms::AuthenticationForm;
use crate::{Auth, Error};

/// Shows the login form and logs in; mirrors `LoginView`.
///
/// `GET` shows the form. `POST` logs in and leads to `next`, if that is an address of this site,
/// or to `LOGIN_REDIRECT_URL`; what is wrong is said on the same page, with status 200. `PUT` is
/// treated as a `POST` without data, as Django does.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LoginView {
    /// Leads visitors who are logged in already to where a login would. Off by default: another
    /// site can tell by it whether somebody is logged in here.
    pub redirect_authenticated_user: bool,
    /// Where a login leads instead of to `LOGIN_REDIRECT_URL`.
    pub next_page: Option<String>,
}

impl LoginView {
    /// The view as Django configures it.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) async fn dispatch<U: BaseUser>(
        &self,
        auth: &Auth<U>,
        request: &mut PageRequest,
    ) -> Result<Response<Body>, Error> {
        let handle = request.handle.clone();
        if self.redirect_authenticated_user && auth.user(&handle).await?.is_some() {
            return self.redirect_at_once(auth, request);
        }
        match *request.handle.method() {
            Method::GET | Method::HEAD => self.show(
                auth,
                request,
                &AuthenticationForm::unbound(auth.user_meta()),
            ),
            Method::POST | Method::PUT => self.post(auth, request).await,
            _ => Ok(allow(&handle, "GET, POST, PUT, HEAD, OPTIONS")),
        }
    }

    async fn post<U: BaseUser>(
        &self,
        auth: &Auth<U>,
        request: &PageRequest,
    ) -> Result<Response<Body>, Error> {
        let mut form = AuthenticationForm::new(auth.user_meta(), &request.data);
        let Some(user) = form.clean(auth, &request.handle).await? else {
            return self.show(auth, request, &form);
        };
        auth.login(&request.handle, user, None).await?;
        Ok(redirect_response(&self.success_url(auth, request)))
    }

    fn show<U: BaseUser>(
        &self,
        auth: &Auth<U>,
        request: &PageRequest,
        form: &AuthenticationForm,
    ) -> Result<Response<Body>, Error> {
        let next = RedirectTarget::of(request).unwrap_or_default();
        let values = context! { form, next };
        auth.templates()
            .page(&request.handle, "registration/login.html", values)
    }

    fn success_url<U: BaseUser>(&self, auth: &Auth<U>, request: &PageRequest) -> String {
        let default = || {
            self.next_page
                .clone()
                .unwrap_or(auth.settings().login_redirect_url.clone())
        };
        RedirectTarget::of(request).unwrap_or_else(default)
    }

    fn redirect_at_once<U: BaseUser>(
        &self,
        auth: &Auth<U>,
        request: &PageRequest,
    ) -> Result<Response<Body>, Error> {
        let target = self.success_url(auth, request);
        if target == request.handle.path() {
            return Err(Error::improperly_configured(
                "the login page leads logged-in users to itself: check LOGIN_REDIRECT_URL",
            ));
        }
        Ok(redirect_response(&target))
    }
}
