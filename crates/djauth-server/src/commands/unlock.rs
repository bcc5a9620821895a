//! `unlock USERNAME | --network ADDRESS | --all`.

use djauth::BaseUser;
use djauth::rate_limit::Place;

use crate::cli::{Options, Unlock};
use crate::database::{self, failed};
use crate::failure::Failure;
use crate::output;
use crate::own_database::Plan;

/// Forgets attempts to log in, so that the next one is looked at again.
pub(crate) async fn run<U: BaseUser>(
    plan: Plan,
    whose: Unlock,
    options: &Options,
) -> Result<(), Failure> {
    let auth = database::open::<U>(plan).await?;
    let limit = auth.login_rate_limit();
    let unavailable = |error| failed("the attempts cannot be read", &error);
    refuse_elsewhere(limit.place().await.map_err(unavailable)?)?;
    let forgotten = match whose {
        Unlock::Username(name) => limit.unlock_username(&name).await,
        Unlock::Network(address) => limit.unlock_network(address).await,
        Unlock::All => limit.unlock_all().await.map(|()| true),
    };
    let forgotten =
        forgotten.map_err(|error| failed("the attempts cannot be forgotten", &error))?;
    auth.db().close().await;
    if options.verbosity > 0 {
        output::say(if forgotten {
            "Unlocked."
        } else {
            "There was nothing to unlock."
        });
    }
    Ok(())
}

/// Counters in the memory of another process are out of reach.
fn refuse_elsewhere(place: Place) -> Result<(), Failure> {
    match place {
        Place::Nowhere => Err(Failure::command(
            "LOGIN_RATE_LIMIT_PER_NETWORK and LOGIN_RATE_LIMIT_PER_USERNAME are empty: nothing is counted",
        )),
        Place::Memory => Err(Failure::command(
            "each server process counts for itself here, so only restarting it forgets attempts; \
             set CACHE_URL to count in one place",
        )),
        _ => Ok(()),
    }
}
