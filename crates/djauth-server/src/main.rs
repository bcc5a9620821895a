//! `djauth`: Django's accounts, sessions and permissions from one binary.

mod address;
mod app;
mod cli;
mod commands;
mod database;
mod failure;
mod guard;
mod health;
mod help;
mod key_file;
mod logging;
mod metrics;
mod output;
mod own_database;
mod request_id;
mod serve;
mod terminal;
mod unread;

use std::path::PathBuf;
use std::process::ExitCode;

use djauth::base_user::FieldKind;
use djauth::models::DescribedUser;
use djauth::settings::Draft;
use djauth::{BaseUser, User};
use uuid::Uuid;

use crate::cli::{Command, Invocation, Options};
use crate::commands::createsuperuser::Given;
use crate::failure::Failure;
use crate::own_database::Plan;

fn main() -> ExitCode {
    let invocation = match cli::parse(std::env::args_os().skip(1)) {
        Ok(invocation) => invocation,
        Err(failure) => return ended(&failure, false),
    };
    let traceback = invocation.options.traceback;
    match run(invocation) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ended(&failure, traceback),
    }
}

fn ended(failure: &Failure, traceback: bool) -> ExitCode {
    failure.report(traceback);
    failure.exit_code().into()
}

fn run(Invocation { options, command }: Invocation) -> Result<(), Failure> {
    match command {
        Command::Help { of } => output::write(help::text(of.as_deref())),
        Command::Version => output::say(concat!("djauth ", env!("CARGO_PKG_VERSION"))),
        Command::Settings(from) => return commands::settings::run(&from),
        command => return with_settings(&options, command),
    }
    Ok(())
}

fn with_settings(options: &Options, command: Command) -> Result<(), Failure> {
    let draft = Draft::read(settings_file(options).as_deref())?;
    if let Command::Diffsettings { all } = command {
        commands::diffsettings::run(&draft, all);
        return Ok(());
    }
    let _log = logging::start(draft.settings(), options.color);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::caused("cannot start threads", &error))?;
    let model = draft.settings().auth_user_model.clone();
    let plan = Plan::new(draft)?;
    let result = match model.description().map(|meta| meta.key_kind()) {
        None => runtime.block_on(with_runtime::<User>(options, command, plan)),
        Some(FieldKind::Uuid) => {
            runtime.block_on(with_runtime::<DescribedUser<Uuid>>(options, command, plan))
        }
        Some(_) => runtime.block_on(with_runtime::<DescribedUser<i64>>(options, command, plan)),
    };
    // A question that nobody answered must not keep the program alive.
    runtime.shutdown_background();
    result
}

fn settings_file(options: &Options) -> Option<PathBuf> {
    let named = std::env::var_os("DJAUTH_SETTINGS").filter(|name| !name.is_empty());
    options.settings.clone().or(named.map(PathBuf::from))
}

async fn with_runtime<U: BaseUser>(
    options: &Options,
    command: Command,
    plan: Plan,
) -> Result<(), Failure> {
    if command.needs_checks() && !options.skip_checks {
        commands::check::before::<U>(plan.settings(), options)?;
    }
    match command {
        Command::Runserver { address } => {
            commands::runserver::run::<U>(plan, address.as_deref()).await
        }
        Command::Migrate { check: true } => commands::migrate::check::<U>(plan, options).await,
        Command::Migrate { check: false } => commands::migrate::run::<U>(plan, options).await,
        Command::Createsuperuser {
            fields,
            interactive,
        } => {
            let given = Given {
                fields,
                interactive,
            };
            commands::createsuperuser::run::<U>(plan, given, options).await
        }
        Command::Changepassword { username } => {
            commands::changepassword::run::<U>(plan, username).await
        }
        Command::Clearsessions => commands::clearsessions::run::<U>(plan).await,
        Command::Checkpassword => commands::checkpassword::run::<U>(plan).await,
        Command::Groupsforuser { username } => {
            commands::checkpassword::groups::<U>(plan, username).await
        }
        Command::Unlock(whose) => commands::unlock::run::<U>(plan, whose, options).await,
        Command::Cache(action) => commands::cache::run::<U>(plan, action, options).await,
        Command::Check(asked) => commands::check::run::<U>(plan, asked, options).await,
        Command::Sendtestemail { addresses, using } => {
            commands::sendtestemail::run(plan.settings(), addresses, &using).await
        }
        Command::Doctor { limit } => commands::doctor::run::<U>(plan, limit).await,
        Command::Diffsettings { .. }
        | Command::Settings(_)
        | Command::Help { .. }
        | Command::Version => Ok(()),
    }
}
