//! Which tables and columns the database has.

use crate::db::{Database, Error, ErrorKind, Executor, Sql};
use crate::models::Found;

/// What can be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// `axes_accesslog`.
    pub(super) logins: bool,
    /// Its column `session_hash`, which axes has since version 6.
    pub(super) session_hash: bool,
    /// `axes_accessfailurelog`, which axes has since version 5.22.
    pub(super) failures: bool,
}

static LOGINS: Sql = Sql::new(
    "SELECT user_agent, ip_address, username, http_accept, path_info, attempt_time, logout_time \
     FROM axes_accesslog WHERE 1 = 0",
);
/// Axes before version 5 has a column that each new row must fill. Such a table is left alone.
static TRUSTED: Sql = Sql::new("SELECT trusted FROM axes_accesslog WHERE 1 = 0");
static SESSION_HASH: Sql = Sql::new("SELECT session_hash FROM axes_accesslog WHERE 1 = 0");
static FAILURES: Sql = Sql::new(
    "SELECT user_agent, ip_address, username, http_accept, path_info, attempt_time, locked_out \
     FROM axes_accessfailurelog WHERE 1 = 0",
);

impl Layout {
    pub(super) async fn read(db: &Database) -> Result<Self, Error> {
        let logins = works(db, &LOGINS).await? && !works(db, &TRUSTED).await?;
        Ok(Self {
            logins,
            session_hash: logins && works(db, &SESSION_HASH).await?,
            failures: works(db, &FAILURES).await?,
        })
    }
}

impl Found for Layout {
    fn is_there(self) -> bool {
        self.logins || self.failures
    }
}

async fn works(db: &Database, sql: &Sql) -> Result<bool, Error> {
    match db.fetch(sql, &[], |_| Ok(())).await {
        Ok(_) => Ok(true),
        Err(error) if *error.kind() == ErrorKind::SchemaMissing => Ok(false),
        Err(error) => Err(error),
    }
}
