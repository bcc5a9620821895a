//! Response headers: `django.utils.cache` and `django.utils.http.http_date`.

use axum::http::header::{CACHE_CONTROL, EXPIRES, VARY};
use axum::http::{HeaderMap, HeaderValue};
use chrono::{DateTime, Utc};

/// A time as HTTP writes it: `Sat, 20 Nov 2027 05:39:18 GMT`, without fractions of a second.
pub fn http_date(time: DateTime<Utc>) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Adds names to `Vary` as Django does: existing ones stay in their order, a name is never listed
/// twice whatever its case, and `*` swallows all others.
pub fn patch_vary_headers(headers: &mut HeaderMap, names: &[&str]) {
    let present: Vec<String> = headers
        .get_all(VARY)
        .iter()
        .flat_map(|value| {
            String::from_utf8_lossy(value.as_bytes())
                .into_owned()
                .split_list()
        })
        .collect();
    let mut vary = present.clone();
    for name in names {
        if !present.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            vary.push((*name).to_owned());
        }
    }
    let text = if vary.iter().any(|name| name == "*") {
        "*".to_owned()
    } else {
        vary.join(", ")
    };
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(VARY, value);
    }
}

/// Marks a response that no cache may keep (`django.utils.cache.add_never_cache_headers`):
/// `Expires` is now unless it is set already, and `Cache-Control` gains what is missing.
pub fn add_never_cache_headers(headers: &mut HeaderMap, now: DateTime<Utc>) {
    if !headers.contains_key(EXPIRES) {
        let now = HeaderValue::try_from(http_date(now)).expect("a date is ASCII");
        headers.insert(EXPIRES, now);
    }
    let present: Vec<String> = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .flat_map(|value| {
            String::from_utf8_lossy(value.as_bytes())
                .into_owned()
                .split_list()
        })
        .collect();
    let value = HeaderValue::try_from(never_cache_directives(&present));
    headers.insert(
        CACHE_CONTROL,
        value.unwrap_or(HeaderValue::from_static(NEVER_CACHE)),
    );
}

const NEVER_CACHE: &str = "max-age=0, no-cache, no-store, must-revalidate, private";

/// The present directives without what they would contradict, then ours. The age is zero either
/// way: Django keeps the lower of two, and zero is the lowest that has a meaning.
fn never_cache_directives(present: &[String]) -> String {
    let name = |directive: &str| {
        directive
            .split('=')
            .next()
            .unwrap_or("")
            .trim()
            .to_ascii_lowercase()
    };
    let ours = [
        "max-age",
        "no-cache",
        "no-store",
        "must-revalidate",
        "private",
        "public",
    ];
    let kept = present
        .iter()
        .filter(|directive| !ours.contains(&name(directive).as_str()));
    kept.map(String::as_str)
        .chain([NEVER_CACHE])
        .collect::<Vec<_>>()
        .join(", ")
}

/// The trimmed, non-empty parts of a comma-separated header value.
trait SplitList {
    fn split_list(self) -> Vec<String>;
}

impl SplitList for String {
    fn split_list(self) -> Vec<String> {
        let parts = self.split(',').map(super::strip);
        parts
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }
}
