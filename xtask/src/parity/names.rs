//! What Django calls public, as `interop/public_names.py` reads it from the newest installed Django.

use crate::shell::output;
use crate::workspace::Workspace;
use crate::{Result, python};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// The names of each module. The package itself is `django.contrib.auth`, its modules have short names.
pub(crate) type Names = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn of_django(work: &Workspace) -> Result<Names> {
    let newest = python::DJANGOS[0].version;
    let mut command = Command::new(python::interpreter(work, newest)?);
    command
        .arg(work.root.join("interop/public_names.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let answer: serde_json::Value = serde_json::from_str(&output(&mut command)?)?;
    Ok(serde_json::from_value(answer["names"].clone())?)
}
