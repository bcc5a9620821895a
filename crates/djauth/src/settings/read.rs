//! From a file and the environment to a [`Settings`] value.

use std::path::{Path, PathBuf};

use djauth_signing::SecretKey;
use djauth_signing::crypto::get_random_secret_key;
use serde_json::Value as Json;

use super::table::startproject;
use super::{DEFINITIONS, Definition, ImproperlyConfigured, Settings};

/// The most that a settings file may have, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Settings that are read, but may still lack `SECRET_KEY`.
///
/// A variable of the environment wins over the file; what neither sets has the value that
/// `startproject` writes. Values in the file are TOML; those in the environment are plain text
/// where text is meant, and JSON otherwise.
pub struct Draft {
    settings: Settings,
    secret_key: bool,
}

impl Draft {
    /// Reads `file` if one is named, then the process's environment.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, a key in it that is no setting, or a wrong value, by name.
    pub fn read(file: Option<&Path>) -> Result<Self, ImproperlyConfigured> {
        Self::read_with(file, |name| std::env::var_os(name))
    }

    /// Reads `file` if one is named, then what `environment` answers for each setting's name.
    ///
    /// # Errors
    ///
    /// As [`Draft::read`].
    pub fn read_with(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<std::ffi::OsString>,
    ) -> Result<Self, ImproperlyConfigured> {
        let mut draft = Self::new();
        if let Some(file) = file {
            draft.read_file(file)?;
        }
        draft.read_environment(environment)?;
        draft.settings.validate()?;
        draft.settings.validate_backends()?;
        Ok(draft)
    }

    /// Reads the text of a settings file alone. `origin` stands for its name in errors.
    ///
    /// # Errors
    ///
    /// As [`Draft::read`].
    pub fn from_toml(text: &str, origin: &str) -> Result<Self, ImproperlyConfigured> {
        let mut draft = Self::new();
        draft.read_toml(text, origin)?;
        draft.settings.validate()?;
        draft.settings.validate_backends()?;
        Ok(draft)
    }

    fn new() -> Self {
        Self {
            settings: startproject(get_random_secret_key()),
            secret_key: false,
        }
    }

    /// The settings as far as they are known. When [`has_secret_key`](Self::has_secret_key) is
    /// false, `secret_key` is a random one that must not be used.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether `SECRET_KEY` is set and not empty.
    pub fn has_secret_key(&self) -> bool {
        self.secret_key
    }

    /// Gives the key that was made for a database of our own.
    pub fn set_secret_key(&mut self, key: SecretKey) {
        self.settings.secret_key = key;
        self.secret_key = true;
    }

    /// Names the hosts of a server that knows where it listens, in place of an empty `ALLOWED_HOSTS`.
    pub fn set_allowed_hosts(&mut self, hosts: Vec<String>) {
        self.settings.allowed_hosts = hosts;
    }

    /// The finished settings.
    ///
    /// # Errors
    ///
    /// `SECRET_KEY` is missing or empty.
    pub fn finish(self) -> Result<Settings, ImproperlyConfigured> {
        if self.secret_key {
            Ok(self.settings)
        } else {
            Err(missing_secret_key())
        }
    }

    fn read_file(&mut self, file: &Path) -> Result<(), ImproperlyConfigured> {
        self.read_toml(&read_text(file)?, &file.display().to_string())
    }

    fn read_toml(&mut self, text: &str, origin: &str) -> Result<(), ImproperlyConfigured> {
        let table: toml::Table = text
            .parse()
            .map_err(|error| syntax_error(text, &error).at_origin(origin))?;
        for (name, value) in table {
            let definition = find(&name).ok_or_else(|| unknown(&name).at_origin(origin))?;
            let json =
                to_json(value).map_err(|problem| wrong(definition, problem).at_origin(origin))?;
            self.set(definition, &json)
                .map_err(|error| error.at_origin(origin))?;
        }
        Ok(())
    }

    fn read_environment(
        &mut self,
        environment: impl Fn(&str) -> Option<std::ffi::OsString>,
    ) -> Result<(), ImproperlyConfigured> {
        for definition in DEFINITIONS {
            let Some(text) = environment(definition.name) else {
                continue;
            };
            let text = text
                .into_string()
                .map_err(|_| wrong(definition, "expected UTF-8").at_origin(ENVIRONMENT))?;
            let json = (definition.from_environment)(&text);
            self.set(definition, &json)
                .map_err(|error| error.at_origin(ENVIRONMENT))?;
        }
        Ok(())
    }

    fn set(&mut self, definition: &Definition, json: &Json) -> Result<(), ImproperlyConfigured> {
        if definition.name == SECRET_KEY {
            // An empty key counts as a missing one; what then happens depends on the database.
            self.secret_key = json.as_str() != Some("");
            if !self.secret_key {
                return Ok(());
            }
        }
        (definition.set)(&mut self.settings, json).map_err(|problem| wrong(definition, problem))
    }
}

const ENVIRONMENT: &str = "in the environment";
const SECRET_KEY: &str = "SECRET_KEY";

fn missing_secret_key() -> ImproperlyConfigured {
    ImproperlyConfigured::setting(
        SECRET_KEY,
        "is missing or empty; set it in the environment or the settings file",
    )
}

impl Definition {
    /// Reads a value as a file would have it, without keeping it; answers whether it differs from the
    /// default. A secret does unless it is empty.
    ///
    /// # Errors
    ///
    /// What is wrong with it. A secret is not part of the text.
    pub fn judge(&self, json: &Json) -> Result<bool, String> {
        let default = startproject(get_random_secret_key());
        let mut settings = default.clone();
        (self.set)(&mut settings, json)?;
        let empty = json.as_array().is_some_and(Vec::is_empty);
        let nothing = empty || json.is_null() || json.as_str() == Some("");
        let hidden = self.secret && !nothing;
        Ok(hidden || (self.show)(&settings) != (self.show)(&default))
    }
}

impl Settings {
    /// The values that Django's `startproject` writes, with this key.
    pub fn new(secret_key: SecretKey) -> Self {
        startproject(secret_key)
    }

    /// Reads the environment alone.
    ///
    /// # Errors
    ///
    /// A wrong value, or `SECRET_KEY` missing or empty, by name.
    pub fn from_env() -> Result<Self, ImproperlyConfigured> {
        Draft::read(None)?.finish()
    }

    /// Reads a TOML file, then the environment, which wins.
    ///
    /// # Errors
    ///
    /// As [`Settings::from_env`]; and a file that cannot be read, or a key in it that is no setting.
    pub fn from_file(file: impl AsRef<Path>) -> Result<Self, ImproperlyConfigured> {
        Draft::read(Some(file.as_ref()))?.finish()
    }
}

fn read_text(file: &Path) -> Result<String, ImproperlyConfigured> {
    let cannot = |error: std::io::Error| {
        ImproperlyConfigured::general(format!("the settings file cannot be read: {error}"))
            .at_origin(file.display().to_string())
            .caused_by(error)
    };
    let size = std::fs::metadata(file).map_err(cannot)?.len();
    if size > LARGEST_FILE {
        return Err(
            ImproperlyConfigured::general("the settings file is larger than 1 MiB")
                .at_origin(PathBuf::from(file).display().to_string()),
        );
    }
    std::fs::read_to_string(file).map_err(cannot)
}

/// Only the parser's message and the line: its `Display` shows the line's text, which may be a secret.
fn syntax_error(text: &str, error: &toml::de::Error) -> ImproperlyConfigured {
    let offset = error.span().map_or(0, |span| span.start);
    let line = text
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1;
    ImproperlyConfigured::general(format!("not TOML, line {line}: {}", error.message()))
}

fn find(name: &str) -> Option<&'static Definition> {
    DEFINITIONS
        .iter()
        .find(|definition| definition.name == name)
}

fn wrong(definition: &Definition, problem: impl Into<String>) -> ImproperlyConfigured {
    ImproperlyConfigured::setting(definition.name, problem)
}

fn unknown(name: &str) -> ImproperlyConfigured {
    let nearest = DEFINITIONS
        .iter()
        .min_by_key(|definition| distance(name, definition.name));
    let hint = nearest.filter(|definition| distance(name, definition.name) <= 3);
    let hint = hint.map_or_else(String::new, |definition| {
        format!("; did you mean {}?", definition.name)
    });
    ImproperlyConfigured::setting(
        name.escape_debug().to_string(),
        format!("is not a setting{hint}"),
    )
}

/// Levenshtein's distance, for short names.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let changed = corner + usize::from(!x.eq_ignore_ascii_case(&y));
            corner = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

fn to_json(value: toml::Value) -> Result<Json, String> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(_) => return Err("no setting is a date".into()),
        toml::Value::Array(items) => {
            Json::Array(items.into_iter().map(to_json).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => {
            let pairs = table
                .into_iter()
                .map(|(key, value)| Ok((key, to_json(value)?)));
            Json::Object(pairs.collect::<Result<_, String>>()?)
        }
    })
}
