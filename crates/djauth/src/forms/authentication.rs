use std::fmt;

use super::field::{Field, FieldKind};
use super::form::{Form, NON_FIELD_ERRORS, has_form};
use super::steps::{FormError, Standard, Steps};
use super::text::Text;
use crate::backends::{Context, MayEnter};
use crate::base_user::{BaseUser, UserMeta};
use crate::http::{QueryDict, Request};
use crate::validators::ValidationError;
use crate::{Auth, Credentials, Error};

/// The longest username where the model sets no limit.
const MAX_USERNAME: usize = 254;

/// The login form: `username`, `password`; mirrors `AuthenticationForm`.
///
/// It answers a wrong password, an unknown name and (with `ModelBackend`) an inactive user with one
/// and the same error.
#[derive(Clone)]
pub struct AuthenticationForm {
    form: Form,
    username: String,
}

impl AuthenticationForm {
    /// An empty form, for a page that is shown for the first time.
    pub fn unbound(user: &UserMeta) -> Self {
        Self::with(user, None)
    }

    /// The form with what was sent.
    pub fn new(user: &UserMeta, data: &QueryDict) -> Self {
        Self::with(user, Some(data))
    }

    pub(crate) fn with(user: &UserMeta, data: Option<&QueryDict>) -> Self {
        let mut username = Field::new("username", FieldKind::Username)
            .label(Text::field(user, &user.username_field))
            .max_length(username_length(user).unwrap_or(MAX_USERNAME))
            .autocomplete("username")
            .autofocus();
        // A name that is too long is nobody's, as in Django, and brought into no other form.
        username.limited = false;
        let password = Field::new("password", FieldKind::Password).autocomplete("current-password");
        Self {
            form: Form::new([username, password], data),
            username: user.username_field.clone(),
        }
    }

    has_form!(form);

    /// The fields, without what belongs to the login.
    #[must_use]
    pub fn into_form(self) -> Form {
        self.form
    }

    /// Checks the fields, then asks the backends. `None`: the form says what is wrong.
    ///
    /// # Errors
    /// When a backend fails, or too many logins wait: neither is a "no".
    pub async fn clean<U: BaseUser>(
        &mut self,
        auth: &Auth<U>,
        request: &Request,
    ) -> Result<Option<U>, Error> {
        let context = Context::new(auth, Some(request));
        self.clean_with(&context, &Standard).await
    }

    /// [`clean`](Self::clean) with steps of the application's own.
    ///
    /// # Errors
    /// As [`clean`](Self::clean), and those of the steps.
    pub async fn clean_with<U: BaseUser, S: Steps<U>>(
        &mut self,
        context: &Context<'_, U>,
        steps: &S,
    ) -> Result<Option<U>, Error> {
        self.form.clean_fields_with(context, steps).await?;
        let user = self.authenticate(context, steps).await?;
        self.form.clean_with(context, steps).await?;
        Ok(user.filter(|_| self.form.is_valid()))
    }

    /// The user of name and password, if both are there.
    async fn authenticate<U: BaseUser, S: Steps<U>>(
        &mut self,
        context: &Context<'_, U>,
        steps: &S,
    ) -> Result<Option<U>, Error> {
        let Some(credentials) = self.credentials() else {
            return Ok(None);
        };
        let may_enter: MayEnter<'_, U> = &|user| steps.may_enter(user);
        let asked = context.for_those(may_enter);
        let found = asked.auth.authenticate_in(asked, &credentials).await?;
        let Some(user) = found else {
            let error = steps.get_invalid_login_error(self);
            self.form.add_error(None, error);
            return Ok(None);
        };
        match steps.confirm_login_allowed(context, &user).await {
            Ok(()) => Ok(Some(user)),
            Err(error) => self.form.refuse(NON_FIELD_ERRORS, error).map(|()| None),
        }
    }

    fn credentials(&self) -> Option<Credentials> {
        let username = self.form.text("username")?;
        let password = self.form.text("password").filter(|text| !text.is_empty())?;
        Some(Credentials::username_password(username, password))
    }

    /// What the form says of a wrong name or password.
    pub fn get_invalid_login_error(&self) -> ValidationError {
        ValidationError::of("invalid_login").field_param("username", &self.username)
    }

    /// What is wrong with the form as a whole (`__all__`).
    pub fn non_field_errors(&self) -> &[ValidationError] {
        self.form.non_field_errors()
    }
}

/// Inactive users may not log in; mirrors `AuthenticationForm.confirm_login_allowed`. Backends
/// that refuse them by themselves never let it come to this.
pub(super) fn confirm_login_allowed<U: BaseUser>(user: &U) -> Result<(), FormError> {
    if user.is_active() {
        return Ok(());
    }
    Err(ValidationError::of("inactive").into())
}

/// The longest username, as the model says.
pub(super) fn username_length(user: &UserMeta) -> Option<usize> {
    user.username()?.max_length.map(|limit| limit as usize)
}

/// Shows what was sent neither as a name nor as a password.
impl fmt::Debug for AuthenticationForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticationForm")
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}
