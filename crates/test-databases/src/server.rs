//! Creating and dropping databases on PostgreSQL and MariaDB.

use std::process::Command;

use crate::{client, variable};

/// A server by its URL, with the part that names a database cut off.
#[derive(Debug)]
pub(crate) struct Server {
    kind: Kind,
    /// `scheme://user:password@host:port`.
    base: String,
    /// The database that the client connects to for creating others.
    maintenance: String,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Postgres,
    Mariadb,
}

impl Server {
    pub(crate) fn postgres() -> Self {
        Self::parse(
            Kind::Postgres,
            &variable("DJAUTH_TEST_POSTGRES_URL"),
            "postgres",
        )
    }

    pub(crate) fn mariadb() -> Self {
        Self::parse(Kind::Mariadb, &variable("DJAUTH_TEST_MARIADB_URL"), "mysql")
    }

    fn parse(kind: Kind, url: &str, default: &str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("a URL with a scheme");
        let rest = rest.split('?').next().unwrap_or(rest);
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let maintenance = if database.is_empty() {
            default
        } else {
            database
        };
        Server {
            kind,
            base: format!("{scheme}://{authority}"),
            maintenance: maintenance.to_owned(),
        }
    }

    pub(crate) fn url_of(&self, database: &str) -> String {
        format!("{}/{database}", self.base)
    }

    pub(crate) fn create(&self, database: &str) {
        match self.kind {
            Kind::Postgres => self.run(
                None,
                &format!("CREATE DATABASE {database} ENCODING 'UTF8' TEMPLATE template0"),
            ),
            Kind::Mariadb => self.run(
                None,
                &format!("CREATE DATABASE {database} CHARACTER SET utf8mb4"),
            ),
        };
    }

    /// Never panics: it runs while a failed test unwinds. Connections that are still open are
    /// ended first: a test's runtime cannot close them while it waits here.
    pub(crate) fn drop(&self, database: &str) {
        let sql = match self.kind {
            Kind::Postgres => format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
            Kind::Mariadb => {
                format!(
                    "{}DROP DATABASE IF EXISTS {database}",
                    self.kill_statements(database)
                )
            }
        };
        if let Err(e) = self.try_run(None, &sql) {
            eprintln!("the test database {database} stays: {e}");
        }
    }

    fn kill_statements(&self, database: &str) -> String {
        let select =
            format!("SELECT id FROM information_schema.processlist WHERE db = '{database}'");
        let ids = self.try_run(None, &select).unwrap_or_default();
        ids.lines().map(|id| format!("KILL {id};\n")).collect()
    }

    pub(crate) fn run(&self, database: Option<&str>, sql: &str) -> String {
        self.try_run(database, sql)
            .unwrap_or_else(|e| panic!("{e}"))
    }

    fn try_run(&self, database: Option<&str>, sql: &str) -> Result<String, String> {
        let database = database.unwrap_or(&self.maintenance);
        match self.kind {
            Kind::Postgres => client::run(
                Command::new("psql")
                    .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql])
                    .arg(self.url_of(database)),
            ),
            Kind::Mariadb => client::run(&mut self.mariadb_command(database, sql)),
        }
    }

    fn mariadb_command(&self, database: &str, sql: &str) -> Command {
        let (_, authority) = self.base.split_once("://").unwrap_or(("", &self.base));
        let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let (host, port) = address.rsplit_once(':').unwrap_or((address, "3306"));
        let mut command = Command::new("mariadb");
        command.args([
            "--no-defaults",
            "--batch",
            "--skip-column-names",
            "--protocol=tcp",
        ]);
        command.args(["-h", host, "-P", port, "-u", user, "-e", sql, database]);
        if !password.is_empty() {
            command.env("MYSQL_PWD", password);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_cut_off() {
        let server = Server::parse(Kind::Postgres, "postgres://u:p@h:1/x?sslmode=disable", "d");
        assert_eq!(server.url_of("y"), "postgres://u:p@h:1/y");
        assert_eq!(server.maintenance, "x");
        let server = Server::parse(Kind::Mariadb, "mysql://u@h:1/", "mysql");
        assert_eq!(
            (server.url_of("y").as_str(), &*server.maintenance),
            ("mysql://u@h:1/y", "mysql")
        );
    }
}
