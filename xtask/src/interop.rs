//! The suite against real Django: runs of pytest for each Django version, in its own environment.

use crate::cli::InteropOptions;
use crate::shell::{Counts, cargo, run};
use crate::workspace::Workspace;
use crate::{Result, patience, pool, python};
use std::path::Path;
use std::process::Command;

/// Steps of the random walk on each database.
const WALK: u64 = 2000;

/// Changes in each test of staleness.
const STALENESS: u64 = 200;

/// Steps of the walk through both admins, on each database.
const EDITS: u64 = 100;

/// Runs beside each other.
const AT_ONCE: usize = 4;

pub(crate) fn suite(work: &Workspace, options: &InteropOptions, total: &mut Counts) -> Result<()> {
    // The same build as the tests, so that nothing is compiled twice.
    build(&work.root)?;
    let (runs, mut failures) = runs(work, options)?;
    if runs.is_empty() && failures.is_empty() {
        return Err("no Django to run the suite with".into());
    }
    let (passed, complaints) = pool::sum(pool::run(AT_ONCE, runs), total);
    failures.extend(complaints);
    if options.is_everything() {
        passed.write(work, "interop")?;
    }
    pool::verdict(&failures)
}

type Runs = Vec<(String, Command)>;

/// What is to run, what takes longest first, and for which versions there is no Django.
fn runs(work: &Workspace, options: &InteropOptions) -> Result<(Runs, Vec<String>)> {
    let environment = work.environment()?;
    let (mut runs, mut failures) = (Vec::new(), Vec::new());
    refuse_unknown(&options.django)?;
    for version in versions(options).into_iter().rev() {
        match python::interpreter(work, version) {
            Ok(interpreter) => {
                for part in parts(options, version) {
                    let mut command = pytest(work, &interpreter, options, version);
                    command.args(*part).envs(environment.iter().cloned());
                    runs.push((format!("Django {version} {}", part.join(" ")), command));
                }
            }
            Err(error)
                if options
                    .allow_missing_django
                    .iter()
                    .any(|may| may == version) =>
            {
                eprintln!("doing without Django {version}: {error}");
            }
            Err(error) => failures.push(format!("Django {version}: {error}")),
        }
    }
    Ok((runs, failures))
}

/// The whole of the newest is shared out; of the older ones not each pair is tried.
fn parts(options: &InteropOptions, version: &str) -> &'static [&'static [&'static str]] {
    if !options.is_everything() {
        &[&[]]
    } else if version == python::DJANGOS[0].version {
        &[
            &["-m", "walk"],
            &["-m", "not walk", "--part", "sqlite"],
            &["-m", "not walk", "--part", "mariadb"],
            &["-m", "not walk", "--part", "postgres"],
        ]
    } else if options.full {
        &[&[]]
    } else {
        &[&["--diagonal"]]
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
    patience::of_pytest(&mut command);
    command
}

/// The tests' build, which also makes the crates' examples, and then the programs.
fn build(root: &Path) -> Result<()> {
    run(cargo(root).args(["test", "--locked", "--workspace", "--no-run", "--quiet"]))?;
    programs(root)
}

pub(crate) fn programs(root: &Path) -> Result<()> {
    run(cargo(root).args(["build", "--locked", "--workspace", "--bins", "--quiet"]))
}

fn refuse_unknown(versions: &[String]) -> Result<()> {
    let known = python::DJANGOS.map(|django| django.version);
    match versions.iter().find(|v| !known.contains(&v.as_str())) {
        None => Ok(()),
        Some(version) => Err(format!("no Django {version} here: {}", known.join(", ")).into()),
    }
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
