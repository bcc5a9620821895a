//! Whether anybody has written to a SQLite file: `PRAGMA data_version`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use super::errors::map;
use super::open::Options;
use crate::{Error, Result};

/// A connection that nothing is written through, which tells whether others have committed to the
/// same SQLite file: those of this process, of other processes, and our own writer.
///
/// The number means something only beside earlier ones of the same connection. A failure ends the
/// connection, so what comes after it must not be compared with what came before.
pub struct DataVersion {
    options: Options,
    connection: Option<Connection>,
    closed: Arc<AtomicBool>,
}

impl DataVersion {
    pub(super) fn new(options: Options, closed: Arc<AtomicBool>) -> Self {
        Self {
            options,
            connection: None,
            closed,
        }
    }

    /// A number that differs from the one before if and only if something was committed in between.
    /// Runs inline, in microseconds, and waits for no lock.
    ///
    /// # Errors
    /// `Busy`: somebody holds the file right now; the connection is still good. Anything else: the
    /// next call begins anew with another connection.
    pub fn read(&mut self) -> Result<i64> {
        if self.closed.load(Ordering::Acquire) {
            self.connection = None;
            return Err(Error::closed());
        }
        let read = self.connection().and_then(version);
        if matches!(&read, Err(error) if *error.kind() != crate::ErrorKind::Busy) {
            self.connection = None;
        }
        read
    }

    fn connection(&mut self) -> Result<&Connection> {
        if self.connection.is_none() {
            self.connection = Some(self.options.connection(false, Duration::ZERO)?);
        }
        self.connection.as_ref().ok_or_else(Error::closed)
    }
}

fn version(connection: &Connection) -> Result<i64> {
    let mut statement = connection
        .prepare_cached("PRAGMA data_version")
        .map_err(map)?;
    statement.query_row([], |row| row.get(0)).map_err(map)
}

impl std::fmt::Debug for DataVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataVersion")
            .field("open", &self.connection.is_some())
            .finish_non_exhaustive()
    }
}
