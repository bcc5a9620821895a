//! The one error of this crate.

use std::error::Error as StdError;
use std::fmt;

/// What went wrong, for callers that decide by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The database, cache or disk behind the sessions cannot be reached now. Nobody is logged out by
    /// this: answer 503 and let the client try again.
    Unavailable,
    /// The session was deleted while it was in use (Django's `UpdateError`). A web layer answers 400,
    /// as Django does for `SessionInterrupted`.
    Interrupted,
    /// The session does not fit its place: a signed cookie that browsers would drop, or a value over
    /// the limits of this crate.
    TooLarge,
    /// The session holds a value that this crate can keep but not write (say, a pickled `Decimal`), or
    /// a value was given that the format of the session cannot express. Nothing was written.
    NotCarried,
    /// The value under the key exists, but has another type than the one asked for.
    WrongType,
    /// A setting is wrong: a cache URL, or a directory that does not exist.
    Configuration,
    /// The database refused for a reason that waiting does not cure (no such table, no permission).
    Database,
}

/// An error of the session engines. Its text never holds session keys or session values.
pub struct Error {
    kind: ErrorKind,
    what: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Error {
            kind,
            what: what.into(),
            source: None,
        }
    }

    pub(crate) fn with_source(
        kind: ErrorKind,
        what: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Error {
            kind,
            what: what.into(),
            source: Some(source.into()),
        }
    }

    pub(crate) fn not_carried(what: impl Into<String>) -> Self {
        Error::new(ErrorKind::NotCarried, what)
    }

    pub(crate) fn interrupted() -> Self {
        Error::new(
            ErrorKind::Interrupted,
            "the session was deleted while it was in use",
        )
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("what", &self.what)
            .field("source", &self.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
