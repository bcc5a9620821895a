//! PostgreSQL's errors as kinds, by SQLSTATE.

use std::error::Error as StdError;
use std::io;

use tokio_postgres::error::DbError;

use super::params::Unfit;
use crate::{Error, ErrorKind};

pub(super) fn map(error: &tokio_postgres::Error) -> Error {
    if let Some(server) = error.as_db_error() {
        return server_error(server);
    }
    if let Some(unfit) = source_of::<Unfit>(error) {
        return Error::new(ErrorKind::Data, format!("PostgreSQL: {unfit}"));
    }
    // The driver's own texts hold no values.
    let text = format!("PostgreSQL: {error}");
    if source_of::<io::Error>(error).is_some() || error.is_closed() {
        let detail = source_of::<io::Error>(error)
            .map(|e| format!(": {e}"))
            .unwrap_or_default();
        return Error::new(ErrorKind::Unavailable, text + &detail);
    }
    let kind = match text.as_str() {
        "PostgreSQL: error connecting to server" | "PostgreSQL: timeout waiting for server" => {
            ErrorKind::Unavailable
        }
        "PostgreSQL: authentication error" | "PostgreSQL: error performing TLS handshake" => {
            ErrorKind::Configuration
        }
        _ => ErrorKind::Other,
    };
    let detail = error.source().filter(|_| kind != ErrorKind::Other);
    let detail = detail.map(|e| format!(": {e}")).unwrap_or_default();
    Error::new(kind, text + &detail)
}

fn source_of<T: StdError + 'static>(error: &tokio_postgres::Error) -> Option<&T> {
    error.source()?.downcast_ref()
}

fn server_error(error: &DbError) -> Error {
    let code = error.code().code();
    let kind = kind(code, error);
    // Texts of data exceptions quote the value; the others name schema objects only.
    let message = if code.starts_with("22") {
        "data exception"
    } else {
        error.message()
    };
    Error::new(kind, format!("PostgreSQL: {message} (SQLSTATE {code})"))
}

fn kind(code: &str, error: &DbError) -> ErrorKind {
    match code {
        "23505" => ErrorKind::UniqueViolation {
            constraint: error.constraint().map(str::to_owned),
        },
        "23503" | "23001" => ErrorKind::ForeignKeyViolation,
        "23502" => ErrorKind::NotNull,
        "42501" => ErrorKind::Denied,
        "42P01" | "42703" | "3F000" => ErrorKind::SchemaMissing,
        "40001" | "40P01" | "55P03" => ErrorKind::Busy,
        "57014" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => ErrorKind::Unavailable,
        _ => match &code[..2] {
            "08" | "53" | "58" => ErrorKind::Unavailable,
            "22" | "23" => ErrorKind::Data,
            "28" | "3D" => ErrorKind::Configuration,
            _ => ErrorKind::Other,
        },
    }
}
