//! Clients that want JSON, and what goes wrong in JSON.

use axum::body::Body;
use axum::http::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::{ErrorPage, FormType, Request, patch_vary_headers, strip};

/// The media type of JSON.
pub(crate) const JSON: &str = "application/json";

impl Request {
    /// Whether the client wants to be answered in JSON: it sends JSON, or its `Accept` names
    /// `application/json` and does not prefer HTML. A form is always answered as a form.
    pub fn wants_json(&self) -> bool {
        let form = !matches!(FormType::of(self.headers()), FormType::Other);
        !form && (sends_json(self.headers()) || prefers_json(self.headers()))
    }
}

/// Whether the body is JSON, in the one spelling that is read: one header, no other character set.
pub(crate) fn sends_json(headers: &HeaderMap) -> bool {
    let mut all = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (all.next(), all.next()) else {
        return false;
    };
    let mut parts = one.to_str().unwrap_or("").split(';').map(strip);
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case(JSON));
    let utf_8 = |part: &str| match part.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    is_json && parts.all(utf_8)
}

fn prefers_json(headers: &HeaderMap) -> bool {
    let (mut json, mut html) = (None, None);
    for header in headers.get_all(ACCEPT) {
        for range in header.to_str().unwrap_or("").split(',') {
            let (kind, quality) = media_range(range);
            if kind.eq_ignore_ascii_case(JSON) {
                json = Some(quality);
            } else if kind.eq_ignore_ascii_case("text/html") {
                html = Some(quality);
            }
        }
    }
    match (json, html) {
        (Some(json), Some(html)) => json > html,
        (Some(json), None) => json > 0.0,
        (None, _) => false,
    }
}

/// A media type and how much it is wanted, from 0 to 1; what is no number counts as 0.
fn media_range(range: &str) -> (&str, f32) {
    let mut parts = range.split(';').map(strip);
    let kind = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    let quality = quality.map_or(1.0, |q| q.parse().unwrap_or(0.0));
    (
        kind,
        if (0.0..=1.0).contains(&quality) {
            quality
        } else {
            0.0
        },
    )
}

/// An answer in JSON.
pub(crate) fn json_response(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    patch_vary_headers(headers, &["Accept"]);
    response
}

/// What goes wrong has one shape, whatever the status: `{"error": {"code": …, "message": …}}`.
/// A code is for programs and stays; a message is for people, in their language.
pub(crate) fn json_error(
    status: StatusCode,
    code: &str,
    message: &str,
    more: Map<String, Value>,
) -> Response<Body> {
    let mut error = json!({ "code": code, "message": message });
    if let Some(error) = error.as_object_mut() {
        error.extend(more);
    }
    json_response(status, &json!({ "error": error }))
}

/// Puts JSON in the place of an error page.
pub(super) fn replace_page(page: &ErrorPage, request: &Request, response: &mut Response<Body>) {
    let message = page.message(request.language());
    let json = json_error(
        response.status(),
        page.code_for_programs(),
        &message,
        Map::new(),
    );
    if *request.method() != Method::HEAD {
        *response.body_mut() = json.into_body();
    }
    let headers = response.headers_mut();
    for name in [
        CONTENT_LENGTH,
        CONTENT_ENCODING,
        ETAG,
        CONTENT_SECURITY_POLICY,
    ] {
        headers.remove(name);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    patch_vary_headers(headers, &["Accept"]);
}

#[cfg(test)]
mod tests {
    use super::{prefers_json, sends_json};
    use axum::http::header::{ACCEPT, CONTENT_TYPE};
    use axum::http::{HeaderMap, HeaderName, HeaderValue};
    use proptest::prelude::*;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_who_prefers_json_gets_it() {
        let yes = [
            "application/json",
            "application/json, text/plain, */*",
            "Application/JSON;q=0.2",
            "text/html;q=0.5, application/json",
        ];
        let no = [
            "",
            "*/*",
            "text/html",
            "application/*",
            "application/json;q=0",
            "application/json;q=x",
            "application/json;q=7",
            "text/html, application/json",
            "application/json;q=0.9, text/html",
            "application/jsonp",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ];
        for accept in yes {
            assert!(prefers_json(&headers(&ACCEPT, &[accept])), "{accept}");
        }
        for accept in no {
            assert!(!prefers_json(&headers(&ACCEPT, &[accept])), "{accept}");
        }
        assert!(prefers_json(&headers(
            &ACCEPT,
            &["text/html;q=0.1", "application/json"]
        )));
    }

    #[test]
    fn json_is_read_in_one_spelling() {
        for kind in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
        ] {
            assert!(sends_json(&headers(&CONTENT_TYPE, &[kind])), "{kind}");
        }
        let others = [
            "text/json",
            "application/json; charset=utf-7",
            "application/jsonx",
            "text/plain; application/json",
            "application/ld+json",
        ];
        for kind in others {
            assert!(!sends_json(&headers(&CONTENT_TYPE, &[kind])), "{kind}");
        }
        assert!(!sends_json(&headers(
            &CONTENT_TYPE,
            &["application/json", "text/plain"]
        )));
        assert!(!sends_json(&HeaderMap::new()));
    }

    proptest! {
        #[test]
        fn any_header_is_survived(value in "[ -~]{0,60}") {
            let _ = prefers_json(&headers(&ACCEPT, &[&value]));
            let _ = sends_json(&headers(&CONTENT_TYPE, &[&value]));
        }
    }
}
