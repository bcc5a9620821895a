//! That every catalogue is complete, and that the code names no key that there is none of.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::{Piece, Text, pieces};
use super::*;

mod sources;

type Names = BTreeSet<String>;

fn names(text: &str) -> Names {
    let name = |piece| match piece {
        Piece::Name(name) => Some(name.to_owned()),
        Piece::Text(_) => None,
    };
    pieces(text).filter_map(name).collect()
}

/// The forms of a text by category; a plain text has one that stands for all.
fn forms(text: &Text) -> BTreeMap<&str, &str> {
    match text {
        Text::Plain(text) => BTreeMap::from([("", &**text)]),
        Text::Plural(forms) => forms.iter().map(|(name, text)| (*name, &**text)).collect(),
    }
}

fn placeholders(text: &Text) -> Names {
    forms(text).values().flat_map(|text| names(text)).collect()
}

#[test]
fn every_catalogue_can_be_read() {
    for (code, _, files) in SHIPPED {
        Catalogue::parse_all(&files).unwrap_or_else(|error| panic!("{code}: {error}"));
    }
}

#[test]
fn codes_are_those_that_find_them() {
    for language in Language::all() {
        assert_eq!(Language::find(language.code()), Some(language));
        assert!(is_language_code(language.code()));
    }
    assert_eq!(Language::ENGLISH.code(), "en");
    assert_eq!(Language::find("en-us"), Some(Language::ENGLISH));
    assert_eq!(Language::find("tlh"), None);
}

#[test]
fn texts_have_the_placeholders_of_english() {
    let english = Language::ENGLISH.catalogue().texts();
    for language in Language::all() {
        for (key, text) in language.catalogue().texts() {
            let context = format!("{}: {key}", language.code());
            let original = english.get(key);
            let original = original.unwrap_or_else(|| panic!("{context}: not in English"));
            assert_eq!(placeholders(text), placeholders(original), "{context}");
            for (category, form) in forms(text) {
                assert!(!form.trim().is_empty(), "{context} {category}: empty");
                // Zero, one and two can be words.
                if matches!(category, "few" | "many" | "other") {
                    assert_eq!(names(form), placeholders(original), "{context} {category}");
                }
            }
        }
    }
}

#[test]
fn plural_texts_have_every_category_of_their_language() {
    for language in Language::all() {
        let expected = plural::categories(language.code());
        let expected: BTreeSet<_> = expected.iter().map(|category| category.name()).collect();
        for (key, text) in language.catalogue().texts() {
            let has: BTreeSet<_> = forms(text).into_keys().collect();
            let context = format!("{}: {key}", language.code());
            assert!(
                has == BTreeSet::from([""]) || has == expected,
                "{context}: {has:?}"
            );
        }
    }
}

#[test]
fn unknown_keys_and_fields_are_shown_as_they_are() {
    assert_eq!(
        gettext(Language::ENGLISH, "No such key.", &[]),
        "No such key."
    );
    assert_eq!(field_name(Language::ENGLISH, "email"), "email address");
    assert_eq!(
        field_name(Language::ENGLISH, "badge_number"),
        "badge number"
    );
}

#[test]
fn plural_forms_follow_the_number() {
    let text = |n: u32| {
        let params = [("min_length", n.to_string())];
        gettext(Language::ENGLISH, "help.password_too_short", &params)
    };
    assert_eq!(text(1), "Use at least 1 character.");
    assert_eq!(text(8), "Use at least 8 characters.");
}

#[test]
fn a_value_in_html_is_escaped_unless_it_is_html() {
    let key = "<{verbose_name}>";
    let params = [("verbose_name", "<b>x</b>".to_owned())];
    assert_eq!(
        gettext_html(Language::ENGLISH, key, &params),
        "&lt;<b>x</b>&gt;"
    );
}

/// A text that is as in English was likely forgotten.
#[test]
fn texts_are_translated() {
    let english = Language::ENGLISH.catalogue().texts();
    for language in Language::all().filter(|language| *language != Language::ENGLISH) {
        for (key, text) in language.catalogue().texts() {
            let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).count();
            for form in forms(text).values().filter(|form| letters(form) > 20) {
                let same = forms(&english[key])
                    .values()
                    .any(|original| original == form);
                assert!(!same, "{}: {key} is English", language.code());
            }
        }
    }
}

#[test]
fn scripts_are_those_of_the_language() {
    for (code, from, to) in [
        ("ar", '\u{600}', '\u{6ff}'),
        ("he", '\u{590}', '\u{5ff}'),
        ("ja", '\u{3040}', '\u{9fff}'),
    ] {
        let language = Language::find(code).unwrap();
        assert_eq!(language.is_rtl(), code != "ja");
        for (key, text) in language.catalogue().texts() {
            for form in forms(text).values().filter(|form| !form.starts_with('{')) {
                assert!(
                    form.chars().any(|c| (from..=to).contains(&c)),
                    "{code}: {key}"
                );
            }
        }
    }
}
/// What lets a catalogue out: a text in another one is shown in English only until it is translated.
#[test]
fn every_text_is_in_every_language() {
    let english = Language::ENGLISH.catalogue().texts();
    for language in Language::all() {
        let texts = language.catalogue().texts();
        let missing: Vec<_> = english
            .keys()
            .filter(|key| !texts.contains_key(*key))
            .collect();
        assert!(missing.is_empty(), "{}: {missing:?}", language.code());
    }
}
