//! The pages in a real browser: the suite in `interop/pages`, which keeps a picture of each page.

use crate::parity::Ran;
use crate::shell::{Counts, run_counted};
use crate::workspace::Workspace;
use crate::{Result, interop, patience, pool, python};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files of tests that run beside each other: a test waits for its browser, which waits for its own parts.
const AT_ONCE: usize = 3;

/// Runs it; the arguments are handed to pytest.
pub(crate) fn suite(work: &Workspace, arguments: &[String], total: &mut Counts) -> Result<()> {
    interop::programs(&work.root)?;
    let interpreter = python::browser_interpreter(work)?;
    forget_pictures(work)?;
    if !arguments.is_empty() {
        let mut command = pytest(work, &interpreter, Path::new("pages"));
        return run_counted(command.args(arguments), total, &mut Ran::default());
    }
    let name = |file: &Path| {
        file.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let runs = files(&work.root.join("interop/pages"))?
        .into_iter()
        .map(|file| (name(&file), pytest(work, &interpreter, &file)));
    let runs: Vec<_> = runs.collect();
    if runs.is_empty() {
        return Err("interop/pages has no tests".into());
    }
    let (_, complaints) = pool::sum(pool::run(AT_ONCE, runs), total);
    pool::verdict(&complaints)
}

fn pytest(work: &Workspace, interpreter: &Path, tests: &Path) -> Command {
    let mut command = Command::new(interpreter);
    command
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .arg(tests)
        .current_dir(work.root.join("interop"))
        .env("DJAUTH_PROGRAMS", work.target().join("debug"))
        .env("DJAUTH_SCREENSHOTS", pictures(work))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    patience::of_pytest(&mut command);
    command
}

fn pictures(work: &Workspace) -> PathBuf {
    work.target().join("screenshots")
}

/// No picture of an earlier run stays.
fn forget_pictures(work: &Workspace) -> Result<()> {
    match std::fs::remove_dir_all(pictures(work)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// The files of tests, those with most in them first.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("test_") && name.ends_with(".py") {
            files.push((entry.metadata()?.len(), entry.path()));
        }
    }
    files.sort();
    Ok(files.into_iter().rev().map(|(_, path)| path).collect())
}
