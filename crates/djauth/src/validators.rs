//! Rules for single values: `django.contrib.auth.validators`, and the error that a rule answers
//! with (`django.core.exceptions.ValidationError`).

use std::borrow::Cow;
use std::fmt;

use crate::i18n::{Language, field_name, gettext};
use unicode_general_category::{GeneralCategory as Category, get_general_category};

/// Why a value is not accepted: a stable code for programs and a sentence for people, in the language
/// that they read.
///
/// ```
/// use djauth::validators::ValidationError;
/// use djauth::i18n::Language;
///
/// let error = ValidationError::of("password_too_short").param("min_length", 8);
/// assert_eq!(error.code(), "password_too_short");
/// assert_eq!(error.message(), "The password is too short: use at least 8 characters.");
/// let german = Language::find("de").unwrap_or_default();
/// assert!(error.message_in(german).contains('8'));
///
/// let own = ValidationError::new("reserved", "That name is kept for us.");
/// assert_eq!(own.message_in(german), own.message());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationError {
    code: &'static str,
    text: Text,
    params: Vec<(&'static str, String)>,
    fields: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Text {
    /// As it is, in whatever language.
    Literal(Cow<'static, str>),
    /// A key of the catalogue.
    Key(Cow<'static, str>),
}

impl ValidationError {
    /// An error of a rule of your own. The message must hold no secret: it is shown.
    pub fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::with(code, Text::Literal(message.into()))
    }

    /// An error under Django's code, whose text is that of the key `error.<code>`.
    pub fn of(code: &'static str) -> Self {
        Self::with(code, Text::Key(format!("error.{code}").into()))
    }

    /// An error under Django's code with the text of a key, where one code has several texts.
    pub fn keyed(code: &'static str, key: &'static str) -> Self {
        Self::with(code, Text::Key(key.into()))
    }

    fn with(code: &'static str, text: Text) -> Self {
        let (params, fields) = (Vec::new(), Vec::new());
        Self {
            code,
            text,
            params,
            fields,
        }
    }

    /// Adds a value that the message speaks of, under Django's name.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers give numbers and texts as they have them"
    )]
    pub fn param(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.push((name, value.to_string()));
        self
    }

    /// Adds the name of a model's field that the message speaks of, which is shown in the language of
    /// the message.
    pub fn field_param(mut self, name: &'static str, field: &str) -> Self {
        self.params
            .push((name, field_name(Language::ENGLISH, field)));
        self.fields.push((name, field.to_owned()));
        self
    }

    /// Django's code of the rule, such as `invalid` or `password_too_short`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence in English.
    pub fn message(&self) -> Cow<'_, str> {
        self.message_in(Language::ENGLISH)
    }

    /// The sentence in a language.
    pub fn message_in(&self, language: Language) -> Cow<'_, str> {
        match &self.text {
            Text::Literal(text) => Cow::Borrowed(text),
            Text::Key(key) => Cow::Owned(gettext(language, key, &self.params_in(language))),
        }
    }

    /// The values that the message speaks of, names of fields in English.
    pub fn params(&self) -> &[(&'static str, String)] {
        &self.params
    }

    fn params_in(&self, language: Language) -> Vec<(&'static str, String)> {
        let mut params = self.params.clone();
        for (name, value) in &mut params {
            if let Some((_, field)) = self.fields.iter().find(|(known, _)| known == name) {
                *value = field_name(language, field);
            }
        }
        params
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
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
        check(value, is_word, "error.invalid_username")
    }
}

impl ASCIIUsernameValidator {
    /// # Errors
    /// With the code `invalid`.
    pub fn validate(&self, value: &str) -> Result<(), ValidationError> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        check(value, is_word, "error.invalid_ascii_username")
    }
}

fn check(
    value: &str,
    is_word: impl Fn(char) -> bool,
    key: &'static str,
) -> Result<(), ValidationError> {
    let allowed = |c| is_word(c) || matches!(c, '.' | '@' | '+' | '-');
    if !value.is_empty() && value.chars().all(allowed) {
        return Ok(());
    }
    Err(ValidationError::keyed("invalid", key))
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
