//! `get_system_username` and `get_default_username`: whom `createsuperuser` and `changepassword` mean
//! when nobody is named.

use unicode_normalization::UnicodeNormalization;

use crate::base_user::BaseUser;
use crate::{Auth, Error};

/// The variables that Python's `getpass.getuser` reads, in its order.
const VARIABLES: [&str; 4] = ["LOGNAME", "USER", "LNAME", "USERNAME"];

/// The name under which the caller is logged in at the operating system; empty if it has none.
#[must_use]
pub fn get_system_username() -> String {
    let named = VARIABLES
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty());
    named.or_else(from_passwd).unwrap_or_default()
}

/// The entry of `/etc/passwd` for the user of this process.
#[cfg(unix)]
fn from_passwd() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    // A process's folder belongs to its user.
    let id = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let entry = passwd
        .lines()
        .find(|line| line.split(':').nth(2) == Some(&id))?;
    entry.split(':').next().map(str::to_owned)
}

#[cfg(not(unix))]
fn from_passwd() -> Option<String> {
    None
}

/// The system's name in a form that a username may have, if nobody has it yet; otherwise empty.
///
/// Empty too when the user model is not Django's own, as in Django.
///
/// # Errors
/// The database's.
pub async fn get_default_username<U: BaseUser>(auth: &Auth<U>) -> Result<String, Error> {
    let name = cleaned(&get_system_username());
    if auth.user_meta().label() != "auth.user" || name.is_empty() {
        return Ok(String::new());
    }
    let taken = auth.users().get_by_natural_key(&name).await?.is_some();
    Ok(if taken { String::new() } else { name })
}

/// NFKD, ASCII alone, no spaces, lower case; empty if the username's validator would refuse it.
fn cleaned(name: &str) -> String {
    let ascii = name.nfkd().filter(|c| c.is_ascii() && *c != ' ');
    let cleaned: String = ascii.map(|c| c.to_ascii_lowercase()).collect();
    let valid = |c: char| c.is_ascii_alphanumeric() || "_.@+-".contains(c);
    if cleaned.chars().all(valid) {
        cleaned
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of Django 6.1's `get_default_username` for these system names.
    #[test]
    fn names_are_cleaned_as_django_does() {
        for (system, expected) in [
            ("Joe User", "joeuser"),
            ("Ren\u{e9}", "rene"),
            ("root", "root"),
            ("\u{518d}", ""),
            ("a/b", ""),
            ("A.B-c_d@e+f", "a.b-c_d@e+f"),
        ] {
            assert_eq!(cleaned(system), expected, "{system}");
        }
    }
}
