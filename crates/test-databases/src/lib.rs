//! A fresh database on each server, for tests.
//!
//! ```no_run
//! # use test_databases::TestDatabase;
//! for database in TestDatabase::all() {
//!     println!("{}: {}", database.name(), database.url());
//! }
//! ```
//!
//! The servers are named by `DJAUTH_TEST_POSTGRES_URL`, `DJAUTH_TEST_MARIADB_URL` and
//! `DJAUTH_TEST_REDIS_URL`; `cargo xtask services` starts them and prints these. A missing one
//! fails the test: a skipped check looks like a passed one. Databases are made and dropped by the
//! client programs `psql` and `mariadb`.

mod client;
mod redis;
mod server;

use std::path::{Path, PathBuf};

pub use self::redis::TestRedis;
use self::server::Server;

/// A fresh, empty database with a random name; dropped with this guard, also after a panic.
#[derive(Debug)]
pub struct TestDatabase {
    name: &'static str,
    url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Server { server: Server, database: String },
}

impl TestDatabase {
    /// A file in a folder of its own; the file itself is made by whoever opens the URL.
    ///
    /// # Panics
    /// When the folder cannot be made.
    pub fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(random_name());
        std::fs::create_dir(&folder).expect("a folder for temporary files");
        let url = format!("sqlite://{}/db.sqlite3?mode=rwc", folder.display());
        TestDatabase {
            name: "sqlite",
            url,
            place: Place::Folder(folder),
        }
    }

    /// A database on the PostgreSQL server of `DJAUTH_TEST_POSTGRES_URL`.
    ///
    /// # Panics
    /// When the variable is missing or the database cannot be made.
    pub fn postgres() -> Self {
        Self::on_server("postgres", Server::postgres())
    }

    /// A database (`utf8mb4`) on the MariaDB server of `DJAUTH_TEST_MARIADB_URL`.
    ///
    /// # Panics
    /// When the variable is missing or the database cannot be made.
    pub fn mariadb() -> Self {
        Self::on_server("mariadb", Server::mariadb())
    }

    /// One of each: SQLite, PostgreSQL, MariaDB.
    ///
    /// # Panics
    /// As [`postgres`](Self::postgres) and [`mariadb`](Self::mariadb).
    pub fn all() -> Vec<Self> {
        vec![Self::sqlite(), Self::postgres(), Self::mariadb()]
    }

    fn on_server(name: &'static str, server: Server) -> Self {
        let database = random_name();
        server.create(&database);
        let url = server.url_of(&database);
        TestDatabase {
            name,
            url,
            place: Place::Server { server, database },
        }
    }

    /// `sqlite`, `postgres` or `mariadb`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The URL that djauth connects to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The SQLite file.
    pub fn path(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Folder(folder) => Some(folder.join("db.sqlite3")),
            Place::Server { .. } => None,
        }
    }

    /// A folder that goes with the SQLite database.
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(folder) => Some(folder),
            Place::Server { .. } => None,
        }
    }

    /// Runs SQL through the client program, past the code under test.
    ///
    /// # Panics
    /// On SQLite, which has no client here, and when the statement fails.
    pub fn client(&self, sql: &str) -> String {
        match &self.place {
            Place::Folder(_) => panic!("SQLite has no client program here"),
            Place::Server { server, database } => server.run(Some(database), sql),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        match &self.place {
            Place::Folder(folder) => drop(std::fs::remove_dir_all(folder)),
            Place::Server { server, database } => server.drop(database),
        }
    }
}

/// A name that no other test has; letters and digits, beginning with `djauth_test_`.
pub(crate) fn random_name() -> String {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("random bytes");
    format!("djauth_test_{:016x}", u64::from_ne_bytes(bytes))
}

/// The variable, or a text that says how to get it.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: this test needs the server it names. Start the servers with `cargo xtask services` and set what it prints, or run `cargo xtask ci`.")
    })
}
