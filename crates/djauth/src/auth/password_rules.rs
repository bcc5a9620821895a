//! The rules for new passwords, and who hears of a changed one.

use super::Auth;
use crate::base_user::BaseUser;
use crate::password_validation::{
    PasswordUser, PasswordValidators, password_changed, validate_password_async,
};
use crate::validators::ValidationError;

impl<U: BaseUser> Auth<U> {
    /// The rules of `AUTH_PASSWORD_VALIDATORS`, and after them those of
    /// [`Builder::password_validator`](crate::Builder::password_validator).
    #[must_use]
    pub fn password_validators(&self) -> &PasswordValidators {
        &self.0.validators
    }

    /// Asks every rule whether this user may have this password, those that take time too.
    ///
    /// # Errors
    /// What each offended rule says, in order.
    pub async fn validate_password(
        &self,
        password: &str,
        user: Option<&U>,
    ) -> Result<(), Vec<ValidationError>> {
        let user = user.map(|user| user as &dyn PasswordUser);
        validate_password_async(password, user, self.password_validators()).await
    }

    /// Tells every rule of the password that was set on this user, once it is saved: what Django's
    /// `AbstractBaseUser.save` does.
    pub(crate) fn password_saved(&self, user: &U) {
        if let Some(raw) = user.base().raw.take() {
            password_changed(&raw, Some(user), self.password_validators());
        }
    }
}
