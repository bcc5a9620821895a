use std::error::Error as StdError;
use std::fmt;

/// What went wrong, for programs to branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The stored value names a known algorithm but is not in that algorithm's format.
    Malformed,
    /// The stored value asks for more work than [`CostLimits`](crate::CostLimits) allows.
    TooCostly,
    /// The algorithm of the stored value is not among the configured hashers.
    UnknownAlgorithm,
    /// A hasher was named (dotted path or short name) that does not exist here.
    UnknownHasher,
    /// A parameter was named that its algorithm does not have.
    UnknownParameter,
    /// A configured parameter lies outside what the algorithm can do.
    InvalidParameter,
    /// The salt is empty or holds a character that the format cannot carry.
    InvalidSalt,
    /// The password is longer than the algorithm can take (plain bcrypt: 72 bytes).
    PasswordTooLong,
    /// The list of hashers is empty.
    NoHashers,
    /// The operating system gave no random bytes.
    Random,
    /// A hasher of the application failed for a reason of its own.
    Other,
}

/// The error of this crate. Neither passwords nor stored values appear in it.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    detail: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error for a hasher written by an application. `detail` must hold no secret: it is shown.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            source: None,
        }
    }

    /// The same with the error that caused it, found again by [`source`](StdError::source).
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn malformed(detail: &'static str) -> Self {
        Self::new(ErrorKind::Malformed, detail)
    }

    pub(crate) fn too_costly(what: &'static str) -> Self {
        Self::new(ErrorKind::TooCostly, what)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "malformed stored password",
            Self::TooCostly => "stored password exceeds a cost limit",
            Self::UnknownAlgorithm => "no configured hasher for this stored password",
            Self::UnknownHasher => "unknown password hasher",
            Self::UnknownParameter => "unknown hasher parameter",
            Self::InvalidParameter => "hasher parameter out of range",
            Self::InvalidSalt => "invalid salt",
            Self::PasswordTooLong => "password too long for this hasher",
            Self::NoHashers => "no password hasher configured",
            Self::Random => "no random bytes from the operating system",
            Self::Other => "password hasher failed",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
