use std::sync::Arc;

use crate::random::get_random_string;
use crate::{
    Argon2PasswordHasher, BCryptPasswordHasher, BCryptSHA256PasswordHasher, DjangoVersion, Error,
    ErrorKind, MD5PasswordHasher, PBKDF2PasswordHasher, PBKDF2SHA1PasswordHasher, Parameters,
    PasswordHasher, SHA1PasswordHasher, ScryptPasswordHasher, UnsaltedMD5PasswordHasher,
    UnsaltedSHA1PasswordHasher,
};

/// Stored values that start with this belong to no password.
pub const UNUSABLE_PASSWORD_PREFIX: &str = "!";
/// Random characters after [`UNUSABLE_PASSWORD_PREFIX`].
pub const UNUSABLE_PASSWORD_SUFFIX_LENGTH: usize = 40;

/// What Django lists in `PASSWORD_HASHERS` by default, in all releases since 4.2.
pub const DEFAULT_HASHERS: [&str; 5] = [
    "pbkdf2_sha256",
    "pbkdf2_sha1",
    "argon2",
    "bcrypt_sha256",
    "scrypt",
];

/// Django's module of the hashers.
const MODULE: &str = "django.contrib.auth.hashers.";

/// The answer of [`Hashers::verify_password`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The password belongs to the stored value.
    pub correct: bool,
    /// The stored value should be made anew (worth asking only if correct).
    pub must_update: bool,
    /// Why the stored value could not be judged at all. Such a value is not correct; log the
    /// user's id, because nobody can log in with it.
    pub problem: Option<ErrorKind>,
}

/// The configured hashers; mirrors `PASSWORD_HASHERS` and the functions of
/// `django.contrib.auth.hashers`. The first is preferred: it makes new hashes.
///
/// Cheap to clone. Every method computes on the calling thread, for as long as a hash takes.
#[derive(Clone, Debug)]
pub struct Hashers {
    list: Arc<[Arc<dyn PasswordHasher>]>,
    longest: usize,
}

impl Default for Hashers {
    /// Django 6.1's.
    fn default() -> Self {
        Self::preset(DjangoVersion::V6_1)
    }
}

impl Hashers {
    /// The default hashers of a Django release, with that release's parameters.
    pub fn preset(version: DjangoVersion) -> Self {
        let parameters = Parameters::preset(version);
        let known = DEFAULT_HASHERS
            .iter()
            .filter_map(|name| hasher(name, &parameters));
        Self {
            list: known.collect(),
            longest: parameters.limits.encoded_length,
        }
    }

    /// The hashers with these names, the preferred one first. A name is Django's dotted path
    /// (`django.contrib.auth.hashers.PBKDF2PasswordHasher`) or the algorithm (`pbkdf2_sha256`).
    ///
    /// # Errors
    /// [`ErrorKind::UnknownHasher`] with the name, [`ErrorKind::NoHashers`], or
    /// [`ErrorKind::InvalidParameter`].
    pub fn from_names(names: &[impl AsRef<str>], parameters: &Parameters) -> Result<Self, Error> {
        parameters.check()?;
        let named = |name: &str| {
            hasher(name, parameters).ok_or_else(|| Error::new(ErrorKind::UnknownHasher, name))
        };
        let list = names
            .iter()
            .map(|name| named(name.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        Self::new(list).map(|hashers| hashers.encoded_length(parameters.limits.encoded_length))
    }

    /// Any hashers, also of the application's own; the first is preferred. Of two with one
    /// algorithm name the later one verifies, as in Django.
    ///
    /// # Errors
    /// [`ErrorKind::NoHashers`].
    pub fn new(list: Vec<Arc<dyn PasswordHasher>>) -> Result<Self, Error> {
        if list.is_empty() {
            return Err(Error::new(
                ErrorKind::NoHashers,
                "PASSWORD_HASHERS is empty",
            ));
        }
        let longest = crate::CostLimits::default().encoded_length;
        Ok(Self {
            list: list.into(),
            longest,
        })
    }

    fn encoded_length(self, longest: usize) -> Self {
        Self { longest, ..self }
    }

    /// The hasher for new passwords.
    pub fn preferred(&self) -> &dyn PasswordHasher {
        &*self.list[0]
    }

    /// All hashers in order; mirrors `get_hashers`.
    pub fn get_hashers(&self) -> impl Iterator<Item = &dyn PasswordHasher> {
        self.list.iter().map(|hasher| &**hasher)
    }

    /// The hasher of an algorithm; mirrors `get_hasher`.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownAlgorithm`].
    pub fn get_hasher(&self, algorithm: &str) -> Result<&dyn PasswordHasher, Error> {
        self.find(algorithm).map(|hasher| &**hasher)
    }

    fn find(&self, algorithm: &str) -> Result<&Arc<dyn PasswordHasher>, Error> {
        let mut list = self.list.iter();
        let found = list.rfind(|hasher| hasher.algorithm() == algorithm);
        // The name comes from a stored value, which may be anything: not repeated in the error.
        found.ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownAlgorithm,
                "see the PASSWORD_HASHERS setting",
            )
        })
    }

    /// The hasher that made a stored value; mirrors `identify_hasher`.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownAlgorithm`].
    pub fn identify_hasher(&self, encoded: &str) -> Result<&dyn PasswordHasher, Error> {
        self.get_hasher(algorithm_of(encoded))
    }

    /// A value to store for a new password, with a fresh salt; `None` gives a value that no
    /// password fits (`!` and 40 random characters). Mirrors `make_password`.
    ///
    /// # Errors
    /// [`ErrorKind::PasswordTooLong`] or [`ErrorKind::Random`].
    pub fn make_password(&self, password: Option<&str>) -> Result<String, Error> {
        match password {
            Some(password) => self.start_make_password(password).finish(),
            None => unusable_password(),
        }
    }

    /// The preferred hasher's value for this password and salt.
    ///
    /// # Errors
    /// [`ErrorKind::PasswordTooLong`] or [`ErrorKind::InvalidSalt`].
    pub fn encode(&self, password: &str, salt: &str) -> Result<String, Error> {
        self.preferred().encode(password.as_bytes(), salt)
    }

    /// Whether a password belongs to a stored value, and whether that value should be made anew;
    /// mirrors `verify_password`.
    ///
    /// Never fails: what cannot be judged is not correct, takes the time of one hash of the
    /// preferred hasher (as unusable passwords and unknown algorithms do), and is named in
    /// [`Verified::problem`]. (Django lets an error escape for malformed values of a known
    /// algorithm.) A wrong password against an outdated value of the preferred algorithm takes the
    /// time of an up-to-date one.
    pub fn verify_password(&self, password: &str, encoded: &str) -> Verified {
        self.start_verify(password, encoded).finish()
    }

    /// [`verify_password`](Self::verify_password), and `setter` is called with the password when
    /// it is correct and the stored value should be made anew. Mirrors `check_password`.
    pub fn check_password(
        &self,
        password: &str,
        encoded: &str,
        setter: impl FnOnce(&str),
    ) -> Verified {
        let verified = self.verify_password(password, encoded);
        if verified.correct && verified.must_update {
            setter(password);
        }
        verified
    }

    /// Takes the time of one new hash: for users that do not exist, so that they cannot be told
    /// from those that do.
    pub fn harden_runtime(&self) {
        self.start_harden_runtime().finish();
    }

    /// Label and value of what may be shown of a stored value; mirrors `safe_summary`.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownAlgorithm`] or [`ErrorKind::Malformed`].
    pub fn safe_summary(&self, encoded: &str) -> Result<Vec<(&'static str, String)>, Error> {
        self.identify_hasher(encoded)?.safe_summary(encoded)
    }
}

/// Whether a stored value can belong to a password at all; mirrors `is_password_usable`. The empty
/// value is "usable", but no password fits it.
pub fn is_password_usable(encoded: &str) -> bool {
    !encoded.starts_with(UNUSABLE_PASSWORD_PREFIX)
}

fn unusable_password() -> Result<String, Error> {
    let suffix = get_random_string(UNUSABLE_PASSWORD_SUFFIX_LENGTH)?;
    Ok(format!("{UNUSABLE_PASSWORD_PREFIX}{suffix}"))
}

/// The text before the first `$`, apart from two formats of Django's first years.
fn algorithm_of(encoded: &str) -> &str {
    let length = |n| encoded.chars().take(n + 1).count() == n;
    if (length(32) && !encoded.contains('$')) || (length(37) && encoded.starts_with("md5$$")) {
        return "unsalted_md5";
    }
    if length(46) && encoded.starts_with("sha1$$") {
        return "unsalted_sha1";
    }
    encoded.split('$').next().unwrap_or_default()
}

fn hasher(name: &str, parameters: &Parameters) -> Option<Arc<dyn PasswordHasher>> {
    Some(match name.strip_prefix(MODULE).unwrap_or(name) {
        "pbkdf2_sha256" | "PBKDF2PasswordHasher" => Arc::new(PBKDF2PasswordHasher::new(parameters)),
        "pbkdf2_sha1" | "PBKDF2SHA1PasswordHasher" => {
            Arc::new(PBKDF2SHA1PasswordHasher::new(parameters))
        }
        "argon2" | "Argon2PasswordHasher" => Arc::new(Argon2PasswordHasher::new(parameters)),
        "bcrypt_sha256" | "BCryptSHA256PasswordHasher" => {
            Arc::new(BCryptSHA256PasswordHasher::new(parameters))
        }
        "bcrypt" | "BCryptPasswordHasher" => Arc::new(BCryptPasswordHasher::new(parameters)),
        "scrypt" | "ScryptPasswordHasher" => Arc::new(ScryptPasswordHasher::new(parameters)),
        "md5" | "MD5PasswordHasher" => Arc::new(MD5PasswordHasher),
        "sha1" | "SHA1PasswordHasher" => Arc::new(SHA1PasswordHasher),
        "unsalted_md5" | "UnsaltedMD5PasswordHasher" => Arc::new(UnsaltedMD5PasswordHasher),
        "unsalted_sha1" | "UnsaltedSHA1PasswordHasher" => Arc::new(UnsaltedSHA1PasswordHasher),
        _ => return None,
    })
}

mod steps;

#[cfg(test)]
mod tests;
