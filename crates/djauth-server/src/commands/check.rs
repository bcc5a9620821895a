//! `check [--deploy] [--fail-level LEVEL]`.

use djauth::User;
use djauth::checks::{CheckMessage, Level, check_deploy, check_proxies, check_user_model};
use djauth::settings::Settings;

use crate::cli::Options;
use crate::failure::Failure;
use crate::own_database::Plan;
use crate::{database, output};

/// Looks for faults in settings, user model and, if there is one, database. Makes nothing.
///
/// As in Django, messages go to stderr, and the command fails from the given level.
pub(crate) async fn run(
    plan: Plan,
    deploy: bool,
    fail_level: Level,
    options: &Options,
) -> Result<(), Failure> {
    let mut messages = system_checks(plan.settings());
    if deploy {
        messages.extend(check_deploy(plan.settings()));
    }
    if plan.database_exists() {
        let auth = database::open(plan).await?;
        messages.extend(database::check(&auth).await?);
        auth.db().close().await;
    }
    report(&messages, fail_level, options)
}

/// The checks that other commands begin with: what is wrong is shown, an error ends the command.
pub(crate) fn before(settings: &Settings, options: &Options) -> Result<(), Failure> {
    let messages = system_checks(settings);
    if messages.is_empty() {
        return Ok(());
    }
    report(&messages, Level::Error, options)
}

/// What is looked at without a database and without `--deploy`.
fn system_checks(settings: &Settings) -> Vec<CheckMessage> {
    let mut found = check_user_model::<User>(settings);
    found.extend(check_proxies(settings));
    found
}

fn report(messages: &[CheckMessage], fail_level: Level, options: &Options) -> Result<(), Failure> {
    if messages.is_empty() {
        if options.verbosity > 0 {
            output::say("System check: no issues.");
        }
        return Ok(());
    }
    let failed = messages.iter().any(|message| message.level >= fail_level);
    let start = if failed { "SystemCheckError: " } else { "" };
    eprintln!("{start}System check: {} issue(s).", messages.len());
    for (level, heading) in HEADINGS {
        let mut found = messages
            .iter()
            .filter(|message| message.level == level)
            .peekable();
        if found.peek().is_some() {
            eprintln!("\n{heading}:");
        }
        found.for_each(|message| eprintln!("{message}"));
    }
    if failed { Err(Failure::Silent) } else { Ok(()) }
}

const HEADINGS: [(Level, &str); 5] = [
    (Level::Critical, "CRITICALS"),
    (Level::Error, "ERRORS"),
    (Level::Warning, "WARNINGS"),
    (Level::Info, "INFOS"),
    (Level::Debug, "DEBUGS"),
];
