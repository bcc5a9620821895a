//! The document, as a judge of answers.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, header};
use boon::{Compiler, Draft, SchemaIndex, Schemas};
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
        if let Err(error) = judged(whole, "", &answer.body) {
            panic!("{at}: {error}");
        }
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
            let verdict = judged(rule["schema"].clone(), "", &value);
            assert!(verdict.is_ok(), "{name}: {value}: {at}");
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

/// The schema that stands there in a document, if it is one.
fn compiled(document: Value, pointer: &str) -> Result<(Schemas, SchemaIndex), String> {
    const PLACE: &str = "https://djauth.example/document.json";
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.set_default_draft(Draft::V2020_12);
    let added = compiler.add_resource(PLACE, document);
    added.map_err(|error| error.to_string())?;
    let schema = compiler.compile(&format!("{PLACE}#{pointer}"), &mut schemas);
    let schema = schema.map_err(|error| error.to_string())?;
    Ok((schemas, schema))
}

/// What is wrong with a value by the schema.
fn judged(document: Value, pointer: &str, value: &Value) -> Result<(), String> {
    let (schemas, schema) = compiled(document, pointer)?;
    let verdict = schemas.validate(value, schema);
    verdict.map_err(|error| error.to_string())
}

#[test]
fn the_judge_refuses() {
    let document =
        json!({ "a": { "type": "object", "required": ["b"] }, "c": { "type": "nonsense" } });
    assert_eq!(judged(document.clone(), "/a", &json!({ "b": 1 })), Ok(()));
    for (pointer, value) in [("/a", json!({})), ("/a", json!(5)), ("/c", json!({}))] {
        assert!(
            judged(document.clone(), pointer, &value).is_err(),
            "{pointer} {value}"
        );
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
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        let place = format!("/components/schemas/{name}");
        let schema = compiled(document.clone(), &place);
        assert!(
            schema.is_ok(),
            "{name}: {}",
            schema.err().unwrap_or_default()
        );
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
