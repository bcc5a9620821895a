//! SQLite's errors as kinds.

use rusqlite::ffi;

use crate::{Error, ErrorKind};

pub(crate) fn map(error: rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::SqliteFailure(code, message) => failure(code, message.as_deref()),
        rusqlite::Error::SqlInputError { error, msg, .. } => failure(error, Some(&msg)),
        rusqlite::Error::MultipleStatement => Error::new(
            ErrorKind::Other,
            "SQLite: more than one statement in one text",
        ),
        rusqlite::Error::InvalidPath(_) | rusqlite::Error::NulError(_) => {
            Error::configuration("SQLite: a path or statement holds a NUL character")
        }
        // The rest is about conversions, which this crate does by itself.
        _ => Error::new(ErrorKind::Other, "SQLite: unexpected failure of the driver"),
    }
}

fn failure(error: ffi::Error, message: Option<&str>) -> Error {
    let message = message.unwrap_or("no message");
    let text = format!("SQLite: {message} (code {})", error.extended_code);
    Error::new(kind(error, message), text)
}

fn kind(error: ffi::Error, message: &str) -> ErrorKind {
    match error.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => ErrorKind::UniqueViolation {
            constraint: message
                .strip_prefix("UNIQUE constraint failed: ")
                .map(str::to_owned),
        },
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => ErrorKind::ForeignKeyViolation,
        ffi::SQLITE_CONSTRAINT_NOTNULL => ErrorKind::NotNull,
        ffi::SQLITE_CONSTRAINT_CHECK | ffi::SQLITE_CONSTRAINT_DATATYPE => ErrorKind::Data,
        code => primary_kind(code & 0xff, message),
    }
}

fn primary_kind(code: i32, message: &str) -> ErrorKind {
    match code {
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL | ffi::SQLITE_INTERRUPT => {
            ErrorKind::Busy
        }
        ffi::SQLITE_CANTOPEN | ffi::SQLITE_IOERR | ffi::SQLITE_FULL | ffi::SQLITE_NOMEM => {
            ErrorKind::Unavailable
        }
        ffi::SQLITE_TOOBIG | ffi::SQLITE_MISMATCH => ErrorKind::Data,
        ffi::SQLITE_NOTADB => ErrorKind::Configuration,
        ffi::SQLITE_ERROR if names_missing(message) => ErrorKind::SchemaMissing,
        _ => ErrorKind::Other,
    }
}

fn names_missing(message: &str) -> bool {
    message.starts_with("no such table")
        || message.starts_with("no such column")
        || message.contains(" has no column named ")
}
