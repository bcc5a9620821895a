//! `cargo xtask`: what the project does beside compiling.

mod bench;
mod browser;
mod ci;
mod cli;
mod guardian;
mod install;
mod interop;
mod lint;
mod parity;
mod patience;
mod pool;
mod python;
mod services;
mod shell;
mod vectors;
mod workspace;

use std::process::ExitCode;

/// Errors of this program are read by people, at once, and by nothing else.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match cli::parse().and_then(run) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: cli::Command) -> Result<ExitCode> {
    use cli::Command::{
        Bench, Browser, Ci, Deny, Help, Install, Interop, Lint, Parity, Services, Test, Vectors,
    };
    let work = workspace::Workspace::find()?;
    match command {
        Help => println!("{}", cli::HELP),
        Ci(options) => return ci::run(&work, &options),
        Install(options) => install::all(&work, &options.allow_missing_django)?,
        Services => services::stay(&work)?,
        Test(arguments) => return ci::verdict(|total| lint::test(&work, &arguments, total)),
        Interop(options) => {
            return ci::verdict(|total| interop::suite(&work, &options, total));
        }
        Browser(arguments) => {
            return ci::verdict(|total| browser::suite(&work, &arguments, total));
        }
        Parity(options) => {
            return ci::verdict(|total| parity::run(&work, &options, total));
        }
        Vectors { check } => vectors::run(&work, check)?,
        Lint => lint::all(&work)?,
        Deny => lint::deny(&work)?,
        Bench(options) => bench::compare(&work, &options)?,
    }
    Ok(ExitCode::SUCCESS)
}
