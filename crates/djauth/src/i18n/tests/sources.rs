//! The keys that the sources and the templates name, against those that there are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::i18n::Language;

type Keys = BTreeSet<String>;

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else {
            into.push(path);
        }
    }
}

/// The sources without their tests, and the templates. The program's own are there in the workspace.
fn sources() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in [
        "src",
        "templates",
        "../djauth-server/src",
        "../djauth-admin/src",
        "../djauth-admin/templates",
        "../djauth-admin/assets",
    ] {
        let folder = root.join(folder);
        if folder.is_dir() {
            files(&folder, &mut found);
        }
    }
    let is_test = |path: &PathBuf| {
        path.components().any(|part| part.as_os_str() == "tests")
            || path.file_name().is_some_and(|name| name == "tests.rs")
    };
    found.retain(|path| !is_test(path));
    let read = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
    let code = |text: String| {
        text.split("#[cfg(test)]\nmod")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    found.iter().map(read).map(code).collect()
}

/// What stands between double quotes on one line, and the keys of `ValidationError::of(code)`: the code
/// may also stand in a line of its own.
fn literals(text: &str) -> Keys {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let mut found = Keys::new();
    for line in lines {
        found.extend(line.split('"').skip(1).step_by(2).map(str::to_owned));
    }
    let codes = text.split("ValidationError::of(\"").skip(1);
    let codes = codes.filter_map(|rest| rest.split('"').next());
    found.extend(codes.map(|code| format!("error.{code}")));
    if text.contains("ValidationError::of(") {
        let codes: Vec<_> = found.iter().map(|code| format!("error.{code}")).collect();
        found.extend(codes.into_iter().filter(|key| known().contains(key)));
    }
    found
}

fn is_key(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let extension = text.rsplit('.').next().unwrap_or_default();
    text.contains('.')
        && text.split('.').all(plain)
        && !["html", "txt", "css", "js", "toml", "sqlite3", "json"].contains(&extension)
}

fn known() -> Keys {
    Language::ENGLISH
        .catalogue()
        .texts()
        .keys()
        .cloned()
        .collect()
}

fn named() -> Keys {
    sources()
        .iter()
        .flat_map(|text| literals(text))
        .filter(|text| is_key(text))
        .collect()
}

#[test]
fn every_key_that_is_named_has_a_text() {
    let known = known();
    let sections: Keys = known
        .iter()
        .filter_map(|key| key.split('.').next())
        .map(str::to_owned)
        .collect();
    let is_ours = |key: &&String| {
        key.split('.')
            .next()
            .is_some_and(|first| sections.contains(first))
    };
    let named = named();
    let missing: Vec<_> = named
        .iter()
        .filter(is_ours)
        .filter(|key| !known.contains(*key))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Names of fields, and of the parts of a stored password, are looked up by what they name.
#[test]
fn every_text_is_named_somewhere() {
    let named = named();
    let unused: Vec<_> = known()
        .into_iter()
        .filter(|key| {
            !["field", "password_hash"]
                .iter()
                .any(|found| key.starts_with(found))
        })
        .filter(|key| !named.contains(key))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}
