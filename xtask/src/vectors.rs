//! Known answers: scripts in `interop/vectors/` make committed files with real Django.
//!
//! `interop/vectors/files.txt` says which: `FILE DJANGO-VERSION SCRIPT [ARGUMENT…]`, one a line. A
//! script that it does not mention makes one file with the newest Django; its head names that file
//! (the first word that ends in `.json`).

use crate::shell::output;
use crate::workspace::Workspace;
use crate::{Result, python};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One committed file and how it is made.
#[derive(Debug, PartialEq)]
struct Vector {
    file: String,
    django: String,
    script: String,
    arguments: Vec<String>,
}

pub(crate) fn run(work: &Workspace, check: bool) -> Result<()> {
    let environment = work.environment()?;
    let mut stale = Vec::new();
    for vector in all(&work.root.join("interop/vectors"))? {
        let mut command = Command::new(python::interpreter(work, &vector.django)?);
        command.arg(work.root.join("interop/vectors").join(&vector.script));
        command
            .args(&vector.arguments)
            .envs(environment.iter().cloned());
        // Sets of strings must come in the same order at every run.
        command
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let made = output(command.current_dir(&work.root))?;
        let path = work.root.join(&vector.file);
        let same = std::fs::read_to_string(&path).is_ok_and(|committed| committed == made);
        println!(
            "{} {}",
            if same { "same   " } else { "differs" },
            vector.file
        );
        if !same && !check {
            std::fs::write(&path, made)?;
        } else if !same {
            stale.push(vector.file);
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("not what Django makes: {}", stale.join(", ")).into())
}

fn all(folder: &Path) -> Result<Vec<Vector>> {
    let list = std::fs::read_to_string(folder.join("files.txt"))?;
    let mut vectors = listed(&list)?;
    for script in scripts(folder)? {
        if !vectors.iter().any(|vector| vector.script == script) {
            vectors.push(head(folder, script)?);
        }
    }
    Ok(vectors)
}

fn listed(list: &str) -> Result<Vec<Vector>> {
    let lines = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| vector(line).ok_or_else(|| format!("files.txt: {line}").into()))
        .collect()
}

fn vector(line: &str) -> Option<Vector> {
    let mut words = line.split_ascii_whitespace().map(str::to_owned);
    let (file, django, script) = (words.next()?, words.next()?, words.next()?);
    Some(Vector {
        file,
        django,
        script,
        arguments: words.collect(),
    })
}

fn scripts(folder: &Path) -> Result<Vec<String>> {
    let paths: std::io::Result<Vec<PathBuf>> = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect();
    let is_script = |path: &&PathBuf| path.extension().is_some_and(|end| end == "py");
    let names = paths?;
    let names = names
        .iter()
        .filter(is_script)
        .filter_map(|path| path.file_name()?.to_str());
    let mut names: Vec<_> = names.map(str::to_owned).collect();
    names.sort();
    Ok(names)
}

fn head(folder: &Path, script: String) -> Result<Vector> {
    let text = std::fs::read_to_string(folder.join(&script))?;
    let words = text
        .lines()
        .take(15)
        .flat_map(|line| line.split(|c: char| " \"'`(),;".contains(c)));
    let mut words = words.map(|word| word.trim_end_matches(['.', ':']));
    let file = words.find(|word| word.ends_with(".json") && !word.contains('<'));
    let file = file
        .ok_or_else(|| format!("{script}: its head names no file"))?
        .to_owned();
    let django = python::DJANGOS[0].version.to_owned();
    Ok(Vector {
        file,
        django,
        script,
        arguments: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn lines_name_file_version_script_and_arguments() {
        let vectors = listed("# why\n\na/b.json 4.2 schema.py own\n").unwrap();
        assert_eq!(vectors[0].file, "a/b.json");
        assert_eq!(vectors[0].django, "4.2");
        assert_eq!(vectors[0].script, "schema.py");
        assert_eq!(vectors[0].arguments, ["own"]);
    }

    #[test]
    fn a_short_line_is_an_error() {
        assert!(listed("a/b.json 4.2\n").is_err());
    }
}
