//! Running programs: what is run is shown, and the results of test runners are added up.

use crate::Result;
use crate::parity::Ran;
use crate::patience::{self, End, Slow};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// Tests as their runners counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Whether what is compiled is for this run alone.
static ONLY_ONCE: AtomicBool = AtomicBool::new(false);

/// From now on cargo keeps nothing for a compilation after the next change, which is work of its own.
/// `CARGO_INCREMENTAL` in the environment has the last word.
pub(crate) fn compile_only_once() {
    ONLY_ONCE.store(true, Ordering::Relaxed);
}

pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    if ONLY_ONCE.load(Ordering::Relaxed) && std::env::var_os("CARGO_INCREMENTAL").is_none() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

pub(crate) fn run(command: &mut Command) -> Result<()> {
    show(command);
    let status = command
        .status()
        .map_err(|e| format!("{}: {e}", name(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{}: {status}", name(command)).into())
    }
}

/// As [`run`], and adds what the test runners among its output say to `total`, and the names of the
/// tests that passed to `ran`. In `ci` it may not take for ever.
pub(crate) fn run_counted(command: &mut Command, total: &mut Counts, ran: &mut Ran) -> Result<()> {
    show(command);
    let mut slow = Slow::default();
    let end = patience::run(command.stdout(Stdio::piped()), |_, line| {
        std::io::stdout().write_all(line)?;
        let text = String::from_utf8_lossy(line);
        *total += counts_in(&text);
        ran.read(&text);
        slow.read(&text);
        Ok(())
    });
    match end.map_err(|e| format!("{}: {e}", name(command)))? {
        end if end.is_success() => Ok(()),
        end @ End::Itself(_) => Err(format!("{}: {end}", name(command)).into()),
        end @ End::StoodStill(_) => Err(format!("{}: {end}; {slow}", name(command)).into()),
    }
}

/// The sum over everything that a program printed.
pub(crate) fn counts_of(text: &str) -> Counts {
    let mut total = Counts::default();
    text.lines().for_each(|line| total += counts_in(line));
    total
}

/// `test result: ok. 12 passed; 0 failed; …` of cargo, `1 failed, 11 passed in 2.31s` of pytest.
fn counts_in(line: &str) -> Counts {
    let line = line.trim_matches(|c: char| c == '=' || c.is_whitespace());
    let cargo = line.starts_with("test result: ");
    let pytest = line.contains(" in ") && line.starts_with(|c: char| c.is_ascii_digit());
    if !cargo && !pytest {
        return Counts::default();
    }
    Counts {
        passed: number_before(line, "passed"),
        failed: number_before(line, "failed") + number_before(line, "error"),
    }
}

fn number_before(line: &str, word: &str) -> u64 {
    let mut words = line.split_ascii_whitespace().peekable();
    while let Some(current) = words.next() {
        if words.peek().is_some_and(|next| next.starts_with(word)) {
            return current.parse().unwrap_or(0);
        }
    }
    0
}

/// What a program prints; its complaints, if it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .map_err(|e| format!("{}: {e}", name(command)))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}\n{}", name(command), output.status, complaint.trim()).into())
}

/// A program by its name, in `PATH` and where Debian hides servers.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    search_path()
        .into_iter()
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}

pub(crate) fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    dirs.extend(["/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin"].map(PathBuf::from));
    dirs
}

pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|of_this_process| of_this_process.uid() == 0)
}

fn show(command: &Command) {
    let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
    eprintln!("$ {} {}", name(command), arguments.join(" "));
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Counts, counts_in};

    #[test]
    fn results_of_both_runners_are_read() {
        let cargo =
            "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(
            counts_in(cargo),
            Counts {
                passed: 12,
                failed: 3
            }
        );
        let pytest = "=== 2 failed, 11 passed, 1 error in 2.31s ===\n";
        assert_eq!(
            counts_in(pytest),
            Counts {
                passed: 11,
                failed: 3
            }
        );
        assert_eq!(
            counts_in("11 passed in 0.31s"),
            Counts {
                passed: 11,
                failed: 0
            }
        );
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in [
            "",
            "test foo ... ok",
            "7 passed the river",
            "failed in 3 places",
        ] {
            assert_eq!(counts_in(line), Counts::default(), "{line}");
        }
    }
}
