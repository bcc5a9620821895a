use std::fmt;

use minijinja::{Value, context};
use zeroize::Zeroizing;

use super::field::{
    BoundField, UsernameField, capfirst, clean_password, errors_value, verbose_name,
};
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
pub struct AuthenticationForm {
    bound: bool,
    username: String,
    password: Zeroizing<String>,
    field: UsernameField,
    username_label: String,
    username_errors: Vec<ValidationError>,
    password_errors: Vec<ValidationError>,
    errors: Vec<ValidationError>,
}

impl AuthenticationForm {
    /// An empty form, for a page that is shown for the first time.
    pub fn unbound(user: &UserMeta) -> Self {
        Self {
            bound: false,
            username: String::new(),
            password: Zeroizing::default(),
            field: UsernameField {
                max_length: Some(max_length(user)),
            },
            username_label: verbose_name(&user.username_field),
            username_errors: Vec::new(),
            password_errors: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// The form with what was sent.
    pub fn new(user: &UserMeta, data: &QueryDict) -> Self {
        let text = |name| data.get(name).unwrap_or_default().to_owned();
        Self {
            bound: true,
            username: text("username"),
            password: Zeroizing::new(text("password")),
            ..Self::unbound(user)
        }
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
        let Some(credentials) = self.clean_fields() else {
            return Ok(None);
        };
        let Some(user) = auth.authenticate(Some(request), &credentials).await? else {
            self.errors.push(self.invalid_login());
            return Ok(None);
        };
        if let Err(error) = confirm_login_allowed(&user) {
            self.errors.push(error);
            return Ok(None);
        }
        Ok(Some(user))
    }

    fn clean_fields(&mut self) -> Option<Credentials> {
        if !self.bound {
            return None;
        }
        let username = self.field.clean(&self.username);
        let password = clean_password(&self.password);
        match (username, password) {
            (Ok(username), Ok(password)) => {
                Some(Credentials::username_password(username, password))
            }
            (username, password) => {
                self.username_errors = username.err().unwrap_or_default();
                self.password_errors = password.err().unwrap_or_default();
                None
            }
        }
    }

    fn invalid_login(&self) -> ValidationError {
        let name = &self.username_label;
        let message = format!(
            "This {name} and this password do not belong together. \
             Capital and small letters make a difference."
        );
        ValidationError::new("invalid_login", message).param("username", name.clone())
    }

    /// What is wrong with the form as a whole (`__all__`).
    pub fn non_field_errors(&self) -> &[ValidationError] {
        &self.errors
    }

    /// The fields as a page shows them. A password is never shown again.
    pub fn fields(&self) -> [BoundField; 2] {
        let mut username = BoundField::new("username", capfirst(&self.username_label), "text")
            .attribute("autocapitalize", "none")
            .attribute("autocomplete", "username")
            .attribute("spellcheck", "false")
            .attribute("autofocus", "")
            .attribute("required", "");
        if let Some(limit) = self.field.max_length {
            username = username.attribute("maxlength", limit.to_string());
        }
        // More than fits is not sent back.
        if !self.username.is_empty() && self.username.len() <= 4 * MAX_USERNAME {
            username = username.attribute("value", self.username.clone());
        }
        let password = BoundField::new("password", "Password", "password")
            .attribute("autocomplete", "current-password")
            .attribute("required", "");
        [
            username.errors(&self.username_errors),
            password.errors(&self.password_errors),
        ]
    }

    fn is_invalid(&self) -> bool {
        [&self.errors, &self.username_errors, &self.password_errors]
            .iter()
            .any(|e| !e.is_empty())
    }
}

/// Inactive users may not log in; mirrors `AuthenticationForm.confirm_login_allowed`. Backends
/// that refuse them by themselves never let it come to this.
fn confirm_login_allowed<U: BaseUser>(user: &U) -> Result<(), ValidationError> {
    if user.is_active() {
        return Ok(());
    }
    Err(ValidationError::new(
        "inactive",
        "This account is not active.",
    ))
}

fn max_length(user: &UserMeta) -> usize {
    let limit = user.username().and_then(|field| field.max_length);
    limit.map_or(MAX_USERNAME, |limit| limit as usize)
}

/// Shows what was sent neither as a name nor as a password.
impl fmt::Debug for AuthenticationForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticationForm")
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

/// For templates: `fields`, `errors` (of the whole form) and `invalid`.
impl From<&AuthenticationForm> for Value {
    fn from(form: &AuthenticationForm) -> Self {
        context! {
            fields => form.fields().iter().map(Value::from).collect::<Value>(),
            errors => errors_value(&form.errors),
            invalid => form.is_invalid(),
        }
    }
}
