//! `clearsessions`.

use djauth::BaseUser;

use crate::database::{self, failed};
use crate::failure::Failure;
use crate::own_database::Plan;

/// Deletes the sessions that have ended with their rows in the lists of sessions, and what is old in the log of
/// logins, and puts old stamps of the cache together. Says nothing, as in Django. What one of these cannot do keeps
/// none of the others from being done; the first failure is the command's.
pub(crate) async fn run<U: BaseUser>(plan: Plan) -> Result<(), Failure> {
    let auth = database::open::<U>(plan).await?;
    let cleared = auth.sessions().clear_expired().await;
    let cleared = cleared
        .map_err(|error| Failure::caused(format!("cannot delete sessions: {error}"), &error));
    let purged = auth.user_sessions().purge().await;
    let purged = purged.map_err(|error| failed("rows of sessions that have ended stay", &error));
    let trimmed = auth.access_log().trim().await;
    let trimmed = trimmed.map_err(|error| failed("old logins stay in the log", &error));
    let compacted = auth.cache_triggers().compact(auth.db()).await;
    let compacted = compacted.map_err(|error| failed("old stamps of the cache stay", &error));
    cleared.map(drop)?;
    purged.map(drop)?;
    trimmed.map(drop)?;
    compacted.map(drop)
}
