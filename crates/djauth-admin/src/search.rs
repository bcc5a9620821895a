//! The search of a list: Django's `get_search_results`.
//!
//! Words are split as Django's `smart_split` splits them. Each must be found in some field, all of them in
//! the same row.

use chrono_tz::Tz;
use djauth::models::Q;

use crate::lookups;
use crate::model::ModelInfo;

/// The words of a search: separated by white space, which quotes keep together.
pub(crate) fn smart_split(text: &str) -> Vec<&str> {
    let mut rest = text.trim_start_matches(is_space);
    let mut bits = Vec::new();
    while !rest.is_empty() {
        let end = quoted_bit(rest).unwrap_or_else(|| rest.find(is_space).unwrap_or(rest.len()));
        let (bit, after) = rest.split_at(end);
        bits.push(bit);
        rest = after.trim_start_matches(is_space);
    }
    bits
}

/// Python's white space: a few control characters more than Rust's.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Where a bit with something quoted in it ends; `None`: no quote is closed.
fn quoted_bit(text: &str) -> Option<usize> {
    let mut end = plain(text);
    let mut found = None;
    while let Some(length) = quotation(&text[end..]) {
        end += length;
        end += plain(&text[end..]);
        found = Some(end);
    }
    found
}

/// How long the beginning without white space and quotes is.
fn plain(text: &str) -> usize {
    text.find(|c| is_space(c) || matches!(c, '"' | '\''))
        .unwrap_or(text.len())
}

/// How long a quotation at the beginning is, with its quotes.
fn quotation(text: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    let (_, quote) = characters.next().filter(|(_, c)| matches!(c, '"' | '\''))?;
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => {
                characters.next().filter(|(_, c)| *c != '\n')?;
            }
            c if c == quote => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

/// A bit that begins and ends with the same quote, without them.
fn unquoted(bit: &str) -> String {
    let quote = bit.chars().next().filter(|c| matches!(c, '"' | '\''));
    match quote.filter(|quote| bit.ends_with(*quote)) {
        Some(quote) => {
            let inner = bit.get(1..bit.len() - 1).unwrap_or_default();
            let inner = inner.replace(&format!("\\{quote}"), &quote.to_string());
            inner.replace("\\\\", "\\")
        }
        None => bit.to_owned(),
    }
}

/// Words that are looked for at once.
const MOST_WORDS: usize = 32;

/// The words of a search without the quotes around them; what is beyond [`MOST_WORDS`] is left out.
pub(crate) fn words(text: &str) -> Vec<String> {
    let bits = smart_split(text).into_iter().take(MOST_WORDS);
    bits.map(unquoted).collect()
}

/// Rows in which every word of `text` is found in one of the fields. `None`: all rows.
pub(crate) fn search(info: &ModelInfo, zone: Tz, fields: &[String], text: &str) -> Option<Q> {
    let bits = smart_split(text);
    if fields.is_empty() || bits.is_empty() {
        return None;
    }
    let found = |bit: &str| {
        let bit = [unquoted(bit)];
        let in_field = fields.iter().map(|field| lookup(info, field));
        Q::any_of(in_field.filter_map(|field| lookups::parse(info, zone, &field, &bit).ok()))
    };
    Some(Q::all_of(bits.into_iter().map(found)))
}

/// What a search field asks for: Django's `construct_search`. Full text (`@`) is looked for as a part.
fn lookup(info: &ModelInfo, field: &str) -> String {
    let marks = [("^", "istartswith"), ("=", "iexact"), ("@", "icontains")];
    for (mark, lookup) in marks {
        if let Some(name) = field.strip_prefix(mark) {
            return format!("{name}__{lookup}");
        }
    }
    let is_bare = info.field(field).is_some() || field == "pk";
    let lookup = if is_bare { "__icontains" } else { "" };
    format!("{field}{lookup}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        for (text, expected) in [
            ("ada  lovelace\t", vec!["ada", "lovelace"]),
            ("\"ada lovelace\" x", vec!["\"ada lovelace\"", "x"]),
            ("a'b c'd e", vec!["a'b c'd", "e"]),
            (r#""a \" b""#, vec![r#""a \" b""#]),
            ("\"open end", vec!["\"open", "end"]),
            ("a\"b\"c\"d e", vec!["a\"b\"c", "\"d", "e"]),
            ("", vec![]),
        ] {
            assert_eq!(smart_split(text), expected, "{text}");
        }
    }

    #[test]
    fn texts_are_split_as_django_splits_them() {
        let vectors = include_str!("../tests/data/lists.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).expect("JSON");
        for pair in vectors["smart_split"].as_array().expect("texts") {
            let text = pair[0].as_str().expect("a text");
            assert_eq!(pair[1], serde_json::json!(smart_split(text)), "{text}");
        }
    }

    #[test]
    fn quotes_around_a_word_are_taken_off() {
        for (bit, expected) in [
            ("\"a b\"", "a b"),
            (r#""a\"b\\""#, r#"a"b\"#),
            ("'", ""),
            ("a\"b\"", "a\"b\""),
            ("\"ä\"", "ä"),
        ] {
            assert_eq!(unquoted(bit), expected, "{bit}");
        }
    }

    proptest! {
        #[test]
        fn nothing_gets_lost(text in "[a'\" \\\\ä\u{1f}\n]{0,24}") {
            let bits = smart_split(&text);
            let kept: String = bits.concat().chars().filter(|c| !is_space(*c)).collect();
            let sent: String = text.chars().filter(|c| !is_space(*c)).collect();
            prop_assert_eq!(kept, sent);
            for bit in bits {
                let _ = unquoted(bit);
            }
        }
    }
}
