//! What a form had shown, so that nobody's change is lost in silence.
//!
//! A form carries a digest of each value that it showed, and the keys of each relation. When it comes back,
//! the row may have changed: what the visitor did not touch stays as it is now, what only they touched is
//! written, and what both touched is a conflict, which the visitor decides. Forms without digests (Django's
//! own, scripts) are taken as Django takes them: the last one wins.

use std::collections::HashMap;

use chrono::SubsecRound;
use djauth::http::QueryDict;
use djauth_db::Value;
use djauth_signing::crypto::salted_hmac;
use djauth_signing::signing::{b64_decode, b64_encode};
use serde_json::Value as Json;

use crate::model::{ModelInfo, Object};

const SEEN: &str = "_seen";
const SALT: &str = "djauth.admin.seen";
/// Bytes of a digest.
const DIGEST: usize = 8;

/// What the visitor saw when the form was made.
#[derive(Default)]
pub(crate) struct Seen {
    digests: HashMap<String, String>,
    lists: HashMap<String, Vec<i32>>,
}

/// A field that somebody else changed meanwhile.
pub(crate) struct Change {
    pub(crate) field: String,
    /// What it is now.
    pub(crate) now: Value<'static>,
}

/// Values by field, and keys by relation.
#[derive(Default)]
pub(crate) struct Wanted {
    pub(crate) values: HashMap<String, Value<'static>>,
    pub(crate) related: HashMap<String, Vec<i32>>,
}

/// What is to be written.
#[derive(Default)]
pub(crate) struct Merged {
    /// Names of fields with their new values.
    pub(crate) values: Vec<(String, Value<'static>)>,
    /// Names of relations with what is added and what is taken away.
    pub(crate) links: Vec<(String, Vec<i32>, Vec<i32>)>,
    /// What changed, by the labels of the log.
    pub(crate) labels: Vec<String>,
    /// Fields of others' changes that stay.
    pub(crate) kept: Vec<String>,
    pub(crate) conflicts: Vec<Change>,
}

impl Seen {
    /// What a form brought back. What cannot be read counts as not seen.
    pub(crate) fn of(data: &QueryDict) -> Self {
        let prefix = format!("{SEEN}_");
        let lists = data.iter().filter_map(|(name, _)| {
            let field = name.strip_prefix(&prefix)?;
            let ids = data.get(name)?.split(',').filter_map(|id| id.parse().ok());
            Some((field.to_owned(), ids.collect()))
        });
        Self {
            digests: data.get(SEEN).map(digests).unwrap_or_default(),
            lists: lists.collect(),
        }
    }
}

fn digests(text: &str) -> HashMap<String, String> {
    let text = b64_decode(text).ok();
    let digests = text.and_then(|text| serde_json::from_slice(&text).ok());
    digests.unwrap_or_default()
}

/// The hidden fields for an object as it is.
pub(crate) fn hidden(secret: &[u8], object: &Object, fields: &[&str]) -> Vec<(String, String)> {
    let mut digests = serde_json::Map::new();
    let mut hidden = Vec::new();
    for field in fields {
        if let Some(value) = object.values.get(*field) {
            let digest = digest(secret, object, field, value);
            digests.insert((*field).to_owned(), Json::String(digest));
        }
        if let Some(ids) = object.related.get(*field) {
            let ids: Vec<_> = ids.iter().map(i32::to_string).collect();
            hidden.push((format!("{SEEN}_{field}"), ids.join(",")));
        }
    }
    let text = Json::Object(digests).to_string();
    hidden.push((SEEN.to_owned(), b64_encode(text.as_bytes())));
    hidden
}

/// What a form had brought, to be sent once more: it still shows what the visitor saw then. Of the fields
/// that they were told about meanwhile (as [`hidden`] says them), it is what they were told.
pub(crate) fn echoed(data: &QueryDict, told: &[(String, String)]) -> Vec<(String, String)> {
    let told = told.iter().filter(|(name, _)| name == SEEN);
    let told: HashMap<_, _> = told.flat_map(|(_, text)| digests(text)).collect();
    let again = |(name, value): (&str, &str)| {
        let mut value = value.to_owned();
        if name == SEEN {
            let mut digests = digests(&value);
            digests.extend(told.clone());
            value = b64_encode(Json::from_iter(digests).to_string().as_bytes());
        }
        (name.to_owned(), value)
    };
    let ours = data.iter().filter(|(name, _)| name.starts_with(SEEN));
    ours.map(again).collect()
}

fn digest(secret: &[u8], object: &Object, field: &str, value: &Value<'_>) -> String {
    let text = format!("{}\0{field}\0{}", object.key, as_text(value));
    b64_encode(&salted_hmac(SALT, text.as_bytes(), secret)[..DIGEST])
}

/// A value as a form shows it: of a moment whole seconds, of nothing nothing.
pub(crate) fn as_text(value: &Value<'_>) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(ticked) => ticked.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.to_string(),
        Value::Bytes(bytes) => b64_encode(bytes),
        Value::Timestamp(moment) => moment.trunc_subsecs(0).to_rfc3339(),
        Value::Uuid(uuid) => uuid.to_string(),
    }
}

/// Holds what is wanted against what is there and what was seen, in the order of the form.
pub(crate) fn merged(
    info: &ModelInfo,
    secret: &[u8],
    object: &Object,
    fields: &[&str],
    wanted: &Wanted,
    seen: &Seen,
) -> Merged {
    let mut merged = Merged::default();
    for field in fields {
        if let Some(value) = wanted.values.get(*field) {
            merged.value(secret, object, field, value, seen);
        }
        if let Some(ids) = wanted.related.get(*field) {
            merged.relation(object, field, ids, seen);
        }
    }
    let changed = |name: &str| {
        merged.values.iter().any(|(field, _)| field == name)
            || merged.links.iter().any(|(field, ..)| field == name)
    };
    let labels = fields.iter().filter(|field| changed(field));
    let labels = labels.filter_map(|field| info.field(field));
    merged.labels = labels.map(|field| field.log_label.clone()).collect();
    merged
}

impl Merged {
    fn value(
        &mut self,
        secret: &[u8],
        object: &Object,
        field: &str,
        wanted: &Value<'static>,
        seen: &Seen,
    ) {
        let now = object.values.get(field).unwrap_or(&Value::Null);
        if as_text(now) == as_text(wanted) {
            return;
        }
        let of = |value| digest(secret, object, field, value);
        let seen = seen.digests.get(field);
        if seen.is_none_or(|seen| *seen == of(now)) {
            self.values.push((field.to_owned(), wanted.clone()));
        } else if seen.is_some_and(|seen| *seen == of(wanted)) {
            self.kept.push(field.to_owned());
        } else {
            let (field, now) = (field.to_owned(), now.clone());
            self.conflicts.push(Change { field, now });
        }
    }

    /// Who else added or removed something keeps it: only what the visitor did is done.
    fn relation(&mut self, object: &Object, field: &str, wanted: &[i32], seen: &Seen) {
        let none = Vec::new();
        let now = object.related.get(field).unwrap_or(&none);
        let seen = seen.lists.get(field).unwrap_or(now);
        let without = |ids: &[i32], others: &[i32]| -> Vec<i32> {
            let rest = ids.iter().filter(|id| !others.contains(id));
            rest.copied().collect()
        };
        let add = without(&without(wanted, seen), now);
        let mut remove = without(seen, wanted);
        remove.retain(|id| now.contains(id));
        if !add.is_empty() || !remove.is_empty() {
            self.links.push((field.to_owned(), add, remove));
        }
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;

    const SECRET: &[u8] = b"a secret for tests";

    fn object(name: &str, ids: &[i32]) -> Object {
        Object {
            key: "5".to_owned(),
            repr: name.to_owned(),
            username: None,
            values: IndexMap::from([("name".to_owned(), Value::from(name.to_owned()))]),
            related: IndexMap::from([("permissions".to_owned(), ids.to_vec())]),
            password: None,
            computed: IndexMap::new(),
        }
    }

    fn seen(object: &Object) -> Seen {
        let mut data = QueryDict::default();
        for (name, value) in hidden(SECRET, object, &["name", "permissions"]) {
            data.append(name, value);
        }
        Seen::of(&data)
    }

    fn merge(now: &Object, name: &str, ids: &[i32], seen: &Seen) -> Merged {
        let mut merged = Merged::default();
        merged.value(SECRET, now, "name", &name.to_owned().into(), seen);
        merged.relation(now, "permissions", ids, seen);
        merged
    }

    #[test]
    fn each_keeps_what_they_did() {
        let before = object("editors", &[1, 2]);
        let now = object("writers", &[2, 3]);
        // Untouched by the visitor: the other's name stays. They added 4 and removed 2.
        let merged = merge(&now, "editors", &[1, 4], &seen(&before));
        assert!(merged.values.is_empty() && merged.conflicts.is_empty());
        assert_eq!(merged.kept, ["name"]);
        assert_eq!(merged.links, [("permissions".to_owned(), vec![4], vec![2])]);
    }

    #[test]
    fn what_both_changed_is_a_conflict_unless_they_agree() {
        let before = object("editors", &[]);
        let now = object("writers", &[]);
        let both = merge(&now, "authors", &[], &seen(&before));
        assert_eq!(both.conflicts.len(), 1);
        assert!(both.values.is_empty());
        let same = merge(&now, "writers", &[], &seen(&before));
        assert!(same.conflicts.is_empty() && same.values.is_empty() && same.kept.is_empty());
        let knowingly = merge(&now, "authors", &[], &seen(&now));
        assert_eq!(knowingly.values.len(), 1);
    }

    #[test]
    fn without_digests_the_last_one_wins() {
        let now = object("writers", &[1, 2]);
        let merged = merge(&now, "authors", &[2, 3], &Seen::default());
        assert_eq!(merged.values.len(), 1);
        assert_eq!(merged.links, [("permissions".to_owned(), vec![3], vec![1])]);
        for broken in ["%", "bm8", "e30", "WzFd"] {
            let mut data = QueryDict::default();
            data.append(SEEN, broken);
            assert!(Seen::of(&data).digests.is_empty(), "{broken}");
        }
    }
}
