//! `check --deploy` against Django's (`interop/vectors/checks.py`).

use std::collections::BTreeMap;

use djauth::checks::{CheckMessage, Level, TAGS, check_deploy, check_mailers_default_alias};
use djauth::settings::Draft;
use serde_json::Value;

fn found(settings: &Value) -> Vec<CheckMessage> {
    let given = settings.as_object().unwrap().iter();
    let given = given.filter(|(_, value)| !value.is_null());
    let given: BTreeMap<_, _> = given
        .map(|(name, value)| match value {
            Value::String(text) => (name.as_str(), text.clone()),
            other => (name.as_str(), other.to_string()),
        })
        .collect();
    let read = Draft::read_with(None, |name| {
        // Empty text stands for null.
        let null = settings[name].is_null() && settings.get(name).is_some();
        given.get(name).map(Into::into).or(null.then(|| "".into()))
    });
    let settings = read.unwrap().finish().unwrap();
    let mut found = check_deploy(&settings);
    found.extend(check_mailers_default_alias(&settings));
    found
}

/// The same identifiers and levels as Django 6.1 in every case; ours stand apart.
#[test]
fn deploy_checks_find_what_django_s_find() {
    let cases: Value = serde_json::from_str(include_str!("../data/checks.json")).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() > 30);
    for case in cases {
        let messages = found(&case["settings"]);
        let mut ours: Vec<_> = messages
            .iter()
            .filter(|message| !message.id.starts_with("djauth."))
            .map(|message| (message.id, message.level as u8))
            .collect();
        ours.sort_unstable();
        let django: Vec<(String, u8)> = serde_json::from_value(case["found"].clone()).unwrap();
        let django: Vec<_> = django
            .iter()
            .map(|(id, level)| (id.as_str(), *level))
            .collect();
        assert_eq!(ours, django, "{}", case["settings"]);
    }
}

#[test]
fn messages_have_one_of_the_tags() {
    let cases: Value = serde_json::from_str(include_str!("../data/checks.json")).unwrap();
    for message in cases
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|case| found(&case["settings"]))
    {
        assert!(TAGS.contains(&message.tag()), "{message}");
        let (tag, level) = match message.id {
            "mail.E001" => ("mail", Level::Error),
            "mail.W001" => ("mail", Level::Warning),
            _ => ("security", Level::Warning),
        };
        assert_eq!((message.tag(), message.level), (tag, level), "{message}");
    }
}
