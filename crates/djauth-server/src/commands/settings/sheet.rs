//! The settings that are going to be written.

use djauth::settings::{DEFINITIONS, Definition};
use serde_json::Value as Json;

use super::answer::is_python;

fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|known| known.name == name)
}

/// Whether the value differs from the default, or what is wrong with it.
fn judge(definition: &Definition, value: &Json) -> Result<bool, String> {
    if is_python(value) {
        return Err("its value exists in Python alone".into());
    }
    definition.judge(value)
}

/// Values, and what is said about what could not become one.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) rows: Vec<(&'static Definition, Json)>,
    missing: Vec<(String, String)>,
    /// What an operator should know of a value that is written.
    pub(super) remarks: Vec<(&'static str, String)>,
}

impl Sheet {
    /// Notes a value. One that djauth does not take is named; one that is the default is not written.
    pub(super) fn set(&mut self, name: &str, value: Json) {
        let Some(definition) = definition(name) else {
            self.lacks(name, "has no counterpart");
            return;
        };
        self.rows.retain(|(known, _)| known.name != name);
        match judge(definition, &value) {
            Ok(true) => self.rows.push((definition, value)),
            Ok(false) => {}
            Err(problem) => self.lacks(name, problem),
        }
    }

    /// Why a value cannot be noted.
    pub(super) fn problem(name: &str, value: &Json) -> Option<String> {
        definition(name).and_then(|definition| judge(definition, value).err())
    }

    /// Names what has no counterpart, and why.
    pub(super) fn lacks(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.missing.push((name.into(), why.into()));
    }

    pub(super) fn remark(&mut self, name: &'static str, text: impl Into<String>) {
        self.remarks.push((name, text.into()));
    }

    /// What has no counterpart.
    pub(super) fn missing(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.missing.iter();
        pairs.map(|(name, why)| (name.as_str(), why.as_str()))
    }
}
