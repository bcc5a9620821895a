use minijinja::{Value, context};

use super::options::{
    PageOptions, RedirectOptions, get_current_site, page_options, redirect_options, reverse, to,
};
use super::page::{FormMethod, View};
use super::{Outcome, PageRequest, Valid};
use crate::base_user::BaseUser;
use crate::forms::{AuthenticationForm, Form, Standard, Steps};
use crate::{Auth, Error};

/// Shows the login form and logs in; mirrors `LoginView`.
///
/// `GET` shows the form. `POST` logs in and leads to `next`, if that is an address of this site,
/// or to `LOGIN_REDIRECT_URL`; what is wrong is said on the same page, with status 200. `PUT` is
/// treated as a `POST` without data, as Django does.
///
/// ```
/// use djauth::templates::context;
/// use djauth::views::LoginView;
///
/// # fn route(auth: &djauth::Auth) -> axum::routing::MethodRouter {
/// auth.login_view(
///     LoginView::new()
///         .template_name("staff/login.html")
///         .extra_context(context! { house => "The house of staff" })
///         .next_page("/staff/")
///         .success_url_allowed_hosts(["app.example.com"]),
/// )
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LoginView<S = Standard> {
    page: PageOptions,
    redirect: RedirectOptions,
    redirect_authenticated_user: bool,
    password_reset_link: bool,
    steps: S,
}

page_options!([S] LoginView<S>);
redirect_options!([S] LoginView<S>);

impl LoginView {
    /// The view as Django configures it.
    pub fn new() -> Self {
        Self {
            page: PageOptions::new("registration/login.html", "login.title"),
            redirect: RedirectOptions::default(),
            redirect_authenticated_user: false,
            password_reset_link: false,
            steps: Standard,
        }
    }
}

impl Default for LoginView {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> LoginView<S> {
    /// Leads visitors who are logged in already to where a login would. Off by default: another
    /// site can tell by it whether somebody is logged in here.
    #[must_use]
    pub fn redirect_authenticated_user(mut self, redirect: bool) -> Self {
        self.redirect_authenticated_user = redirect;
        self
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.redirect.targets()
    }

    /// Shows a link to the page `password_reset/` beside this one, as [`Urls`](crate::urls::Urls) does.
    #[must_use]
    pub fn password_reset_link(mut self, show: bool) -> Self {
        self.password_reset_link = show;
        self
    }

    /// Steps of the application's own, which stand for Django's `authentication_form` and for a
    /// subclass of the view.
    pub fn steps<T>(self, steps: T) -> LoginView<T> {
        LoginView {
            page: self.page,
            redirect: self.redirect,
            redirect_authenticated_user: self.redirect_authenticated_user,
            password_reset_link: self.password_reset_link,
            steps,
        }
    }

    fn show(&self, request: &PageRequest, form: Form) -> Result<Outcome, Error> {
        let next = self.redirect.get_redirect_url(request).unwrap_or_default();
        let name = self.redirect.redirect_field_name.to_string();
        let reset = || reverse(&request.handle, "login/", "password_reset/");
        let named = Value::from_pairs([(name.clone(), next.clone())]);
        let values = context! {
            redirect_field_name => name,
            redirect_to => next,
            password_reset_url => self.password_reset_link.then(reset),
            ..context! { ..named, ..get_current_site(&request.handle)? }
        };
        Ok(Outcome::Page(
            self.page.page(&request.handle, values).form(form),
        ))
    }

    fn success_url<U: BaseUser>(&self, auth: &Auth<U>, request: &PageRequest) -> String
    where
        S: Steps<U>,
    {
        let configured = || self.redirect.next_page.clone();
        let url = self.redirect.get_redirect_url(request).or_else(configured);
        let url = url.unwrap_or_else(|| auth.settings().login_redirect_url.clone());
        self.steps.get_success_url(&request.context(auth), url)
    }

    async fn post<U: BaseUser>(
        &self,
        auth: &Auth<U>,
        request: &PageRequest,
        mut form: AuthenticationForm,
    ) -> Result<Outcome, Error>
    where
        S: Steps<U>,
    {
        let context = request.context(auth);
        let Some(user) = form.clean_with(&context, &self.steps).await? else {
            return self.show(request, form.into_form());
        };
        let valid = Valid {
            form: form.form(),
            user: Some(&user),
            action: Box::pin(async {
                auth.login(&request.handle, user.clone(), None).await?;
                Ok(Outcome::Success)
            }),
        };
        let outcome = self.steps.form_valid(&context, valid).await?;
        Ok(to(outcome, || self.success_url(auth, request)))
    }

    async fn redirect_at_once<U: BaseUser>(
        &self,
        auth: &Auth<U>,
        request: &PageRequest,
    ) -> Result<Option<Outcome>, Error>
    where
        S: Steps<U>,
    {
        if !self.redirect_authenticated_user || auth.user(&request.handle).await?.is_none() {
            return Ok(None);
        }
        let target = self.success_url(auth, request);
        if target == request.handle.path() {
            return Err(Error::improperly_configured(
                "the login page leads logged-in users to itself: check LOGIN_REDIRECT_URL",
            ));
        }
        Ok(Some(Outcome::Redirect(target)))
    }
}

impl<U: BaseUser, S: Steps<U>> View<U> for LoginView<S> {
    const NEVER_CACHE: bool = true;

    async fn dispatch(&self, auth: &Auth<U>, request: &PageRequest) -> Result<Outcome, Error> {
        if let Some(outcome) = self.redirect_at_once(auth, request).await? {
            return Ok(outcome);
        }
        let mut form = AuthenticationForm::with(auth.user_meta(), request.sent());
        self.steps.fields(form.form_mut());
        match request.form_method() {
            FormMethod::Show => self.show(request, form.into_form()),
            FormMethod::Process => self.post(auth, request, form).await,
            FormMethod::Other => Ok(request.form_methods()),
        }
    }
}
