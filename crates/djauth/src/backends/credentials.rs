//! What somebody logs in with, and what of it may be shown.

use std::fmt;

use zeroize::Zeroize;

/// Any of these anywhere in a name, in any case, marks a secret (Django's `SENSITIVE_CREDENTIALS`).
const SENSITIVE: [&str; 6] = ["api", "token", "key", "secret", "password", "signature"];
/// Django's `CLEANSED_SUBSTITUTE`: twenty asterisks.
const CLEANSED: &str = "********************";

/// Django's keyword arguments of `authenticate`: names with text values, in the order given.
///
/// `Debug` shows cleansed values only. Values are overwritten when dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials(Vec<(String, String)>);

impl Credentials {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `username` and `password`, what nearly every login has.
    #[must_use]
    pub fn username_password(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self::new()
            .with("username", username)
            .with("password", password)
    }

    /// The same with another name and value; a second value of a name replaces the first.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => {
                old.zeroize();
                *old = value;
            }
            None => self.0.push((name, value)),
        }
        self
    }

    /// The value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Every name with its value, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same with twenty asterisks for every value whose name holds, in any case, one of `api`,
    /// `token`, `key`, `secret`, `password` and `signature`: what `user_login_failed` carries.
    #[must_use]
    pub fn cleansed(&self) -> Self {
        Self(
            self.iter()
                .map(|(name, value)| (name.to_owned(), cleanse(name, value).to_owned()))
                .collect(),
        )
    }
}

fn cleanse<'a>(name: &str, value: &'a str) -> &'a str {
    let name = name.to_lowercase();
    if SENSITIVE.iter().any(|part| name.contains(part)) {
        CLEANSED
    } else {
        value
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(
                self.iter()
                    .map(|(name, value)| (name, cleanse(name, value))),
            )
            .finish()
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        for (_, value) in &mut self.0 {
            value.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_anywhere_in_the_name_in_any_case() {
        let given = Credentials::new()
            .with("Token", "1")
            .with("api_x", "2")
            .with("signature", "3")
            .with("monkey", "4")
            .with("otp", "5")
            .with("username", "alice");
        let cleansed = given.cleansed();
        for name in ["Token", "api_x", "signature", "monkey"] {
            assert_eq!(cleansed.get(name), Some("********************"), "{name}");
        }
        assert_eq!(cleansed.get("otp"), Some("5"));
        assert_eq!(cleansed.get("username"), Some("alice"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = format!("{:?}", Credentials::username_password("alice", "hunter2"));
        assert!(
            text.contains("alice") && !text.contains("hunter2"),
            "{text}"
        );
    }

    #[test]
    fn a_name_has_one_value() {
        let given = Credentials::new().with("a", "1").with("a", "2");
        assert_eq!(given.iter().collect::<Vec<_>>(), [("a", "2")]);
    }
}
