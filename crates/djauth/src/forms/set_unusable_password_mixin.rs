//! What lets a form turn a user's password off: `SetUnusablePasswordMixin`.

use super::field::{Cleaned, Field, FieldKind, required};
use super::form::Form;
use super::set_password_mixin::SetPasswordMixin;
use super::text::Text;
use crate::base_user::BaseUser;
use crate::{Auth, Error};

const USABLE_PASSWORD: &str = "usable_password";
const SET_USABLE_PASSWORD: &str = "set_usable_password";

/// A choice whether the user logs in with a password at all; mirrors `SetUnusablePasswordMixin`.
///
/// The choice that is not made counts as "yes". The cleaned data has it as `set_usable_password`.
#[derive(Clone, Copy, Debug)]
pub struct SetUnusablePasswordMixin(pub SetPasswordMixin);

impl SetUnusablePasswordMixin {
    /// The field `usable_password`.
    pub fn create_usable_password_field() -> Field {
        Field::new(USABLE_PASSWORD, FieldKind::Radio)
            .label(Text::Key("form.usable_password"))
            .help_text(Text::Key("form.usable_password_help"))
            .optional()
            .choice("true", Text::Key("form.usable_password_on"))
            .choice("false", Text::Key("form.usable_password_off"))
            .initial("true")
    }

    /// Both fields must be filled in and the same, unless the password is turned off.
    pub fn validate_passwords(self, form: &mut Form) {
        let choice = form.text(USABLE_PASSWORD).map(str::to_owned);
        let usable = choice.as_deref() != Some("false");
        form.forget(USABLE_PASSWORD);
        form.set(SET_USABLE_PASSWORD, Cleaned::Bool(usable));
        if !usable {
            return;
        }
        for name in [self.0.password1, self.0.password2] {
            let missing = form.text(name).is_none_or(str::is_empty);
            if missing && form.errors(name).is_empty() {
                form.add_error(Some(name), required());
            }
        }
        self.0.validate_passwords(form);
    }

    /// Whether the user is to have a password that works; after
    /// [`validate_passwords`](Self::validate_passwords).
    pub fn is_usable(self, form: &Form) -> bool {
        form.is_ticked(SET_USABLE_PASSWORD)
    }

    /// Asks the rules of `AUTH_PASSWORD_VALIDATORS`, unless the password is turned off.
    ///
    /// # Errors
    /// As [`SetPasswordMixin::validate_password_for_user`].
    pub async fn validate_password_for_user<U: BaseUser>(
        self,
        form: &mut Form,
        auth: &Auth<U>,
        user: &U,
    ) -> Result<(), Error> {
        if !self.is_usable(form) {
            return Ok(());
        }
        self.0.validate_password_for_user(form, auth, user).await
    }

    /// Gives the user the new password, or one that nothing fits, without saving.
    ///
    /// # Errors
    /// As [`SetPasswordMixin::set_password`].
    pub async fn set_password<U: BaseUser>(
        self,
        form: &Form,
        auth: &Auth<U>,
        user: &mut U,
    ) -> Result<(), Error> {
        if self.is_usable(form) {
            self.0.set_password(form, auth, user).await
        } else {
            auth.set_unusable_password(user).await
        }
    }
}
