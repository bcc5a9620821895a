use axum::http::Method;
use minijinja::context;

use super::options::{
    PageOptions, RedirectOptions, get_current_site, page_options, redirect_options,
};
use super::page::{View, allow};
use super::{Outcome, PageRequest};
use crate::base_user::BaseUser;
use crate::forms::{Standard, Steps};
use crate::{Auth, Error};

/// Logs out; mirrors `LogoutView`. Only `POST` does: a link or an image on another site must not.
///
/// It leads to `next`, if that is an address of this site, or to `LOGOUT_REDIRECT_URL`; without
/// either it shows a page that says so.
#[derive(Clone, Debug)]
pub struct LogoutView<S = Standard> {
    page: PageOptions,
    redirect: RedirectOptions,
    steps: S,
}

page_options!([S] LogoutView<S>);
redirect_options!([S] LogoutView<S>);

impl LogoutView {
    /// The view as Django configures it.
    pub fn new() -> Self {
        Self {
            page: PageOptions::new("registration/logged_out.html", "logged_out.title"),
            redirect: RedirectOptions::default(),
            steps: Standard,
        }
    }
}

impl Default for LogoutView {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> LogoutView<S> {
    pub(crate) fn targets(&self) -> Vec<String> {
        self.redirect.targets()
    }

    /// Steps of the application's own; of them, `get_success_url` concerns this view.
    pub fn steps<T>(self, steps: T) -> LogoutView<T> {
        LogoutView {
            page: self.page,
            redirect: self.redirect,
            steps,
        }
    }

    fn success_url<U: BaseUser>(&self, auth: &Auth<U>, request: &PageRequest) -> String
    where
        S: Steps<U>,
    {
        let next_page = || self.redirect.next_page.clone();
        let setting = || auth.settings().logout_redirect_url.clone();
        let asked = self.redirect.get_redirect_url(request);
        let url = asked.or_else(next_page).or_else(setting);
        let url = url.unwrap_or_else(|| request.handle.path());
        self.steps.get_success_url(&request.context(auth), url)
    }
}

impl<U: BaseUser, S: Steps<U>> View<U> for LogoutView<S> {
    const NEVER_CACHE: bool = true;

    async fn dispatch(&self, auth: &Auth<U>, request: &PageRequest) -> Result<Outcome, Error> {
        if *request.handle.method() != Method::POST {
            return Ok(allow(&request.handle, "POST, OPTIONS").into());
        }
        auth.logout(&request.handle).await?;
        let target = self.success_url(auth, request);
        if target != request.handle.get_full_path() {
            return Ok(Outcome::Redirect(target));
        }
        let login_url = &auth.settings().login_url;
        let values = context! { login_url, ..get_current_site(&request.handle)? };
        Ok(Outcome::Page(self.page.page(&request.handle, values)))
    }
}
