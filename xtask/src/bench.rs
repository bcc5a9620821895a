//! The benchmarks: the only command that builds for release.

use crate::cli::BenchOptions;
use crate::shell::{cargo, output, run};
use crate::workspace::Workspace;
use crate::{Result, python};
use std::path::PathBuf;
use std::process::Command;

pub(crate) fn compare(work: &mut Workspace, options: &BenchOptions) -> Result<()> {
    run(cargo(&work.root).args(["build", "--locked", "--release", "-p", "djauth-server"]))?;
    let interpreter = python::interpreter(work, python::DJANGOS[0].version)?;
    let mut command = Command::new(interpreter);
    command
        .args(["-m", "bench"])
        .current_dir(work.root.join("interop"));
    command.args(["--seconds", &options.seconds.to_string()]);
    command.args(["--rounds", &options.rounds.to_string()]);
    command.args(options.only.iter().flat_map(|part| ["--only", part]));
    command.args(
        options
            .database
            .iter()
            .flat_map(|name| ["--database", name]),
    );
    command.env("DJAUTH_BENCH_HASHERS", program(work, "hashers")?);
    command.env("DJAUTH_BENCH_REQUEST_PATH", program(work, "request_path")?);
    command.env("DJAUTH_PROGRAMS", work.target().join("release"));
    command
        .envs(work.services()?.environment())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    run(&mut command)
}

/// Builds a benchmark; where cargo put it.
fn program(work: &Workspace, name: &str) -> Result<PathBuf> {
    let mut build = cargo(&work.root);
    build.args([
        "bench",
        "--locked",
        "-p",
        "interop-app",
        "--bench",
        name,
        "--no-run",
    ]);
    let messages = output(build.arg("--message-format=json"))?;
    let built = messages
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let mut programs = built.filter_map(|message: serde_json::Value| {
        let of_this = message["target"]["name"] == name;
        of_this.then(|| message["executable"].as_str().map(PathBuf::from))?
    });
    programs
        .next_back()
        .ok_or_else(|| format!("cargo does not say where {name} is").into())
}
