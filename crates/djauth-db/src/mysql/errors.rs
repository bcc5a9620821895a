//! MariaDB's errors as kinds, by error number.

use mysql_async::{DriverError, Error as Failure, IoError, ServerError};

use crate::{Error, ErrorKind};

pub(super) fn map(error: Failure) -> Error {
    match error {
        Failure::Server(error) => server_error(&error),
        Failure::Io(IoError::Io(e)) => {
            Error::new(ErrorKind::Unavailable, format!("MariaDB: {e}")).with_source(e)
        }
        Failure::Io(e) => Error::new(ErrorKind::Unavailable, format!("MariaDB: {e}")),
        Failure::Driver(error) => driver_error(&error),
        Failure::Url(_) => Error::configuration("MariaDB: the options cannot be used"),
        Failure::Other(_) => Error::new(ErrorKind::Other, "MariaDB: unexpected failure"),
    }
}

fn driver_error(error: &DriverError) -> Error {
    let (kind, text) = match error {
        DriverError::ConnectionClosed | DriverError::PoolDisconnected => {
            (ErrorKind::Unavailable, "the connection is closed")
        }
        DriverError::StmtParamsMismatch { .. } => (
            ErrorKind::Other,
            "the number of values is not that of the marks",
        ),
        DriverError::NoClientSslFlagFromServer => (
            ErrorKind::Configuration,
            "the server has no TLS, and `sslmode` asks for it",
        ),
        DriverError::UnknownAuthPlugin { .. } | DriverError::MysqlOldPasswordDisabled => (
            ErrorKind::Configuration,
            "the account's way of logging in is not supported",
        ),
        DriverError::PacketOutOfOrder | DriverError::UnexpectedPacket { .. } => {
            (ErrorKind::Unavailable, "the connection is out of step")
        }
        _ => (ErrorKind::Other, "unexpected failure of the driver"),
    };
    Error::new(kind, format!("MariaDB: {text}"))
}

fn server_error(error: &ServerError) -> Error {
    let kind = kind(error.code, &error.message);
    let message = match kind {
        // These texts quote the value.
        ErrorKind::UniqueViolation { .. } => "duplicate entry",
        ErrorKind::Data => "data exception",
        _ => error.message.as_str(),
    };
    Error::new(kind, format!("MariaDB: {message} (error {})", error.code))
}

fn kind(code: u16, message: &str) -> ErrorKind {
    match code {
        1022 | 1062 | 1169 | 1586 => ErrorKind::UniqueViolation {
            constraint: key(message),
        },
        1216 | 1217 | 1451 | 1452 => ErrorKind::ForeignKeyViolation,
        1048 | 1364 => ErrorKind::NotNull,
        1054 | 1109 | 1146 => ErrorKind::SchemaMissing,
        1205 | 1213 | 1020 => ErrorKind::Busy,
        1040
        | 1053
        | 1077
        | 1080
        | 1135
        | 1152
        | 1158..=1161
        | 1203
        | 1226
        | 1290
        | 1317
        | 1836
        | 1927
        | 1969
        | 2006
        | 2013
        | 3024
        | 4031 => ErrorKind::Unavailable,
        1142 | 1143 | 1227 | 1370 | 1419 => ErrorKind::Denied,
        1044 | 1045 | 1049 | 1130 | 1698 => ErrorKind::Configuration,
        1264..=1267 | 1292 | 1366 | 1367 | 1406 | 1411 | 1441 | 1525 | 3819 | 3988 | 4025 => {
            ErrorKind::Data
        }
        _ => ErrorKind::Other,
    }
}

/// The key's name in `Duplicate entry '…' for key 'name'`; MySQL writes `table.name`.
fn key(message: &str) -> Option<String> {
    let name = message.strip_suffix('\'')?.rsplit_once("for key '")?.1;
    Some(
        name.rsplit_once('.')
            .map_or(name, |(_, name)| name)
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_found_whatever_the_value_is() {
        let message = "Duplicate entry 'for key 'x'' for key 'auth_user.username'";
        assert_eq!(key(message).as_deref(), Some("username"));
        assert_eq!(
            key("Duplicate entry 'a' for key 'name'").as_deref(),
            Some("name")
        );
        assert_eq!(key("Duplicate entry"), None);
    }
}
