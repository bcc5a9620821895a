//! Rules for new passwords: `django.contrib.auth.password_validation`.
//!
//! ```
//! use djauth::password_validation::{get_default_password_validators, validate_password};
//! use djauth::settings::{SecretKey, Settings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::new(SecretKey::new("long, random and secret")?);
//! let validators = get_default_password_validators(&settings)?;
//! let user = [("username", "alice"), ("email", "alice@example.com")];
//! let errors = validate_password("alice123", Some(&user), &validators).unwrap_err();
//! assert_eq!(errors[0].code(), "password_too_similar");
//! assert!(validate_password("correct horse", Some(&user), &validators).is_ok());
//! # Ok(())
//! # }
//! ```

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use minijinja::HtmlEscape;

use crate::Error;
use crate::base_user::{BaseUser, Changes};
use crate::i18n::{Language, gettext};
use crate::settings::{BreachCheck, PasswordValidator as Configured, Settings};
use crate::validators::{ValidationError, is_digit};

mod breached;
mod common_password;
mod similarity;

pub use breached::BreachedPasswordValidator;
pub use common_password::CommonPasswordValidator;
pub use similarity::UserAttributeSimilarityValidator;

/// What the rules may know of the user whose password it is.
pub trait PasswordUser: Send + Sync {
    /// A text field by Django's name; `None` if the user has no such field, or no text in it.
    fn text(&self, field: &str) -> Option<Cow<'_, str>>;
}

/// Fields and their values.
impl<const N: usize> PasswordUser for [(&str, &str); N] {
    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.iter().find(|(name, _)| *name == field)?;
        Some(Cow::Borrowed(value))
    }
}

/// A user's text columns. Columns of other types have no text to compare with.
impl<U: BaseUser> PasswordUser for U {
    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        Changes::only_text_of(self, field).map(Cow::Owned)
    }
}

/// One rule. Implement it for a rule of your own.
pub trait PasswordValidator: Send + Sync + fmt::Debug {
    /// Whether the password may be used.
    ///
    /// # Errors
    /// What the user is told.
    fn validate(
        &self,
        password: &str,
        user: Option<&dyn PasswordUser>,
    ) -> Result<(), ValidationError>;

    /// The same for a rule that has to wait for something, such as another server. What the forms and
    /// commands ask; unless written, it asks [`validate`](PasswordValidator::validate).
    ///
    /// # Errors
    /// What the user is told.
    fn validate_async<'a>(
        &'a self,
        password: &'a str,
        user: Option<&'a dyn PasswordUser>,
    ) -> BoxFuture<'a, Result<(), ValidationError>> {
        ready(self.validate(password, user)).boxed()
    }

    /// Called after a password was changed, for rules that remember.
    fn password_changed(&self, password: &str, user: Option<&dyn PasswordUser>) {
        let _ = (password, user);
    }

    /// What the user is told before choosing, in a language if the rule has it in several.
    fn get_help_text(&self, language: Language) -> String;
}

/// The rules in the order of `AUTH_PASSWORD_VALIDATORS`.
pub type PasswordValidators = Arc<[Arc<dyn PasswordValidator>]>;

/// The rules that `AUTH_PASSWORD_VALIDATORS` names.
///
/// # Errors
/// When a list of passwords cannot be read, or an option is out of its range.
pub fn get_default_password_validators(settings: &Settings) -> Result<PasswordValidators, Error> {
    get_password_validators(&settings.auth_password_validators)
}

/// The rules that these entries of `AUTH_PASSWORD_VALIDATORS` name.
///
/// # Errors
/// When a list of passwords cannot be read, or an option is out of its range.
pub fn get_password_validators(configured: &[Configured]) -> Result<PasswordValidators, Error> {
    configured.iter().map(validator).collect()
}

fn validator(configured: &Configured) -> Result<Arc<dyn PasswordValidator>, Error> {
    Ok(match configured {
        Configured::UserAttributeSimilarity {
            user_attributes,
            max_similarity,
        } => Arc::new(UserAttributeSimilarityValidator::new(
            user_attributes,
            *max_similarity,
        )?),
        Configured::MinimumLength { min_length } => Arc::new(MinimumLengthValidator {
            min_length: *min_length,
        }),
        Configured::CommonPassword {
            password_list_path: Some(path),
        } => Arc::new(CommonPasswordValidator::from_file(path)?),
        Configured::CommonPassword {
            password_list_path: None,
        } => Arc::new(CommonPasswordValidator::default()),
        Configured::NumericPassword => Arc::new(NumericPasswordValidator),
        Configured::BreachedPassword(options) => Arc::new(breached(options)?),
    })
}

fn breached(options: &BreachCheck) -> Result<BreachedPasswordValidator, Error> {
    let validator = BreachedPasswordValidator::new(&options.url)?
        .timeout(Duration::from_secs(options.timeout))
        .threshold(options.threshold)
        .fail_open(options.fail_open);
    match &options.ssl_cafile {
        Some(file) => validator.authorities(file),
        None => Ok(validator),
    }
}

/// Asks every rule, without those that have to wait for another server: see
/// [`validate_password_async`].
///
/// # Errors
/// What each offended rule says, in order.
pub fn validate_password(
    password: &str,
    user: Option<&dyn PasswordUser>,
    validators: &PasswordValidators,
) -> Result<(), Vec<ValidationError>> {
    let answers = validators
        .iter()
        .map(|validator| validator.validate(password, user));
    let errors: Vec<_> = answers.filter_map(Result::err).collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// Asks every rule, those too that have to wait for something.
///
/// # Errors
/// What each offended rule says, in order.
pub async fn validate_password_async(
    password: &str,
    user: Option<&dyn PasswordUser>,
    validators: &PasswordValidators,
) -> Result<(), Vec<ValidationError>> {
    let mut errors = Vec::new();
    for validator in &**validators {
        errors.extend(validator.validate_async(password, user).await.err());
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// Tells every rule that a password was changed.
pub fn password_changed(
    password: &str,
    user: Option<&dyn PasswordUser>,
    validators: &PasswordValidators,
) {
    for validator in &**validators {
        validator.password_changed(password, user);
    }
}

/// What a user is told before choosing, rule by rule, in a language.
pub fn password_validators_help_texts(
    validators: &PasswordValidators,
    language: Language,
) -> Vec<String> {
    validators
        .iter()
        .map(|validator| validator.get_help_text(language))
        .collect()
}

/// The same as an HTML list, escaped; nothing when there is nothing to tell.
pub fn password_validators_help_text_html(
    validators: &PasswordValidators,
    language: Language,
) -> String {
    let texts = password_validators_help_texts(validators, language);
    if texts.is_empty() {
        return String::new();
    }
    let items = texts.iter().map(|text| {
        let text = HtmlEscape(text);
        format!("<li>{text}</li>")
    });
    format!("<ul>{}</ul>", items.collect::<String>())
}

/// At least so many code points.
#[derive(Clone, Debug)]
pub struct MinimumLengthValidator {
    /// The least that is accepted; Django's default is 8.
    pub min_length: u64,
}

impl PasswordValidator for MinimumLengthValidator {
    fn validate(
        &self,
        password: &str,
        _user: Option<&dyn PasswordUser>,
    ) -> Result<(), ValidationError> {
        if password.chars().count() as u64 >= self.min_length {
            return Ok(());
        }
        let error = ValidationError::of("password_too_short");
        Err(error.param("min_length", self.min_length))
    }

    fn get_help_text(&self, language: Language) -> String {
        let params = [("min_length", self.min_length.to_string())];
        gettext(language, "help.password_too_short", &params)
    }
}

/// Not digits alone, of whatever script.
#[derive(Clone, Copy, Debug, Default)]
pub struct NumericPasswordValidator;

impl PasswordValidator for NumericPasswordValidator {
    fn validate(
        &self,
        password: &str,
        _user: Option<&dyn PasswordUser>,
    ) -> Result<(), ValidationError> {
        if password.is_empty() || !password.chars().all(is_digit) {
            return Ok(());
        }
        Err(ValidationError::of("password_entirely_numeric"))
    }

    fn get_help_text(&self, language: Language) -> String {
        gettext(language, "help.password_entirely_numeric", &[])
    }
}

#[cfg(test)]
mod tests;
