//! `clearsessions`.

use djauth::BaseUser;

use crate::database::{self, failed};
use crate::failure::Failure;
use crate::own_database::Plan;

/// Deletes the sessions that have ended with their rows in the lists of sessions, and what is old in the log of
/// logins, and puts old stamps of the cache together. Says nothing, as in Django.
pub(crate) async fn run<U: BaseUser>(plan: Plan) -> Result<(), Failure> {
    let auth = database::open::<U>(plan).await?;
    auth.sessions()
        .clear_expired()
        .await
        .map_err(|error| Failure::caused(format!("cannot delete sessions: {error}"), &error))?;
    auth.user_sessions()
        .purge()
        .await
        .map_err(|error| failed("rows of sessions that have ended stay", &error))?;
    auth.access_log()
        .trim()
        .await
        .map_err(|error| failed("old logins stay in the log", &error))?;
    auth.cache_triggers()
        .compact(auth.db())
        .await
        .map_err(|error| failed("old stamps of the cache stay", &error))?;
    Ok(())
}
