//! What an entry of the log says, for people and as it is stored.

use djauth::i18n::{Language, field_name, gettext};
use djauth_signing::json::to_string_spaced;
use serde_json::{Value as Json, json};

use crate::model::capfirst;

/// What was done, for the column `change_message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChangeMessage {
    Added,
    /// The labels of the fields, untranslated; none: nothing differs.
    Changed(Vec<String>),
    Deleted,
    /// Something that belongs to the object was deleted: its kind, untranslated, and its name. As Django
    /// writes it of the rows of inlines.
    DeletedOfIt(&'static str, String),
}

impl ChangeMessage {
    /// As Django stores it.
    pub(crate) fn stored(&self) -> String {
        let entries = match self {
            Self::Deleted => return String::new(),
            Self::Added => json!([{ "added": {} }]),
            Self::Changed(fields) if fields.is_empty() => json!([]),
            Self::Changed(fields) => json!([{ "changed": { "fields": fields } }]),
            Self::DeletedOfIt(kind, name) => {
                json!([{ "deleted": { "name": kind, "object": name } }])
            }
        };
        to_string_spaced(&entries).unwrap_or_default()
    }
}

/// Labels in Django's log, and the fields that they are of.
const LABELS: [(&str, &str); 14] = [
    ("Username", "username"),
    ("First name", "first_name"),
    ("Last name", "last_name"),
    ("Email address", "email"),
    ("Active", "is_active"),
    ("Staff status", "is_staff"),
    ("Superuser status", "is_superuser"),
    ("Groups", "groups"),
    ("User permissions", "user_permissions"),
    ("Last login", "last_login"),
    ("Date joined", "date_joined"),
    ("Name", "name"),
    ("Permissions", "permissions"),
    ("password", "password"),
];

/// The message of an entry in a language. What is no list of changes is answered as it is.
#[must_use]
pub fn get_change_message(language: Language, text: &str) -> String {
    let entries = text.starts_with('[').then(|| serde_json::from_str(text));
    let Some(Ok(Json::Array(entries))) = entries else {
        return text.to_owned();
    };
    let sentences = entries.iter().filter_map(|entry| sentence(language, entry));
    let sentences: Vec<_> = sentences.collect();
    if sentences.is_empty() {
        return gettext(language, "admin_log.nothing", &[]);
    }
    sentences.join(" ")
}

fn sentence(language: Language, entry: &Json) -> Option<String> {
    let (what, details) = entry.as_object()?.iter().next()?;
    let object = object(language, details);
    let fields = fields(language, details);
    let params = [
        ("object", object.clone().unwrap_or_default()),
        ("fields", fields),
    ];
    let key = match (what.as_str(), object.is_some()) {
        ("added", true) => "admin_log.added_object",
        ("added", false) => "admin_log.added",
        ("changed", true) => "admin_log.changed_object",
        ("changed", false) => "admin_log.changed",
        ("deleted", _) => "admin_log.deleted_object",
        _ => return None,
    };
    Some(gettext(language, key, &params))
}

/// Something that belongs to the object: its kind and its name.
fn object(language: Language, details: &Json) -> Option<String> {
    let kind = match details.get("name")?.as_str()? {
        "session" => gettext(language, "admin_model.session", &[]),
        "sessions" => gettext(language, "admin_model.sessions", &[]),
        kind => kind.to_owned(),
    };
    let object = details.get("object").and_then(Json::as_str);
    let name = object.unwrap_or_default().to_owned();
    Some(gettext(
        language,
        "admin_log.object",
        &[("kind", kind), ("name", name)],
    ))
}

/// Names one after another, as the language strings them together.
pub(crate) fn listed(language: Language, names: impl IntoIterator<Item = String>) -> String {
    let joined = names.into_iter().reduce(|first, next| {
        gettext(
            language,
            "admin_log.list",
            &[("first", first), ("next", next)],
        )
    });
    joined.unwrap_or_default()
}

fn fields(language: Language, details: &Json) -> String {
    let fields = details.get("fields").and_then(Json::as_array);
    let labels = fields.into_iter().flatten().filter_map(Json::as_str);
    listed(language, labels.map(|label| translated(language, label)))
}

fn translated(language: Language, label: &str) -> String {
    match LABELS.iter().find(|(known, _)| *known == label) {
        Some((_, field)) => capfirst(&field_name(language, field)),
        None => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_stored_as_django_stores_them() {
        let changed = |fields: &[&str]| {
            let fields = fields.iter().map(|field| (*field).to_owned()).collect();
            ChangeMessage::Changed(fields).stored()
        };
        assert_eq!(ChangeMessage::Added.stored(), r#"[{"added": {}}]"#);
        assert_eq!(ChangeMessage::Deleted.stored(), "");
        assert_eq!(changed(&[]), "[]");
        assert_eq!(
            changed(&["Username", "Größe"]),
            r#"[{"changed": {"fields": ["Username", "Gr\u00f6\u00dfe"]}}]"#
        );
        let ended = ChangeMessage::DeletedOfIt("session", "17".to_owned()).stored();
        assert_eq!(
            ended,
            r#"[{"deleted": {"name": "session", "object": "17"}}]"#
        );
        let read = get_change_message(Language::ENGLISH, &ended);
        assert_eq!(read, "Deleted session “17”.");
    }

    #[test]
    fn messages_are_read_for_people() {
        let read = |text| get_change_message(Language::ENGLISH, text);
        for same in ["", "by hand", "[broken", "{}"] {
            assert_eq!(read(same), same);
        }
        assert!(read("[]") != "[]");
        let changed = read(r#"[{"changed": {"fields": ["Email address", "Own"]}}]"#);
        assert!(changed.contains("Email address, Own"), "{changed}");
        let inline = read(r#"[{"added": {"name": "pet", "object": "Rex"}}, {"other": {}}]"#);
        assert!(inline.contains("pet “Rex”"), "{inline}");
        for odd in [
            "[1]",
            "[{}]",
            r#"[{"changed": 5}]"#,
            r#"[{"changed": {"fields": 1}}]"#,
        ] {
            assert!(!read(odd).is_empty());
        }
    }
}
