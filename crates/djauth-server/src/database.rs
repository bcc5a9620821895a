//! From a plan to an [`Auth`] on a database.

use djauth::checks::CheckMessage;
use djauth::{Auth, Error, ErrorKind, User};

use crate::failure::Failure;
use crate::own_database::{OwnDatabase, Plan};

/// An open database, and what is known of where it comes from.
pub(crate) struct Opened {
    pub(crate) auth: Auth<User>,
    /// Whether it is a file that this process has just made.
    pub(crate) fresh: bool,
}

/// Opens the database, makes it first if it may be made, and migrates it if it is our own.
/// What fails leaves no files behind.
pub(crate) async fn open_or_make(plan: Plan) -> Result<Opened, Failure> {
    let mut made = plan.make()?;
    let auth = connect(&made).await?;
    if made.ours {
        let migrated = auth.migrate().await;
        if let Err(error) = migrated {
            auth.db().close().await;
            return Err(failed("the database cannot be migrated", &error));
        }
    }
    made.keep();
    Ok(Opened {
        auth,
        fresh: made.fresh,
    })
}

/// Opens a database that must be there. Makes nothing.
pub(crate) async fn open(plan: Plan) -> Result<Auth<User>, Failure> {
    if !plan.database_exists() {
        let url = &plan.settings().database_url;
        return Err(Failure::other(format!(
            "there is no database {url} yet; `djauth migrate` makes it"
        )));
    }
    connect(&plan.make()?).await
}

pub(crate) async fn connect(made: &OwnDatabase) -> Result<Auth<User>, Failure> {
    let auth = Auth::connect(&made.url(), made.settings.clone()).await;
    auth.map_err(|error| {
        failed(
            &format!("cannot open the database {}", made.settings.database_url),
            &error,
        )
    })
}

/// Refuses a database whose tables are not as they must be.
pub(crate) async fn must_be_migrated(auth: &Auth<User>) -> Result<(), Failure> {
    auth.check()
        .await
        .map_err(|error| failed("the database cannot be used", &error))
}

/// The tables' faults as a message.
pub(crate) async fn check(auth: &Auth<User>) -> Result<Option<CheckMessage>, Failure> {
    match auth.check().await {
        Ok(()) => Ok(None),
        Err(error) if *error.kind() == ErrorKind::Schema => Ok(Some(CheckMessage::schema(&error))),
        Err(error) => Err(failed("the database cannot be read", &error)),
    }
}

/// A failure of the library, with its text and causes.
pub(crate) fn failed(what: &str, error: &Error) -> Failure {
    Failure::caused(format!("{what}: {error}"), error)
}
