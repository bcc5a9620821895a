//! From a plan to an [`Auth`] on a database.

use djauth::checks::CheckMessage;
use djauth::{Auth, BaseUser, Error, ErrorKind};

use crate::failure::Failure;
use crate::own_database::{OwnDatabase, Plan};

/// An open database, and what is known of where it comes from.
pub(crate) struct Opened<U: BaseUser> {
    pub(crate) auth: Auth<U>,
    /// Whether it is a file that this process has just made.
    pub(crate) fresh: bool,
}

/// Opens the database, makes it first if it may be made, and migrates it if it is our own.
/// What fails leaves no files behind.
pub(crate) async fn open_or_make<U: BaseUser>(plan: Plan) -> Result<Opened<U>, Failure> {
    let mut made = plan.make()?;
    let auth = connect::<U>(&made).await?;
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
pub(crate) async fn open<U: BaseUser>(plan: Plan) -> Result<Auth<U>, Failure> {
    if !plan.database_exists() {
        let url = &plan.settings().database_url;
        return Err(Failure::other(format!(
            "there is no database {url} yet; `djauth migrate` makes it"
        )));
    }
    connect(&plan.make()?).await
}

pub(crate) async fn connect<U: BaseUser>(made: &OwnDatabase) -> Result<Auth<U>, Failure> {
    let auth = Auth::builder(made.settings.clone()).user_model::<U>();
    let auth = auth.connect(&made.url()).await;
    auth.map_err(|error| {
        failed(
            &format!("cannot open the database {}", made.settings.database_url),
            &error,
        )
    })
}

/// Refuses a database whose tables are not as they must be.
pub(crate) async fn must_be_migrated<U: BaseUser>(auth: &Auth<U>) -> Result<(), Failure> {
    auth.check()
        .await
        .map_err(|error| failed("the database cannot be used", &error))
}

/// The tables' faults as a message.
pub(crate) async fn check<U: BaseUser>(auth: &Auth<U>) -> Result<Option<CheckMessage>, Failure> {
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
