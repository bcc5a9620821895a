//! The whole check: every step runs, also after one that failed, and a table says how each ended.

use crate::cli::{CiOptions, InteropOptions, ParityOptions};
use crate::shell::Counts;
use crate::workspace::Workspace;
use crate::{Result, browser, install, interop, lint, parity, vectors};
use std::process::ExitCode;
use std::time::{Duration, Instant};

type Action = fn(&mut Workspace, &CiOptions, &mut Counts) -> Result<()>;

const STEPS: &[(&str, Action)] = &[
    ("fmt", |work, _, _| lint::fmt(work)),
    ("clippy", |work, _, _| lint::clippy(work)),
    ("doc", |work, _, _| lint::doc(work)),
    ("deny", |work, _, _| lint::deny(work)),
    ("vectors", |work, _, _| vectors::run(work, true)),
    ("test", |work, _, total| lint::test(work, &[], total)),
    ("interop", |work, options, total| {
        let allow_missing_django = options.allow_missing_django.clone();
        let options = InteropOptions {
            allow_missing_django,
            ..InteropOptions::default()
        };
        interop::suite(work, &options, total)
    }),
    ("browser", |work, _, total| browser::suite(work, &[], total)),
    ("examples", |work, _, total| lint::examples(work, total)),
    // After the tests: it asks which of them ran.
    ("parity", |work, _, total| {
        parity::run(work, &ParityOptions::default(), total)
    }),
];

struct Ended {
    name: &'static str,
    took: Duration,
    failure: Option<String>,
}

pub(crate) fn run(work: &mut Workspace, options: &CiOptions) -> Result<ExitCode> {
    refuse_unknown(options)?;
    let mut ended = Vec::new();
    let mut total = Counts::default();
    if !options.no_install {
        ended.push(timed("install", || {
            install::all(work, &options.allow_missing_django)
        }));
    }
    for (name, action) in STEPS.iter().filter(|(name, _)| wanted(options, name)) {
        ended.push(timed(name, || action(work, options, &mut total)));
    }
    Ok(report(&ended, total))
}

/// One command that runs tests: the sum line at the end, failure if anything failed.
pub(crate) fn verdict(action: impl FnOnce(&mut Counts) -> Result<()>) -> Result<ExitCode> {
    let mut total = Counts::default();
    let result = action(&mut total);
    println!("{} passed, {} failed", total.passed, total.failed);
    result.map(|()| {
        if total.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    })
}

fn refuse_unknown(options: &CiOptions) -> Result<()> {
    let known = |name: &&String| STEPS.iter().any(|(step, _)| step == name);
    match options
        .only
        .iter()
        .chain(&options.skip)
        .find(|name| !known(name))
    {
        Some(name) => Err(format!("no such step: {name}").into()),
        None => Ok(()),
    }
}

fn wanted(options: &CiOptions, name: &str) -> bool {
    let chosen = options.only.is_empty() || options.only.iter().any(|only| only == name);
    chosen && !options.skip.iter().any(|skip| skip == name)
}

fn timed(name: &'static str, action: impl FnOnce() -> Result<()>) -> Ended {
    eprintln!("\n=== {name}");
    let start = Instant::now();
    let failure = action().err().map(|error| error.to_string());
    if let Some(failure) = &failure {
        eprintln!("=== {name} failed: {failure}");
    }
    Ended {
        name,
        took: start.elapsed(),
        failure,
    }
}

fn report(ended: &[Ended], total: Counts) -> ExitCode {
    println!("\n{:<10} {:>8}  verdict", "step", "seconds");
    for step in ended {
        let verdict = step.failure.as_deref().unwrap_or("ok");
        let first_line = verdict.lines().next().unwrap_or_default();
        println!(
            "{:<10} {:>8.1}  {first_line}",
            step.name,
            step.took.as_secs_f64()
        );
    }
    let checks = ended
        .iter()
        .filter(|step| step.name != "install")
        .map(|step| step.took);
    let sum = checks.sum::<Duration>().as_secs_f64();
    println!("{:<10} {sum:>8.1}  (without the installation)", "all");
    println!("{} passed, {} failed", total.passed, total.failed);
    let good = total.failed == 0 && ended.iter().all(|step| step.failure.is_none());
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
