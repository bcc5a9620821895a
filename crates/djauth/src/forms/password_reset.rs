//! `PasswordResetForm`: who gets a mail with a link, and the mail.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use djauth_signing::http::urlsafe_base64_encode;
use icu_casemap::CaseMapper;
use minijinja::{Value, context};
use unicode_normalization::UnicodeNormalization;

use super::field::{Field, FieldKind};
use super::form::{Form, has_form};
use super::set_password_mixin::invalid_form;
use super::steps::{Standard, Steps};
use crate::backends::Context;
use crate::base_user::BaseUser;
use crate::http::{QueryDict, Request, escape_leading_slashes};
use crate::i18n::Language;
use crate::mail::EmailMessage;
use crate::models::Q;
use crate::tokens::{PasswordResetTokenGenerator, TokenGenerator};
use crate::{Auth, Error};

/// The longest address, in characters.
const LONGEST_EMAIL: usize = 254;

/// Asks for an address and mails a link to whoever has it: `email`; mirrors `PasswordResetForm`.
///
/// ```
/// use djauth::Auth;
/// use djauth::forms::{PasswordResetForm, ResetOptions};
/// use djauth::http::QueryDict;
///
/// # async fn example(auth: &Auth) -> Result<(), djauth::Error> {
/// let mut data = QueryDict::default();
/// data.set("email", "alice@example.com");
/// let mut form = PasswordResetForm::new(Some(&data));
/// if form.is_valid(auth).await? {
///     let mut options = ResetOptions::new(auth);
///     options.domain_override = Some("example.com".into());
///     form.save(auth, None, &options)?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PasswordResetForm {
    form: Form,
}

/// What [`PasswordResetForm::save`] may be told.
#[derive(Clone)]
#[non_exhaustive]
pub struct ResetOptions<U: BaseUser> {
    /// The domain of the link, with its port; otherwise `SITE_DOMAIN`, or the host that was asked for.
    pub domain_override: Option<String>,
    /// The template of the subject.
    pub subject_template_name: Cow<'static, str>,
    /// The template of the plain text.
    pub email_template_name: Cow<'static, str>,
    /// The template of the same as HTML, if there is to be one.
    pub html_email_template_name: Option<Cow<'static, str>>,
    /// More values for the templates.
    pub extra_email_context: Value,
    /// The sender, otherwise `DEFAULT_FROM_EMAIL`.
    pub from_email: Option<String>,
    /// What makes the tokens.
    pub token_generator: Arc<dyn TokenGenerator<U>>,
    /// Whether the link begins with `https`.
    pub use_https: bool,
    /// Where the pages of `auth.urls()` are: the path before `reset/`.
    pub folder: String,
}

impl<U: BaseUser> ResetOptions<U> {
    /// Django's defaults, with the pages beside `LOGIN_URL`.
    #[must_use]
    pub fn new(auth: &Auth<U>) -> Self {
        let login_url = &auth.settings().login_url;
        let folder = login_url.strip_suffix("login/").unwrap_or("/accounts/");
        Self {
            domain_override: None,
            subject_template_name: "registration/password_reset_subject.txt".into(),
            email_template_name: "registration/password_reset_email.html".into(),
            html_email_template_name: None,
            extra_email_context: Value::UNDEFINED,
            from_email: None,
            token_generator: Arc::new(PasswordResetTokenGenerator::new(auth.settings())),
            use_https: false,
            folder: folder.to_owned(),
        }
    }

    /// Domain and name of the site in the mail.
    fn domain(&self, auth: &Auth<U>, request: Option<&Request>) -> Result<String, Error> {
        let configured = self
            .domain_override
            .as_ref()
            .or(auth.settings().site_domain.as_ref());
        if let Some(domain) = configured {
            return Ok(domain.clone());
        }
        let host = request.and_then(|request| request.get_host().ok());
        host.map(Cow::into_owned).ok_or_else(|| {
            Error::value("a reset link needs a domain: domain_override, SITE_DOMAIN or a request")
        })
    }
}

impl<U: BaseUser> fmt::Debug for ResetOptions<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResetOptions")
            .field("subject_template_name", &self.subject_template_name)
            .field("email_template_name", &self.email_template_name)
            .finish_non_exhaustive()
    }
}

/// A mail with a link, before it is written.
pub struct ResetMail<'a, U: BaseUser> {
    /// Whose password it is about.
    pub user: &'a U,
    /// The address as it is stored, never as it was typed.
    pub to_email: String,
    /// What the templates know: Django's names (`email`, `domain`, `site_name`, `uid`, `user`, `token`,
    /// `protocol`), `reset_url`, and the application's own.
    pub context: Value,
    /// The templates, and the sender.
    pub options: &'a ResetOptions<U>,
    /// The language of whoever asked.
    pub language: Language,
}

impl<U: BaseUser> fmt::Debug for ResetMail<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResetMail").finish_non_exhaustive()
    }
}

impl PasswordResetForm {
    /// The form with what was sent, or to be shown.
    pub fn new(data: Option<&QueryDict>) -> Self {
        let email = Field::new("email", FieldKind::Email)
            .max_length(LONGEST_EMAIL)
            .autocomplete("email")
            .autofocus();
        Self {
            form: Form::new([email], data),
        }
    }

    has_form!(form);

    /// Whether what was sent is right; otherwise the form says what is wrong.
    ///
    /// # Errors
    /// None of its own.
    pub async fn is_valid<U: BaseUser>(&mut self, auth: &Auth<U>) -> Result<bool, Error> {
        self.clean_with(&Context::without_request(auth), &Standard)
            .await
    }

    /// [`is_valid`](Self::is_valid) with steps of the application's own.
    ///
    /// # Errors
    /// Those of the steps.
    pub async fn clean_with<U: BaseUser, S: Steps<U>>(
        &mut self,
        context: &Context<'_, U>,
        steps: &S,
    ) -> Result<bool, Error> {
        self.form.clean_fields_with(context, steps).await?;
        self.form.clean_with(context, steps).await?;
        Ok(self.form.is_valid())
    }

    /// Mails a link to every user who has the address. All of it, the look-up included, happens in the
    /// background ([`Auth::mail`]): nothing shows here whether there is such a user.
    ///
    /// # Errors
    /// `Value`: the form is not valid, or no domain is known.
    pub fn save<U: BaseUser>(
        &self,
        auth: &Auth<U>,
        request: Option<&Request>,
        options: &ResetOptions<U>,
    ) -> Result<(), Error> {
        self.save_with(auth, request, options, Arc::new(Standard))
    }

    /// [`save`](Self::save) with steps of the application's own.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_with<U: BaseUser, S: Steps<U>>(
        &self,
        auth: &Auth<U>,
        request: Option<&Request>,
        options: &ResetOptions<U>,
        steps: Arc<S>,
    ) -> Result<(), Error> {
        let email = self.form.text("email").ok_or_else(invalid_form)?;
        let job = Job {
            auth: auth.clone(),
            domain: options.domain(auth, request)?,
            language: request
                .map_or_else(|| Language::configured(auth.settings()), Request::language),
            request: request.cloned(),
            email: email.to_owned(),
            options: options.clone(),
            steps,
        };
        let client = request.and_then(Request::client_address);
        if auth.mail().admit(email, client) {
            auth.mail().defer("a password reset", job.messages());
        }
        Ok(())
    }
}

/// What happens in the background.
struct Job<U: BaseUser, S> {
    auth: Auth<U>,
    request: Option<Request>,
    email: String,
    domain: String,
    language: Language,
    options: ResetOptions<U>,
    steps: Arc<S>,
}

impl<U: BaseUser, S: Steps<U>> Job<U, S> {
    async fn messages(self) -> Result<Vec<EmailMessage>, Error> {
        let context = Context::new(&self.auth, self.request.as_ref());
        let mut messages = Vec::new();
        for user in self.steps.get_users(&context, &self.email).await? {
            let Some(mail) = self.mail(&user) else {
                continue;
            };
            match self.steps.send_mail(&context, mail).await {
                Ok(message) => messages.extend(message),
                Err(error) => tracing::error!(
                    target: "django.contrib.auth", user = %user.id(), %error,
                    "the mail with a reset link could not be made"
                ),
            }
        }
        Ok(messages)
    }

    fn mail<'a>(&'a self, user: &'a U) -> Option<ResetMail<'a, U>> {
        let to_email = user.get_email()?;
        let uid = urlsafe_base64_encode(user.id().to_string().as_bytes());
        let token = self
            .options
            .token_generator
            .make_token(user, self.auth.now());
        let protocol = if self.options.use_https {
            "https"
        } else {
            "http"
        };
        let (domain, folder) = (&self.domain, &self.options.folder);
        let path = format!("{folder}reset/{uid}/{token}/");
        let path = escape_leading_slashes(&path);
        let values = context! {
            email => &to_email,
            domain,
            site_name => domain,
            reset_url => format!("{protocol}://{domain}{path}"),
            uid,
            token,
            protocol,
            user => context! { pk => user.id().to_string(), username => user.get_username() },
        };
        let extra = &self.options.extra_email_context;
        let context = match extra.is_undefined() {
            true => values,
            false => context! { ..extra.clone(), ..values },
        };
        let (options, language) = (&self.options, self.language);
        Some(ResetMail {
            user,
            to_email,
            context,
            options,
            language,
        })
    }
}

/// Active users with a usable password who have this address; mirrors `PasswordResetForm.get_users`.
///
/// The database may take look-alikes for the same, so the addresses are compared here once more, folded
/// on both sides (CVE-2019-19844).
pub(super) async fn get_users<U: BaseUser>(auth: &Auth<U>, email: &str) -> Result<Vec<U>, Error> {
    let found = auth
        .users()
        .filter(Q::iexact(&*auth.user_meta().email_field, email))
        .all()
        .await?;
    let wanted = folded(email);
    let same = |user: &U| {
        user.get_email()
            .is_some_and(|stored| folded(&stored) == wanted)
    };
    let may = |user: &U| user.is_active() && user.base().has_usable_password();
    Ok(found
        .into_iter()
        .filter(|user| may(user) && same(user))
        .collect())
}

/// Compatible spellings and cases as one, as Unicode's technical report 36 recommends for names.
pub(crate) fn folded(text: &str) -> String {
    let text: String = text.nfkc().collect();
    CaseMapper::new().fold_string(&text).into_owned()
}

/// The message; mirrors `PasswordResetForm.send_mail`.
pub(super) fn send_mail<U: BaseUser>(
    auth: &Auth<U>,
    mail: &ResetMail<'_, U>,
) -> Result<EmailMessage, Error> {
    let render = |name: &str| {
        auth.templates()
            .render_in(mail.language, name, mail.context.clone())
    };
    let subject: String = render(&mail.options.subject_template_name)?
        .lines()
        .collect();
    let body = render(&mail.options.email_template_name)?;
    let mut message = EmailMessage::new(subject, body, [mail.to_email.clone()]);
    if let Some(name) = &mail.options.html_email_template_name {
        message = message.html(render(name)?);
    }
    message.from_email = mail.options.from_email.clone();
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded_as_python_does() {
        let data: Vec<(String, String)> =
            serde_json::from_str(include_str!("../../tests/data/casefold.json")).expect("data");
        assert!(data.len() > 1000);
        for (text, expected) in data {
            assert_eq!(folded(&text), expected, "{text}");
        }
    }
}
