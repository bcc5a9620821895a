//! MariaDB: a trigger for each kind of change of a row, each a single INSERT.
//!
//! The server knows no transaction's number that a trigger could read, so each changed row adds a stamp, and
//! [`compact`](super::compact) puts them together later. DDL commits by itself: the row of the installation goes
//! first and comes back last, so that no cache believes a set that is not whole.

mod cascades;

use std::time::Duration;

use djauth_db::{Database, Executor, Row, Sql, quote_name};

use super::watched::{About, Watched};
use super::{CacheTriggers, INSTALL, SHARED, TABLE, install_stamps};
use crate::management::lock::Lock;
use crate::{Error, ErrorKind};

/// A table in use is asked for again after a pause. While a statement of DDL waits, everybody else queues behind
/// it: a second at most, which is as short as the server can be told.
const WAIT: &str = "SET STATEMENT lock_wait_timeout = 1 FOR ";
const PAUSE: Duration = Duration::from_millis(500);
const ATTEMPTS: usize = 60;

/// What changes a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Insert,
    Update,
    Delete,
}

impl Event {
    const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];

    fn name(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }

    fn rows(self) -> &'static [&'static str] {
        match self {
            Self::Insert => &["NEW"],
            Self::Update => &["OLD", "NEW"],
            Self::Delete => &["OLD"],
        }
    }
}

/// A trigger, as it is or as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trigger {
    name: String,
    table: String,
    event: String,
    body: String,
}

impl Trigger {
    fn new(watched: &Watched, event: Event) -> Self {
        let (part, event_name) = (watched.part, event.name());
        Self {
            name: format!("djauth_cache_{part}_{}", event_name.to_lowercase()),
            table: watched.table.clone(),
            event: event_name.to_owned(),
            body: body(watched, event),
        }
    }

    fn definition(&self) -> String {
        let (name, table) = (quote_name(&self.name), quote_name(&self.table));
        let (event, body) = (&self.event, &self.body);
        format!("{WAIT}CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW {body}")
    }
}

/// Those that the tables should have.
fn triggers(watched: &[Watched]) -> Vec<Trigger> {
    let of = |watched: &Watched| {
        let events = Event::ALL.into_iter();
        let events = events.filter(|event| watched.inserts || *event != Event::Insert);
        let triggers = events.map(|event| Trigger::new(watched, event));
        triggers.collect::<Vec<_>>()
    };
    watched.iter().flat_map(of).collect()
}

fn body(watched: &Watched, event: Event) -> String {
    let rows: &[&str] = match &watched.about {
        About::All => &[""],
        // Nobody had the new key of a user before.
        About::User { .. } if !watched.inserts => &["OLD"],
        About::User { .. } => event.rows(),
    };
    let value = |row: &&str| format!("({}, {NEW_STAMP})", subject(&watched.about, row));
    let values: Vec<_> = rows.iter().map(value).collect();
    let (table, values) = (quote_name(TABLE), values.join(", "));
    format!("INSERT INTO {table} (\"subject\", \"stamp\") VALUES {values}")
}

/// 60 random bits.
const NEW_STAMP: &str = "CAST(CONV(LEFT(SHA2(CONCAT(UUID(), RAND()), 256), 15), 16, 10) AS SIGNED)";

/// As [`subject_of`](super::subject_of).
fn subject(about: &About, row: &str) -> String {
    match about.column_of(row) {
        None => SHARED.to_string(),
        Some(column) if about.has_uuid() => {
            format!("CAST(CONV(RIGHT(REPLACE({column}, '-', ''), 4), 16, 10) AS SIGNED)")
        }
        Some(column) => format!("{column} & 65535"),
    }
}

pub(super) async fn install(db: &Database, triggers: &CacheTriggers) -> Result<(), Error> {
    let lock = Lock::acquire(db).await?;
    let made = make(db, triggers).await.map_err(with_grants);
    lock.release(made.is_ok()).await?;
    made
}

pub(super) async fn remove(db: &Database) -> Result<(), Error> {
    let lock = Lock::acquire(db).await?;
    let removed = unmake(db).await.map_err(with_grants);
    lock.release(removed.is_ok()).await?;
    removed
}

pub(super) async fn faults(
    ex: &impl Executor,
    ours: &CacheTriggers,
) -> Result<Option<Vec<String>>, Error> {
    let found = found(ex).await?;
    let mut faults = Vec::new();
    match install_stamps(ex).await {
        Ok(stamps) => faults.extend(ours.fault_of_stamps(&stamps)),
        Err(error) if *error.kind() == djauth_db::ErrorKind::SchemaMissing && found.is_empty() => {
            return Ok(None);
        }
        Err(error) => faults.push(format!("{TABLE} cannot be read: {error}")),
    }
    faults.extend(faults_of_triggers(&found, &ours.watched));
    for table in not_innodb(ex, &ours.watched).await? {
        faults.push(format!("{table} is not of the engine InnoDB"));
    }
    faults.extend(cascades::faults(ex, &ours.watched).await?);
    Ok(Some(faults))
}

fn faults_of_triggers(found: &[Trigger], watched: &[Watched]) -> Vec<String> {
    let fault = |wanted: Trigger| {
        let (name, table) = (&wanted.name, &wanted.table);
        match found.iter().find(|trigger| trigger.name == *name) {
            Some(trigger) if *trigger == wanted => None,
            Some(trigger) if trigger.body.is_empty() => Some(format!(
                "the trigger {name} on {table} cannot be looked at: GRANT TRIGGER ON {table}"
            )),
            Some(_) => Some(format!("the trigger {name} on {table} is not ours, or old")),
            None => Some(format!(
                "the trigger {name} on {table} is missing, or this account may not see it \
                 (GRANT TRIGGER ON {table})"
            )),
        }
    };
    triggers(watched).into_iter().filter_map(fault).collect()
}

async fn found(ex: &impl Executor) -> Result<Vec<Trigger>, Error> {
    let read = |row: &Row<'_>| {
        Ok(Trigger {
            name: row.get(0)?,
            table: row.get(1)?,
            event: row.get(2)?,
            // Nothing of it is shown to an account without TRIGGER.
            body: row.get::<Option<String>>(3)?.unwrap_or_default(),
        })
    };
    Ok(ex.fetch(&TRIGGERS, &[], read).await?)
}

/// Tables whose changes do not come and go with a transaction.
async fn not_innodb(ex: &impl Executor, watched: &[Watched]) -> Result<Vec<String>, Error> {
    let mut others = ex
        .fetch(&OTHER_ENGINES, &[], |row| row.get::<String>(0))
        .await?;
    others.retain(|table| table == TABLE || watched.iter().any(|watched| watched.table == *table));
    Ok(others)
}

async fn make(db: &Database, ours: &CacheTriggers) -> Result<(), Error> {
    let watched = &ours.watched;
    if let Some(table) = not_innodb(db, watched).await?.first() {
        let text =
            format!("{table} is not of the engine InnoDB: its changes are not safe to follow");
        return Err(Error::new(ErrorKind::Schema, text));
    }
    for watched in watched {
        must_exist(db, &watched.table).await?;
    }
    script(db, CREATE).await?;
    let wanted = triggers(watched);
    let found = found(db).await?;
    let tables: Vec<_> = found.iter().map(|trigger| trigger.table.as_str()).collect();
    ours.refuse_others(&install_stamps(db).await?, &tables)?;
    forget_installation(db).await?;
    for trigger in found.iter().filter(|trigger| !wanted.contains(trigger)) {
        drop_trigger(db, trigger).await?;
    }
    for trigger in wanted.iter().filter(|trigger| !found.contains(trigger)) {
        patiently(db, &trigger.definition()).await?;
    }
    let params = vec![INSTALL.into(), ours.fingerprint().stamp().into()];
    db.execute(&STAMP, params).await?;
    Ok(())
}

async fn must_exist(db: &Database, table: &str) -> Result<(), Error> {
    if exists(db, table).await? {
        return Ok(());
    }
    Err(super::missing_table(table))
}

async fn exists(db: &Database, table: &str) -> Result<bool, Error> {
    let rows = db.fetch(&EXISTS, &[table.into()], |_| Ok(())).await?;
    Ok(!rows.is_empty())
}

/// Committed at once: from here on no cache believes the triggers.
async fn forget_installation(db: &Database) -> Result<(), Error> {
    db.execute(&FORGET, vec![INSTALL.into()]).await?;
    Ok(())
}

async fn unmake(db: &Database) -> Result<(), Error> {
    if exists(db, TABLE).await? {
        forget_installation(db).await?;
    }
    for trigger in found(db).await? {
        drop_trigger(db, &trigger).await?;
    }
    patiently(db, DROP).await
}

async fn drop_trigger(db: &Database, trigger: &Trigger) -> Result<(), Error> {
    let name = quote_name(&trigger.name);
    patiently(db, &format!("{WAIT}DROP TRIGGER IF EXISTS {name}")).await
}

/// Tries until the table is free.
async fn patiently(db: &Database, statement: &str) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        match script(db, statement).await {
            Err(error) if *error.kind() == djauth_db::ErrorKind::Busy => {
                tokio::time::sleep(PAUSE).await;
            }
            done => return Ok(done?),
        }
    }
    let text = "a table is in use by a transaction that does not end; run it again when it has";
    Err(Error::new(ErrorKind::Busy, text))
}

/// On a connection of its own: one whose statement had to wait for too long is not used again.
async fn script(db: &Database, statement: &str) -> djauth_db::Result<()> {
    let connection = db.begin().await?;
    connection.execute_script(statement).await?;
    connection.commit().await
}

/// Says what the account needs where something is denied.
fn with_grants(error: Error) -> Error {
    if *error.kind() != ErrorKind::Denied {
        return error;
    }
    let text = format!(
        "{error}; the account needs GRANT CREATE, DROP, SELECT, INSERT, DELETE, TRIGGER on this database, and SUPER \
         (or log_bin_trust_function_creators = 1) where the server writes a binary log"
    );
    Error::caused(ErrorKind::Denied, text, error)
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS \"djauth_cache_change\" (\"subject\" integer NOT NULL, \
     \"stamp\" bigint NOT NULL, PRIMARY KEY (\"subject\", \"stamp\")) ENGINE = InnoDB";
const DROP: &str =
    "SET STATEMENT lock_wait_timeout = 1 FOR DROP TABLE IF EXISTS \"djauth_cache_change\"";
static FORGET: Sql = Sql::new("DELETE FROM djauth_cache_change WHERE subject = ?");
static STAMP: Sql = Sql::new("INSERT INTO djauth_cache_change (subject, stamp) VALUES (?, ?)");
static EXISTS: Sql = Sql::new(
    "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? \
     AND table_type = 'BASE TABLE'",
);
static OTHER_ENGINES: Sql = Sql::new(
    "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
     WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'",
);
static TRIGGERS: Sql = Sql::new(
    "SELECT CAST(trigger_name AS CHAR), CAST(event_object_table AS CHAR), CAST(event_manipulation AS CHAR), \
            CAST(action_statement AS CHAR) \
       FROM information_schema.triggers \
      WHERE trigger_schema = DATABASE() AND trigger_name LIKE 'djauth|_cache|_%' ESCAPE '|' \
      ORDER BY trigger_name",
);
