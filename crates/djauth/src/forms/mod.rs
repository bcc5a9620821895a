//! Forms: `django.contrib.auth.forms`, with the parts of `django.forms` that they stand on.

mod authentication;
mod field;

pub use authentication::AuthenticationForm;
pub use field::{BoundField, UsernameField};

pub use crate::validators::ValidationError;

#[cfg(test)]
mod tests;
