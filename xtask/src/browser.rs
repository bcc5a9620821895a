//! The pages in a real browser: the suite in `interop/pages`, which keeps a picture of each page.

use crate::parity::Ran;
use crate::shell::{Counts, run_counted};
use crate::workspace::Workspace;
use crate::{Result, interop, python};
use std::process::Command;

/// Runs it; the arguments are handed to pytest.
pub(crate) fn suite(work: &Workspace, arguments: &[String], total: &mut Counts) -> Result<()> {
    interop::programs(&work.root)?;
    let mut command = Command::new(python::browser_interpreter(work)?);
    command
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "pages"])
        .args(arguments)
        .current_dir(work.root.join("interop"))
        .env("DJAUTH_PROGRAMS", work.target().join("debug"))
        .env("DJAUTH_SCREENSHOTS", work.target().join("screenshots"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    run_counted(&mut command, total, &mut Ran::default())
}
