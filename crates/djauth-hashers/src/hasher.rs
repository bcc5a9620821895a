use std::fmt;

use crate::random::get_random_string;
use crate::{Error, Step};

/// Bits of randomness that a salt must have; mirrors `BasePasswordHasher.salt_entropy`.
pub const SALT_ENTROPY: u32 = 128;

/// One algorithm with its parameters; mirrors `BasePasswordHasher`.
///
/// Implement it to add a hasher of your own. Passwords are bytes (Django hashes text as UTF-8).
/// `encoded` is whatever the column holds: any text at all. An implementation answers hostile
/// text with an error of kind [`Malformed`](crate::ErrorKind::Malformed) or
/// [`TooCostly`](crate::ErrorKind::TooCostly), never with unbounded work. An engine may call a method a
/// second time with the same arguments, when the thread of the first call gets no time.
pub trait PasswordHasher: Send + Sync + fmt::Debug {
    /// The name before the first `$` of a stored value.
    fn algorithm(&self) -> &str;

    /// A fresh salt in the form that [`encode`](Self::encode) takes.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    fn salt(&self) -> Result<String, Error> {
        get_random_string(salt_length())
    }

    /// The value to store. The same password and salt always give the same value.
    ///
    /// # Errors
    /// A salt that the format cannot carry, or a password that the algorithm cannot take.
    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error>;

    /// Whether the password belongs to the stored value, compared in constant time.
    ///
    /// # Errors
    /// When the stored value is not in this format or asks for too much work.
    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error>;

    /// The parts of a stored value. Holds the salt and the hash: not for display.
    ///
    /// # Errors
    /// When the stored value is not in this format.
    fn decode(&self, encoded: &str) -> Result<Decoded, Error>;

    /// What may be shown of a stored value: parameters, and the masked salt and hash.
    ///
    /// # Errors
    /// When the stored value is not in this format.
    fn safe_summary(&self, encoded: &str) -> Result<Vec<(&'static str, String)>, Error> {
        self.decode(encoded).map(|decoded| decoded.safe_summary())
    }

    /// Whether a value of this algorithm should be made anew, because its parameters differ from
    /// the configured ones or its salt is too weak.
    ///
    /// # Errors
    /// When the stored value is not in this format.
    fn must_update(&self, encoded: &str) -> Result<bool, Error>;

    /// The work that is missing between the stored parameters and the configured ones, so that a
    /// wrong password costs the same for an old value as for a new one.
    ///
    /// # Errors
    /// When the stored value is not in this format.
    fn harden_runtime(&self, password: &[u8], encoded: &str) -> Result<(), Error>;

    /// [`encode`](Self::encode) in steps, of an algorithm that consists of PBKDF2 rounds. `None`,
    /// which is right for all others: it can only be done in one go.
    fn start_encode(&self, password: &[u8], salt: &str) -> Option<Step<Result<String, Error>>> {
        let _ = (password, salt);
        None
    }

    /// [`verify`](Self::verify) in steps, likewise.
    fn start_verify(&self, password: &[u8], encoded: &str) -> Option<Step<Result<bool, Error>>> {
        let _ = (password, encoded);
        None
    }

    /// [`harden_runtime`](Self::harden_runtime) in steps, likewise.
    fn start_harden(&self, password: &[u8], encoded: &str) -> Option<Step<Result<(), Error>>> {
        let _ = (password, encoded);
        None
    }

    /// Whether a hash that a thread has begun and gets no time for may be begun once more by another thread,
    /// with the same arguments. No, which is the default, where somebody counts the calls. Of one that says yes,
    /// a stored value that is up to date ([`must_update`](Self::must_update)) is taken to cost what a new hash does.
    fn is_repeatable(&self) -> bool {
        false
    }

    /// The memory that verifying a stored value takes, or making a new one, in KiB. 0, the default,
    /// where it is little.
    fn memory(&self, encoded: Option<&str>) -> u64 {
        let _ = encoded;
        0
    }
}

/// A stored value taken apart; mirrors the dictionary that Django's `decode` gives.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoded {
    /// The name before the first `$`, or the implied one of the unsalted formats.
    pub algorithm: String,
    /// Costs and variants in the order of Django's summary, under Django's labels
    /// (`iterations`, `work factor`, `memory cost`, …).
    pub parameters: Vec<(&'static str, String)>,
    /// The salt as text; `None` for the unsalted formats.
    pub salt: Option<String>,
    /// The hash in its stored form. bcrypt calls it the checksum.
    pub hash: String,
    hash_label: &'static str,
    salt_shown: usize,
    hash_shown: usize,
}

impl Decoded {
    /// A value with the usual masking: six characters of the salt and of the hash are shown.
    pub fn new(
        algorithm: impl Into<String>,
        salt: Option<String>,
        hash: impl Into<String>,
    ) -> Self {
        Self {
            algorithm: algorithm.into(),
            parameters: Vec::new(),
            salt,
            hash: hash.into(),
            hash_label: "hash",
            salt_shown: 6,
            hash_shown: 6,
        }
    }

    /// Adds a parameter under its label.
    pub fn parameter(mut self, label: &'static str, value: &impl ToString) -> Self {
        self.parameters.push((label, value.to_string()));
        self
    }

    pub(crate) fn hash_label(mut self, label: &'static str) -> Self {
        self.hash_label = label;
        self
    }

    pub(crate) fn shown(mut self, salt: usize, hash: usize) -> Self {
        self.salt_shown = salt;
        self.hash_shown = hash;
        self
    }

    /// Label and value of everything that may be shown.
    pub fn safe_summary(&self) -> Vec<(&'static str, String)> {
        let mut summary = vec![("algorithm", self.algorithm.clone())];
        summary.extend(self.parameters.iter().cloned());
        if let Some(salt) = &self.salt {
            summary.push(("salt", mask_hash(salt, self.salt_shown)));
        }
        summary.push((self.hash_label, mask_hash(&self.hash, self.hash_shown)));
        summary
    }
}

impl fmt::Debug for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.safe_summary()).finish()
    }
}

/// The first `show` characters, and a `*` for each further one.
pub fn mask_hash(hash: &str, show: usize) -> String {
    hash.chars()
        .enumerate()
        .map(|(i, c)| if i < show { c } else { '*' })
        .collect()
}

/// Whether a salt of [`RANDOM_STRING_CHARS`](crate::RANDOM_STRING_CHARS) with this many
/// characters has less than [`SALT_ENTROPY`].
pub(crate) fn must_update_salt(characters: usize) -> bool {
    characters < salt_length()
}

fn salt_length() -> usize {
    // 62 letters carry log2(62) = 5.954 bits each: 22 of them are the first to reach 128.
    (f64::from(SALT_ENTROPY) / 62f64.log2()).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_have_22_characters() {
        assert_eq!(salt_length(), 22);
        assert!(must_update_salt(21));
        assert!(!must_update_salt(22));
    }

    #[test]
    fn masks_characters_not_bytes() {
        assert_eq!(mask_hash("abcdefgh", 6), "abcdef**");
        assert_eq!(mask_hash("éèü", 2), "éè*");
        assert_eq!(mask_hash("", 6), "");
    }

    #[test]
    fn debug_hides_the_hash() {
        let decoded = Decoded::new("md5", Some("saltsaltsalt".into()), "0123456789abcdef");
        assert!(!format!("{decoded:?}").contains("0123456789"));
    }
}
