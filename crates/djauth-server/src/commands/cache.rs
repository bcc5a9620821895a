//! `cache install | remove | status`.

use djauth::management::CacheStatus;
use djauth::{Auth, BaseUser};

use crate::cli::{CacheAction, Options};
use crate::database::{self, failed};
use crate::failure::Failure;
use crate::output;
use crate::own_database::Plan;

/// Makes the triggers that let answers be kept, takes them away, or tells how they are.
pub(crate) async fn run<U: BaseUser>(
    plan: Plan,
    action: CacheAction,
    options: &Options,
) -> Result<(), Failure> {
    let auth = database::open::<U>(plan).await?;
    let done = act(&auth, action, options.verbosity > 0).await;
    auth.db().close().await;
    done
}

async fn act<U: BaseUser>(auth: &Auth<U>, action: CacheAction, aloud: bool) -> Result<(), Failure> {
    let triggers = auth.cache_triggers();
    let wrong = |error| failed("the triggers of the cache", &error);
    match action {
        CacheAction::Install => {
            database::must_be_migrated(auth).await?;
            tell(&triggers.install(auth.db()).await.map_err(wrong)?, aloud)
        }
        CacheAction::Remove => {
            triggers.remove(auth.db()).await.map_err(wrong)?;
            if aloud {
                output::say("Removed.");
            }
            Ok(())
        }
        CacheAction::Status => match triggers.status(auth.db()).await.map_err(wrong)? {
            CacheStatus::NotInstalled => {
                output::say(text(&CacheStatus::NotInstalled));
                Err(Failure::Silent)
            }
            status => tell(&status, true),
        },
    }
}

/// What is not as it should be makes the exit code 1.
fn tell(status: &CacheStatus, aloud: bool) -> Result<(), Failure> {
    match status {
        CacheStatus::Faulty(faults) => {
            faults.iter().for_each(output::say);
            Err(Failure::Silent)
        }
        status if aloud => {
            output::say(text(status));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn text(status: &CacheStatus) -> &'static str {
    match status {
        CacheStatus::NotNeeded => "SQLite needs no triggers: nothing to do.",
        CacheStatus::Installed => "Installed: every trigger is there and enabled.",
        _ => "Not installed: every request asks the database; `djauth cache install` changes that.",
    }
}
