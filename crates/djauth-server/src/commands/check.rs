//! `check [--deploy] [--tag TAG] [--list-tags] [--fail-level LEVEL]`.

use djauth::BaseUser;
use djauth::base_user::UserMeta;
use djauth::checks::{
    CheckMessage, Level, TAGS, check_deploy, check_mailers_default_alias, check_proxies,
    check_remote_user, check_user_model,
};
use djauth::settings::Settings;

use crate::cli::{Check, Options};
use crate::database::failed;
use crate::failure::Failure;
use crate::own_database::Plan;
use crate::{database, output};

/// Looks for faults in settings, user model and, if there is one, database. Makes nothing.
///
/// As in Django, messages go to stderr, and the command fails from the given level.
pub(crate) async fn run<U: BaseUser>(
    plan: Plan,
    asked: Check,
    options: &Options,
) -> Result<(), Failure> {
    if asked.list_tags {
        TAGS.into_iter().for_each(output::say);
        return Ok(());
    }
    refuse_unknown(&asked.tags)?;
    let mut messages = system_checks::<U>(plan.settings())?;
    if asked.deploy {
        messages.extend(check_deploy(plan.settings()));
    }
    if plan.database_exists() {
        let auth = database::open::<U>(plan).await?;
        messages.extend(database::check(&auth).await?);
        let status = auth.cache_triggers().status(auth.db()).await;
        let status = status.map_err(|error| failed("the database cannot be read", &error))?;
        messages.extend(CheckMessage::cache_triggers(&status));
        if asked.deploy {
            let place = auth.login_rate_limit().place().await;
            let place = place.map_err(|error| failed("the database cannot be read", &error))?;
            messages.extend(CheckMessage::login_rate_limit(place));
        }
        auth.db().close().await;
    }
    if !asked.tags.is_empty() {
        messages.retain(|message| asked.tags.iter().any(|tag| tag == message.tag()));
    }
    report(&messages, asked.fail_level, options)
}

fn refuse_unknown(tags: &[String]) -> Result<(), Failure> {
    match tags.iter().find(|tag| !TAGS.contains(&tag.as_str())) {
        Some(tag) => Err(Failure::command(format!(
            "no check has the tag {tag:?}; `djauth check --list-tags` names all"
        ))),
        None => Ok(()),
    }
}

/// The checks that other commands begin with: what is wrong is shown, an error ends the command.
pub(crate) fn before<U: BaseUser>(settings: &Settings, options: &Options) -> Result<(), Failure> {
    let messages = system_checks::<U>(settings)?;
    if messages.is_empty() {
        return Ok(());
    }
    report(&messages, Level::Error, options)
}

/// What is looked at without a database and without `--deploy`.
fn system_checks<U: BaseUser>(settings: &Settings) -> Result<Vec<CheckMessage>, Failure> {
    let meta = UserMeta::of::<U>(settings);
    let meta = meta.map_err(|error| failed("AUTH_USER_MODEL cannot be used", &error))?;
    let mut found = check_user_model(&meta, settings);
    found.extend(check_proxies(settings));
    found.extend(check_remote_user(settings));
    found.extend(check_mailers_default_alias(settings));
    Ok(found)
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
