//! `Signer`: `value:signature`.

use std::fmt;

use zeroize::Zeroizing;

use super::b64_encode;
use crate::crypto::{constant_time_compare, hmac_sha256, salted_key};
use crate::{ErrorKind, Result, SecretKey, SecretKeys};

/// The salt of a [`Signer`] that was given none.
pub const SIGNER_SALT: &str = "django.core.signing.Signer";

/// Signs texts and checks signed texts (`django.core.signing.Signer`).
///
/// The keys are derived once, when the signer is made: keep a signer that is used often.
#[derive(Clone)]
pub struct Signer {
    /// Derived from the key, then from each fallback.
    keys: Vec<Zeroizing<[u8; 32]>>,
    sep: String,
}

impl Signer {
    /// A signer with Django's default salt, [`SIGNER_SALT`].
    pub fn new(keys: &SecretKeys) -> Self {
        Signer::with_salt(keys, SIGNER_SALT)
    }

    /// A signer whose signatures are good for `salt` alone.
    pub fn with_salt(keys: &SecretKeys, salt: &str) -> Self {
        Signer::from_keys(keys.iter().map(SecretKey::as_bytes), salt)
    }

    pub(super) fn from_keys(keys: impl Iterator<Item = impl AsRef<[u8]>>, salt: &str) -> Self {
        let salt = format!("{salt}signer");
        let keys = keys
            .map(|key| salted_key(salt.as_bytes(), key.as_ref()))
            .collect();
        Signer {
            keys,
            sep: ":".to_owned(),
        }
    }

    /// The same signer with another separator than `:`.
    ///
    /// # Errors
    /// [`ErrorKind::UnsafeSeparator`] when it is empty or made only of characters that a signature
    /// may hold.
    pub fn sep(mut self, sep: &str) -> Result<Self> {
        // Django's range is `A-z`, which takes in the six characters between Z and a.
        let unsafe_char = |c: char| matches!(c, 'A'..='z' | '0'..='9' | '-' | '=');
        if sep.chars().all(unsafe_char) {
            return Err(ErrorKind::UnsafeSeparator.into());
        }
        sep.clone_into(&mut self.sep);
        Ok(self)
    }

    /// The signature of `value` by the first key: 43 characters of `A-Za-z0-9-_`.
    pub fn signature(&self, value: &str) -> String {
        b64_encode(&hmac_sha256(self.keys[0].as_ref(), value.as_bytes()))
    }

    /// `value`, the separator and the signature.
    pub fn sign(&self, value: &str) -> String {
        format!("{value}{}{}", self.sep, self.signature(value))
    }

    /// The value, when what follows the last separator is its signature by any of the keys.
    ///
    /// # Errors
    /// [`ErrorKind::BadSignature`].
    pub fn unsign<'a>(&self, signed_value: &'a str) -> Result<&'a str> {
        let (value, signature) = self.rsplit(signed_value)?;
        let matches = |key: &Zeroizing<[u8; 32]>| {
            let expected = b64_encode(&hmac_sha256(key.as_ref(), value.as_bytes()));
            constant_time_compare(signature.as_bytes(), expected.as_bytes())
        };
        if self.keys.iter().any(matches) {
            Ok(value)
        } else {
            Err(ErrorKind::BadSignature.into())
        }
    }

    pub(super) fn rsplit<'a>(&self, value: &'a str) -> Result<(&'a str, &'a str)> {
        value
            .rsplit_once(&self.sep)
            .ok_or(ErrorKind::BadSignature.into())
    }

    pub(super) fn separator(&self) -> &str {
        &self.sep
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("sep", &self.sep)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(key: &str) -> Signer {
        Signer::new(&SecretKey::new(key).unwrap().into())
    }

    #[test]
    fn another_key_another_salt_and_a_changed_value_are_refused() {
        let keys = SecretKeys::new(SecretKey::new("key").unwrap());
        let signed = signer("key").sign("value");
        assert_eq!(signer("key").unsign(&signed).unwrap(), "value");
        for (signer, text) in [
            (signer("other"), signed.as_str()),
            (Signer::with_salt(&keys, "other"), &signed),
            (signer("key"), &signed.replace("value", "valuf")),
            (signer("key"), &signed[..signed.len() - 1]),
            (signer("key"), "value"),
            (signer("key"), "value:"),
            (signer("key"), ""),
        ] {
            assert_eq!(
                signer.unsign(text).unwrap_err().kind(),
                ErrorKind::BadSignature,
                "{text}"
            );
        }
    }

    #[test]
    fn a_fallback_is_accepted_but_never_signs() {
        let [old, new] = ["old", "new"].map(|key| SecretKey::new(key).unwrap());
        let rotated = Signer::new(&SecretKeys::with_fallbacks(new, [old]));
        assert_eq!(rotated.unsign(&signer("old").sign("v")).unwrap(), "v");
        assert_eq!(rotated.sign("v"), signer("new").sign("v"));
    }

    #[test]
    fn separators_that_a_signature_may_hold_are_refused() {
        for sep in ["", "-", "abc", "=", "_", "^", "[]"] {
            assert_eq!(
                signer("k").sep(sep).unwrap_err().kind(),
                ErrorKind::UnsafeSeparator
            );
        }
        for sep in ["/", "::", "a:", "é", " "] {
            let signer = signer("k").sep(sep).unwrap();
            assert_eq!(signer.unsign(&signer.sign("x")).unwrap(), "x");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", signer("k")), "Signer { sep: \":\", .. }");
    }
}
