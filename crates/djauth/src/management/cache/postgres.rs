//! PostgreSQL: a row trigger on each table, and one for TRUNCATE.
//!
//! All stamps of one transaction about one subject are one row. The first of them takes the older rows of the
//! subject along, but those that somebody else holds, so that about one row stays and nobody waits. That is left
//! out above READ COMMITTED, where a row that has gone meanwhile would end the transaction.
//!
//! The functions run as their owner, because whoever may write to a user's table must be able to go on doing so,
//! and nobody else may call them. Triggers fire ALWAYS, also for what replication applies.

mod found;
mod text;

use std::time::Duration;

use djauth_db::{Database, Executor, Sql, Transaction, quote_name};

use self::found::{Found, Relation};
use self::text::{Function, ROW, TRUNCATE};
use super::watched::Watched;
use super::{CacheTriggers, Fingerprint, INSTALL, TABLE, install_stamps};
use crate::management::lock;
use crate::{Error, ErrorKind};

/// A table in use is asked for again after a pause; for a minute and a half in all. Each time only for a moment:
/// everybody else would queue behind us, and below the server's `deadlock_timeout` it is always we who give way.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '100ms'";
const PAUSE: Duration = Duration::from_millis(200);
const ATTEMPTS: usize = 300;

pub(super) async fn install(db: &Database, triggers: &CacheTriggers) -> Result<(), Error> {
    patiently(async || {
        let transaction = begin(db).await?;
        make(&transaction, triggers).await?;
        Ok(transaction.commit().await?)
    })
    .await
}

pub(super) async fn remove(db: &Database) -> Result<(), Error> {
    patiently(async || {
        let transaction = begin(db).await?;
        unmake(&transaction).await?;
        Ok(transaction.commit().await?)
    })
    .await
}

pub(super) async fn faults(
    ex: &impl Executor,
    triggers: &CacheTriggers,
) -> Result<Option<Vec<String>>, Error> {
    let Some(found) = Found::read(ex).await? else {
        return Ok(None);
    };
    let mut faults = Vec::new();
    if !found.may_read {
        faults.push(format!(
            "this role may not read it: GRANT SELECT ON {TABLE} TO it"
        ));
    } else {
        faults.extend(triggers.fault_of_stamps(&install_stamps(ex).await?));
    }
    for watched in &triggers.watched {
        match Relation::find(ex, &watched.table).await? {
            None => faults.push(format!("the table {} is not there", watched.table)),
            Some(relation) => faults.extend(found.faults_of(&relation, watched)),
        }
    }
    Ok(Some(faults))
}

async fn begin(db: &Database) -> Result<Transaction, Error> {
    let transaction = db.begin().await?;
    lock::in_transaction(&transaction).await?;
    transaction.execute_script(LOCK_TIMEOUT).await?;
    Ok(transaction)
}

/// Tries until the tables are free.
async fn patiently(attempt: impl AsyncFn() -> Result<(), Error>) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        match attempt().await {
            Err(error) if *error.kind() == ErrorKind::Busy => tokio::time::sleep(PAUSE).await,
            done => return done,
        }
    }
    let text = "the tables are in use by a transaction that does not end; try again when it has";
    Err(Error::new(ErrorKind::Busy, text))
}

async fn make(transaction: &Transaction, triggers: &CacheTriggers) -> Result<(), Error> {
    refuse_others(transaction, triggers).await?;
    let watched = &triggers.watched;
    let schema = match Found::read(transaction).await? {
        Some(found) => found.schema,
        None => make_table(transaction).await?,
    };
    if schema.contains(text::QUOTE) {
        let text = format!("the name of the schema {schema:?} cannot be put into a function");
        return Err(Error::new(ErrorKind::Schema, text));
    }
    for function in text::functions(&schema, watched)? {
        make_function(transaction, &function).await?;
    }
    for watched in watched {
        make_triggers(transaction, &schema, watched).await?;
    }
    begin_anew(transaction, triggers.fingerprint()).await
}

/// The table in the schema in which `migrate` would make it.
async fn make_table(transaction: &Transaction) -> Result<String, Error> {
    let place = transaction.fetch_optional(&PLACE, &[], |row| {
        Ok((
            row.get::<String>(0)?,
            row.get::<bool>(1)?,
            row.get::<String>(2)?,
        ))
    });
    let Some((schema, may_create, role)) = place.await? else {
        let text = "the search_path names no schema that is there";
        return Err(Error::new(ErrorKind::Schema, text));
    };
    if !may_create {
        let (schema, role) = (quote_name(&schema), quote_name(&role));
        let text = format!("GRANT CREATE ON SCHEMA {schema} TO {role} is missing");
        return Err(Error::new(ErrorKind::Denied, text));
    }
    let statement = format!(
        "CREATE TABLE {} (\"subject\" integer NOT NULL, \"stamp\" bigint NOT NULL, \
         PRIMARY KEY (\"subject\", \"stamp\"))",
        text::qualified(&schema, TABLE)
    );
    transaction.execute_script(&statement).await?;
    Ok(schema)
}

async fn make_function(transaction: &Transaction, function: &Function) -> Result<(), Error> {
    transaction.execute_script(&function.definition()).await?;
    // A trigger needs no right to call it, and nobody else is to write to the table with the owner's rights.
    let revoke = format!(
        "REVOKE ALL ON FUNCTION {} FROM PUBLIC",
        function.signature()
    );
    Ok(transaction.execute_script(&revoke).await?)
}

async fn make_triggers(
    transaction: &Transaction,
    schema: &str,
    watched: &Watched,
) -> Result<(), Error> {
    let relation = Relation::find(transaction, &watched.table).await?;
    let relation = relation.ok_or_else(|| super::missing_table(&watched.table))?;
    relation.can_have_triggers()?;
    let found = Found::read(transaction).await?;
    for trigger in [ROW, TRUNCATE] {
        let name = quote_name(trigger.name);
        let table = relation.qualified();
        let state = found
            .as_ref()
            .and_then(|found| found.trigger(&relation, &trigger));
        if state.is_some_and(|state| !state.is_of(&trigger, watched)) {
            drop_trigger(transaction, trigger.name, &table).await?;
        }
        if state.is_none_or(|state| !state.is_of(&trigger, watched)) {
            let create = trigger.definition(schema, &table, watched);
            transaction.execute_script(&create).await?;
        }
        if state.is_none_or(|state| !state.is_always() || !state.is_of(&trigger, watched)) {
            let enable = format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}");
            transaction.execute_script(&enable).await?;
        }
    }
    Ok(())
}

async fn refuse_others(transaction: &Transaction, triggers: &CacheTriggers) -> Result<(), Error> {
    let Some(found) = Found::read(transaction).await? else {
        return Ok(());
    };
    let stamps = install_stamps(transaction).await?;
    triggers.refuse_others(&stamps, &found.tables())
}

async fn drop_trigger(transaction: &Transaction, name: &str, table: &str) -> Result<(), Error> {
    let drop = format!("DROP TRIGGER {} ON {table}", quote_name(name));
    Ok(transaction.execute_script(&drop).await?)
}

/// Another stamp of the installation: what was cached before is not believed any more.
async fn begin_anew(transaction: &Transaction, tables: Fingerprint) -> Result<(), Error> {
    transaction.execute(&FORGET, vec![INSTALL.into()]).await?;
    let params = vec![INSTALL.into(), tables.stamp().into()];
    transaction.execute(&STAMP, params).await?;
    Ok(())
}

/// Every trigger that calls a function of ours goes, on whichever table.
async fn unmake(transaction: &Transaction) -> Result<(), Error> {
    let Some(found) = Found::read(transaction).await? else {
        return Ok(());
    };
    for state in &found.triggers {
        drop_trigger(transaction, &state.name, &state.table()).await?;
    }
    // The trigger functions before the one that they call.
    for (name, _) in found.functions.iter().rev() {
        let arguments = if name == text::STAMP { "integer" } else { "" };
        let function = text::qualified(&found.schema, name);
        let drop = format!("DROP FUNCTION {function}({arguments})");
        transaction.execute_script(&drop).await?;
    }
    let drop = format!("DROP TABLE {}", text::qualified(&found.schema, TABLE));
    Ok(transaction.execute_script(&drop).await?)
}

static FORGET: Sql = Sql::new("DELETE FROM djauth_cache_change WHERE subject = ?");
static STAMP: Sql = Sql::new("INSERT INTO djauth_cache_change (subject, stamp) VALUES (?, ?)");
static PLACE: Sql = Sql::new(
    "SELECT current_schema()::text, has_schema_privilege(current_schema(), 'CREATE'), current_user::text \
     WHERE current_schema() IS NOT NULL",
);
