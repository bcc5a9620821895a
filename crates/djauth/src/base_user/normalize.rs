//! `BaseUserManager.normalize_email` and `AbstractBaseUser.normalize_username`.

use unicode_normalization::UnicodeNormalization;

/// Lower-cases the domain of an e-mail address and strips white space around the whole. The last `@`
/// divides; text without one comes back as it is, unstripped, as in Django. (Django's `None` is `""`.)
#[must_use]
pub fn normalize_email(email: &str) -> String {
    match email.trim_matches(is_python_space).rsplit_once('@') {
        Some((name, domain)) => format!("{name}@{}", domain.to_lowercase()),
        None => email.to_owned(),
    }
}

/// Unicode NFKC, so that two spellings that look alike are one username.
#[must_use]
pub fn normalize_username(username: &str) -> String {
    username.nfkc().collect()
}

/// White space as Python's `str.strip` sees it: also the four ASCII separators.
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
