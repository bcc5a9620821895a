//! Judging a new password by `AUTH_PASSWORD_VALIDATORS`.

use djauth::{Auth, BaseUser};

/// What the validators say against a password; nothing if it is good. The user's own data may not
/// be in it.
pub(crate) async fn problems<U: BaseUser>(auth: &Auth<U>, password: &str, user: &U) -> Vec<String> {
    let judged = auth.validate_password(password, Some(user)).await;
    let errors = judged.err().unwrap_or_default();
    errors.iter().map(ToString::to_string).collect()
}
