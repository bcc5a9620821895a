//! What cargo does for us: formatting, lints, documentation, dependencies, tests.
//!
//! Everything uses one profile and the whole workspace, so that nothing is compiled twice.

use crate::Result;
use crate::parity::Ran;
use crate::shell::{Counts, cargo, run, run_counted};
use crate::workspace::Workspace;

pub(crate) fn all(work: &Workspace) -> Result<()> {
    fmt(work)?;
    clippy(work)?;
    doc(work)
}

pub(crate) fn fmt(work: &Workspace) -> Result<()> {
    run(cargo(&work.root).args(["fmt", "--all", "--", "--check"]))
}

pub(crate) fn clippy(work: &Workspace) -> Result<()> {
    let arguments = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    run(cargo(&work.root).args(arguments))
}

pub(crate) fn doc(work: &Workspace) -> Result<()> {
    let arguments = [
        "doc",
        "--locked",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ];
    run(cargo(&work.root)
        .args(arguments)
        .env("RUSTDOCFLAGS", "-D warnings"))
}

pub(crate) fn deny(work: &Workspace) -> Result<()> {
    run(cargo(&work.root).args(["deny", "check", "licenses", "bans", "sources"]))
}

/// `cargo test` on all databases; `arguments` narrow it.
pub(crate) fn test(work: &Workspace, arguments: &[String], total: &mut Counts) -> Result<()> {
    let environment = work.environment()?;
    let mut command = cargo(&work.root);
    command.args(["test", "--locked"]);
    if arguments.is_empty() {
        command.args(["--workspace", "--no-fail-fast"]);
    }
    let mut ran = Ran::default();
    let ended = run_counted(command.args(arguments).envs(environment), total, &mut ran);
    if arguments.is_empty() {
        ran.write(work, "test")?;
    }
    ended
}

/// The examples are a workspace of their own; they share the build directory.
pub(crate) fn examples(work: &Workspace, total: &mut Counts) -> Result<()> {
    let environment = work.environment()?;
    let folder = work.root.join("examples");
    let target = work.target();
    let mut clippy = cargo(&folder);
    clippy
        .args(["clippy", "--workspace", "--all-targets", "--target-dir"])
        .arg(&target);
    run(clippy.args(["--", "-D", "warnings"]))?;
    let mut test = cargo(&folder);
    test.args(["test", "--workspace", "--no-fail-fast", "--target-dir"])
        .arg(&target);
    run_counted(test.envs(environment), total, &mut Ran::default())
}
