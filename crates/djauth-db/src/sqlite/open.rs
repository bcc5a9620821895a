//! Opening the file: who may create it, its journal mode, the settings of each connection.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::errors::map;
use crate::{Error, ErrorKind, Result};

/// Enough for every statement of the crates above; rusqlite's own default is 16.
const CACHED_STATEMENTS: usize = 256;

/// `mode` of a SQLite URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `ro`
    Read,
    /// `rw`: the file must be there.
    Write,
    /// `rwc`: made when missing.
    Create,
}

/// What a SQLite URL says.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) path: PathBuf,
    pub(crate) mode: Mode,
    /// Turn on WAL also for a file that is there already.
    pub(crate) wal: bool,
    pub(crate) busy_timeout: Duration,
}

impl Options {
    /// Makes the file if it may and must be made, sets the journal mode of files that we made, and
    /// checks that what is there is a database.
    pub(super) fn prepare(&self) -> Result<()> {
        let created = self.mode == Mode::Create && create(&self.path)?;
        if !created {
            self.must_exist()?;
        }
        let connection = self.connection(self.mode != Mode::Read, self.busy_timeout)?;
        if self.mode != Mode::Read && (created || self.wal) {
            set_wal(&connection, self.busy_timeout)?;
        }
        connection
            .query_row("SELECT COUNT(*) FROM sqlite_master", [], |_| Ok(()))
            .map_err(map)
    }

    fn must_exist(&self) -> Result<()> {
        match self.path.metadata() {
            Ok(found) if found.is_file() => Ok(()),
            Ok(_) => Err(Error::configuration(format!(
                "{} is no file",
                self.path.display()
            ))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Error::configuration(format!(
                "there is no SQLite file {}; `?mode=rwc` in the URL makes it",
                self.path.display()
            ))),
            Err(e) => Err(unreachable(&self.path, e)),
        }
    }

    /// A connection for reading, or the one for writing, that waits so long for locks: also while it
    /// is opened, when another process recovers or ends the file's log.
    pub(super) fn connection(&self, write: bool, wait: Duration) -> Result<Connection> {
        // Readers of a WAL file must be able to write its index, so "read only" is a pragma there.
        let access = match self.mode {
            Mode::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            _ => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(map)?;
        connection.busy_timeout(wait).map_err(map)?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        // Without the stability guarantee each execution with new values is planned again.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(map)?;
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)
            .map_err(map)?;
        connection
            .pragma_update(None, "foreign_keys", true)
            .map_err(map)?;
        connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(map)?;
        connection
            .pragma_update(None, "query_only", !write)
            .map_err(map)?;
        Ok(connection)
    }
}

/// Turns WAL on. SQLite does not wait for a lock there, and another process may be opening the file.
fn set_wal(connection: &Connection, wait: Duration) -> Result<()> {
    let deadline = Instant::now() + wait;
    loop {
        let set = connection.pragma_update(None, "journal_mode", "wal");
        match set.map_err(map) {
            Err(e) if *e.kind() == ErrorKind::Busy && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

/// Makes an empty file that only its owner may read (it will hold password hashes). `false` when
/// there is one already.
fn create(path: &Path) -> Result<bool> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(unreachable(path, e)),
    }
}

fn unreachable(path: &Path, error: io::Error) -> Error {
    let text = format!("cannot open the SQLite file {}: {error}", path.display());
    Error::new(ErrorKind::Configuration, text).with_source(error)
}
