//! The suite against real Django: one run of pytest per Django version, in its own environment.

use crate::cli::InteropOptions;
use crate::shell::{Counts, cargo, run, run_counted};
use crate::workspace::Workspace;
use crate::{Result, python};
use std::path::Path;
use std::process::Command;

pub(crate) fn suite(
    work: &mut Workspace,
    options: &InteropOptions,
    total: &mut Counts,
) -> Result<()> {
    // The same build as the tests, so that nothing is compiled twice.
    build(&work.root)?;
    let environment = work.services()?.environment();
    let mut failures = Vec::new();
    for version in versions(options) {
        let interpreter = match python::interpreter(work, version) {
            Ok(interpreter) => interpreter,
            Err(_)
                if options
                    .allow_missing_django
                    .iter()
                    .any(|may| may == version) =>
            {
                continue;
            }
            Err(error) => {
                failures.push(format!("Django {version}: {error}"));
                continue;
            }
        };
        let mut command = Command::new(interpreter);
        command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "suite"]);
        command
            .args(arguments(options))
            .current_dir(work.root.join("interop"));
        command.envs(environment.iter().cloned());
        command.env("DJAUTH_PROGRAMS", work.target().join("debug"));
        command
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1");
        if run_counted(&mut command, total).is_err() {
            failures.push(format!("Django {version}: see above"));
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("; ").into())
    }
}

fn build(root: &Path) -> Result<()> {
    run(cargo(root).args(["test", "--locked", "--workspace", "--no-run", "--quiet"]))
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

fn arguments(options: &InteropOptions) -> Vec<String> {
    let mut arguments = Vec::new();
    arguments.extend(
        options
            .database
            .iter()
            .map(|name| format!("--database={name}")),
    );
    arguments.extend(options.engine.iter().map(|name| format!("--engine={name}")));
    arguments.extend(options.walk.iter().map(|seed| format!("--walk={seed}")));
    arguments.extend(options.steps.iter().map(|steps| format!("--steps={steps}")));
    arguments.extend(options.pytest.iter().cloned());
    arguments
}
