//! Installs what the checks need and this machine lacks.

use crate::shell::{cargo, find_program, is_root, run};
use crate::workspace::Workspace;
use crate::{Result, python};
use std::process::Command;

/// What must be there, the program that shows that it is, and the Debian package that brings it.
const PROGRAMS: &[(&str, &[&str], &str)] = &[
    (
        "PostgreSQL",
        &["/usr/lib/postgresql", "initdb"],
        "postgresql",
    ),
    ("psql", &["psql"], "postgresql-client"),
    ("MariaDB", &["mariadbd"], "mariadb-server"),
    (
        "mariadb-install-db",
        &["mariadb-install-db"],
        "mariadb-server",
    ),
    ("Redis", &["redis-server", "valkey-server"], "redis-server"),
    ("wrk", &["wrk"], "wrk"),
    (
        "the MariaDB client library with its headers",
        &["mariadb_config"],
        "libmariadb-dev",
    ),
    ("Chromium", &["chromium"], "chromium"),
    ("Chromium's WebDriver", &["chromedriver"], "chromium-driver"),
    (
        "a Japanese font",
        &["/usr/share/fonts/opentype/ipafont-gothic"],
        "fonts-ipafont-gothic",
    ),
    ("pkg-config", &["pkg-config"], "pkg-config"),
    ("a C compiler", &["cc"], "build-essential"),
    ("nginx", &["nginx"], "nginx-light"),
    ("Caddy", &["caddy"], "caddy"),
    ("Apache", &["apache2"], "apache2"),
    (
        "Apache's mod_authnz_external",
        &["/usr/lib/apache2/modules/mod_authnz_external.so"],
        "libapache2-mod-authnz-external",
    ),
];

pub(crate) fn all(work: &Workspace, may_be_missing: &[String]) -> Result<()> {
    debian_packages(&missing_packages())?;
    cargo_deny(work)?;
    python::browser_interpreter(work)?;
    python::install_all(work, may_be_missing)
}

fn missing_packages() -> Vec<&'static str> {
    let there = |mark: &&str| match mark.strip_prefix('/') {
        Some(_) => std::path::Path::new(mark).exists(),
        None => find_program(mark).is_some(),
    };
    let missing = PROGRAMS
        .iter()
        .filter(|(_, marks, _)| !marks.iter().any(there));
    let mut packages: Vec<_> = missing.map(|(_, _, package)| *package).collect();
    packages.dedup();
    packages
}

/// Installs by apt-get, or says what is wanted where that cannot be done.
pub(crate) fn debian_packages(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let sudo = !is_root();
    if !is_debian() || (sudo && find_program("sudo").is_none()) {
        return Err(by_hand(packages).into());
    }
    run(&mut apt_get(sudo, &["update", "-q"]))?;
    let mut install = apt_get(sudo, &["install", "-q", "-y", "--no-install-recommends"]);
    run(install.args(packages)).map_err(|error| format!("{error}\n{}", by_hand(packages)).into())
}

fn by_hand(packages: &[&str]) -> String {
    let wanted = PROGRAMS
        .iter()
        .filter(|(_, _, package)| packages.contains(package));
    let names: Vec<_> = wanted.map(|(name, _, _)| *name).collect();
    let what = if names.is_empty() {
        packages.join(", ")
    } else {
        names.join(", ")
    };
    format!(
        "please install: {what} (on Debian 12 or newer: apt-get install {})",
        packages.join(" ")
    )
}

fn apt_get(sudo: bool, arguments: &[&str]) -> Command {
    // The tests start servers of their own: the packages' services need not run (RUNLEVEL, for scripts
    // of init; under systemd they start, and port 80 is theirs then).
    let environment = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "RUNLEVEL=1",
        "apt-get",
    ];
    let mut command = if sudo {
        Command::new("sudo")
    } else {
        Command::new("env")
    };
    command
        .args(&environment[usize::from(!sudo)..])
        .args(arguments);
    command
}

/// Debian 12 or newer, or a system made from it.
fn is_debian() -> bool {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let field = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let version = field("VERSION_ID").parse::<f32>().unwrap_or(f32::INFINITY);
    let new_enough = if field("ID") == "debian" {
        version >= 12.0
    } else {
        true
    };
    let like = format!("{} {}", field("ID"), field("ID_LIKE"));
    new_enough && like.split(' ').any(|name| name == "debian") && find_program("apt-get").is_some()
}

fn cargo_deny(work: &Workspace) -> Result<()> {
    let mut probe = cargo(&work.root);
    if probe
        .args(["deny", "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        return Ok(());
    }
    run(cargo(&work.root).args(["install", "--locked", "cargo-deny"]))
}
