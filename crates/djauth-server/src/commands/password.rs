//! Judging a new password by `AUTH_PASSWORD_VALIDATORS`.

use djauth::BaseUser;
use djauth::password_validation::{get_default_password_validators, validate_password};
use djauth::settings::Settings;

use crate::database::failed;
use crate::failure::Failure;

/// What the validators say against a password; nothing if it is good. The user's own data may not
/// be in it.
pub(crate) fn problems<U: BaseUser>(
    settings: &Settings,
    password: &str,
    user: &U,
) -> Result<Vec<String>, Failure> {
    let validators = get_default_password_validators(settings);
    let validators =
        validators.map_err(|error| failed("AUTH_PASSWORD_VALIDATORS cannot be used", &error))?;
    let judged = validate_password(password, Some(user), &validators);
    Ok(judged
        .err()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect())
}
