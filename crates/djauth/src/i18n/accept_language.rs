//! Which language a client wants: `get_language_from_request` of `django.utils.translation`.

use super::Language;
use crate::settings::Settings;

/// The most of a language code or of `Accept-Language` that is looked at, as in Django since
/// CVE-2023-23969 and CVE-2024-39614.
const MAX_LENGTH: usize = 500;

impl Language {
    /// The language for a value of `Accept-Language` among those of `LANGUAGES`; without a match,
    /// that of `LANGUAGE_CODE`.
    pub fn negotiate(accept_language: &str, settings: &Settings) -> Language {
        negotiate(None, accept_language, settings)
    }

    /// The language of `LANGUAGE_CODE`, or English where it has no texts.
    pub fn configured(settings: &Settings) -> Language {
        Language::find(&settings.language_code).unwrap_or_default()
    }
}

/// The language of the cookie, or else that of the header, or else that of `LANGUAGE_CODE`.
pub(crate) fn negotiate(
    cookie: Option<&str>,
    accept_language: &str,
    settings: &Settings,
) -> Language {
    let offered = |code: &str| {
        let found = supported(code, &settings.languages)?;
        Language::find(found)
    };
    let accepted = || {
        let wanted = parse_accept_language(accept_language).into_iter();
        wanted
            .take_while(|(code, _)| *code != "*")
            .find_map(|(code, _)| offered(code))
    };
    let chosen = cookie.and_then(offered).or_else(accepted);
    chosen.unwrap_or_else(|| Language::configured(settings))
}

/// The supported code that a code means: itself, or one of its more general forms, or else a more
/// special form of its language. Mirrors `get_supported_language_variant`.
pub(super) fn supported<'a, S: AsRef<str>>(code: &str, supported: &'a [S]) -> Option<&'a str> {
    let code = bounded(code, b'-')?;
    let known = |code: &str| {
        let mut known = supported.iter().map(AsRef::as_ref);
        known.find(|known| known.eq_ignore_ascii_case(code))
    };
    let general = std::iter::successors(Some(code), |code| Some(code.rsplit_once('-')?.0));
    general
        .filter(|code| !code.is_empty())
        .find_map(known)
        .or_else(|| {
            let language = code.split('-').next()?;
            let mut known = supported.iter().map(AsRef::as_ref);
            known.find(|known| {
                let sub = known.get(..language.len()).zip(known.get(language.len()..));
                sub.is_some_and(|(start, rest)| {
                    start.eq_ignore_ascii_case(language) && rest.starts_with('-')
                })
            })
        })
}

/// The text, cut at the last separator within the bound if it is longer.
fn bounded(text: &str, separator: u8) -> Option<&str> {
    if text.len() <= MAX_LENGTH {
        return Some(text);
    }
    let head = &text.as_bytes()[..MAX_LENGTH];
    let end = head
        .iter()
        .rposition(|byte| *byte == separator)
        .filter(|end| *end > 0)?;
    text.get(..end)
}

/// The codes of an `Accept-Language`, the most wanted first. None if any of it is malformed.
fn parse_accept_language(header: &str) -> Vec<(&str, u16)> {
    let Some(header) = bounded(header, b',') else {
        return Vec::new();
    };
    let header = header.trim();
    let header = header.strip_suffix(',').unwrap_or(header);
    let items: Option<Vec<_>> = header.split(',').map(language_range).collect();
    let mut items = items.unwrap_or_default();
    items.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    items
}

/// `de-AT;q=0.8`: the code and its weight in thousandths.
fn language_range(item: &str) -> Option<(&str, u16)> {
    let (code, weight) = match item.split_once(';') {
        Some((code, weight)) => (code.trim(), quality(weight.trim())?),
        None => (item.trim(), 1000),
    };
    (code == "*" || is_language_range(code)).then_some((code, weight))
}

fn quality(weight: &str) -> Option<u16> {
    let number = weight.strip_prefix(['q', 'Q'])?.strip_prefix('=')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

fn is_language_range(code: &str) -> bool {
    let mut parts = code.split('-');
    let first = parts.next().unwrap_or_default();
    is_subtag(first, |byte| byte.is_ascii_alphabetic())
        && parts.all(|part| is_subtag(part, |byte| byte.is_ascii_alphanumeric()))
}

fn is_subtag(text: &str, good: impl Fn(u8) -> bool) -> bool {
    (1..=8).contains(&text.len()) && text.bytes().all(good)
}

/// Whether the text has the form of a language code, such as `en`, `pt-br` or `sr@latin`.
pub(crate) fn is_language_code(text: &str) -> bool {
    let (code, variant) = text.split_once('@').unwrap_or((text, "x"));
    let variant = (1..=20).contains(&variant.len())
        && variant.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= MAX_LENGTH && variant && is_language_range(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings() -> Settings {
        let key = "a key for the tests of languages, long enough";
        Settings::new(crate::SecretKey::new(key).unwrap())
    }

    fn codes(header: &str) -> Vec<&str> {
        parse_accept_language(header)
            .into_iter()
            .map(|(code, _)| code)
            .collect()
    }

    /// Answers of Django 6.1's `parse_accept_lang_header`.
    #[test]
    fn headers_are_read_as_django_reads_them() {
        for (header, expected) in [
            ("", &[][..]),
            ("pt", &["pt"]),
            ("es,de", &["es", "de"]),
            ("es;q=0.75, de-AT , fr;q=1.0", &["de-AT", "fr", "es"]),
            ("de;q=0.5,*;q=0.1,pl ;q=0.7", &["pl", "de", "*"]),
            ("de;q=0.,fr;q=0.001", &["fr", "de"]),
            ("de;q=1.5", &[]),
            ("de;q=0.1234", &[]),
            ("de;q=x", &[]),
            ("de,,fr", &[]),
            ("de_AT", &[]),
            ("abcdefghi", &[]),
            ("de;q=1;q=0", &[]),
            ("12-345", &[]),
            ("de, ", &["de"]),
            (",de", &[]),
            ("de; q=0.5 ,fr", &["fr", "de"]),
            ("de;Q=0.5\t,fr;q=1.000", &["fr", "de"]),
            ("de;q =0.5", &[]),
            ("de;q= 0.5", &[]),
            ("de;q=1.0001", &[]),
            ("de;q=.5", &[]),
            ("*-de", &[]),
            ("de-", &[]),
            ("de;", &[]),
        ] {
            assert_eq!(codes(header), expected, "{header}");
        }
    }

    #[test]
    fn general_and_special_forms_stand_in() {
        let offered = ["de", "pt-br", "zh-hans"];
        for (code, expected) in [
            ("de", Some("de")),
            ("DE-at", Some("de")),
            ("de-1996-x", Some("de")),
            ("pt", Some("pt-br")),
            ("pt-PT", Some("pt-br")),
            ("zh-Hans-CN", Some("zh-hans")),
            ("z", None),
            ("fr", None),
            ("", None),
            ("-de", None),
            ("é", None),
        ] {
            assert_eq!(supported(code, &offered), expected, "{code}");
        }
    }

    #[test]
    fn the_cookie_wins_and_only_offered_languages_count() {
        let mut settings = settings();
        settings.languages = vec!["en-gb".into(), "xx".into()];
        assert_eq!(negotiate(Some("en"), "xx", &settings), Language::ENGLISH);
        assert_eq!(negotiate(None, "xx,en", &settings), Language::ENGLISH);
        assert_eq!(
            negotiate(Some("nonsense/"), "*", &settings),
            Language::ENGLISH
        );
    }

    #[test]
    fn codes_of_settings() {
        for good in ["en", "en-us", "zh-Hans", "sr@latin", "es-419"] {
            assert!(is_language_code(good), "{good}");
        }
        for bad in ["", "e n", "en_US", "en-", "sr@", "abcdefghi", "en\n"] {
            assert!(!is_language_code(bad), "{bad:?}");
        }
    }

    /// CVE-2023-23969, CVE-2024-39614, CVE-2026-77050, CVE-2026-15337: no more is looked at than a
    /// bounded part. Read in full, this would take hours.
    #[test]
    fn cve_2023_23969_cve_2024_39614_cve_2026_77050_cve_2026_15337_long_language_codes_cost_nothing()
     {
        let settings = settings();
        for text in [
            "de-".repeat(1 << 21),
            "de,".repeat(1 << 21),
            "a-,".repeat(1 << 21),
            "x".repeat(1 << 22),
            ";".repeat(1 << 22),
            "\u{e9}".repeat(1 << 21),
            format!("de{}", ";q=0.1,de".repeat(1 << 19)),
        ] {
            for _ in 0..500 {
                negotiate(Some(&text), &text, &settings);
                Language::find(&text);
            }
            assert!(parse_accept_language(&text).len() <= MAX_LENGTH);
            assert!(bounded(&text, b',').is_none_or(|head| head.len() <= MAX_LENGTH));
        }
    }

    proptest! {
        #[test]
        fn any_header_has_a_language(header in "[a-z0-9,;=q.*\u{e9} -]{0,600}") {
            negotiate(Some(&header), &header, &settings());
            for (_, weight) in parse_accept_language(&header) {
                prop_assert!(weight <= 1000);
            }
        }
    }
}
