use std::fmt;
use std::sync::Arc;

use djauth_signing::http::urlsafe_base64_decode;
use minijinja::context;

use super::options::{PageOptions, page_options, reverse, to};
use super::page::{FormMethod, View};
use super::{Outcome, PageRequest, Valid};
use crate::base_user::{BaseUser, UserId};
use crate::forms::{Form, SetPasswordForm, Standard, Steps, Text};
use crate::http::escape_leading_slashes;
use crate::models::User;
use crate::tokens::{PasswordResetTokenGenerator, TokenGenerator};
use crate::{Auth, Error};

/// Where the session keeps the token while its page is open.
pub const INTERNAL_RESET_SESSION_TOKEN: &str = "_password_reset_token";

/// The longest key of a user that is looked up, in characters of the link.
const LONGEST_UID: usize = 128;

/// The page that a mailed link opens: it asks for a new password; mirrors `PasswordResetConfirmView`.
///
/// The first request puts the token into the session and leads to the same page without it, so that it
/// does not leave by the `Referer` header. A link that is wrong, used or over is said to be so, with
/// status 200.
pub struct PasswordResetConfirmView<U: BaseUser = User, S = Standard> {
    page: PageOptions,
    success_url: Option<String>,
    reset_url_token: String,
    post_reset_login: bool,
    post_reset_login_backend: Option<String>,
    token_generator: Option<Arc<dyn TokenGenerator<U>>>,
    steps: S,
}

page_options!([U, S] PasswordResetConfirmView<U, S>);

impl<U: BaseUser> PasswordResetConfirmView<U> {
    /// The view as Django configures it.
    pub fn new() -> Self {
        let template = "registration/password_reset_confirm.html";
        Self {
            page: PageOptions::new(template, "password_reset_confirm.title"),
            success_url: None,
            reset_url_token: "set-password".into(),
            post_reset_login: false,
            post_reset_login_backend: None,
            token_generator: None,
            steps: Standard,
        }
    }
}

impl<U: BaseUser> Default for PasswordResetConfirmView<U> {
    fn default() -> Self {
        Self::new()
    }
}

impl<U: BaseUser, S> fmt::Debug for PasswordResetConfirmView<U, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordResetConfirmView")
            .field("page", &self.page)
            .field("post_reset_login", &self.post_reset_login)
            .finish_non_exhaustive()
    }
}

impl<U: BaseUser, S> PasswordResetConfirmView<U, S> {
    /// Where it leads instead of to `reset/done/`.
    #[must_use]
    pub fn success_url(mut self, url: impl Into<String>) -> Self {
        self.success_url = Some(url.into());
        self
    }

    /// What stands in the path in place of the token, once the session has it.
    #[must_use]
    pub fn reset_url_token(mut self, text: impl Into<String>) -> Self {
        self.reset_url_token = text.into();
        self
    }

    /// Logs the user in afterwards.
    #[must_use]
    pub fn post_reset_login(mut self, login: bool) -> Self {
        self.post_reset_login = login;
        self
    }

    /// The path of the backend that logs them in; it may be left out where only one is configured.
    #[must_use]
    pub fn post_reset_login_backend(mut self, path: impl Into<String>) -> Self {
        self.post_reset_login_backend = Some(path.into());
        self
    }

    /// What judges the tokens, in place of that of the settings.
    #[must_use]
    pub fn token_generator(mut self, generator: impl TokenGenerator<U> + 'static) -> Self {
        self.token_generator = Some(Arc::new(generator));
        self
    }

    /// Steps of the application's own.
    pub fn steps<T>(self, steps: T) -> PasswordResetConfirmView<U, T> {
        PasswordResetConfirmView {
            page: self.page,
            success_url: self.success_url,
            reset_url_token: self.reset_url_token,
            post_reset_login: self.post_reset_login,
            post_reset_login_backend: self.post_reset_login_backend,
            token_generator: self.token_generator,
            steps,
        }
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.success_url.iter().cloned().collect()
    }

    fn check_token(&self, auth: &Auth<U>, user: &U, token: &str) -> bool {
        match &self.token_generator {
            Some(generator) => generator.check_token(Some(user), token, auth.now()),
            None => {
                let generator = PasswordResetTokenGenerator::new(auth.settings());
                generator.check_token(Some(user), token, auth.now())
            }
        }
    }

    /// Whose link it is; inactive users too, as in Django.
    async fn get_user(&self, auth: &Auth<U>, uidb64: &str) -> Result<Option<U>, Error> {
        if uidb64.len() > LONGEST_UID {
            return Ok(None);
        }
        let decoded = urlsafe_base64_decode(uidb64).ok();
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        match text.and_then(|text| U::Id::parse(&text)) {
            Some(id) => auth.users().get(id).await,
            None => Ok(None),
        }
    }

    fn invalid(&self, request: &PageRequest, own: &str) -> Outcome {
        let reset = reverse(&request.handle, own, "password_reset/");
        let title = Text::Key("password_reset_confirm.invalid_title");
        let values = context! { validlink => false, password_reset_url => reset };
        let mut page = self.page.titled(&request.handle, &title, values);
        page.invalid_link = true;
        Outcome::Page(page)
    }

    fn show(&self, request: &PageRequest, form: &Form) -> Outcome {
        let page = self
            .page
            .page(&request.handle, context! { validlink => true });
        Outcome::Page(page.form(form.clone()))
    }

    async fn process(
        &self,
        auth: &Auth<U>,
        request: &PageRequest,
        user: U,
        own: &str,
    ) -> Result<Outcome, Error>
    where
        S: Steps<U>,
    {
        let mut form = SetPasswordForm::new(auth, user, request.sent());
        self.steps.fields(form.form_mut());
        match request.form_method() {
            FormMethod::Show => Ok(self.show(request, form.form())),
            FormMethod::Process => self.post(auth, request, form, own).await,
            FormMethod::Other => Ok(request.form_methods()),
        }
    }

    async fn post(
        &self,
        auth: &Auth<U>,
        request: &PageRequest,
        mut form: SetPasswordForm<U>,
        own: &str,
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
            action: Box::pin(self.save(auth, request, form.clone(), own)),
        };
        let outcome = self.steps.form_valid(&context, valid).await?;
        let done = || reverse(&request.handle, own, "reset/done/");
        Ok(to(outcome, || {
            let url = self.success_url.clone().unwrap_or_else(done);
            self.steps.get_success_url(&context, url)
        }))
    }

    async fn save(
        &self,
        auth: &Auth<U>,
        request: &PageRequest,
        form: SetPasswordForm<U>,
        own: &str,
    ) -> Result<Outcome, Error> {
        let saved = form.save_unless_changed(auth).await?;
        let session = request.handle.session();
        session.remove(INTERNAL_RESET_SESSION_TOKEN).await?;
        // Used meanwhile: a link sets one password, however many requests bring it at once.
        let Some(user) = saved else {
            return Ok(self.invalid(request, own));
        };
        if self.post_reset_login {
            let backend = self.post_reset_login_backend.as_deref();
            auth.login(&request.handle, user, backend).await?;
        }
        Ok(Outcome::Success)
    }
}

impl<U: BaseUser, S: Steps<U>> View<U> for PasswordResetConfirmView<U, S> {
    const NEVER_CACHE: bool = true;

    async fn dispatch(&self, auth: &Auth<U>, request: &PageRequest) -> Result<Outcome, Error> {
        let (uidb64, token) = parts(request)?;
        let session = request.handle.session();
        let own = format!("reset/{uidb64}/{token}/");
        if let Some(user) = self.get_user(auth, uidb64).await? {
            if token == self.reset_url_token {
                let stored = session.get_str(INTERNAL_RESET_SESSION_TOKEN).await?;
                if stored.is_some_and(|token| self.check_token(auth, &user, &token)) {
                    return self.process(auth, request, user, &own).await;
                }
            } else if self.check_token(auth, &user, token) {
                // A key that somebody else knows must not open the page (session fixation).
                session.cycle_key().await?;
                session.insert(INTERNAL_RESET_SESSION_TOKEN, token).await?;
                let path = request.handle.path().replace(token, &self.reset_url_token);
                return Ok(Outcome::Redirect(escape_leading_slashes(&path)));
            }
        }
        Ok(self.invalid(request, &own))
    }
}

/// The two parts of the path.
fn parts(request: &PageRequest) -> Result<(&str, &str), Error> {
    let parts = request.kwarg("uidb64").zip(request.kwarg("token"));
    parts.ok_or_else(|| {
        let text = "the route of a PasswordResetConfirmView needs {uidb64} and {token} in its path";
        Error::improperly_configured(text)
    })
}

/// Says that the password was set; mirrors `PasswordResetCompleteView`.
#[derive(Clone, Debug)]
pub struct PasswordResetCompleteView {
    page: PageOptions,
}

page_options!([] PasswordResetCompleteView);

impl PasswordResetCompleteView {
    /// The view as Django configures it.
    pub fn new() -> Self {
        let template = "registration/password_reset_complete.html";
        Self {
            page: PageOptions::new(template, "password_reset_complete.title"),
        }
    }
}

impl Default for PasswordResetCompleteView {
    fn default() -> Self {
        Self::new()
    }
}

impl<U: BaseUser> View<U> for PasswordResetCompleteView {
    const NEVER_CACHE: bool = false;

    async fn dispatch(&self, auth: &Auth<U>, request: &PageRequest) -> Result<Outcome, Error> {
        let values = context! { login_url => &auth.settings().login_url };
        let page = || Outcome::Page(self.page.page(&request.handle, values));
        Ok(request.unless_read().unwrap_or_else(page))
    }
}
