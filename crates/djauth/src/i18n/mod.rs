//! Messages in the language of their reader: what `django.utils.translation` is to Django.
//!
//! Every text that a page, a form or a mail shows has a key, and stands under it in the catalogue of
//! each language: `locale/<code>.toml`, and `locale/admin/<code>.toml` for the admin, as data. English is where the keys are written first; a text
//! that another catalogue lacks is shown in English, and what is no key at all is shown as it is.
//!
//! ```
//! use djauth::i18n::{Language, gettext};
//!
//! let params = [("min_length", "8".to_owned())];
//! let key = "help.password_too_short";
//! assert_eq!(gettext(Language::ENGLISH, key, &params), "Use at least 8 characters.");
//! let german = Language::find("de-AT").unwrap();
//! assert_eq!(gettext(german, key, &params), "Verwenden Sie mindestens 8 Zeichen.");
//! ```
//!
//! # Which language
//!
//! [`Request::language`](crate::Request::language) decides as Django's `LocaleMiddleware`: the cookie
//! `LANGUAGE_COOKIE_NAME`, then `Accept-Language`, then `LANGUAGE_CODE`, among those that `LANGUAGES`
//! offers. Where it was asked, the response says so: `Content-Language`, and `Vary` with
//! `Accept-Language` and `Cookie`. `USE_ACCEPT_LANGUAGE = false` leaves `LANGUAGE_CODE` alone, as a
//! Django without that middleware. Outside of a request (mails of a command, pages of the server
//! itself) it is `LANGUAGE_CODE` too.
//!
//! # In templates
//!
//! `{{ t("login.title") }}` is the text in the language of the page, `{{ t("profile.as", username=name) }}`
//! one with a value. A value that is safe HTML (`{% set name %}<b>…</b>{% endset %}`) stays what it is;
//! everything else is escaped. `lang` and `dir` are for `<html>`.
//!
//! # A catalogue
//!
//! ```toml
//! login.title = "Log in"
//! error.max_length = { one = "Use at most {limit_value} character.", other = "Use at most {limit_value} characters." }
//! ```
//!
//! A key is a path of names. `{name}` is replaced by the parameter of that name. A text with plural
//! forms has one for each category of the [CLDR](https://cldr.unicode.org/index/cldr-spec/plural-rules)
//! that its language knows; the parameter `count` chooses, or else the first that is a whole number.

mod accept_language;
mod catalogue;
mod plural;

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

pub(crate) use accept_language::{is_language_code, negotiate};
use catalogue::{Catalogue, fill};

/// A language that texts exist in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Language(u8);

/// Code, whether it is written from right to left, and the texts: of the pages, and of the admin.
type Shipped = (&'static str, bool, [&'static str; 2]);

/// The first is English.
const SHIPPED: [Shipped; 9] = [
    (
        "en",
        false,
        [
            include_str!("../../locale/en.toml"),
            include_str!("../../locale/admin/en.toml"),
        ],
    ),
    (
        "ar",
        true,
        [
            include_str!("../../locale/ar.toml"),
            include_str!("../../locale/admin/ar.toml"),
        ],
    ),
    (
        "de",
        false,
        [
            include_str!("../../locale/de.toml"),
            include_str!("../../locale/admin/de.toml"),
        ],
    ),
    (
        "es",
        false,
        [
            include_str!("../../locale/es.toml"),
            include_str!("../../locale/admin/es.toml"),
        ],
    ),
    (
        "fr",
        false,
        [
            include_str!("../../locale/fr.toml"),
            include_str!("../../locale/admin/fr.toml"),
        ],
    ),
    (
        "he",
        true,
        [
            include_str!("../../locale/he.toml"),
            include_str!("../../locale/admin/he.toml"),
        ],
    ),
    (
        "ja",
        false,
        [
            include_str!("../../locale/ja.toml"),
            include_str!("../../locale/admin/ja.toml"),
        ],
    ),
    (
        "pl",
        false,
        [
            include_str!("../../locale/pl.toml"),
            include_str!("../../locale/admin/pl.toml"),
        ],
    ),
    (
        "pt-br",
        false,
        [
            include_str!("../../locale/pt-br.toml"),
            include_str!("../../locale/admin/pt-br.toml"),
        ],
    ),
];

impl Language {
    /// English, which has every text.
    pub const ENGLISH: Language = Language(0);

    /// The code by which Django knows the language, such as `pt-br`.
    pub fn code(self) -> &'static str {
        self.shipped().0
    }

    /// Whether it is written from right to left.
    pub fn is_rtl(self) -> bool {
        self.shipped().1
    }

    /// The value of `dir` in HTML.
    pub fn dir(self) -> &'static str {
        if self.is_rtl() { "rtl" } else { "ltr" }
    }

    /// The language for a code: the same, or else one that is the same but for country or script
    /// (`de` for `de-AT`, `pt-br` for `pt`).
    pub fn find(code: &str) -> Option<Language> {
        let codes = SHIPPED.map(|(code, ..)| code);
        let found = accept_language::supported(code, &codes)?;
        Language::all().find(|language| language.code() == found)
    }

    /// Every language that texts exist in.
    pub fn all() -> impl Iterator<Item = Language> {
        (0u8..).map(Language).take(SHIPPED.len())
    }

    fn shipped(self) -> &'static Shipped {
        static TABLE: [Shipped; SHIPPED.len()] = SHIPPED;
        &TABLE[usize::from(self.0)]
    }

    fn catalogue(self) -> &'static Catalogue {
        static CATALOGUES: [OnceLock<Catalogue>; SHIPPED.len()] =
            [const { OnceLock::new() }; SHIPPED.len()];
        CATALOGUES[usize::from(self.0)].get_or_init(|| {
            Catalogue::parse_all(&self.shipped().2).unwrap_or_else(|error| {
                tracing::error!(language = self.code(), %error, "a catalogue cannot be read");
                Catalogue::default()
            })
        })
    }
}

impl Default for Language {
    fn default() -> Self {
        Language::ENGLISH
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Language({})", self.code())
    }
}

/// The text of a key in a language, with `{name}` replaced by the parameter of that name. A plural form
/// is chosen by the parameter `count`, or else by the first that is a whole number.
pub fn gettext(language: Language, key: &str, params: &[(&str, String)]) -> String {
    fill(&text(language, key, params), params)
}

/// [`gettext`] for HTML: the text is escaped, and the values are HTML already.
pub fn gettext_html(language: Language, key: &str, params: &[(&str, String)]) -> String {
    let text = minijinja::HtmlEscape(&text(language, key, params)).to_string();
    fill(&text, params)
}

/// The text as the catalogue has it, in English if it does not, and the key itself if it is none.
pub(crate) fn text<'a>(
    language: Language,
    key: &'a str,
    params: &[(&str, String)],
) -> Cow<'a, str> {
    let count = plural::count(params);
    let own = language
        .catalogue()
        .get(key, plural_category(language, count));
    let english = || {
        let category = plural_category(Language::ENGLISH, count);
        Language::ENGLISH.catalogue().get(key, category)
    };
    Cow::Borrowed(own.or_else(english).unwrap_or(key))
}

fn plural_category(language: Language, count: Option<u64>) -> plural::Category {
    count.map_or(plural::Category::Other, |count| {
        plural::category(language.code(), count)
    })
}

/// The name of a model's field for people (`verbose_name`): from the catalogue where it is one of
/// Django's, otherwise the name itself with spaces.
pub fn field_name(language: Language, field: &str) -> String {
    let key = format!("field.{field}");
    let known = text(language, &key, &[]);
    if *known == *key {
        field.replace('_', " ")
    } else {
        known.into_owned()
    }
}

#[cfg(test)]
mod tests;
