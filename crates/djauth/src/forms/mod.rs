//! Forms: `django.contrib.auth.forms`, with the parts of `django.forms` that they stand on.
//!
//! A form is made of a [`Form`]: fields as data, what was sent, what it means, what is wrong with it.
//! Fields, order of validation and codes are Django's. [`Form::value`] makes a template value of it, and
//! the template `forms/form.html` a page's part with labels, help texts and errors tied to their fields.
//! What a subclass would override in Django is a step of [`Steps`].

mod admin_password_change;
mod authentication;
mod datetime;
mod email;
mod field;
mod form;
mod model_form;
mod password_reset;
mod read_only_password_hash;
mod render;
mod set_password;
mod set_password_mixin;
mod set_unusable_password_mixin;
mod steps;
mod text;
mod user_change;
mod user_creation;

pub use admin_password_change::AdminPasswordChangeForm;
pub use authentication::AuthenticationForm;
pub use email::validate_email;
pub use field::{Choice, Cleaned, Field, FieldKind, UsernameField};
pub use form::{Form, NON_FIELD_ERRORS};
pub use model_form::{form_field, model_values};
pub(crate) use password_reset::folded;
pub use password_reset::{PasswordResetForm, ResetMail, ResetOptions};
pub use read_only_password_hash::{ReadOnlyPasswordHashField, ReadOnlyPasswordHashWidget};
pub use set_password::{PasswordChangeForm, SetPasswordForm};
pub use set_password_mixin::SetPasswordMixin;
pub use set_unusable_password_mixin::SetUnusablePasswordMixin;
pub use steps::{FormError, Standard, Steps};
pub use text::Text;
pub use user_change::UserChangeForm;
pub use user_creation::{AdminUserCreationForm, BaseUserCreationForm, UserCreationForm};

pub use crate::validators::ValidationError;

#[cfg(test)]
mod tests;
