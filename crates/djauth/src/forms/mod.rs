//! Forms: `django.contrib.auth.forms`, with the parts of `django.forms` that they stand on.
//!
//! A form is made of a [`Form`]: fields as data, what was sent, what it means, what is wrong with it.
//! Fields, order of validation and codes are Django's. [`Form::value`] makes a template value of it, and
//! the template `forms/form.html` a page's part with labels, help texts and errors tied to their fields.
//! What a subclass would override in Django is a step of [`Steps`].

mod authentication;
mod datetime;
mod email;
mod field;
mod form;
mod render;
mod set_password;
mod set_password_mixin;
mod steps;
mod text;

pub use authentication::AuthenticationForm;
pub use email::validate_email;
pub use field::{Choice, Cleaned, Field, FieldKind, UsernameField};
pub use form::{Form, NON_FIELD_ERRORS};
pub use set_password::{PasswordChangeForm, SetPasswordForm};
pub use set_password_mixin::SetPasswordMixin;
pub use steps::{FormError, Standard, Steps};
pub use text::Text;

pub use crate::validators::ValidationError;

#[cfg(test)]
mod tests;
