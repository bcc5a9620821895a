//! The texts of one language, read from TOML.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use toml::{Table, Value};

use super::plural::Category;

/// The texts of one language by their keys.
#[derive(Debug, Default)]
pub(super) struct Catalogue(HashMap<String, Text>);

/// A text, with or without plural forms.
#[derive(Debug)]
pub(super) enum Text {
    Plain(String),
    Plural(HashMap<&'static str, String>),
}

impl Catalogue {
    /// Reads a catalogue of several files. `Err` says what is wrong with it.
    pub(super) fn parse_all(files: &[&str]) -> Result<Self, String> {
        let mut catalogue = Catalogue::default();
        for toml in files {
            let table: Table = toml
                .parse()
                .map_err(|error: toml::de::Error| error.to_string())?;
            catalogue.read("", table)?;
        }
        Ok(catalogue)
    }

    fn read(&mut self, prefix: &str, table: Table) -> Result<(), String> {
        for (name, value) in table {
            let key = if prefix.is_empty() {
                name
            } else {
                format!("{prefix}.{name}")
            };
            match value {
                Value::String(text) => self.add(key, Text::Plain(text))?,
                Value::Table(forms) if forms.contains_key(Category::Other.name()) => {
                    let forms = plural_forms(&key, forms)?;
                    self.add(key, Text::Plural(forms))?;
                }
                Value::Table(table) => self.read(&key, table)?,
                _ => return Err(format!("{key} is no text")),
            }
        }
        Ok(())
    }

    /// A key stands once: no file takes the place of a text of another.
    fn add(&mut self, key: String, text: Text) -> Result<(), String> {
        match self.0.entry(key) {
            Entry::Occupied(there) => Err(format!("{} is there twice", there.key())),
            Entry::Vacant(place) => {
                place.insert(text);
                Ok(())
            }
        }
    }

    /// The text of a key, in this plural form if it has several.
    pub(super) fn get(&self, key: &str, category: Category) -> Option<&str> {
        match self.0.get(key)? {
            Text::Plain(text) => Some(text),
            Text::Plural(forms) => {
                let form = forms.get(category.name());
                form.or_else(|| forms.get(Category::Other.name()))
                    .map(String::as_str)
            }
        }
    }

    /// All texts, for the tests.
    #[cfg(test)]
    pub(super) fn texts(&self) -> &HashMap<String, Text> {
        &self.0
    }
}

fn plural_forms(key: &str, table: Table) -> Result<HashMap<&'static str, String>, String> {
    let form = |(name, value): (String, Value)| {
        let category = Category::ALL
            .iter()
            .find(|category| category.name() == name);
        match (category, value) {
            (Some(category), Value::String(text)) => Ok((category.name(), text)),
            _ => Err(format!("{key}.{name} is no plural form")),
        }
    };
    table.into_iter().map(form).collect()
}

/// Replaces `{name}` by the parameter of that name, in one pass: what a value holds is not looked at.
/// A name without a value stays.
pub(super) fn fill(text: &str, params: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Name(name) => {
                let value = params.iter().find(|(known, _)| *known == name);
                filled.push_str(&value.map_or_else(
                    || Cow::Owned(format!("{{{name}}}")),
                    |(_, value)| Cow::Borrowed(value.as_str()),
                ));
            }
        }
    }
    filled
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// A text taken apart at its `{name}`s.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(name) = leading_name(rest) {
            rest = &rest[name.len() + 2..];
            return Some(Piece::Name(name));
        }
        // A brace that opens no name is a character like others.
        let from = if rest.starts_with('{') { 1 } else { 0 };
        let end = rest[from..].find('{').map_or(rest.len(), |at| at + from);
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Text(text))
    })
}

fn leading_name(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_paths_and_forms_are_categories() {
        let toml = "a.b = \"x\"\n[c]\nd = { one = \"y\", other = \"z\" }";
        let catalogue = Catalogue::parse_all(&[toml]).unwrap();
        assert_eq!(catalogue.get("a.b", Category::One), Some("x"));
        assert_eq!(catalogue.get("c.d", Category::One), Some("y"));
        assert_eq!(catalogue.get("c.d", Category::Few), Some("z"));
        assert_eq!(catalogue.get("a", Category::Other), None);
        for wrong in [
            "a = 1",
            "a = { other = \"x\", some = \"y\" }",
            "a = { other = 1 }",
            "a",
        ] {
            assert!(Catalogue::parse_all(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_stands_in_one_file() {
        for second in ["a.b = \"y\"", "[a.b]\none = \"y\"\nother = \"z\""] {
            let both = Catalogue::parse_all(&["a.b = \"x\"", second]);
            assert_eq!(both.unwrap_err(), "a.b is there twice");
        }
        assert!(Catalogue::parse_all(&["a.b = \"x\"", "a.c = \"y\""]).is_ok());
    }

    #[test]
    fn values_are_put_in_once() {
        let params = [("a", "{b}".to_owned()), ("b", "x".to_owned())];
        assert_eq!(
            fill("{a}, {b}, {c}; {, {}, {{a}}, }", &params),
            "{b}, x, {c}; {, {}, {{b}}, }"
        );
    }

    proptest! {
        #[test]
        fn a_text_without_values_stays(text in "[{}a-c_ é]{0,40}") {
            prop_assert_eq!(fill(&text, &[]), text);
        }
    }
}
