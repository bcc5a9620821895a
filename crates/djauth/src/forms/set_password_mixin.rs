//! What the forms that set a password have in common: `SetPasswordMixin`.

use super::field::{Field, FieldKind};
use super::form::Form;
use super::text::Text;
use crate::base_user::BaseUser;
use crate::hashing::Client;
use crate::validators::ValidationError;
use crate::{Auth, Error};

/// Two fields for a new password, and what is asked of them; mirrors `SetPasswordMixin`.
#[derive(Clone, Copy, Debug)]
pub struct SetPasswordMixin {
    /// The name of the first field.
    pub password1: &'static str,
    /// The name of the second.
    pub password2: &'static str,
}

impl SetPasswordMixin {
    /// The names in Django's forms for new users.
    pub const NEW_USER: Self = SetPasswordMixin {
        password1: "password1",
        password2: "password2",
    };
    /// The names in Django's forms for another password.
    pub const NEW_PASSWORD: Self = SetPasswordMixin {
        password1: "new_password1",
        password2: "new_password2",
    };

    /// The fields, with the rules of `AUTH_PASSWORD_VALIDATORS` as help texts.
    pub fn create_password_fields<U: BaseUser>(
        self,
        auth: &Auth<U>,
        labels: [Text; 2],
    ) -> [Field; 2] {
        let rules = auth.password_validators().iter().cloned().map(Text::Rule);
        let field = |name, label| {
            let field = Field::new(name, FieldKind::Password).label(label);
            field.autocomplete("new-password")
        };
        let [first, second] = labels;
        let first = rules.fold(field(self.password1, first), Field::help_text);
        let again = Text::Key("form.password_again");
        [first, field(self.password2, second).help_text(again)]
    }

    /// Both must be the same; the error is the second's, with the code `password_mismatch`.
    pub fn validate_passwords(self, form: &mut Form) {
        let given = |name| form.text(name).filter(|text| !text.is_empty());
        let differ = match (given(self.password1), given(self.password2)) {
            (Some(first), Some(second)) => first != second,
            _ => false,
        };
        if differ {
            form.add_error(
                Some(self.password2),
                ValidationError::of("password_mismatch"),
            );
        }
    }

    /// Asks the rules of `AUTH_PASSWORD_VALIDATORS`; what they say is the second field's.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: the rules cannot be read.
    pub async fn validate_password_for_user<U: BaseUser>(
        self,
        form: &mut Form,
        auth: &Auth<U>,
        user: &U,
    ) -> Result<(), Error> {
        let given = form.text(self.password2).filter(|text| !text.is_empty());
        let Some(password) = given else {
            return Ok(());
        };
        match auth.validate_password(password, Some(user)).await {
            Ok(()) => Ok(()),
            Err(errors) => form.refuse(self.password2, errors.into()),
        }
    }

    /// Gives the user the password of the first field, without saving. While it waits to be hashed, it
    /// waits among those of the network that sent the form.
    ///
    /// # Errors
    /// `Value`: the form is not valid. `Busy`: too many hashes wait.
    pub async fn set_password<U: BaseUser>(
        self,
        form: &Form,
        auth: &Auth<U>,
        user: &mut U,
    ) -> Result<(), Error> {
        let password = form.text(self.password1).ok_or_else(invalid_form)?;
        let Some(sender) = form.sender() else {
            return auth.set_password(user, password).await;
        };
        let client = Client::new(Some(sender), Some(&user.get_username()));
        client.scope(auth.set_password(user, password)).await
    }
}

pub(super) fn invalid_form() -> Error {
    Error::value("a form that is not valid cannot be saved")
}
