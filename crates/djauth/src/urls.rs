//! The routes: `django/contrib/auth/urls.py`.

use std::fmt;
use std::sync::Arc;

use axum::extract;
use axum::routing::{MethodRouter, any};
use axum::{Router, http::StatusCode};

use crate::Auth;
use crate::base_user::BaseUser;
use crate::forms::Steps;
use crate::http::ErrorPage;
use crate::views::{
    self, Landing, LoginView, LogoutView, PasswordChangeDoneView, PasswordChangeView,
    PasswordResetCompleteView, PasswordResetConfirmView, PasswordResetDoneView, PasswordResetView,
    View,
};

/// The routes of [`Auth::urls`], to replace some of them.
///
/// ```
/// use djauth::urls::Urls;
/// use djauth::views::LoginView;
///
/// # fn routes(auth: &djauth::Auth) -> axum::Router {
/// let login = LoginView::new().redirect_authenticated_user(true);
/// axum::Router::new().nest("/accounts", Urls::new(auth).login(auth.login_view(login)).router())
/// # }
/// ```
#[must_use = "`router` makes the routes"]
pub struct Urls<S = ()> {
    pages: Vec<(&'static str, MethodRouter<S>)>,
    /// At each page's address without the slash.
    append_slash: MethodRouter<S>,
}

impl<S> fmt::Debug for Urls<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.pages.iter().map(|(path, _)| path))
            .finish()
    }
}

const LOGIN: &str = "/login/";
const LOGOUT: &str = "/logout/";
const PASSWORD_CHANGE: &str = "/password_change/";
const PASSWORD_CHANGE_DONE: &str = "/password_change/done/";
const PASSWORD_RESET: &str = "/password_reset/";
const PASSWORD_RESET_DONE: &str = "/password_reset/done/";
const PASSWORD_RESET_CONFIRM: &str = "/reset/{uidb64}/{token}/";
const PASSWORD_RESET_COMPLETE: &str = "/reset/done/";

impl<S: Clone + Send + Sync + 'static> Urls<S> {
    /// Every page as Django configures it.
    pub fn new<U: BaseUser>(auth: &Auth<U>) -> Self {
        let login = LoginView::new().password_reset_link(true);
        let (change, changed) = (PasswordChangeView::new(), PasswordChangeDoneView::new());
        let (reset, sent) = (PasswordResetView::new(), PasswordResetDoneView::new());
        let (confirm, done) = (
            PasswordResetConfirmView::new(),
            PasswordResetCompleteView::new(),
        );
        let pages = vec![
            (LOGIN, auth.login_view(login)),
            (LOGOUT, auth.logout_view(LogoutView::new())),
            (PASSWORD_CHANGE, auth.password_change_view(change)),
            (
                PASSWORD_CHANGE_DONE,
                auth.password_change_done_view(changed),
            ),
            (PASSWORD_RESET, auth.password_reset_view(reset)),
            (PASSWORD_RESET_DONE, auth.password_reset_done_view(sent)),
            (
                PASSWORD_RESET_CONFIRM,
                auth.password_reset_confirm_view(confirm),
            ),
            (
                PASSWORD_RESET_COMPLETE,
                auth.password_reset_complete_view(done),
            ),
        ];
        Self {
            pages,
            append_slash: auth.append_slash(),
        }
    }

    fn with(mut self, path: &str, route: MethodRouter<S>) -> Self {
        for (known, old) in &mut self.pages {
            if *known == path {
                *old = route;
                break;
            }
        }
        self
    }

    /// Another page at `login/`.
    pub fn login(self, route: MethodRouter<S>) -> Self {
        self.with(LOGIN, route)
    }

    /// Another page at `logout/`.
    pub fn logout(self, route: MethodRouter<S>) -> Self {
        self.with(LOGOUT, route)
    }

    /// Another page at `password_change/`.
    pub fn password_change(self, route: MethodRouter<S>) -> Self {
        self.with(PASSWORD_CHANGE, route)
    }

    /// Another page at `password_change/done/`.
    pub fn password_change_done(self, route: MethodRouter<S>) -> Self {
        self.with(PASSWORD_CHANGE_DONE, route)
    }

    /// Another page at `password_reset/`.
    pub fn password_reset(self, route: MethodRouter<S>) -> Self {
        self.with(PASSWORD_RESET, route)
    }

    /// Another page at `password_reset/done/`.
    pub fn password_reset_done(self, route: MethodRouter<S>) -> Self {
        self.with(PASSWORD_RESET_DONE, route)
    }

    /// Another page at `reset/{uidb64}/{token}/`.
    pub fn password_reset_confirm(self, route: MethodRouter<S>) -> Self {
        self.with(PASSWORD_RESET_CONFIRM, route)
    }

    /// Another page at `reset/done/`.
    pub fn password_reset_complete(self, route: MethodRouter<S>) -> Self {
        self.with(PASSWORD_RESET_COMPLETE, route)
    }

    /// The routes. Nest them where `LOGIN_URL` expects them.
    pub fn router(self) -> Router<S> {
        let add = |router: Router<S>, (path, route): (&str, _)| {
            let without = path.trim_end_matches('/');
            router
                .route(path, route)
                .route(without, self.append_slash.clone())
        };
        self.pages.into_iter().fold(Router::new(), add)
    }
}

impl<U: BaseUser> Auth<U> {
    /// The pages under Django's names: `login/`, `logout/`, `password_change/`,
    /// `password_change/done/`, `password_reset/`, `password_reset/done/`, `reset/{uidb64}/{token}/` and
    /// `reset/done/`. Nest them where `LOGIN_URL` expects them: `.nest("/accounts", auth.urls())`.
    /// [`Urls`] replaces some of them.
    pub fn urls<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Urls::new(self).router()
    }

    /// A login page, for a route of your own.
    pub fn login_view<S, T>(&self, view: LoginView<T>) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        T: Steps<U>,
    {
        self.allow(view.targets());
        self.page(view)
    }

    /// A logout page, for a route of your own.
    pub fn logout_view<S, T>(&self, view: LogoutView<T>) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        T: Steps<U>,
    {
        self.allow(view.targets());
        self.page(view)
    }

    /// A route that logs out and leads to the login page, `LOGIN_URL` or another; mirrors
    /// `logout_then_login`. Like every logout it takes `POST` alone.
    pub fn logout_then_login<S>(&self, login_url: Option<&str>) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let login_url = login_url.unwrap_or(&self.settings().login_url);
        self.logout_view(LogoutView::new().next_page(login_url))
    }

    /// A page to change one's password, for a route of your own.
    pub fn password_change_view<S, T>(&self, view: PasswordChangeView<T>) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        T: Steps<U>,
    {
        self.allow(view.targets());
        self.page(view)
    }

    /// A page that says that the password was changed, for a route of your own.
    pub fn password_change_done_view<S>(&self, view: PasswordChangeDoneView) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.page(view)
    }

    /// A page that mails links to reset a password, for a route of your own.
    pub fn password_reset_view<S, T>(&self, view: PasswordResetView<U, T>) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        T: Steps<U>,
    {
        self.allow(view.targets());
        self.page(view)
    }

    /// A page that says that a mail may be on its way, for a route of your own.
    pub fn password_reset_done_view<S>(&self, view: PasswordResetDoneView) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.page(view)
    }

    /// The page that a mailed link opens, for a route of your own, whose path has `{uidb64}` and
    /// `{token}`.
    pub fn password_reset_confirm_view<S, T>(
        &self,
        view: PasswordResetConfirmView<U, T>,
    ) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        T: Steps<U>,
    {
        self.allow(view.targets());
        self.page(view)
    }

    /// A page that says that the password was set, for a route of your own.
    pub fn password_reset_complete_view<S>(
        &self,
        view: PasswordResetCompleteView,
    ) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.page(view)
    }

    pub(crate) fn page<S: Clone + Send + Sync + 'static>(
        &self,
        view: impl View<U>,
    ) -> MethodRouter<S> {
        let (auth, view) = (self.clone(), Arc::new(view));
        any(move |request: extract::Request| views::answer(auth.clone(), view.clone(), request))
    }

    fn allow(&self, targets: Vec<String>) {
        for url in targets {
            self.templates().allow_form_target(&url);
        }
    }

    /// A page that says who is logged in: for `/`, and for the default `LOGIN_REDIRECT_URL`
    /// (`/accounts/profile/`) of a site that has no such page.
    pub fn landing_page<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        self.page(Landing)
    }

    /// A page for addresses that nothing else answers: 404. Give it to `Router::fallback`.
    pub fn not_found<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        any(async || ErrorPage::of(StatusCode::NOT_FOUND).response())
    }
}
