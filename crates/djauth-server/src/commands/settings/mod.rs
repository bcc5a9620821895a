//! `settings --from path/to/manage.py`: asks a Django project for its settings and writes ours.
//!
//! The project's own Python answers (`ask.py`), so that what counts is what the site runs with, and not
//! what its files seem to say. What has no counterpart here is named, in the file and on stderr, and the
//! exit code is 3 then. Secrets are written into the file of `--output` alone, or with `--secrets`.

mod answer;
mod backends;
mod database;
mod passwords;
mod sheet;
mod sources;
mod text;

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use djauth::settings::Draft;

use self::answer::Answer;
use self::sheet::Sheet;
use crate::cli::From;
use crate::failure::Failure;
use crate::output;

/// Writes the settings of a project.
pub(crate) fn run(from: &From) -> Result<(), Failure> {
    let answer = ask(from)?;
    let mut sheet = sources::sheet(&answer);
    let shown = from.output.is_some() || from.secrets;
    judge_together(&mut sheet);
    let text = text::write(&sheet, &answer, shown);
    match &from.output {
        Some(path) => write_file(path, &text)?,
        None => output::write(&text),
    }
    let left_out: Vec<_> = sheet.missing().collect();
    for (name, why) in &left_out {
        eprintln!("{name}: {why}");
    }
    if left_out.is_empty() {
        Ok(())
    } else {
        Err(Failure::Incomplete)
    }
}

fn ask(from: &From) -> Result<Answer, Failure> {
    let manage = std::path::absolute(&from.manage)
        .ok()
        .filter(|path| path.is_file())
        .ok_or_else(|| Failure::command(format!("{} is not a file", from.manage.display())))?;
    let mut python = Command::new(program(&from.python));
    python.arg("-c").arg(include_str!("ask.py")).arg(&manage);
    if let Some(folder) = manage.parent() {
        python.current_dir(folder);
    }
    let asked = python
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let asked = asked.map_err(|error| {
        let python = from.python.display();
        Failure::caused(
            format!("cannot run {python}: {error}; --python names the project's Python"),
            &error,
        )
    })?;
    if !asked.status.success() {
        return Err(Failure::command(
            "the project did not answer (see above); --python names the Python that it runs in",
        ));
    }
    serde_json::from_slice(&asked.stdout)
        .map_err(|error| Failure::caused("the project's answer is not understood", &error))
}

/// A path with a folder in it is meant from here, not from the project's folder.
fn program(python: &Path) -> std::path::PathBuf {
    let named = python.components().count() > 1;
    let absolute = named.then(|| std::path::absolute(python).ok()).flatten();
    absolute.unwrap_or_else(|| python.to_owned())
}

/// What single settings do not show: whether they go together.
fn judge_together(sheet: &mut Sheet) {
    if let Err(error) = Draft::from_toml(&text::values(sheet), "together") {
        let name = error.name().unwrap_or("the settings").to_owned();
        sheet.lacks(name, error.to_string());
    }
}

/// A new file that only its owner can read.
fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::AlreadyExists => "; it is left as it is",
            _ => "",
        };
        Failure::caused(
            format!("cannot write {}: {error}{hint}", path.display()),
            &error,
        )
    })
}
