use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use minijinja::{Value, context};

use super::options::{PageOptions, page_options, reverse, to};
use super::page::{FormMethod, View};
use super::{Outcome, PageRequest, Valid};
use crate::base_user::BaseUser;
use crate::forms::{Form, PasswordResetForm, ResetOptions, Standard, Steps};
use crate::models::User;
use crate::tokens::TokenGenerator;
use crate::{Auth, Error};

/// How the path of the page ends.
const OWN: &str = "password_reset/";

/// Asks for an e-mail address and mails a link to choose another password; mirrors `PasswordResetView`.
///
/// The answer is the same whether there is such an account or not, and comes before anything is looked
/// up. The link names `SITE_DOMAIN`, or else the host that was asked for, which is one of `ALLOWED_HOSTS`.
///
/// ```
/// use djauth::templates::context;
/// use djauth::views::PasswordResetView;
///
/// # fn route(auth: &djauth::Auth) -> axum::routing::MethodRouter {
/// auth.password_reset_view(
///     PasswordResetView::new()
///         .html_email_template_name("mails/reset.html")
///         .extra_email_context(context! { house => "The house" })
///         .from_email("The house <house@example.com>"),
/// )
/// # }
/// ```
pub struct PasswordResetView<U: BaseUser = User, S = Standard> {
    page: PageOptions,
    success_url: Option<String>,
    mail: MailOptions,
    token_generator: Option<Arc<dyn TokenGenerator<U>>>,
    steps: Arc<S>,
}

#[derive(Clone, Debug, Default)]
struct MailOptions {
    domain_override: Option<String>,
    subject_template_name: Option<Cow<'static, str>>,
    email_template_name: Option<Cow<'static, str>>,
    html_email_template_name: Option<Cow<'static, str>>,
    extra_email_context: Option<Value>,
    from_email: Option<String>,
}

page_options!([U, S] PasswordResetView<U, S>);

impl<U: BaseUser> PasswordResetView<U> {
    /// The view as Django configures it.
    pub fn new() -> Self {
        let template = "registration/password_reset_form.html";
        Self {
            page: PageOptions::new(template, "password_reset.title"),
            success_url: None,
            mail: MailOptions::default(),
            token_generator: None,
            steps: Arc::new(Standard),
        }
    }
}

impl<U: BaseUser> Default for PasswordResetView<U> {
    fn default() -> Self {
        Self::new()
    }
}

impl<U: BaseUser, S> fmt::Debug for PasswordResetView<U, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordResetView")
            .field("page", &self.page)
            .field("mail", &self.mail)
            .finish_non_exhaustive()
    }
}

impl<U: BaseUser, S> PasswordResetView<U, S> {
    /// Where it leads instead of to `password_reset/done/`.
    #[must_use]
    pub fn success_url(mut self, url: impl Into<String>) -> Self {
        self.success_url = Some(url.into());
        self
    }

    /// The domain of the link, with its port, in place of `SITE_DOMAIN` or the host that was asked for.
    #[must_use]
    pub fn domain_override(mut self, domain: impl Into<String>) -> Self {
        self.mail.domain_override = Some(domain.into());
        self
    }

    /// Another template for the subject.
    #[must_use]
    pub fn subject_template_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.mail.subject_template_name = Some(name.into());
        self
    }

    /// Another template for the plain text.
    #[must_use]
    pub fn email_template_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.mail.email_template_name = Some(name.into());
        self
    }

    /// A template for the same as HTML.
    #[must_use]
    pub fn html_email_template_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.mail.html_email_template_name = Some(name.into());
        self
    }

    /// More values for the templates of the mail.
    #[must_use]
    pub fn extra_email_context(mut self, values: Value) -> Self {
        self.mail.extra_email_context = Some(values);
        self
    }

    /// The sender, in place of `DEFAULT_FROM_EMAIL`.
    #[must_use]
    pub fn from_email(mut self, address: impl Into<String>) -> Self {
        self.mail.from_email = Some(address.into());
        self
    }

    /// What makes the tokens, in place of that of the settings. The view of the link needs the same.
    #[must_use]
    pub fn token_generator(mut self, generator: impl TokenGenerator<U> + 'static) -> Self {
        self.token_generator = Some(Arc::new(generator));
        self
    }

    /// Steps of the application's own.
    pub fn steps<T>(self, steps: T) -> PasswordResetView<U, T> {
        PasswordResetView {
            page: self.page,
            success_url: self.success_url,
            mail: self.mail,
            token_generator: self.token_generator,
            steps: Arc::new(steps),
        }
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.success_url.iter().cloned().collect()
    }

    fn options(&self, auth: &Auth<U>, request: &PageRequest) -> ResetOptions<U> {
        let mut options = ResetOptions::new(auth);
        let mail = self.mail.clone();
        options.folder = reverse(&request.handle, OWN, "");
        options.use_https = request.handle.is_secure();
        options.domain_override = mail.domain_override;
        options.html_email_template_name = mail.html_email_template_name;
        options.from_email = mail.from_email;
        set(
            &mut options.subject_template_name,
            mail.subject_template_name,
        );
        set(&mut options.email_template_name, mail.email_template_name);
        set(&mut options.extra_email_context, mail.extra_email_context);
        set(&mut options.token_generator, self.token_generator.clone());
        options
    }

    fn show(&self, request: &PageRequest, form: &Form) -> Outcome {
        let page = self.page.page(&request.handle, context! {});
        Outcome::Page(page.form(form.clone()))
    }

    async fn post(
        &self,
        auth: &Auth<U>,
        request: &PageRequest,
        mut form: PasswordResetForm,
    ) -> Result<Outcome, Error>
    where
        S: Steps<U>,
    {
        let context = request.context(auth);
        if !form.clean_with(&context, &*self.steps).await? {
            return Ok(self.show(request, form.form()));
        }
        let valid = Valid {
            form: form.form(),
            user: None,
            action: Box::pin(async {
                let (options, steps) = (self.options(auth, request), self.steps.clone());
                form.save_with(auth, Some(&request.handle), &options, steps)?;
                Ok(Outcome::Success)
            }),
        };
        let outcome = self.steps.form_valid(&context, valid).await?;
        Ok(to(outcome, || self.get_success_url(auth, request)))
    }

    fn get_success_url(&self, auth: &Auth<U>, request: &PageRequest) -> String
    where
        S: Steps<U>,
    {
        let done = || reverse(&request.handle, OWN, "password_reset/done/");
        let url = self.success_url.clone().unwrap_or_else(done);
        self.steps.get_success_url(&request.context(auth), url)
    }
}

fn set<T>(option: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *option = given;
    }
}

impl<U: BaseUser, S: Steps<U>> View<U> for PasswordResetView<U, S> {
    const NEVER_CACHE: bool = false;

    async fn dispatch(&self, auth: &Auth<U>, request: &PageRequest) -> Result<Outcome, Error> {
        let mut form = PasswordResetForm::new(request.sent());
        self.steps.fields(form.form_mut());
        match request.form_method() {
            FormMethod::Show => Ok(self.show(request, form.form())),
            FormMethod::Process => self.post(auth, request, form).await,
            FormMethod::Other => Ok(request.form_methods()),
        }
    }
}

/// Says that a mail may be on its way; mirrors `PasswordResetDoneView`.
#[derive(Clone, Debug)]
pub struct PasswordResetDoneView {
    page: PageOptions,
}

page_options!([] PasswordResetDoneView);

impl PasswordResetDoneView {
    /// The view as Django configures it.
    pub fn new() -> Self {
        let template = "registration/password_reset_done.html";
        Self {
            page: PageOptions::new(template, "password_reset_done.title"),
        }
    }
}

impl Default for PasswordResetDoneView {
    fn default() -> Self {
        Self::new()
    }
}

impl<U: BaseUser> View<U> for PasswordResetDoneView {
    const NEVER_CACHE: bool = false;

    async fn dispatch(&self, _: &Auth<U>, request: &PageRequest) -> Result<Outcome, Error> {
        let page = || Outcome::Page(self.page.page(&request.handle, context! {}));
        Ok(request.unless_read().unwrap_or_else(page))
    }
}
