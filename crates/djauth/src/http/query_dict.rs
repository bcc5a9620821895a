//! Query strings and form bodies: `django.http.QueryDict`.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;

use super::quote::{percent_decode, quote, urlencode};

/// How many fields a query string or form may have (Django's default of the setting of this name).
pub const DATA_UPLOAD_MAX_NUMBER_FIELDS: usize = 1000;

/// A query string or form has more fields than allowed (`TooManyFieldsSent`): answered with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyFieldsSent;

impl fmt::Display for TooManyFieldsSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request has more fields than DATA_UPLOAD_MAX_NUMBER_FIELDS allows")
    }
}

impl std::error::Error for TooManyFieldsSent {}

/// Fields by name; a name may have several values, the last one counts.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct QueryDict(IndexMap<String, Vec<String>>);

impl QueryDict {
    /// Reads `a=1&b=2` as Django does: `+` is a space, bytes that are not UTF-8 become U+FFFD, a
    /// field without `=` is blank. At most `max_fields` fields, counted by their separators.
    ///
    /// # Errors
    /// [`TooManyFieldsSent`].
    pub fn parse(query: &[u8], max_fields: usize) -> Result<Self, TooManyFieldsSent> {
        let mut fields = QueryDict::default();
        each_field(query, max_fields, |name, value| fields.append(name, value))?;
        Ok(fields)
    }

    /// The last value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.last().map(String::as_str)
    }

    /// All values of a field, in the order in which they came.
    pub fn get_list(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a field came, be it blank.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Every name with its last value, in the order in which the names came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter_map(|(name, values)| Some((name.as_str(), values.last()?.as_str())))
    }

    /// Adds a value to a field.
    pub fn append(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.entry(name.into()).or_default().push(value.into());
    }

    /// Replaces all values of a field, which keeps its place.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), vec![value.into()]);
    }

    /// The fields as a query string: spaces become `+` and `/` is escaped.
    pub fn urlencode(&self) -> String {
        let pairs = self.0.iter();
        urlencode(pairs.flat_map(|(name, values)| values.iter().map(move |value| (name, value))))
    }

    /// The fields as a query string in which the characters of `safe` are left as they are; spaces
    /// become `%20`.
    pub fn urlencode_safe(&self, safe: &str) -> String {
        let pairs = self.0.iter();
        let pairs = pairs.flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        let fields =
            pairs.map(|(name, value)| format!("{}={}", quote(name, safe), quote(value, safe)));
        fields.collect::<Vec<_>>().join("&")
    }
}

/// Shows the names alone: values may be passwords.
impl fmt::Debug for QueryDict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Shows the fields of a query as [`QueryDict::parse`] reads them, in the order in which they came.
pub(crate) fn each_field(
    query: &[u8],
    max_fields: usize,
    mut f: impl FnMut(Cow<'_, str>, Cow<'_, str>),
) -> Result<(), TooManyFieldsSent> {
    if query.is_empty() {
        return Ok(());
    }
    if query.iter().filter(|&&byte| byte == b'&').count() >= max_fields {
        return Err(TooManyFieldsSent);
    }
    let text: Cow<'_, str> = match std::str::from_utf8(query) {
        Ok(text) => text.into(),
        // Python reads what is not UTF-8 as Latin-1.
        Err(_) => query.iter().copied().map(char::from).collect(),
    };
    // By bytes: fields are too short for a search that is made for long texts.
    for field in text.as_bytes().split(|&byte| byte == b'&') {
        if field.is_empty() {
            continue;
        }
        let equals = field.iter().position(|&byte| byte == b'=');
        let (name, value) = field.split_at(equals.unwrap_or(field.len()));
        f(decode(name), decode(value.get(1..).unwrap_or_default()));
    }
    Ok(())
}

/// A part of UTF-8 between two characters of ASCII, and so UTF-8 itself.
fn decode(text: &[u8]) -> Cow<'_, str> {
    if !text.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return String::from_utf8_lossy(text);
    }
    let spaced: Vec<u8> = text
        .iter()
        .map(|&byte| if byte == b'+' { b' ' } else { byte })
        .collect();
    let bytes = percent_decode(&spaced);
    String::from_utf8_lossy(&bytes).into_owned().into()
}
