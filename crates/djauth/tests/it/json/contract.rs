//! The document, as a judge of answers.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, header};
use serde_json::{Value, json};

use super::client::Answer;

const DOCUMENT: &str = include_str!("../../../src/views/json/openapi.json");

/// The document, and what was seen of it.
pub(super) struct Contract {
    document: Value,
    seen: BTreeSet<(String, String)>,
}

impl Contract {
    pub(super) fn new() -> Self {
        Self {
            document: serde_json::from_str(DOCUMENT).unwrap(),
            seen: BTreeSet::new(),
        }
    }

    /// Every operation has this answer, with these headers and a body of this shape.
    pub(super) fn check(&mut self, method: &str, path: &str, answer: &Answer) {
        let at = format!("{method} {path}: {} {}", answer.status, answer.body);
        let operation = self.operation(method, path);
        let operation = operation
            .unwrap_or_else(|| panic!("not in the document: {at}"))
            .clone();
        let status = answer.status.to_string();
        let response = &operation["responses"][&status];
        assert!(!response.is_null(), "the document has no such status: {at}");
        let response = self.resolve(response);
        self.headers_are_right(response, &answer.headers, &at);
        let schema = &response["content"]["application/json"]["schema"];
        assert!(!schema.is_null(), "{at}");
        let whole = json!({ "components": self.document["components"], "allOf": [schema] });
        let validator = jsonschema::draft202012::new(&whole).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&answer.body)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{at}: {errors:?}");
        let name = operation["operationId"].as_str().unwrap().to_owned();
        self.seen.insert((name, status));
    }

    fn headers_are_right(&self, response: &Value, headers: &HeaderMap, at: &str) {
        assert_eq!(headers[header::CONTENT_TYPE], "application/json", "{at}");
        for (name, rule) in response["headers"].as_object().unwrap() {
            let rule = self.resolve(rule);
            let value = headers
                .get(name)
                .unwrap_or_else(|| panic!("no {name}: {at}"));
            let value = json!(value.to_str().unwrap());
            assert!(
                jsonschema::is_valid(&rule["schema"], &value),
                "{name}: {value}: {at}"
            );
        }
    }

    /// What `$ref` leads to.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(path) => self
                .document
                .pointer(path.strip_prefix('#').unwrap())
                .unwrap(),
            None => value,
        }
    }

    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let path = path.strip_prefix("/accounts")?.split('?').next()?;
        let paths = self.document["paths"].as_object()?;
        let (_, item) = paths.iter().find(|(pattern, _)| fits(pattern, path))?;
        item.get(method.to_ascii_lowercase())
    }

    /// Every operation answered with every status that the document has.
    pub(super) fn is_exercised(&self) {
        let mut missing = Vec::new();
        for item in self.document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let Some(name) = operation["operationId"].as_str() else {
                    continue;
                };
                for status in operation["responses"].as_object().unwrap().keys() {
                    if !self.seen.contains(&(name.to_owned(), status.clone())) {
                        missing.push(format!("{name} {status}"));
                    }
                }
            }
        }
        assert!(missing.is_empty(), "never seen: {missing:?}");
    }
}

/// Whether a path is one of `/reset/{uidb64}/{token}/`.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) =
        (pattern.split('/').collect(), path.split('/').collect());
    let same = |(pattern, part): (&&str, &&str)| pattern == part || pattern.starts_with('{');
    pattern.len() == path.len() && pattern.iter().zip(&path).all(same)
}

#[test]
fn the_document_is_openapi() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    // Every schema is one, and no reference leads nowhere.
    let contract = Contract::new();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for path in references {
        contract.resolve(&json!({ "$ref": path }));
    }
    for schema in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .values()
    {
        jsonschema::meta::validate(schema).unwrap();
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    if let Some(path) = value["$ref"].as_str() {
        references.push(path.to_owned());
    }
    match value {
        Value::Object(all) => all.values().for_each(|value| collect(value, references)),
        Value::Array(all) => all.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}
