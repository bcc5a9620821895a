//! Why a request is refused.

use std::fmt;

use super::token::FormatProblem;
use crate::i18n::{Language, gettext};

/// Where a token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// The form field [`CSRF_FIELD_NAME`](super::CSRF_FIELD_NAME).
    Form,
    /// The header that `CSRF_HEADER_NAME` names.
    Header,
}

/// Why a request is refused, in the order in which it is checked.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectReason {
    /// The `Origin` is neither this site nor trusted.
    BadOrigin,
    /// An encrypted request has neither `Origin` nor `Referer`.
    NoReferer,
    /// The `Referer` is no address with a scheme and a host.
    MalformedReferer,
    /// The `Referer` of an encrypted request is not https.
    InsecureReferer,
    /// The `Referer` is neither this site nor trusted.
    BadReferer,
    /// The cookie has neither 32 nor 64 characters.
    CookieIncorrectLength,
    /// The cookie holds a character that is not allowed.
    CookieInvalidCharacters,
    /// There is no cookie (or no secret in the session).
    NoCsrfCookie,
    /// There is a cookie but no token beside it.
    TokenMissing,
    /// The token has neither 32 nor 64 characters.
    TokenIncorrectLength(TokenSource),
    /// The token holds a character that is not allowed.
    TokenInvalidCharacters(TokenSource),
    /// The token stands for another secret.
    TokenIncorrect(TokenSource),
}

impl RejectReason {
    pub(super) fn malformed_token(problem: FormatProblem, source: TokenSource) -> Self {
        match problem {
            FormatProblem::Length => RejectReason::TokenIncorrectLength(source),
            FormatProblem::Characters => RejectReason::TokenInvalidCharacters(source),
        }
    }

    pub(super) fn malformed_cookie(problem: FormatProblem) -> Self {
        match problem {
            FormatProblem::Length => RejectReason::CookieIncorrectLength,
            FormatProblem::Characters => RejectReason::CookieInvalidCharacters,
        }
    }

    /// Django's name of the reason (`REASON_…` in `django.middleware.csrf`). A token that does not match
    /// has no constant there; ours is `REASON_INCORRECT`.
    pub fn code(self) -> &'static str {
        match self {
            RejectReason::BadOrigin => "REASON_BAD_ORIGIN",
            RejectReason::NoReferer => "REASON_NO_REFERER",
            RejectReason::MalformedReferer => "REASON_MALFORMED_REFERER",
            RejectReason::InsecureReferer => "REASON_INSECURE_REFERER",
            RejectReason::BadReferer => "REASON_BAD_REFERER",
            RejectReason::NoCsrfCookie => "REASON_NO_CSRF_COOKIE",
            RejectReason::TokenMissing => "REASON_CSRF_TOKEN_MISSING",
            RejectReason::CookieIncorrectLength | RejectReason::TokenIncorrectLength(_) => {
                "REASON_INCORRECT_LENGTH"
            }
            RejectReason::CookieInvalidCharacters | RejectReason::TokenInvalidCharacters(_) => {
                "REASON_INVALID_CHARACTERS"
            }
            RejectReason::TokenIncorrect(_) => "REASON_INCORRECT",
        }
    }
}

impl RejectReason {
    /// The key of the sentence that says it, which holds nothing that the request said.
    pub(crate) fn key(self) -> &'static str {
        use TokenSource::{Form, Header};
        match self {
            RejectReason::BadOrigin => "csrf.bad_origin",
            RejectReason::NoReferer => "csrf.no_referer",
            RejectReason::MalformedReferer => "csrf.malformed_referer",
            RejectReason::InsecureReferer => "csrf.insecure_referer",
            RejectReason::BadReferer => "csrf.bad_referer",
            RejectReason::CookieIncorrectLength => "csrf.cookie_length",
            RejectReason::CookieInvalidCharacters => "csrf.cookie_characters",
            RejectReason::NoCsrfCookie => "csrf.no_cookie",
            RejectReason::TokenMissing => "csrf.token_missing",
            RejectReason::TokenIncorrectLength(Form) => "csrf.form_token_length",
            RejectReason::TokenIncorrectLength(Header) => "csrf.header_token_length",
            RejectReason::TokenInvalidCharacters(Form) => "csrf.form_token_characters",
            RejectReason::TokenInvalidCharacters(Header) => "csrf.header_token_characters",
            RejectReason::TokenIncorrect(Form) => "csrf.form_token_incorrect",
            RejectReason::TokenIncorrect(Header) => "csrf.header_token_incorrect",
        }
    }
}

/// The sentence in English.
impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&gettext(Language::ENGLISH, self.key(), &[]))
    }
}
