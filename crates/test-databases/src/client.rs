//! Running a client program.

use std::process::{Command, Output};

/// Runs the command; `Err` holds what it said.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|e| format!("cannot run {program}: {e}"))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).trim_end().to_owned());
    }
    Err(format!(
        "{program}: {}",
        String::from_utf8_lossy(&stderr).trim_end()
    ))
}
