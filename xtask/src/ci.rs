//! The whole check: every step runs, also after one that failed, and a table says how each ended.

use crate::cli::{CiOptions, InteropOptions, ParityOptions};
use crate::shell::{Counts, compile_only_once};
use crate::workspace::Workspace;
use crate::{Result, browser, install, interop, lint, parity, patience, vectors};
use std::process::ExitCode;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

type Action = fn(&Workspace, &CiOptions, &mut Counts) -> Result<()>;
type Step = (&'static str, Action);

/// What cargo does mostly. The other lane compiles too: cargo lets one of them at a time.
const CARGO: &[Step] = &[
    ("fmt", |work, _, _| lint::fmt(work)),
    ("clippy", |work, _, _| lint::clippy(work)),
    ("doc", |work, _, _| lint::doc(work)),
    ("deny", |work, _, _| lint::deny(work)),
    ("test", |work, _, total| lint::test(work, &[], total)),
    ("examples", |work, _, total| lint::examples(work, total)),
];

/// What Python does mostly, meanwhile: either alone would often leave a core idle.
const PYTHON: &[Step] = &[
    ("vectors", |work, _, _| vectors::run(work, true)),
    ("interop", |work, options, total| {
        let allow_missing_django = options.allow_missing_django.clone();
        let options = InteropOptions {
            allow_missing_django,
            ..InteropOptions::default()
        };
        interop::suite(work, &options, total)
    }),
    ("browser", |work, _, total| browser::suite(work, &[], total)),
];

/// After the tests: it asks which of them ran.
const LAST: &[Step] = &[("parity", |work, _, total| {
    parity::run(work, &ParityOptions::default(), total)
})];

/// Their names.
fn every_step() -> impl Iterator<Item = &'static str> {
    let lists = [CARGO, PYTHON, LAST].into_iter();
    lists.flatten().map(|(name, _)| *name)
}

struct Ended {
    name: &'static str,
    took: Duration,
    failure: Option<String>,
    counts: Counts,
}

pub(crate) fn run(work: &Workspace, options: &CiOptions) -> Result<ExitCode> {
    refuse_unknown(options)?;
    if !every_step().any(|name| wanted(options, name)) {
        return Err("no step is left to run".into());
    }
    compile_only_once();
    patience::limit();
    let mut ended = Vec::new();
    if !options.no_install {
        let install = |_: &mut Counts| install::all(work, &options.allow_missing_django);
        ended.push(timed("install", install));
    }
    let start = Instant::now();
    ended.extend(side_by_side([CARGO, PYTHON], |lane| {
        steps(lane, work, options)
    }));
    ended.extend(steps(LAST, work, options));
    Ok(report(&ended, start.elapsed()))
}

/// What the lanes do, each in a thread of its own.
fn side_by_side(
    lanes: [&'static [Step]; 2],
    act: impl Fn(&'static [Step]) -> Vec<Ended> + Sync,
) -> Vec<Ended> {
    let act = &act;
    std::thread::scope(|scope| {
        let lanes = lanes.map(|lane| (lane, scope.spawn(move || act(lane))));
        let ended = |(lane, thread): (&[Step], ScopedJoinHandle<_>)| {
            thread.join().unwrap_or_else(|_| vec![panicked(lane)])
        };
        lanes.into_iter().flat_map(ended).collect()
    })
}

/// What may have been done before is lost with the thread; that it failed is not.
fn panicked(lane: &[Step]) -> Ended {
    Ended {
        name: lane.first().map_or("", |(name, _)| name),
        took: Duration::ZERO,
        failure: Some("a thread panicked".into()),
        counts: Counts::default(),
    }
}

fn steps(lane: &[Step], work: &Workspace, options: &CiOptions) -> Vec<Ended> {
    let chosen = lane.iter().filter(|(name, _)| wanted(options, name));
    chosen
        .map(|(name, action)| timed(name, |total| action(work, options, total)))
        .collect()
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
    let known = |name: &&String| every_step().any(|step| step == name.as_str());
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

fn timed(name: &'static str, action: impl FnOnce(&mut Counts) -> Result<()>) -> Ended {
    eprintln!("\n=== {name}");
    let start = Instant::now();
    let mut counts = Counts::default();
    let failure = action(&mut counts).err().map(|error| error.to_string());
    if let Some(failure) = &failure {
        eprintln!("=== {name} failed: {failure}");
    }
    Ended {
        name,
        took: start.elapsed(),
        failure,
        counts,
    }
}

fn report(ended: &[Ended], checks: Duration) -> ExitCode {
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
    let all = checks.as_secs_f64();
    println!(
        "{:<10} {all:>8.1}  (steps beside each other; without the installation)",
        "all"
    );
    let mut total = Counts::default();
    ended.iter().for_each(|step| total += step.counts);
    println!("{} passed, {} failed", total.passed, total.failed);
    let good = total.failed == 0 && ended.iter().all(|step| step.failure.is_none());
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
