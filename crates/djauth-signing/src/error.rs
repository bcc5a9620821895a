//! The one error of this crate.

use std::error::Error as StdError;
use std::fmt;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not signed, or a signed value was not accepted.
///
/// Neither `Display` nor `Debug` shows the value, the signature or the key.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What went wrong.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The value is not signed, or by another key or salt, or was changed
    /// (`django.core.signing.BadSignature`).
    BadSignature,
    /// The signature is good but older than allowed (`django.core.signing.SignatureExpired`, which
    /// in Django is a kind of `BadSignature`: see [`Error::is_bad_signature`]).
    SignatureExpired,
    /// The signature is good but what was signed cannot be read: not base64, not zlib, not JSON, or
    /// JSON of another shape.
    Unreadable,
    /// The signed data would inflate to more than
    /// [`signing::MAX_UNCOMPRESSED_SIZE`](crate::signing::MAX_UNCOMPRESSED_SIZE) bytes.
    TooLarge,
    /// The value to sign has no JSON form.
    NotSerializable,
    /// A separator that is empty, or that can occur inside a signature.
    UnsafeSeparator,
    /// A secret key is missing or empty (`SECRET_KEY`).
    NoSecretKey,
    /// A text is not a base 36, base 62 or base64 form.
    BadEncoding,
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether Django would raise `BadSignature` or its subclass `SignatureExpired`.
    pub fn is_bad_signature(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::BadSignature | ErrorKind::SignatureExpired
        )
    }

    pub(crate) fn with_source(
        kind: ErrorKind,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Error {
            kind,
            source: Some(source.into()),
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Error { kind, source: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ErrorKind::BadSignature => "the signature does not match",
            ErrorKind::SignatureExpired => "the signature is older than allowed",
            ErrorKind::Unreadable => "the signed data cannot be read",
            ErrorKind::TooLarge => "the signed data is too large when decompressed",
            ErrorKind::NotSerializable => "the value has no JSON form",
            ErrorKind::UnsafeSeparator => {
                "a separator must hold a character other than A-Z, a-z, 0-9, '-', '_' and '='"
            }
            ErrorKind::NoSecretKey => "the secret key is missing or empty",
            ErrorKind::BadEncoding => "the text is not in the expected encoding",
        })
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
