//! The pages in a real browser: the suite in `interop/pages`, which keeps a picture of each page.

use crate::interop::{Ended, begin, failed};
use crate::parity::Ran;
use crate::shell::{Counts, run_counted};
use crate::workspace::Workspace;
use crate::{Result, interop, python};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

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
    let files = files(&work.root.join("interop/pages"))?;
    let mut failures = Vec::new();
    for (counts, _, complaint) in side_by_side(|file| pytest(work, &interpreter, file), files) {
        *total += counts;
        failures.extend(complaint);
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("; ").into())
    }
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

/// The files of tests, those with most in them last.
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
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// Takes files from the end of the list until there is none.
fn side_by_side(command: impl Fn(&Path) -> Command + Sync, files: Vec<PathBuf>) -> Vec<Ended> {
    let (files, ended) = (Mutex::new(files), Mutex::new(Vec::new()));
    let next = || files.lock().ok()?.pop();
    let work = || {
        while let Some(file) = next() {
            let run = begin(command(&file)).join();
            let run = run.unwrap_or_else(|_| failed("its thread panicked".into()));
            if let Ok(mut ended) = ended.lock() {
                ended.push(run);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    ended.into_inner().unwrap_or_default()
}
