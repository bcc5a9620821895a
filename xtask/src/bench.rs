//! The benchmarks: the only command that builds for release.

use crate::cli::BenchOptions;
use crate::install::debian_packages;
use crate::shell::{cargo, find_program, output, run};
use crate::workspace::Workspace;
use crate::{Result, python};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn compare(work: &Workspace, options: &BenchOptions) -> Result<()> {
    let interpreter = python::bench_interpreter(work)?;
    let mut command = Command::new(interpreter);
    command
        .args(["-m", "bench"])
        .args(arguments(options))
        .current_dir(work.root.join("interop"))
        .env("DJAUTH_BENCH_TARGET", work.target().join("bench"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    if options.only.iter().any(|part| part == "functions") && find_program("valgrind").is_none() {
        debian_packages(&["valgrind"])?;
    }
    if !options.render {
        command.env("DJAUTH_BENCH_PROGRAMS", programs(work)?);
        command.env("DJAUTH_BENCH_PEERS", peers(work)?);
        command.env("DJAUTH_PROGRAMS", work.target().join("release"));
        command.envs(work.environment()?);
    }
    run(&mut command)
}

fn arguments(options: &BenchOptions) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut with = |name: &str, values: Vec<String>| {
        arguments.extend(values.into_iter().flat_map(|v| [format!("--{name}"), v]));
    };
    with("only", options.only.clone());
    with("database", options.database.clone());
    with(
        "seconds",
        options.seconds.iter().map(u64::to_string).collect(),
    );
    with(
        "rounds",
        options.rounds.iter().map(u64::to_string).collect(),
    );
    let flags = [
        ("--quick", options.quick),
        ("--full", options.full),
        ("--render", options.render),
    ];
    arguments.extend(
        flags
            .iter()
            .filter(|flag| flag.1)
            .map(|flag| flag.0.to_owned()),
    );
    arguments
}

/// What is measured; in one build, so that what they share is compiled once.
const PROGRAMS: [(&str, &str); 3] = [
    ("--bin", "djauth"),
    ("--bench", "measured"),
    ("--bench", "pbkdf2_kernels"),
];

/// Builds the server, the benchmarks and the programs that they run; the list of where cargo put them,
/// as `name=path` a line.
fn programs(work: &Workspace) -> Result<String> {
    let mut build = cargo(&work.root);
    build.args(["build", "--locked", "--release"]);
    build.args([
        "-p",
        "djauth-server",
        "-p",
        "interop-app",
        "-p",
        "djauth-pbkdf2",
    ]);
    for (kind, name) in PROGRAMS {
        build.args([kind, name]);
    }
    let messages = output(build.arg("--message-format=json"))?;
    let built: Vec<String> = messages.lines().filter_map(built_program).collect();
    if built.len() < PROGRAMS.len() {
        return Err("cargo does not say where the benchmarks are".into());
    }
    Ok(built.join("\n"))
}

/// What cargo says of a program that it has built.
fn built_program(message: &str) -> Option<String> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let name = message["target"]["name"].as_str()?;
    let path = message["executable"].as_str()?;
    Some(format!("{name}={path}"))
}

/// Builds what we are compared with, each in a workspace of its own; the folder with the programs.
fn peers(work: &Workspace) -> Result<PathBuf> {
    let target = work.target().join("peers");
    for folder in workspaces(&work.root.join("interop/peers"))? {
        let mut build = cargo(&folder);
        build.args(["build", "--locked", "--release", "--bins", "--target-dir"]);
        run(build.arg(&target))?;
    }
    Ok(target.join("release"))
}

/// The folder itself and those right below it that have a lock file.
fn workspaces(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![folder.to_path_buf()];
    for entry in std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        folders.push(entry?.path());
    }
    folders.retain(|folder| folder.join("Cargo.lock").is_file());
    folders.sort();
    Ok(folders)
}
