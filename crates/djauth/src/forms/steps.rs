//! The steps of forms and pages that an application may replace.

use std::fmt;

use super::authentication::AuthenticationForm;
use super::form::Form;
use super::password_reset::{self, ResetMail};
use crate::Error;
use crate::backends::Context;
use crate::base_user::BaseUser;
use crate::mail::EmailMessage;
use crate::validators::ValidationError;
use crate::views::{Outcome, Valid};

/// Why a step of a form did not go on.
#[derive(Debug)]
pub enum FormError {
    /// The values are wrong: the form is shown again and says so.
    Invalid(Vec<ValidationError>),
    /// It is not known whether they are: 503 or 500.
    Failed(Error),
}

impl From<ValidationError> for FormError {
    fn from(error: ValidationError) -> Self {
        FormError::Invalid(vec![error])
    }
}

impl From<Vec<ValidationError>> for FormError {
    fn from(errors: Vec<ValidationError>) -> Self {
        FormError::Invalid(errors)
    }
}

impl From<Error> for FormError {
    fn from(error: Error) -> Self {
        FormError::Failed(error)
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FormError::Invalid(errors) => {
                let codes: Vec<_> = errors.iter().map(ValidationError::code).collect();
                f.write_str(&codes.join(", "))
            }
            FormError::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FormError {}

/// What subclasses of Django's forms and views override: each step has Django's behaviour unless it is
/// replaced. Give an implementation to a view's `steps`.
///
/// ```
/// use djauth::backends::Context;
/// use djauth::forms::{FormError, Steps, ValidationError};
/// use djauth::views::LoginView;
/// use djauth::{Auth, User};
///
/// struct StaffOnly;
///
/// impl Steps<User> for StaffOnly {
///     fn may_enter(&self, user: &User) -> bool {
///         user.is_staff
///     }
///
///     async fn confirm_login_allowed(&self, _: &Context<'_, User>, user: &User) -> Result<(), FormError> {
///         if user.is_active {
///             return Ok(());
///         }
///         Err(ValidationError::new("on_leave", "Whoever is on leave stays out.").into())
///     }
/// }
///
/// # fn routes(auth: &Auth) -> axum::Router {
/// axum::Router::new().route("/staff/login/", auth.login_view(LoginView::new().steps(StaffOnly)))
/// # }
/// ```
pub trait Steps<U: BaseUser>: Send + Sync + 'static {
    /// Adds fields, takes some away, changes their labels. Comes first.
    fn fields(&self, form: &mut Form) {
        let _ = form;
    }

    /// Django's `clean_<name>`: judges, and may change, the text of one field that is right so far.
    fn clean_field(
        &self,
        context: &Context<'_, U>,
        form: &Form,
        name: &str,
        value: String,
    ) -> impl Future<Output = Result<String, FormError>> + Send {
        let _ = (context, form, name);
        async { Ok(value) }
    }

    /// Django's `clean`, after the form's own: judges the form as a whole. It may add errors to fields
    /// ([`Form::add_error`]); an error that it returns belongs to the form.
    fn clean(
        &self,
        context: &Context<'_, U>,
        form: &mut Form,
    ) -> impl Future<Output = Result<(), FormError>> + Send {
        let _ = (context, form);
        async { Ok(()) }
    }

    /// Whether this page is for this user at all. Whom it is not for is refused as if the password were
    /// wrong, and nothing tells that it was right: the attempt stays counted, `user_login_failed` is
    /// sent, as much is hashed, an outdated stored value is not renewed, the words are those of
    /// [`get_invalid_login_error`](Self::get_invalid_login_error). Django has no such step: its admin
    /// asks in `confirm_login_allowed`. Everybody may by default.
    fn may_enter(&self, user: &U) -> bool {
        let _ = user;
        true
    }

    /// Whether a user whose password is right may log in. Django lets active users in. Who is refused
    /// here learns that the password was right; [`may_enter`](Self::may_enter) hides it.
    fn confirm_login_allowed(
        &self,
        context: &Context<'_, U>,
        user: &U,
    ) -> impl Future<Output = Result<(), FormError>> + Send {
        let _ = context;
        async { super::authentication::confirm_login_allowed(user) }
    }

    /// What is said of a wrong name or password. The same must be said of both: otherwise the page
    /// tells who has an account.
    fn get_invalid_login_error(&self, form: &AuthenticationForm) -> ValidationError {
        form.get_invalid_login_error()
    }

    /// Who gets a mail when the password of this address is to be reset. Django takes active users
    /// with a usable password. It runs in the background, after the answer.
    fn get_users(
        &self,
        context: &Context<'_, U>,
        email: &str,
    ) -> impl Future<Output = Result<Vec<U>, Error>> + Send {
        password_reset::get_users(context.auth, email)
    }

    /// The mail with the link, or `None` where this step sent it in a way of its own. It runs in the
    /// background, after the answer.
    fn send_mail(
        &self,
        context: &Context<'_, U>,
        mail: ResetMail<'_, U>,
    ) -> impl Future<Output = Result<Option<EmailMessage>, Error>> + Send {
        async move { password_reset::send_mail(context.auth, &mail).map(Some) }
    }

    /// Does what the form is for. [`Valid::proceed`] is what Django does (`super().form_valid(form)`).
    fn form_valid(
        &self,
        context: &Context<'_, U>,
        valid: Valid<'_, U>,
    ) -> impl Future<Output = Result<Outcome, Error>> + Send {
        let _ = context;
        valid.proceed()
    }

    /// Where the browser goes when all is done; `default` is what the view's options, the settings and
    /// a safe `next` say.
    fn get_success_url(&self, context: &Context<'_, U>, default: String) -> String {
        let _ = context;
        default
    }
}

/// Every step as Django has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standard;

impl<U: BaseUser> Steps<U> for Standard {}
