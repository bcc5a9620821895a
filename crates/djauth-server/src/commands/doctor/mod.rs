//! `doctor`: do database, sessions and passwords fit the settings? Reads only, and shows no secret, no
//! name and no key of a session: counts alone.

mod passwords;
mod report;
mod sessions;
mod tables;

use std::time::Duration;

use djauth::db::{Dialect, Executor, Sql};
use djauth::{Auth, BaseUser};

use self::report::Report;
use crate::database;
use crate::failure::Failure;
use crate::own_database::Plan;

/// What looks at one thing, and says what it finds.
type Found = Result<(), djauth::Error>;

/// Looks at everything, at `limit` users and sessions at most. A problem makes the exit code 1.
pub(crate) async fn run<U: BaseUser>(plan: Plan, limit: u64) -> Result<(), Failure> {
    let auth = database::open::<U>(plan).await?;
    let mut report = Report::default();
    examine(&auth, limit, &mut report).await;
    auth.db().close().await;
    report.end()
}

async fn examine<U: BaseUser>(auth: &Auth<U>, limit: u64, report: &mut Report) {
    let name = match auth.db().dialect() {
        Dialect::Sqlite => "SQLite",
        Dialect::Postgres => "PostgreSQL",
        Dialect::Mysql => "MariaDB",
    };
    report.good("database", format!("{name} answers"));
    let zone = auth.settings().time_zone.name();
    report.good(
        "time zone",
        format!("TIME_ZONE is {zone}; reset links need that of the Django site"),
    );
    let found = clock(auth, report).await;
    report.unread("clock", found);
    if !tables::schema(auth, report).await {
        return;
    }
    let found = tables::rows(auth, report).await;
    report.unread("permissions", found);
    let found = tables::cache_triggers(auth, report).await;
    report.unread("cache", found);
    let found = passwords::examine(auth, limit, report).await;
    report.unread("passwords", found);
    let found = sessions::examine(auth, limit, report).await;
    report.unread("sessions", found);
}

/// Clocks that differ more end sessions and links at the wrong time.
const APART: Duration = Duration::from_secs(5);

async fn clock<U: BaseUser>(auth: &Auth<U>, report: &mut Report) -> Found {
    static NOW: Sql = Sql::with_mysql("SELECT CURRENT_TIMESTAMP", "SELECT UTC_TIMESTAMP(6)");
    if auth.db().dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let theirs = auth
        .db()
        .fetch_optional(&NOW, &[], |row| row.get(0))
        .await?;
    let theirs: chrono::DateTime<chrono::Utc> = theirs.unwrap_or_default();
    let apart = (auth.now() - theirs).abs().to_std().unwrap_or_default();
    if apart > APART {
        let text = format!(
            "differs from the database server's by {} s",
            apart.as_secs()
        );
        report.warn("clock", text);
    } else {
        report.good("clock", "agrees with the database server's");
    }
    Ok(())
}
