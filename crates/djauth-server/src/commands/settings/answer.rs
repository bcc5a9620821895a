//! What the project answers.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// The whole answer of `ask.py`.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    /// Major and minor version.
    pub(super) django: (u32, u32),
    /// `DJANGO_SETTINGS_MODULE`.
    pub(super) module: String,
    /// Where relative paths of the project start.
    pub(super) folder: String,
    /// Every setting as the site has it, Django's defaults included.
    pub(super) settings: Map<String, Json>,
    /// The names of those that the project sets itself.
    pub(super) set: Vec<String>,
    pub(super) hashers: Vec<Hasher>,
    pub(super) validators: Vec<Validator>,
    pub(super) backends: Vec<Class>,
    pub(super) middleware: Vec<Class>,
    /// The places to redirect to, as paths.
    pub(super) urls: Map<String, Json>,
    pub(super) user: User,
}

/// A class of the project.
#[derive(Debug, Deserialize)]
pub(super) struct Class {
    pub(super) path: String,
    /// Django's class that it is or descends from.
    pub(super) django: Option<String>,
    /// The methods that it has of its own.
    pub(super) changes: Vec<String>,
    /// What it is told by attributes.
    #[serde(default)]
    pub(super) values: Map<String, Json>,
}

/// A live hasher.
#[derive(Debug, Deserialize)]
pub(super) struct Hasher {
    #[serde(flatten)]
    pub(super) class: Class,
    pub(super) algorithm: String,
    pub(super) factors: Map<String, Json>,
}

/// A live validator of passwords.
#[derive(Debug, Deserialize)]
pub(super) struct Validator {
    #[serde(flatten)]
    pub(super) class: Class,
    pub(super) options: Map<String, Json>,
    /// The attributes that it works with.
    pub(super) values: Map<String, Json>,
}

/// The user model.
#[derive(Debug, Deserialize)]
pub(super) struct User {
    /// In small letters.
    pub(super) label: String,
    /// As `AUTH_USER_MODEL` describes it.
    pub(super) description: Json,
    /// Attributes that neither a field nor a constant answers.
    pub(super) hidden: Vec<String>,
    /// Whether its fields are in more than one table.
    pub(super) several_tables: bool,
}

impl Answer {
    pub(super) fn setting(&self, name: &str) -> &Json {
        self.settings.get(name).unwrap_or(&Json::Null)
    }

    /// Text, empty when it is something else.
    pub(super) fn text(&self, name: &str) -> &str {
        self.setting(name).as_str().unwrap_or_default()
    }
}

/// Whether a value, or a part of it, has no form outside of Python.
pub(super) fn is_python(json: &Json) -> bool {
    match json {
        Json::Object(map) => map.contains_key("__python__") || map.values().any(is_python),
        Json::Array(items) => items.iter().any(is_python),
        _ => false,
    }
}
