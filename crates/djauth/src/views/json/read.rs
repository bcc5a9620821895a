//! A body of JSON as the fields of a form.

use std::fmt;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Response, StatusCode};
use http_body::Body as _;
use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};

use crate::http::{ErrorPage, QueryDict, Request, sends_json};
use crate::views::page::size;

/// Reads the fields, or answers why not: 415 for another type, 413 for too much, 400 for what is no
/// flat object of texts and booleans. No answer repeats what was sent.
pub(in crate::views) async fn read(
    request: &Request,
    body: Body,
) -> Result<QueryDict, Box<Response<Body>>> {
    let settings = request.settings();
    if !sends_json(request.headers()) {
        let nothing = body.is_end_stream() && !request.headers().contains_key(CONTENT_TYPE);
        let other = || refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "json.content_type");
        return nothing.then(QueryDict::default).ok_or_else(other);
    }
    let limit = size(settings.data_upload_max_memory_size);
    let bytes = axum::body::to_bytes(body, limit).await;
    let too_large = |_| refused(StatusCode::PAYLOAD_TOO_LARGE, "error_page.too_large_text");
    let bytes = bytes.map_err(too_large)?;
    let max_fields = size(settings.data_upload_max_number_fields);
    fields(&bytes, max_fields).map_err(|_| refused(StatusCode::BAD_REQUEST, "json.malformed"))
}

fn refused(status: StatusCode, text: &'static str) -> Box<Response<Body>> {
    Box::new(ErrorPage::new(status, "error_page.bad_request", text).response())
}

/// Nothing, or one object without another inside.
fn fields(body: &[u8], max_fields: usize) -> serde_json::Result<QueryDict> {
    if body.is_empty() {
        return Ok(QueryDict::default());
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let fields = Fields(max_fields).deserialize(&mut json)?;
    json.end()?;
    Ok(fields)
}

/// Reads an object of at most so many fields, none of them twice.
struct Fields(usize);

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = QueryDict;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<QueryDict, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields {
    type Value = QueryDict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<QueryDict, A::Error> {
        let mut fields = QueryDict::default();
        let mut count = 0;
        while let Some(name) = map.next_key::<String>()? {
            count += 1;
            if count > self.0 || fields.contains(&name) {
                return Err(A::Error::custom("too many fields, or one of them twice"));
            }
            let value = map.next_value_seed(Field)?;
            fields.set(name, value);
        }
        Ok(fields)
    }
}

/// A text, or a boolean, as a form would send it.
struct Field;

impl<'de> DeserializeSeed<'de> for Field {
    type Value = String;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<String, D::Error> {
        json.deserialize_any(self)
    }
}

impl Visitor<'_> for Field {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a boolean")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_bool<E>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::fields;
    use proptest::prelude::*;

    #[test]
    fn texts_and_booleans_are_fields() {
        let body = r#"{"username": "al\u00efce", "remember": true, "b": false, "": ""}"#;
        let fields = fields(body.as_bytes(), 4).unwrap();
        let found: Vec<_> = fields.iter().collect();
        let expected = [
            ("username", "alïce"),
            ("remember", "true"),
            ("b", "false"),
            ("", ""),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn no_body_and_an_empty_object_are_no_fields() {
        for body in ["", "{}", " { } "] {
            assert_eq!(
                fields(body.as_bytes(), 0).unwrap().iter().count(),
                0,
                "{body}"
            );
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let others = [
            "null",
            "[]",
            "\"a\"",
            "{",
            "{} {}",
            "{\"a\": 1}",
            "{\"a\": null}",
            "{\"a\": [\"b\"]}",
            "{\"a\": {\"b\": \"c\"}}",
            "{\"a\": \"b\", \"a\": \"c\"}",
            "{\"a\": \"\\ud800\"}",
            "{'a': 'b'}",
            "{\"a\": \"b\",}",
            "{\"a\": \"\u{1}\"}",
            "a=b",
            "\u{feff}{}",
        ];
        for body in others {
            assert!(fields(body.as_bytes(), 10).is_err(), "{body}");
        }
        assert!(fields(b"{\"a\": \"\xff\"}", 10).is_err());
        assert!(fields(br#"{"a": "1", "b": "2"}"#, 1).is_err());
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!("{{\"a\": {}", "[".repeat(1_000_000));
        assert!(fields(deep.as_bytes(), 10).is_err());
    }

    proptest! {
        #[test]
        fn hostile_bodies_do_not_panic(body in any::<Vec<u8>>()) {
            let _ = fields(&body, 10);
        }

        #[test]
        fn any_texts_come_through(pairs in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..8)) {
            let body = serde_json::to_vec(&pairs).unwrap();
            let fields = fields(&body, 8).unwrap();
            let found: Vec<_> = fields.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            prop_assert_eq!(found, pairs.into_iter().collect::<Vec<_>>());
        }
    }
}
