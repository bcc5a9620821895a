//! Hashers and validators from the project's live objects.

use djauth::settings::DEFINITIONS;
use serde_json::{Map, Value as Json, json};

use super::answer::{Answer, Class, Hasher, Validator};
use super::sheet::Sheet;

/// Whether a setting takes a value.
fn takes(name: &str, value: &Json) -> bool {
    let definition = DEFINITIONS.iter().find(|known| known.name == name);
    definition.is_some_and(|definition| definition.judge(value).is_ok())
}

/// `PASSWORD_HASHERS` by Django's own classes, and every cost as the site has it: a project changes
/// costs by classes of its own.
pub(super) fn hashers(answer: &Answer, sheet: &mut Sheet) {
    let mut paths: Vec<Json> = Vec::new();
    let mut parameters = Map::from_iter([("preset".to_owned(), preset(answer.django).into())]);
    for hasher in &answer.hashers {
        match hasher_path(hasher) {
            Ok(path) if paths.contains(&path) => {}
            Ok(path) => {
                paths.push(path);
                let factors = Json::Object(hasher.factors.clone());
                let factors = json!({ (hasher.algorithm.clone()): factors });
                if takes("PASSWORD_HASHER_PARAMETERS", &factors) && !hasher.factors.is_empty() {
                    parameters.insert(hasher.algorithm.clone(), hasher.factors.clone().into());
                }
            }
            Err(why) => sheet.lacks("PASSWORD_HASHERS", why),
        }
    }
    sheet.set("PASSWORD_HASHERS", paths.into());
    sheet.set("PASSWORD_HASHER_PARAMETERS", parameters.into());
}

fn hasher_path(hasher: &Hasher) -> Result<Json, String> {
    let Class {
        path,
        django,
        changes,
        ..
    } = &hasher.class;
    let known = django
        .clone()
        .filter(|known| takes("PASSWORD_HASHERS", &json!([known])));
    let Some(known) = known else {
        return Err(format!(
            "{path}: passwords with {:?} cannot be checked",
            hasher.algorithm
        ));
    };
    let own: Vec<_> = changes.iter().filter(|name| *name != "__init__").collect();
    if !own.is_empty() {
        return Err(format!(
            "{path} works in its own way ({own:?}), unlike {known}"
        ));
    }
    let short = DEFINITIONS.iter().any(|definition| {
        definition.name == "PASSWORD_HASHERS"
            && definition.judge(&json!([hasher.algorithm])).is_ok()
    });
    if short {
        Ok(known.into())
    } else {
        Err(format!(
            "{path}: the algorithm is called {:?}",
            hasher.algorithm
        ))
    }
}

/// The version whose defaults hold for what is not written; the costs are all written.
fn preset(django: (u32, u32)) -> &'static str {
    match django {
        (major, minor) if (major, minor) >= (6, 1) => "6.1",
        (major, minor) if (major, minor) >= (5, 2) => "5.2",
        _ => "4.2",
    }
}

/// `AUTH_PASSWORD_VALIDATORS` with the values that the live validators work with.
pub(super) fn validators(answer: &Answer, sheet: &mut Sheet) {
    let mut list = Vec::new();
    for validator in &answer.validators {
        match entry(validator) {
            Some(entry) => list.push(entry),
            None => sheet.lacks(
                "AUTH_PASSWORD_VALIDATORS",
                format!(
                    "{}: new passwords are not judged by it here",
                    validator.class.path
                ),
            ),
        }
    }
    sheet.set("AUTH_PASSWORD_VALIDATORS", list.into());
}

fn entry(validator: &Validator) -> Option<Json> {
    let name = validator.class.django.as_deref()?;
    if validator
        .class
        .changes
        .iter()
        .any(|change| change == "validate")
    {
        return None;
    }
    let mut options = validator.values.clone();
    if let Some(path) = validator.options.get("password_list_path") {
        options.insert("password_list_path".into(), path.clone());
    }
    let entry = json!({"NAME": name, "OPTIONS": options});
    takes("AUTH_PASSWORD_VALIDATORS", &json!([entry])).then_some(entry)
}
