use minijinja::context;

use super::options::{PageOptions, page_options, reverse, to};
use super::page::{FormMethod, View};
use super::{Outcome, PageRequest, Valid};
use crate::base_user::BaseUser;
use crate::forms::{Form, PasswordChangeForm, Standard, Steps};
use crate::validators::ValidationError;
use crate::{Auth, Error};

/// Lets whoever is logged in choose another password; mirrors `PasswordChangeView`.
///
/// The old one is asked for. Afterwards this session goes on under a new key, and every other session
/// of the user has ended.
#[derive(Clone, Debug)]
pub struct PasswordChangeView<S = Standard> {
    page: PageOptions,
    success_url: Option<String>,
    steps: S,
}

page_options!([S] PasswordChangeView<S>);

impl PasswordChangeView {
    /// The view as Django configures it.
    pub fn new() -> Self {
        let template = "registration/password_change_form.html";
        Self {
            page: PageOptions::new(template, "password_change.title"),
            success_url: None,
            steps: Standard,
        }
    }
}

impl Default for PasswordChangeView {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> PasswordChangeView<S> {
    /// Where it leads instead of to `password_change/done/`.
    #[must_use]
    pub fn success_url(mut self, url: impl Into<String>) -> Self {
        self.success_url = Some(url.into());
        self
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.success_url.iter().cloned().collect()
    }

    /// Steps of the application's own.
    pub fn steps<T>(self, steps: T) -> PasswordChangeView<T> {
        PasswordChangeView {
            page: self.page,
            success_url: self.success_url,
            steps,
        }
    }

    fn show(&self, request: &PageRequest, form: &Form) -> Outcome {
        let page = self.page.page(&request.handle, context! {});
        Outcome::Page(page.form(form.clone()))
    }

    /// The old password that was right has been replaced, perhaps because somebody else knew it.
    fn changed_meanwhile(&self, request: &PageRequest, form: &Form) -> Outcome {
        let mut form = form.clone();
        let error = ValidationError::of("password_incorrect");
        form.add_error(Some("old_password"), error);
        self.show(request, &form)
    }

    fn get_success_url<U: BaseUser>(&self, auth: &Auth<U>, request: &PageRequest) -> String
    where
        S: Steps<U>,
    {
        let done = || reverse(&request.handle, "password_change/", "password_change/done/");
        let url = self.success_url.clone().unwrap_or_else(done);
        self.steps.get_success_url(&request.context(auth), url)
    }

    async fn post<U: BaseUser>(
        &self,
        auth: &Auth<U>,
        request: &PageRequest,
        mut form: PasswordChangeForm<U>,
    ) -> Result<Outcome, Error>
    where
        S: Steps<U>,
    {
        let context = request.context(auth);
        if !form.clean_with(&context, &self.steps).await? {
            return Ok(self.show(request, form.form()));
        }
        let valid = Valid {
            form: form.form(),
            user: Some(form.user()),
            action: Box::pin(async {
                let Some(user) = form.clone().save_unless_changed(auth).await? else {
                    return Ok(self.changed_meanwhile(request, form.form()));
                };
                auth.update_session_auth_hash(&request.handle, &user)
                    .await?;
                Ok(Outcome::Success)
            }),
        };
        let outcome = self.steps.form_valid(&context, valid).await?;
        Ok(to(outcome, || self.get_success_url(auth, request)))
    }
}

impl<U: BaseUser, S: Steps<U>> View<U> for PasswordChangeView<S> {
    const NEVER_CACHE: bool = false;

    async fn dispatch(&self, auth: &Auth<U>, request: &PageRequest) -> Result<Outcome, Error> {
        let Some(user) = auth.user(&request.handle).await? else {
            return Ok(request.login_required());
        };
        let user = U::clone(&user);
        let mut form = PasswordChangeForm::new(auth, user, request.sent());
        self.steps.fields(form.form_mut());
        match request.form_method() {
            FormMethod::Show => Ok(self.show(request, form.form())),
            FormMethod::Process => self.post(auth, request, form).await,
            FormMethod::Other => Ok(request.form_methods()),
        }
    }
}

/// Says that the password was changed; mirrors `PasswordChangeDoneView`.
#[derive(Clone, Debug)]
pub struct PasswordChangeDoneView {
    page: PageOptions,
}

page_options!([] PasswordChangeDoneView);

impl PasswordChangeDoneView {
    /// The view as Django configures it.
    pub fn new() -> Self {
        let template = "registration/password_change_done.html";
        Self {
            page: PageOptions::new(template, "password_change_done.title"),
        }
    }
}

impl Default for PasswordChangeDoneView {
    fn default() -> Self {
        Self::new()
    }
}

impl<U: BaseUser> View<U> for PasswordChangeDoneView {
    const NEVER_CACHE: bool = false;

    async fn dispatch(&self, auth: &Auth<U>, request: &PageRequest) -> Result<Outcome, Error> {
        if auth.user(&request.handle).await?.is_none() {
            return Ok(request.login_required());
        }
        if let Some(outcome) = request.unless_read() {
            return Ok(outcome);
        }
        let home = &auth.settings().login_redirect_url;
        Ok(Outcome::Page(
            self.page.page(&request.handle, context! { home }),
        ))
    }
}
