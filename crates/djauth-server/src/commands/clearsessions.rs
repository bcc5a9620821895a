//! `clearsessions`.

use djauth::BaseUser;

use crate::database;
use crate::failure::Failure;
use crate::own_database::Plan;

/// Deletes the sessions that have ended. Says nothing, as in Django.
pub(crate) async fn run<U: BaseUser>(plan: Plan) -> Result<(), Failure> {
    let auth = database::open::<U>(plan).await?;
    auth.sessions()
        .clear_expired()
        .await
        .map_err(|error| Failure::caused(format!("cannot delete sessions: {error}"), &error))?;
    Ok(())
}
