//! Which tests ran and passed: every complete run of a step writes their names into the target folder.

use super::report::Gaps;
use super::table::Table;
use crate::Result;
use crate::shell::output;
use crate::workspace::Workspace;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The steps that keep a record.
const STEPS: [&str; 2] = ["test", "interop"];

/// The names of passed tests, as their runner printed them.
#[derive(Default)]
pub(crate) struct Ran(BTreeSet<String>);

impl Ran {
    /// Takes the name from a line of `cargo test` or of `pytest -rp`; false if it has none.
    pub(crate) fn read(&mut self, line: &str) -> bool {
        let line = line.trim_end();
        let cargo = || line.strip_prefix("test ")?.strip_suffix(" ... ok");
        let Some(name) = line.strip_prefix("PASSED ").or_else(cargo) else {
            return false;
        };
        self.0
            .insert(name.trim_end_matches(" - should panic").to_owned());
        true
    }

    pub(crate) fn merge(&mut self, other: Ran) {
        self.0.extend(other.0);
    }

    /// Keeps the names as the record of a complete run.
    pub(crate) fn write(&self, work: &Workspace, step: &str) -> Result<()> {
        let file = file(work, step);
        std::fs::create_dir_all(file.parent().ok_or("no folder for the record")?)?;
        let lines: Vec<&str> = self.0.iter().map(String::as_str).collect();
        Ok(std::fs::write(file, lines.join("\n"))?)
    }

    fn has_example(&self, item: &str) -> bool {
        let of_item = |name: &String| {
            let (_, rest) = name.split_once(" - ")?;
            let path = rest.split(" (line").next()?;
            Some(path.rsplit("::").next()? == item)
        };
        self.0.iter().any(|name| of_item(name) == Some(true))
    }
}

/// `logs_in` of `login::logs_in` and of `suite/test_login.py::logs_in[sqlite-6.1]`.
fn function(name: &str) -> &str {
    let name = name.split('[').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}

fn file(work: &Workspace, step: &str) -> PathBuf {
    work.target().join("parity").join(format!("{step}.txt"))
}

/// There is a record, and no source has changed since.
pub(crate) fn is_fresh(work: &Workspace, step: &str) -> bool {
    let written = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    let Some(recorded) = written(&file(work, step)) else {
        return false;
    };
    let newest = |all: Vec<PathBuf>| all.iter().filter_map(|path| written(path)).max();
    sources(work).is_ok_and(|all| newest(all).unwrap_or(SystemTime::UNIX_EPOCH) <= recorded)
}

/// What the tests are made of: every file of the crates and of the suite that git does not ignore.
fn sources(work: &Workspace) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.current_dir(&work.root)
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .args(["crates", "interop", "Cargo.lock"]);
    Ok(output(&mut git)?
        .lines()
        .map(|line| work.root.join(line))
        .collect())
}

/// Every test that the pages name is among those that passed; `named` are the row and the test.
pub(crate) fn ran(
    work: &Workspace,
    table: &Table,
    named: &[(String, &str)],
    gaps: &mut Gaps,
) -> Result<()> {
    let mut ran = Ran::default();
    for step in STEPS {
        let text = std::fs::read_to_string(file(work, step))
            .map_err(|error| format!("no record of the step {step}: {error}"))?;
        ran.0.extend(text.lines().map(str::to_owned));
    }
    let passed: BTreeSet<&str> = ran.0.iter().map(|name| function(name)).collect();
    for (row, test) in named.iter().filter(|(_, test)| !passed.contains(test)) {
        gaps.add("did not run or did not pass", format!("{test} ({row})"));
    }
    for (row, item) in table.examples().filter(|(_, item)| !ran.has_example(item)) {
        gaps.add("no example", format!("{item} ({})", row.title()));
    }
    Ok(())
}

/// Every test that the pages name is a function of the sources; whether it passes is not asked.
pub(crate) fn exist(work: &Workspace, named: &[(String, &str)], gaps: &mut Gaps) -> Result<()> {
    let mut functions = BTreeSet::new();
    for path in sources(work)? {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        functions.extend(defined(&text).map(str::to_owned));
    }
    for (row, test) in named.iter().filter(|(_, test)| !functions.contains(*test)) {
        gaps.add("no such test", format!("{test} ({row})"));
    }
    Ok(())
}

/// The names after `fn` and `def`.
fn defined(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.split("fn ").chain(text.split("def ")).skip(1);
    let end = |c: char| !(c.is_alphanumeric() || c == '_');
    starts.filter_map(move |rest| rest.split(end).next())
}

#[cfg(test)]
mod tests {
    use super::{Ran, function};

    #[test]
    fn passed_tests_of_both_runners_are_read() {
        let mut ran = Ran::default();
        let lines = [
            "test login::logs_in ... ok",
            "test login::fails ... FAILED",
            "test login::slow ... ignored",
            "PASSED suite/test_a.py::test_b[6.1-sqlite]",
            "FAILED suite/test_a.py::test_c",
            "test crates/djauth/src/models/mod.rs - models::name (line 12) ... ok",
        ];
        let taken = lines.map(|line| ran.read(line));
        assert_eq!(taken, [true, false, false, true, false, true]);
        let mut functions: Vec<&str> = ran.0.iter().map(|name| function(name)).collect();
        functions.retain(|name| !name.contains(' '));
        assert_eq!(functions, ["logs_in", "test_b"]);
        assert!(ran.has_example("name") && !ran.has_example("models"));
    }

    #[test]
    fn a_test_is_known_by_its_function() {
        assert_eq!(function("it::login::logs_in"), "logs_in");
        assert_eq!(function("a.py::Class::test_x[b::c-d]"), "test_x");
        assert_eq!(function("alone"), "alone");
    }
}
