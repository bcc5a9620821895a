//! `migrate [--check]`.

use djauth::BaseUser;
use djauth::management::Migrate;

use crate::cli::Options;
use crate::database::{self, failed};
use crate::failure::Failure;
use crate::output;
use crate::own_database::Plan;

/// Makes or completes the tables.
pub(crate) async fn run<U: BaseUser>(plan: Plan, options: &Options) -> Result<(), Failure> {
    let mut made = plan.make()?;
    let auth = database::connect::<U>(&made).await?;
    let applied = auth.migrate().await;
    let applied = applied.map_err(|error| failed("the database cannot be migrated", &error))?;
    made.keep();
    if options.verbosity == 0 {
        return Ok(());
    }
    if applied.is_empty() {
        output::say("Nothing to migrate.");
    }
    for (app, name) in applied.migrations() {
        output::say(format!("Applied {app}.{name}"));
    }
    Ok(())
}

/// Tells by the exit code whether anything is left to do. Makes nothing.
pub(crate) async fn check<U: BaseUser>(plan: Plan, options: &Options) -> Result<(), Failure> {
    if !plan.database_exists() {
        output::say("The database is still to be made.");
        return Err(Failure::Silent);
    }
    let auth = database::open::<U>(plan).await?;
    let left = Migrate::new().user(auth.user_table()).plan(auth.db()).await;
    let left = left.map_err(|error| failed("the database cannot be migrated", &error))?;
    if left.is_empty() {
        return Ok(());
    }
    if options.verbosity > 0 {
        for (app, name) in left.migrations() {
            output::say(format!("To apply: {app}.{name}"));
        }
    }
    Err(Failure::Silent)
}
