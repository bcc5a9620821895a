//! What a session holds.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::python::{self, PyStr, Value, escape, unescape};
use crate::{json, pickle};

/// The dictionary of a session, in insertion order.
///
/// Values that nobody touches are written again as they were read: JSON byte for byte (integers of any
/// size, `NaN`, `1e400`, escapes, lone surrogates), pickled values with their Python types. A value that
/// is set here has its JSON form, as with Django's serializer.
#[derive(Clone, Default, PartialEq)]
pub struct SessionData {
    /// Keys in the escaped form of JSON, which is one to one with Python's strings and, for plain keys,
    /// the key itself.
    entries: IndexMap<Box<str>, Item>,
    /// Entries of a pickled session whose keys are no strings: only carried.
    foreign: Vec<(Value, Value)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Item {
    Json(Box<str>),
    Python(Value),
}

impl Item {
    fn memory(&self) -> usize {
        match self {
            Item::Json(raw) => raw.len(),
            Item::Python(_) => 256,
        }
    }

    fn json(&self) -> Result<Cow<'_, str>> {
        match self {
            Item::Json(raw) => Ok(Cow::Borrowed(raw)),
            Item::Python(value) => value.to_json().map(Cow::Owned),
        }
    }

    fn python(&self) -> Result<Cow<'_, Value>> {
        match self {
            Item::Python(value) => Ok(Cow::Borrowed(value)),
            Item::Json(raw) => python::from_json(raw).map(Cow::Owned).ok_or_else(|| {
                Error::not_carried(
                    "the session holds JSON that is too deep or too large to be pickled",
                )
            }),
        }
    }
}

impl SessionData {
    /// No entries.
    pub fn new() -> Self {
        SessionData::default()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.foreign.is_empty()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len() + self.foreign.len()
    }

    /// About how many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        /// An entry of the map, with its place in the index.
        const ENTRY: usize = 96;
        let entries = self.entries.iter();
        let known: usize = entries
            .map(|(key, item)| ENTRY + key.len() + item.memory())
            .sum();
        // Objects of Python are never read from rows.
        size_of::<Self>() + known + self.foreign.len() * ENTRY * 4
    }

    /// The keys in insertion order; a lone surrogate in a key shows as U+FFFD.
    pub fn keys(&self) -> impl Iterator<Item = String> + '_ {
        self.entries.keys().map(|key| {
            unescape(key)
                .map(|text| text.to_string())
                .unwrap_or_default()
        })
    }

    /// Whether the key is there (Django's `in`).
    pub fn contains_key(&self, key: &str) -> bool {
        self.entries.contains_key(&*escaped(key))
    }

    /// The value as JSON text; `None` if the key is absent.
    ///
    /// # Errors
    /// [`ErrorKind::NotCarried`] if the value has no JSON form.
    pub fn get_json(&self, key: &str) -> Result<Option<Cow<'_, str>>> {
        self.item(key).map(Item::json).transpose()
    }

    /// The value; `None` if the key is absent.
    ///
    /// # Errors
    /// [`ErrorKind::WrongType`] if `T` cannot hold the value, [`ErrorKind::NotCarried`] if it has no JSON form.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        self.get_json(key)?.map(|raw| parse(&raw)).transpose()
    }

    /// The value if it is a string. Absent, another type, and text with a lone surrogate are all `None`:
    /// the form for reading the keys that authentication keeps in the session.
    pub fn get_str(&self, key: &str) -> Option<Cow<'_, str>> {
        match self.item(key)? {
            Item::Python(value) => value.as_str().map(Cow::Borrowed),
            Item::Json(raw) => json_str(raw),
        }
    }

    /// The value as Python has it; `None` if the key is absent or the value is too deep to convert.
    pub fn get_value(&self, key: &str) -> Option<Value> {
        Some(self.item(key)?.python().ok()?.into_owned())
    }

    /// Sets a value. A key that exists keeps its place, as in a Python dict.
    ///
    /// # Errors
    /// [`ErrorKind::NotCarried`] if the value has no JSON form.
    pub fn insert<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<()> {
        let raw = djauth_signing::json::to_string(value).map_err(|source| {
            Error::with_source(ErrorKind::NotCarried, "the value has no JSON form", source)
        })?;
        self.put(key, Item::Json(raw.into()));
        Ok(())
    }

    /// Sets a value from JSON text, which is kept as it is.
    ///
    /// # Errors
    /// [`ErrorKind::NotCarried`] if the text is not one JSON value.
    pub fn insert_json(&mut self, key: &str, raw: &str) -> Result<()> {
        if !raw.is_ascii() || !json::is_value(raw) {
            return Err(Error::not_carried("the text is no JSON in ASCII"));
        }
        self.put(
            key,
            Item::Json(raw.trim_matches([' ', '\t', '\n', '\r']).into()),
        );
        Ok(())
    }

    /// Sets everything that `other` holds, as it is.
    pub fn update(&mut self, other: &SessionData) {
        for (key, item) in &other.entries {
            self.entries.insert(key.clone(), item.clone());
        }
        for (key, value) in &other.foreign {
            self.put_foreign(key.clone(), value.clone());
        }
    }

    /// Removes a key; false if it was not there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.entries.shift_remove(&*escaped(key)).is_some()
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.foreign.clear();
    }

    /// The JSON that Django's serializer writes: no spaces, ASCII only.
    ///
    /// # Errors
    /// [`ErrorKind::NotCarried`] if a value has no JSON form.
    pub fn to_json(&self) -> Result<String> {
        let mut text = String::with_capacity(64 + 64 * self.entries.len());
        text.push('{');
        for (key, item) in &self.entries {
            push_member(&mut text, key, &item.json()?);
        }
        for (key, value) in &self.foreign {
            push_member(&mut text, &python::key_text(key)?, &value.to_json()?);
        }
        text.push('}');
        Ok(text)
    }

    /// Reads the bytes of a JSON object as Django does (each byte a character). `None` if it is none.
    pub fn from_json(bytes: &[u8]) -> Option<Self> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => Cow::Borrowed(text),
            _ => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
        };
        let mut entries = IndexMap::with_capacity(8);
        json::members(&text, |key, raw| {
            let raw = if raw.is_ascii() {
                raw.into()
            } else {
                ascii(raw)
            };
            entries.insert(canonical(key), Item::Json(raw));
        })?;
        Some(SessionData {
            entries,
            foreign: Vec::new(),
        })
    }

    /// The pickle (protocol 5) that Django's Redis cache stores for such a dictionary.
    ///
    /// # Errors
    /// [`ErrorKind::NotCarried`] if a value can only be kept.
    pub fn to_pickle(&self) -> Result<Vec<u8>> {
        let mut entries = Vec::with_capacity(self.len());
        for (key, item) in &self.entries {
            let key = unescape(key).unwrap_or_else(|| PyStr::from(&**key));
            entries.push((Value::Str(key), item.python()?.into_owned()));
        }
        entries.extend(self.foreign.iter().cloned());
        pickle::dumps(&Value::Dict(entries))
    }

    /// Reads a pickled dictionary. `None` if the bytes are anything else; see [`pickle::loads`].
    pub fn from_pickle(bytes: &[u8]) -> Option<Self> {
        let Some(Value::Dict(pairs)) = pickle::loads(bytes) else {
            return None;
        };
        let mut data = SessionData::new();
        for (key, value) in pairs {
            match key {
                Value::Str(key) => drop(
                    data.entries
                        .insert(escape(&key).into(), Item::Python(value)),
                ),
                other => data.put_foreign(other, value),
            }
        }
        Some(data)
    }

    fn put_foreign(&mut self, key: Value, value: Value) {
        self.foreign.retain(|(known, _)| *known != key);
        self.foreign.push((key, value));
    }

    fn item(&self, key: &str) -> Option<&Item> {
        self.entries.get(&*escaped(key))
    }

    fn put(&mut self, key: &str, item: Item) {
        self.entries.insert(escaped(key).into(), item);
    }
}

/// Keys only: values of a session are not for logs.
impl fmt::Debug for SessionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}

fn parse<T: DeserializeOwned>(raw: &str) -> Result<T> {
    serde_json::from_str(raw).map_err(|_| {
        // The parser's message would quote the value.
        Error::new(
            ErrorKind::WrongType,
            "the session's value has another type than the one asked for",
        )
    })
}

fn push_member(text: &mut String, key: &str, raw: &str) {
    if text.len() > 1 {
        text.push(',');
    }
    text.push('"');
    text.push_str(key);
    text.push_str("\":");
    text.push_str(raw);
}

fn is_plain(key: &str) -> bool {
    key.bytes()
        .all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\')
}

/// The escaped form of a key.
fn escaped(key: &str) -> Cow<'_, str> {
    if is_plain(key) {
        Cow::Borrowed(key)
    } else {
        Cow::Owned(escape(&key.into()))
    }
}

/// The one escaped form of a key that JSON may write in several ways.
fn canonical(raw: &str) -> Box<str> {
    if is_plain(raw) {
        return raw.into();
    }
    unescape(raw).map_or_else(|| raw.into(), |text| escape(&text).into())
}

/// Foreign JSON with characters beyond ASCII, escaped as Python would write them again.
fn ascii(raw: &str) -> Box<str> {
    let mut text = String::with_capacity(raw.len() + 16);
    for character in raw.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            text.push_str(&escape(&PyStr::from(&*character.encode_utf8(&mut [0; 4]))));
        }
    }
    text.into()
}

fn json_str(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if is_plain(inner) {
        return Some(Cow::Borrowed(inner));
    }
    unescape(inner)?
        .as_str()
        .map(|text| Cow::Owned(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_nobody_touches_stays_byte_for_byte() {
        let text = r#"{"n":123456789012345678901234567890,"f":1e400,"x":NaN,"y":-Infinity,"s":"\ud800\u00e9","l":[1, 2],"\u00e9":1.10}"#;
        let mut data = SessionData::from_json(text.as_bytes()).unwrap();
        data.insert("new", &true).unwrap();
        assert_eq!(
            data.to_json().unwrap(),
            text.replace("1.10}", r#"1.10,"new":true}"#)
        );
        assert!(data.remove("new"));
        assert_eq!(data.to_json().unwrap(), text);
    }

    #[test]
    fn the_last_of_equal_keys_wins_at_the_place_of_the_first() {
        let data = SessionData::from_json(br#"{"a":1,"b":2,"\u0061":3}"#).unwrap();
        assert_eq!(data.to_json().unwrap(), r#"{"a":3,"b":2}"#);
        assert_eq!(data.keys().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn bytes_beyond_ascii_are_characters_of_latin_1() {
        let data = SessionData::from_json(b"{\"k\xe9\":\"\xff\"}").unwrap();
        assert_eq!(data.to_json().unwrap(), r#"{"k\u00e9":"\u00ff"}"#);
        assert_eq!(data.get_str("ké").as_deref(), Some("ÿ"));
    }

    #[test]
    fn typed_access() {
        let mut data = SessionData::new();
        data.insert("user", "1").unwrap();
        data.insert("é\"", &vec![1, 2]).unwrap();
        assert_eq!(data.get::<String>("user").unwrap().as_deref(), Some("1"));
        assert_eq!(data.get::<Vec<u8>>("é\"").unwrap(), Some(vec![1, 2]));
        assert_eq!(
            data.get::<u8>("user").unwrap_err().kind(),
            ErrorKind::WrongType
        );
        assert_eq!(data.get::<u8>("none").unwrap(), None);
        assert_eq!(data.get_str("é\""), None);
        assert!(data.insert_json("bad", "{").is_err());
        assert_eq!(data.to_json().unwrap(), r#"{"user":"1","\u00e9\"":[1,2]}"#);
    }

    #[test]
    fn only_objects_are_sessions() {
        for text in ["[]", "1", "null", "", "{", "{}{}"] {
            assert!(SessionData::from_json(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn a_pickled_object_is_kept_but_never_lost_silently() {
        // {"_auth_user_id": "1", "price": Decimal("1.5"), 7: (1, b"x")}
        let pickle = b"\x80\x04}(\x8c\x0d_auth_user_id\x8c\x011\x8c\x05price\x8c\x07decimal\x8c\x07Decimal\x93\
            \x8c\x031.5\x85RK\x07K\x01C\x01x\x86u.";
        let data = SessionData::from_pickle(pickle).unwrap();
        assert_eq!(data.get_str("_auth_user_id").as_deref(), Some("1"));
        let error = data.to_pickle().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotCarried);
        assert!(error.to_string().contains("decimal.Decimal"));

        let mut without = data.clone();
        assert!(without.remove("price"));
        let again = SessionData::from_pickle(&without.to_pickle().unwrap()).unwrap();
        assert_eq!(again, without);
        assert_eq!(without.to_json().unwrap_err().kind(), ErrorKind::NotCarried);
    }

    #[test]
    fn debug_shows_no_values() {
        let data = SessionData::from_json(br#"{"token":"sesame"}"#).unwrap();
        assert_eq!(format!("{data:?}"), r#"{"token"}"#);
    }

    proptest! {
        #[test]
        fn json_and_pickle_agree(keys in proptest::collection::vec("\\PC{0,6}", 0..5), number in any::<i64>()) {
            let mut data = SessionData::new();
            for key in &keys {
                data.insert(key, &(key, number, Some(true))).unwrap();
            }
            let text = data.to_json().unwrap();
            prop_assert_eq!(SessionData::from_json(text.as_bytes()).unwrap(), data.clone());
            prop_assert_eq!(SessionData::from_pickle(&data.to_pickle().unwrap()).unwrap().to_json().unwrap(), text);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..48)) {
            let _ = SessionData::from_json(&bytes);
            let _ = SessionData::from_pickle(&bytes);
        }
    }
}
