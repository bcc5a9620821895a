//! The suite against real Django: one run of pytest per Django version, in its own environment.

use crate::cli::InteropOptions;
use crate::parity::Ran;
use crate::shell::{Counts, cargo, counts_of, run};
use crate::workspace::Workspace;
use crate::{Result, python};
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;

/// Steps of the random walk on each database.
const WALK: u64 = 2000;

/// Changes in each test of staleness.
const STALENESS: u64 = 200;

/// Steps of the walk through both admins, on each database.
const EDITS: u64 = 100;

/// What a run of pytest counted, the tests that passed, and the complaint, if it failed.
pub(crate) type Ended = (Counts, Ran, Option<String>);

pub(crate) fn suite(
    work: &mut Workspace,
    options: &InteropOptions,
    total: &mut Counts,
) -> Result<()> {
    // The same build as the tests, so that nothing is compiled twice.
    build(&work.root)?;
    let environment = work.services()?.environment();
    let mut failures = Vec::new();
    let mut commands = Vec::new();
    for version in versions(options) {
        match python::interpreter(work, version) {
            Ok(interpreter) => {
                for marks in parts(options, version) {
                    let mut command = pytest(work, &interpreter, options, version);
                    command.args(*marks).envs(environment.iter().cloned());
                    commands.push((version, command));
                }
            }
            Err(_)
                if options
                    .allow_missing_django
                    .iter()
                    .any(|may| may == version) => {}
            Err(error) => failures.push(format!("Django {version}: {error}")),
        }
    }
    // Most of the time the two servers of a test wait for each other: side by side is faster.
    let runs = commands
        .into_iter()
        .map(|(version, command)| (version, begin(command)));
    let mut passed = Ran::default();
    for (version, run) in runs.collect::<Vec<_>>() {
        let (counts, ran, error) = run
            .join()
            .unwrap_or_else(|_| failed("its thread panicked".into()));
        *total += counts;
        passed.merge(ran);
        failures.extend(error.map(|error| format!("Django {version}: {error}")));
    }
    if options.is_everything() {
        passed.write(work, "interop")?;
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("; ").into())
    }
}

/// The walks take as long as half of the rest, and go beside it.
fn parts(options: &InteropOptions, version: &str) -> &'static [&'static [&'static str]] {
    if options.is_everything() && version == python::DJANGOS[0].version {
        &[&["-m", "walk"], &["-m", "not walk"]]
    } else {
        &[&[]]
    }
}

fn pytest(
    work: &Workspace,
    interpreter: &Path,
    options: &InteropOptions,
    version: &str,
) -> Command {
    let mut command = Command::new(interpreter);
    command.args([
        "-m",
        "pytest",
        "-q",
        "-rp",
        "-p",
        "no:cacheprovider",
        "suite",
    ]);
    command
        .args(arguments(options, version))
        .current_dir(work.root.join("interop"));
    command.env("DJAUTH_PROGRAMS", work.target().join("debug"));
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    command
}

/// Runs it in a thread of its own; what it printed comes in one piece when it ends, without the list
/// of what passed.
pub(crate) fn begin(mut command: Command) -> JoinHandle<Ended> {
    std::thread::spawn(move || {
        let output = match command.output() {
            Ok(output) => output,
            Err(error) => return failed(error.to_string()),
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let mut ran = Ran::default();
        let told = text.lines().filter(|line| !ran.read(line));
        println!("{}", told.collect::<Vec<_>>().join("\n"));
        println!("{}", String::from_utf8_lossy(&output.stderr));
        let complaint = (!output.status.success()).then(|| "see above".to_owned());
        (counts_of(&text), ran, complaint)
    })
}

pub(crate) fn failed(complaint: String) -> Ended {
    (Counts::default(), Ran::default(), Some(complaint))
}

/// The tests' build, which also makes the crates' examples, and then the programs.
fn build(root: &Path) -> Result<()> {
    run(cargo(root).args(["test", "--locked", "--workspace", "--no-run", "--quiet"]))?;
    programs(root)
}

pub(crate) fn programs(root: &Path) -> Result<()> {
    run(cargo(root).args(["build", "--locked", "--workspace", "--bins", "--quiet"]))
}

fn versions(options: &InteropOptions) -> Vec<&'static str> {
    let wanted = |version: &&str| {
        // Walks compare with the newest, unless asked otherwise.
        let newest = options.walk.is_none() || *version == python::DJANGOS[0].version;
        if options.django.is_empty() {
            newest
        } else {
            options.django.iter().any(|d| d == version)
        }
    };
    python::DJANGOS
        .iter()
        .map(|django| django.version)
        .filter(wanted)
        .collect()
}

fn arguments(options: &InteropOptions, version: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    arguments.extend(
        options
            .database
            .iter()
            .map(|name| format!("--database={name}")),
    );
    arguments.extend(options.engine.iter().map(|name| format!("--engine={name}")));
    arguments.extend(options.walk.iter().map(|seed| format!("--walk={seed}")));
    let newest = version == python::DJANGOS[0].version;
    let long = newest && options.engine.is_empty();
    let steps = options.steps.or(long.then_some(WALK));
    arguments.extend(long.then(|| format!("--staleness={STALENESS}")));
    arguments.extend(steps.iter().map(|steps| format!("--steps={steps}")));
    // In every Django, because what forms send differs from one to the next.
    let edits = options.engine.is_empty().then_some(EDITS);
    arguments.extend(edits.iter().map(|steps| format!("--edits={steps}")));
    arguments.extend(options.pytest.iter().cloned());
    arguments
}
