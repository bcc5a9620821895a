//! One opaque error, with the kinds that callers act on.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a statement, a connection or a URL failed.
///
/// Neither `Display` nor `Debug` nor [`source`](StdError::source) holds bound values, passwords or
/// URLs: the texts that servers send are kept only where they name nothing but tables, columns and
/// constraints.
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kind of failure an [`Error`] is. Compare Django's `django.db.utils` exceptions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server cannot be reached, or the connection broke (`OperationalError`). Try again later.
    Unavailable,
    /// Locked by somebody else, a full queue, a deadlock or a serialization failure. Try again.
    Busy,
    /// A unique or primary key holds the value already (`IntegrityError`).
    UniqueViolation {
        /// The constraint's name; on SQLite `table.column[, table.column]`. `None` when unknown.
        constraint: Option<String>,
    },
    /// A foreign key points nowhere, or is still pointed at (`IntegrityError`).
    ForeignKeyViolation,
    /// A column must not be null (`IntegrityError`).
    NotNull,
    /// A value does not fit its column, or cannot be stored in this database (`DataError`).
    Data,
    /// A table or column is missing: not migrated, or an unknown schema (`ProgrammingError`).
    SchemaMissing,
    /// A column holds something that the asked Rust type cannot hold.
    Decode,
    /// The account may not do it: it lacks a privilege.
    Denied,
    /// The database URL or an option in it cannot be used.
    Configuration,
    /// The database or the transaction has been closed.
    Closed,
    /// Anything else; a mistake in a statement, as a rule.
    Other,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Error {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Only for sources that hold no values, such as I/O errors.
    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    pub(crate) fn configuration(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorKind::Configuration, message)
    }

    pub(crate) fn closed() -> Self {
        Error::new(ErrorKind::Closed, "the database has been closed")
    }

    pub(crate) fn transaction_over() -> Self {
        Error::new(ErrorKind::Closed, "the transaction is over")
    }

    /// A column that the asked Rust type cannot hold; for mapping code outside of this crate.
    pub fn decode(column: &str, expected: &str) -> Self {
        Error::new(
            ErrorKind::Decode,
            format!("column {column} does not hold a {expected}"),
        )
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Whether the same call may work in a moment: answer 503, not 500.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Busy)
    }

    /// Whether a unique or primary key holds the value already.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self.kind, ErrorKind::UniqueViolation { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {})", self.kind, self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
