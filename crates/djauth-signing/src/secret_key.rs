//! Secret keys: `SECRET_KEY` and `SECRET_KEY_FALLBACKS`.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result};

/// A secret key (`SECRET_KEY`): any bytes, at least one.
///
/// Cheap to clone, overwritten with zeros when the last clone is dropped, and never shown by
/// `Debug`.
#[derive(Clone)]
pub struct SecretKey(Arc<Zeroizing<Vec<u8>>>);

impl SecretKey {
    /// Takes a key.
    ///
    /// # Errors
    /// [`ErrorKind::NoSecretKey`] when it is empty, as in Django.
    pub fn new(key: impl Into<Vec<u8>>) -> Result<Self> {
        let key = Zeroizing::new(key.into());
        if key.is_empty() {
            return Err(ErrorKind::NoSecretKey.into());
        }
        Ok(SecretKey(Arc::new(key)))
    }

    /// Reads a key from the environment variable `name`.
    ///
    /// # Errors
    /// [`ErrorKind::NoSecretKey`] when the variable is not set, empty, or not UTF-8; the source says
    /// which variable.
    pub fn from_env(name: &str) -> Result<Self> {
        let absent = || {
            let text = format!("the environment variable {name} is not set, empty, or not UTF-8");
            Error::with_source(ErrorKind::NoSecretKey, text)
        };
        SecretKey::new(std::env::var(name).map_err(|_| absent())?).map_err(|_| absent())
    }

    /// The bytes of the key. Never log them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// The key that signs, and older keys that are still accepted.
#[derive(Clone, Debug)]
pub struct SecretKeys {
    /// `SECRET_KEY`: signs, and is tried first.
    pub key: SecretKey,
    /// `SECRET_KEY_FALLBACKS`: accepted in this order, never used to sign.
    pub fallbacks: Vec<SecretKey>,
}

impl SecretKeys {
    /// One key without fallbacks.
    pub fn new(key: SecretKey) -> Self {
        SecretKeys {
            key,
            fallbacks: Vec::new(),
        }
    }

    /// A key and older keys that are still accepted.
    pub fn with_fallbacks(key: SecretKey, fallbacks: impl Into<Vec<SecretKey>>) -> Self {
        SecretKeys {
            key,
            fallbacks: fallbacks.into(),
        }
    }

    /// The key, then the fallbacks in their order.
    pub fn iter(&self) -> impl Iterator<Item = &SecretKey> {
        std::iter::once(&self.key).chain(&self.fallbacks)
    }
}

impl From<SecretKey> for SecretKeys {
    fn from(key: SecretKey) -> Self {
        SecretKeys::new(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_key() {
        let keys = SecretKeys::with_fallbacks(
            SecretKey::new("hunter2-key").unwrap(),
            [SecretKey::new("hunter2-old").unwrap()],
        );
        let shown = format!("{keys:?} {keys:#?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(!shown.contains("104"), "bytes are shown: {shown}");
    }

    #[test]
    fn an_empty_or_absent_key_is_an_error() {
        assert_eq!(
            SecretKey::new("").unwrap_err().kind(),
            ErrorKind::NoSecretKey
        );
        let error = SecretKey::from_env("DJAUTH_SIGNING_TEST_NO_SUCH_VARIABLE").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSecretKey);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("DJAUTH_SIGNING_TEST_NO_SUCH_VARIABLE"));
    }

    #[test]
    fn the_key_comes_before_the_fallbacks() {
        let [a, b, c] = ["a", "b", "c"].map(|k| SecretKey::new(k).unwrap());
        let keys = SecretKeys::with_fallbacks(a, [b, c]);
        let order: Vec<&[u8]> = keys.iter().map(SecretKey::as_bytes).collect();
        assert_eq!(order, [b"a", b"b", b"c"]);
    }
}
