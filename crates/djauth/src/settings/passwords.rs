//! `AUTH_PASSWORD_VALIDATORS` and `PASSWORD_HASHER_PARAMETERS`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};

use super::kind::{Kind, expected, list};
use crate::password_validation::BreachedPasswordValidator;

const VALIDATORS: &str = "django.contrib.auth.password_validation.";
const OWN_VALIDATORS: &str = "djauth.password_validation.";

/// One of Django's password validators with its options: an entry of `AUTH_PASSWORD_VALIDATORS`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PasswordValidator {
    /// `UserAttributeSimilarityValidator`.
    UserAttributeSimilarity {
        /// The user's fields to compare with.
        user_attributes: Vec<String>,
        /// The ratio, 0.1 to 1, from which a password is too similar.
        max_similarity: f64,
    },
    /// `MinimumLengthValidator`.
    MinimumLength {
        /// In code points.
        min_length: u64,
    },
    /// `CommonPasswordValidator`.
    CommonPassword {
        /// A list of passwords, one a line, plain or compressed with gzip; the built-in list if `None`.
        password_list_path: Option<PathBuf>,
    },
    /// `NumericPasswordValidator`.
    NumericPassword,
    /// [`BreachedPasswordValidator`], which Django
    /// lacks.
    BreachedPassword(BreachCheck),
}

/// The options of `BreachedPasswordValidator`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreachCheck {
    /// Where the first five digits of a hash are appended.
    pub url: String,
    /// Seconds that the answer may take.
    pub timeout: u64,
    /// Whether a password may be used when no answer comes.
    pub fail_open: bool,
    /// From how many breaches on a password is refused.
    pub threshold: u64,
    /// Authorities (PEM) that may vouch for the service, in place of the system's.
    pub ssl_cafile: Option<PathBuf>,
}

impl Default for BreachCheck {
    fn default() -> Self {
        Self {
            url: BreachedPasswordValidator::URL.into(),
            timeout: 3,
            fail_open: true,
            threshold: 1,
            ssl_cafile: None,
        }
    }
}

impl PasswordValidator {
    /// The validators that `startproject` writes, in its order.
    pub fn startproject() -> Vec<Self> {
        vec![
            Self::user_attribute_similarity(),
            Self::MinimumLength { min_length: 8 },
            Self::CommonPassword {
                password_list_path: None,
            },
            Self::NumericPassword,
        ]
    }

    fn user_attribute_similarity() -> Self {
        Self::UserAttributeSimilarity {
            user_attributes: ["username", "first_name", "last_name", "email"]
                .map(Into::into)
                .into(),
            max_similarity: 0.7,
        }
    }

    /// The validator's dotted path in Django.
    pub fn path(&self) -> &'static str {
        match self {
            Self::UserAttributeSimilarity { .. } => {
                "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
            }
            Self::MinimumLength { .. } => {
                "django.contrib.auth.password_validation.MinimumLengthValidator"
            }
            Self::CommonPassword { .. } => {
                "django.contrib.auth.password_validation.CommonPasswordValidator"
            }
            Self::NumericPassword => {
                "django.contrib.auth.password_validation.NumericPasswordValidator"
            }
            Self::BreachedPassword(_) => "djauth.password_validation.BreachedPasswordValidator",
        }
    }

    fn options(&self) -> Json {
        match self {
            Self::UserAttributeSimilarity {
                user_attributes,
                max_similarity,
            } => {
                json!({"user_attributes": user_attributes, "max_similarity": max_similarity})
            }
            Self::MinimumLength { min_length } => json!({"min_length": min_length}),
            Self::CommonPassword {
                password_list_path: Some(path),
            } => {
                json!({"password_list_path": path.to_string_lossy()})
            }
            Self::CommonPassword { .. } | Self::NumericPassword => json!({}),
            Self::BreachedPassword(check) => json!({
                "url": check.url, "timeout": check.timeout, "fail_open": check.fail_open,
                "threshold": check.threshold,
                "ssl_cafile": check.ssl_cafile.as_ref().map(|path| path.to_string_lossy()),
            }),
        }
    }
}

/// `AUTH_PASSWORD_VALIDATORS`.
pub(super) struct Validators;

impl Kind for Validators {
    type Value = Vec<PasswordValidator>;
    const EXPECTED: &'static str = "a list of validators, such as [{\"NAME\": \"MinimumLengthValidator\", \"OPTIONS\": {\"min_length\": 12}}]";

    fn read(json: &Json) -> Result<Self::Value, String> {
        list::<Self>(json)?.iter().map(read_validator).collect()
    }

    fn show(value: &Self::Value) -> Json {
        value.iter().map(show_validator).collect()
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        value.iter().try_for_each(check_validator)
    }
}

fn show_validator(validator: &PasswordValidator) -> Json {
    match validator.options() {
        Json::Object(options) if options.is_empty() => json!({"NAME": validator.path()}),
        options => json!({"NAME": validator.path(), "OPTIONS": options}),
    }
}

fn check_validator(validator: &PasswordValidator) -> Result<(), String> {
    match validator {
        PasswordValidator::UserAttributeSimilarity { max_similarity, .. }
            if !(0.1..=1.0).contains(max_similarity) =>
        {
            Err("max_similarity: expected a number from 0.1 to 1".into())
        }
        PasswordValidator::CommonPassword {
            password_list_path: Some(path),
        } if !path.is_file() => Err(format!(
            "password_list_path: {} is not a file",
            path.display()
        )),
        PasswordValidator::BreachedPassword(check) => check_breach(check),
        _ => Ok(()),
    }
}

fn check_breach(check: &BreachCheck) -> Result<(), String> {
    let missing = check.ssl_cafile.as_ref().filter(|path| !path.is_file());
    if let Some(path) = missing {
        return Err(format!("ssl_cafile: {} is not a file", path.display()));
    }
    if check.timeout == 0 || check.threshold == 0 {
        return Err("timeout and threshold: expected a whole number, 1 or more".into());
    }
    let asked = BreachedPasswordValidator::new(&check.url);
    asked.map(drop).map_err(|error| format!("url: {error}"))
}

/// Reads `{"NAME": …, "OPTIONS": {…}}`, or the name alone.
fn read_validator(json: &Json) -> Result<PasswordValidator, String> {
    let none = Map::new();
    let (name, options) = match json {
        Json::String(name) => (name, &none),
        Json::Object(entry) => name_and_options(entry, &none)?,
        _ => return Err(expected::<Validators>()),
    };
    let mut options = Options {
        validator: name,
        left: options.clone(),
        known: Vec::new(),
    };
    let short = name.strip_prefix(VALIDATORS);
    let short = short.or_else(|| name.strip_prefix(OWN_VALIDATORS));
    let validator = match short.unwrap_or(name) {
        "UserAttributeSimilarityValidator" => user_attribute_similarity(&mut options)?,
        "MinimumLengthValidator" => PasswordValidator::MinimumLength {
            min_length: options.take("min_length", 8, Json::as_u64)?,
        },
        "CommonPasswordValidator" => PasswordValidator::CommonPassword {
            password_list_path: options.take("password_list_path", None, |json| {
                json.as_str().map(|path| Some(PathBuf::from(path)))
            })?,
        },
        "NumericPasswordValidator" => PasswordValidator::NumericPassword,
        "BreachedPasswordValidator" => PasswordValidator::BreachedPassword(breach(&mut options)?),
        _ => return Err(unknown_validator(name)),
    };
    options.finish()?;
    Ok(validator)
}

fn unknown_validator(name: &str) -> String {
    format!(
        "{name:?} is not known; expected UserAttributeSimilarityValidator, MinimumLengthValidator, \
         CommonPasswordValidator or NumericPasswordValidator, with or without {VALIDATORS}, or \
         {OWN_VALIDATORS}BreachedPasswordValidator"
    )
}

fn name_and_options<'a>(
    entry: &'a Map<String, Json>,
    none: &'a Map<String, Json>,
) -> Result<(&'a String, &'a Map<String, Json>), String> {
    let (Some(Json::String(name)), options) = (entry.get("NAME"), entry.get("OPTIONS")) else {
        return Err(expected::<Validators>());
    };
    if let Some(key) = entry
        .keys()
        .find(|key| !matches!(key.as_str(), "NAME" | "OPTIONS"))
    {
        return Err(format!(
            "{key:?} is not known; {}",
            expected::<Validators>()
        ));
    }
    match options {
        None => Ok((name, none)),
        Some(Json::Object(options)) => Ok((name, options)),
        Some(_) => Err(expected::<Validators>()),
    }
}

fn breach(options: &mut Options<'_>) -> Result<BreachCheck, String> {
    let default = BreachCheck::default();
    Ok(BreachCheck {
        url: options.take("url", default.url, |json| json.as_str().map(str::to_owned))?,
        timeout: options.take("timeout", default.timeout, Json::as_u64)?,
        fail_open: options.take("fail_open", default.fail_open, Json::as_bool)?,
        threshold: options.take("threshold", default.threshold, Json::as_u64)?,
        ssl_cafile: options.take("ssl_cafile", None, |json| {
            json.as_str().map(|path| Some(PathBuf::from(path)))
        })?,
    })
}

fn user_attribute_similarity(options: &mut Options<'_>) -> Result<PasswordValidator, String> {
    let default = ["username", "first_name", "last_name", "email"]
        .map(String::from)
        .to_vec();
    Ok(PasswordValidator::UserAttributeSimilarity {
        user_attributes: options.take("user_attributes", default, |json| {
            json.as_array()?
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        })?,
        max_similarity: options.take("max_similarity", 0.7, Json::as_f64)?,
    })
}

/// The options of a validator that are not read yet.
struct Options<'a> {
    validator: &'a str,
    left: Map<String, Json>,
    known: Vec<&'static str>,
}

impl Options<'_> {
    fn take<T>(
        &mut self,
        name: &'static str,
        default: T,
        read: impl FnOnce(&Json) -> Option<T>,
    ) -> Result<T, String> {
        self.known.push(name);
        match self.left.remove(name) {
            None => Ok(default),
            Some(json) => read(&json)
                .ok_or_else(|| format!("{}: the option {name} has a wrong value", self.validator)),
        }
    }

    fn finish(self) -> Result<(), String> {
        let Some(unknown) = self.left.keys().next() else {
            return Ok(());
        };
        let known = if self.known.is_empty() {
            "none".to_owned()
        } else {
            self.known.join(", ")
        };
        Err(format!(
            "{}: the option {unknown:?} is not known; expected {known}",
            self.validator
        ))
    }
}

/// The work factors of the password hashers: those of a Django version, and what is set instead.
///
/// They must be those of the Django site beside which djauth stands: hashes with other factors are
/// rewritten at login, which ends the user's other sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HasherParameters {
    /// The version of Django whose defaults hold: `4.2`, `5.2` or `6.1`.
    pub preset: String,
    /// Algorithm → parameter → value, such as `pbkdf2_sha256` → `iterations` → 720000.
    pub algorithms: BTreeMap<String, BTreeMap<String, u32>>,
}

impl Default for HasherParameters {
    /// Django 6.1's.
    fn default() -> Self {
        Self {
            preset: "6.1".into(),
            algorithms: BTreeMap::new(),
        }
    }
}

/// The presets that exist.
pub(super) const PRESETS: [&str; 3] = ["4.2", "5.2", "6.1"];

/// Algorithms and their work factors, under the names of Django's attributes.
pub(super) const FACTORS: [(&str, &[&str]); 6] = [
    ("pbkdf2_sha256", &["iterations"]),
    ("pbkdf2_sha1", &["iterations"]),
    ("argon2", &["time_cost", "memory_cost", "parallelism"]),
    ("bcrypt_sha256", &["rounds"]),
    ("bcrypt", &["rounds"]),
    ("scrypt", &["work_factor", "block_size", "parallelism"]),
];

/// `PASSWORD_HASHER_PARAMETERS`.
pub(super) struct Parameters;

impl Kind for Parameters {
    type Value = HasherParameters;
    const EXPECTED: &'static str = "a version of Django (\"4.2\", \"5.2\", \"6.1\"), or a table such as \
        {\"preset\": \"5.2\", \"pbkdf2_sha256\": {\"iterations\": 720000}}";

    fn read(json: &Json) -> Result<HasherParameters, String> {
        match json {
            Json::String(preset) => Ok(HasherParameters {
                preset: preset.clone(),
                ..HasherParameters::default()
            }),
            Json::Object(table) => read_parameters(table),
            _ => Err(expected::<Self>()),
        }
    }

    fn show(value: &HasherParameters) -> Json {
        if value.algorithms.is_empty() {
            return value.preset.as_str().into();
        }
        let mut table = Map::from_iter([("preset".to_owned(), Json::from(value.preset.as_str()))]);
        table.extend(
            value
                .algorithms
                .iter()
                .map(|(algorithm, factors)| (algorithm.clone(), json!(factors))),
        );
        table.into()
    }

    fn from_environment(text: &str) -> Json {
        // `6.1` is a number in JSON, and meant as a name.
        if text.trim_start().starts_with('{') {
            serde_json::from_str(text).unwrap_or(Json::Null)
        } else {
            text.trim_matches('"').into()
        }
    }

    fn check(value: &HasherParameters) -> Result<(), String> {
        if !PRESETS.contains(&value.preset.as_str()) {
            return Err(format!(
                "{:?} is not a known preset; {}",
                value.preset,
                expected::<Self>()
            ));
        }
        value
            .algorithms
            .iter()
            .try_for_each(|(algorithm, factors)| check_factors(algorithm, factors))
    }
}

fn read_parameters(table: &Map<String, Json>) -> Result<HasherParameters, String> {
    let mut parameters = HasherParameters::default();
    for (key, value) in table {
        match value {
            Json::String(preset) if key == "preset" => parameters.preset.clone_from(preset),
            Json::Object(factors) => {
                parameters
                    .algorithms
                    .insert(key.clone(), read_factors(key, factors)?);
            }
            _ => return Err(format!("{key:?}: {}", expected::<Parameters>())),
        }
    }
    Ok(parameters)
}

fn read_factors(
    algorithm: &str,
    factors: &Map<String, Json>,
) -> Result<BTreeMap<String, u32>, String> {
    let read = |(name, value): (&String, &Json)| {
        let number = value
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| *number > 0);
        let number = number
            .ok_or_else(|| format!("{algorithm}.{name}: expected a whole number, 1 or more"))?;
        Ok((name.clone(), number))
    };
    factors.iter().map(read).collect()
}

fn check_factors(algorithm: &str, factors: &BTreeMap<String, u32>) -> Result<(), String> {
    let known = FACTORS.iter().find(|(name, _)| *name == algorithm);
    let Some((_, names)) = known else {
        let all = FACTORS.map(|(name, _)| name).join(", ");
        return Err(format!(
            "{algorithm:?} has no parameters; expected one of {all}"
        ));
    };
    let unknown = factors.keys().find(|name| !names.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| {
        Err(format!(
            "{algorithm}.{name} is not known; expected {}",
            names.join(", ")
        ))
    })
}
