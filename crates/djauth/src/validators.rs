//! Rules for single values: `django.contrib.auth.validators`, and the error that a rule answers
//! with (`django.core.exceptions.ValidationError`).

use std::borrow::Cow;
use std::fmt;

use unicode_general_category::{GeneralCategory as Category, get_general_category};

/// Why a value is not accepted: a stable code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationError {
    code: &'static str,
    message: Cow<'static, str>,
    params: Vec<(&'static str, String)>,
}

impl ValidationError {
    /// An error under Django's code. The message must hold no secret: it is shown.
    pub fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            params: Vec::new(),
        }
    }

    /// Adds a value that the message speaks of, under Django's name.
    pub fn param(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.params.push((name, value.into()));
        self
    }

    /// Django's code of the rule, such as `invalid` or `password_too_short`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The values that the message speaks of.
    pub fn params(&self) -> &[(&'static str, String)] {
        &self.params
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ValidationError {}

/// The default rule for user names: letters and digits of any script, and `@ . + - _`.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnicodeUsernameValidator;

/// The rule for user names in ASCII: letters, digits, and `@ . + - _`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ASCIIUsernameValidator;

impl UnicodeUsernameValidator {
    /// # Errors
    /// With the code `invalid`.
    pub fn validate(&self, value: &str) -> Result<(), ValidationError> {
        check(
            value,
            is_word,
            "Enter a valid username: letters, digits and the characters @ . + - _ only.",
        )
    }
}

impl ASCIIUsernameValidator {
    /// # Errors
    /// With the code `invalid`.
    pub fn validate(&self, value: &str) -> Result<(), ValidationError> {
        check(
            value,
            |c| c.is_ascii_alphanumeric() || c == '_',
            "Enter a valid username: unaccented letters a–z, digits and the characters @ . + - _ \
             only.",
        )
    }
}

fn check(
    value: &str,
    is_word: impl Fn(char) -> bool,
    message: &'static str,
) -> Result<(), ValidationError> {
    let allowed = |c| is_word(c) || matches!(c, '.' | '@' | '+' | '-');
    if !value.is_empty() && value.chars().all(allowed) {
        return Ok(());
    }
    Err(ValidationError::new("invalid", message))
}

/// Python's `\w`: letters, numbers of every kind, and the underscore. Combining marks are none.
pub(crate) fn is_word(c: char) -> bool {
    use Category::*;
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    matches!(
        get_general_category(c),
        UppercaseLetter
            | LowercaseLetter
            | TitlecaseLetter
            | ModifierLetter
            | OtherLetter
            | DecimalNumber
            | LetterNumber
            | OtherNumber
    )
}

/// Python's `str.isdigit` for one character: decimal digits of any script, and what Unicode calls
/// digits besides (superscripts, circled digits), but not fractions.
pub(crate) fn is_digit(c: char) -> bool {
    const BESIDES: [(char, char); 20] = [
        ('\u{b2}', '\u{b3}'),
        ('\u{b9}', '\u{b9}'),
        ('\u{1369}', '\u{1371}'),
        ('\u{19da}', '\u{19da}'),
        ('\u{2070}', '\u{2070}'),
        ('\u{2074}', '\u{2079}'),
        ('\u{2080}', '\u{2089}'),
        ('\u{2460}', '\u{2468}'),
        ('\u{2474}', '\u{247c}'),
        ('\u{2488}', '\u{2490}'),
        ('\u{24ea}', '\u{24ea}'),
        ('\u{24f5}', '\u{24fd}'),
        ('\u{24ff}', '\u{24ff}'),
        ('\u{2776}', '\u{277e}'),
        ('\u{2780}', '\u{2788}'),
        ('\u{278a}', '\u{2792}'),
        ('\u{10a40}', '\u{10a43}'),
        ('\u{10e60}', '\u{10e68}'),
        ('\u{11052}', '\u{1105a}'),
        ('\u{1f100}', '\u{1f10a}'),
    ];
    c.is_ascii_digit()
        || (!c.is_ascii() && get_general_category(c) == Category::DecimalNumber)
        || BESIDES
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unicode_usernames() {
        for value in ["joe", "René", "ᴮᴵᴳᴮᴵᴿᴰ", "أحمد", "a@b.c+d-e_f", "½", "Ⅷ"]
        {
            assert!(UnicodeUsernameValidator.validate(value).is_ok(), "{value}");
        }
        for value in [
            "",
            "o'connell",
            "عبد ال",
            "zero\u{200b}width",
            "joe\n",
            "e\u{301}",
            "a b",
        ] {
            let error = UnicodeUsernameValidator.validate(value).unwrap_err();
            assert_eq!(error.code(), "invalid", "{value:?}");
        }
    }

    #[test]
    fn ascii_usernames() {
        assert!(ASCIIUsernameValidator.validate("glenn@home_1.+-").is_ok());
        for value in ["", "é", "jean marc", "joe\n", "１"] {
            assert!(ASCIIUsernameValidator.validate(value).is_err(), "{value:?}");
        }
    }

    /// CVE-2015-5144: nothing follows a name, no line break and nothing behind one.
    #[test]
    fn cve_2015_5144_a_name_is_one_line() {
        for end in [
            "\n",
            "\r",
            "\r\n",
            "\u{85}",
            "\u{2028}",
            "\nBcc: eve@example.com",
        ] {
            for value in [
                format!("joe{end}"),
                format!("{end}joe"),
                format!("j{end}oe"),
            ] {
                assert!(
                    UnicodeUsernameValidator.validate(&value).is_err(),
                    "{value:?}"
                );
                assert!(
                    ASCIIUsernameValidator.validate(&value).is_err(),
                    "{value:?}"
                );
            }
        }
    }

    #[test]
    fn digits_as_python_sees_them() {
        assert!("0٣３²①🄀".chars().all(is_digit));
        assert!(!"½Ⅷ一x".chars().any(is_digit));
    }
}
