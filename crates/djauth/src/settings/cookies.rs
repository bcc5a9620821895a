//! `SESSION_COOKIE_SAMESITE`, `CSRF_COOKIE_SAMESITE`.

use serde_json::Value as Json;

use super::kind::{Kind, expected};

/// The `SameSite` attribute of a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SameSite {
    /// Sent with top-level navigation from other sites.
    Lax,
    /// Never sent from other sites.
    Strict,
    /// Always sent. Browsers take it only together with `Secure`.
    None,
    /// No attribute: Django's `False`.
    Omitted,
}

impl SameSite {
    /// The attribute's value, or `None` when the attribute is left out.
    pub const fn value(self) -> Option<&'static str> {
        match self {
            Self::Lax => Some("Lax"),
            Self::Strict => Some("Strict"),
            Self::None => Some("None"),
            Self::Omitted => None,
        }
    }
}

/// A `SameSite` setting.
pub(super) struct SameSiteKind;

impl Kind for SameSiteKind {
    type Value = SameSite;
    const EXPECTED: &'static str = "\"Lax\", \"Strict\", \"None\", or false for no attribute";

    fn read(json: &Json) -> Result<SameSite, String> {
        match json {
            Json::Bool(false) => Ok(SameSite::Omitted),
            Json::String(text) => named(text).ok_or_else(expected::<Self>),
            _ => Err(expected::<Self>()),
        }
    }

    fn show(value: &SameSite) -> Json {
        value.value().map_or(Json::Bool(false), Json::from)
    }

    fn from_environment(text: &str) -> Json {
        if text.eq_ignore_ascii_case("false") {
            false.into()
        } else {
            text.into()
        }
    }
}

fn named(text: &str) -> Option<SameSite> {
    [SameSite::Lax, SameSite::Strict, SameSite::None]
        .into_iter()
        .find(|choice| choice.value() == Some(text))
}
