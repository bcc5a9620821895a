//! The routes: `django/contrib/auth/urls.py`.

use axum::extract;
use axum::routing::{MethodRouter, any};
use axum::{Router, http::StatusCode};

use crate::Auth;
use crate::base_user::BaseUser;
use crate::http::ErrorPage;
use crate::views::{self, LoginView, LogoutView};

impl<U: BaseUser> Auth<U> {
    /// The pages under their usual names: `login/` and `logout/`. Nest them where `LOGIN_URL`
    /// expects them: `.nest("/accounts", auth.urls())`.
    pub fn urls<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new()
            .route("/login/", self.login_view(LoginView::new()))
            .route("/logout/", self.logout_view(LogoutView::new()))
    }

    /// A login page, for a route of your own.
    pub fn login_view<S: Clone + Send + Sync + 'static>(&self, view: LoginView) -> MethodRouter<S> {
        self.allow(view.next_page.as_deref());
        let auth = self.clone();
        any(move |request: extract::Request| views::login(auth.clone(), view.clone(), request))
    }

    /// A logout page, for a route of your own.
    pub fn logout_view<S: Clone + Send + Sync + 'static>(
        &self,
        view: LogoutView,
    ) -> MethodRouter<S> {
        self.allow(view.next_page.as_deref());
        let auth = self.clone();
        any(move |request: extract::Request| views::logout(auth.clone(), view.clone(), request))
    }

    fn allow(&self, next_page: Option<&str>) {
        if let Some(url) = next_page {
            self.templates().allow_form_target(url);
        }
    }

    /// A page that says who is logged in: for `/`, and for the default `LOGIN_REDIRECT_URL`
    /// (`/accounts/profile/`) of a site that has no such page.
    pub fn landing_page<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        let auth = self.clone();
        any(move |request: extract::Request| views::landing(auth.clone(), request))
    }

    /// A page for addresses that nothing else answers: 404. Give it to `Router::fallback`.
    pub fn not_found<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        any(async || ErrorPage::of(StatusCode::NOT_FOUND).response())
    }
}
