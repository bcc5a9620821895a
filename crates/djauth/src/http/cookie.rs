//! The `Cookie` header, read as Django reads it, and `Set-Cookie`, written as Python writes it.

use std::borrow::Cow;
use std::fmt;

use axum::http::HeaderValue;
use chrono::{DateTime, TimeDelta, Utc};
use indexmap::IndexMap;

use super::{http_date, strip};

/// The cookies of a request, by name.
#[derive(Clone, Default)]
pub struct Cookies(IndexMap<String, String>);

impl Cookies {
    /// The value of the cookie `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether a cookie of that name came, be it empty.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Names and values in the order of the header.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Shows the names alone: the values are secrets.
impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads a `Cookie` header as Django does (`django.http.parse_cookie`): split at `;` alone, a piece
/// without `=` is the value of the empty name, the last of equal names wins, and quoted values lose
/// their quotes and escapes. Never fails.
pub fn parse_cookie(cookie: &str) -> Cookies {
    let mut cookies = IndexMap::new();
    for (name, value) in pieces(cookie) {
        cookies.insert(name.to_owned(), unquote(value).into_owned());
    }
    Cookies(cookies)
}

/// The cookie `name` as [`parse_cookie`] reads it, without a look at the others.
pub(super) fn find_cookie<'c>(cookie: &'c str, name: &str) -> Option<Cow<'c, str>> {
    let (_, value) = pieces(cookie).filter(|piece| piece.0 == name).last()?;
    Some(unquote(value))
}

/// Names and values as they stand there.
fn pieces(cookie: &str) -> impl Iterator<Item = (&str, &str)> {
    let pieces = cookie.split(';').map(|chunk| {
        let (name, value) = chunk.split_once('=').unwrap_or(("", chunk));
        (strip(name), strip(value))
    });
    pieces.filter(|(name, value)| !(name.is_empty() && value.is_empty()))
}

/// `"…"` without the quotes, `\ooo` as the character of that number and `\x` as `x`.
fn unquote(value: &str) -> Cow<'_, str> {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(mut rest) = inner else {
        return value.into();
    };
    let mut text = String::with_capacity(rest.len());
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        text.push_str(plain);
        let (c, length) = unescape(&escape[1..]);
        text.push(c);
        rest = &escape[1 + length..];
    }
    text.push_str(rest);
    text.into()
}

/// What the text after a backslash stands for, and how many bytes of it. A backslash before nothing
/// or before the end of a line stands for itself.
fn unescape(after: &str) -> (char, usize) {
    if let [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] = *after.as_bytes() {
        return (
            char::from((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0')),
            3,
        );
    }
    match after.chars().next() {
        Some(c) if c != '\n' => (c, c.len_utf8()),
        _ => ('\\', 0),
    }
}

/// A `Set-Cookie` header, with the bytes of Django's `HttpResponse.set_cookie`.
#[derive(Clone)]
pub struct SetCookie {
    name: String,
    value: String,
    domain: Option<String>,
    expires: Option<String>,
    http_only: bool,
    max_age: Option<i64>,
    path: String,
    same_site: Option<String>,
    secure: bool,
}

/// A cookie that no header can carry: its name or an attribute holds a forbidden character, or
/// `SameSite` has no such value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCookie;

impl fmt::Display for InvalidCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the name or an attribute of a cookie holds a character that a header cannot carry",
        )
    }
}

impl std::error::Error for InvalidCookie {}

impl SetCookie {
    /// A cookie for the path `/` that lives as long as the browser runs.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        SetCookie {
            name: name.into(),
            value: value.into(),
            domain: None,
            expires: None,
            http_only: false,
            max_age: None,
            path: "/".to_owned(),
            same_site: None,
            secure: false,
        }
    }

    /// A cookie that removes the one of this name (`HttpResponse.delete_cookie`). It is `Secure` only
    /// where browsers would ignore it otherwise.
    pub fn delete(
        name: impl Into<String>,
        path: impl Into<String>,
        domain: Option<&str>,
        same_site: Option<&str>,
    ) -> Self {
        let name = name.into();
        let secure = name.starts_with("__Secure-")
            || name.starts_with("__Host-")
            || same_site.is_some_and(|value| value.eq_ignore_ascii_case("none"));
        let mut cookie = SetCookie::new(name, "")
            .path(path)
            .domain(domain)
            .secure(secure)
            .same_site(same_site);
        cookie.max_age = Some(0);
        cookie.expires = Some("Thu, 01 Jan 1970 00:00:00 GMT".to_owned());
        cookie
    }

    /// `Path`; an empty path leaves the attribute out.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// `Domain`.
    pub fn domain(mut self, domain: Option<&str>) -> Self {
        self.domain = domain.map(str::to_owned);
        self
    }

    /// `Max-Age` in seconds, and `Expires` counted from `now`.
    pub fn max_age(mut self, seconds: i64, now: DateTime<Utc>) -> Self {
        let age = TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::zero());
        self.max_age = Some(seconds);
        self.expires = Some(http_date(now.checked_add_signed(age).unwrap_or(now)));
        self
    }

    /// `Max-Age` in seconds and `Expires` as given, each left out when there is none.
    pub(crate) fn lifetime(mut self, max_age: Option<i64>, expires: Option<String>) -> Self {
        self.max_age = max_age;
        self.expires = expires;
        self
    }

    /// `Secure`.
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// `HttpOnly`.
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// `SameSite`, spelled as given; an empty text leaves the attribute out.
    pub fn same_site(mut self, same_site: Option<&str>) -> Self {
        self.same_site = same_site.map(str::to_owned);
        self
    }

    /// The value of the header.
    ///
    /// # Errors
    /// [`InvalidCookie`].
    pub fn to_header_value(&self) -> Result<HeaderValue, InvalidCookie> {
        let same_site = self.same_site.as_deref().unwrap_or("");
        let known = ["", "lax", "none", "strict"];
        let same_site_ok = known
            .iter()
            .any(|name| same_site.eq_ignore_ascii_case(name));
        let attributes = [self.domain.as_deref().unwrap_or(""), &self.path];
        let broken = |text: &&str| text.contains(|c: char| c == ';' || c.is_control());
        if !is_legal(&self.name) || !same_site_ok || attributes.iter().any(broken) {
            return Err(InvalidCookie);
        }
        HeaderValue::from_bytes(self.to_string().as_bytes()).map_err(|_| InvalidCookie)
    }
}

/// The header's value; the attributes stand in alphabetical order, as Python sorts them.
impl fmt::Display for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, Quoted(&self.value))?;
        write_attribute(f, "Domain", self.domain.as_deref())?;
        write_attribute(f, "expires", self.expires.as_deref())?;
        if self.http_only {
            f.write_str("; HttpOnly")?;
        }
        if let Some(seconds) = self.max_age {
            write!(f, "; Max-Age={seconds}")?;
        }
        write_attribute(f, "Path", Some(&self.path))?;
        write_attribute(f, "SameSite", self.same_site.as_deref())?;
        if self.secure {
            f.write_str("; Secure")?;
        }
        Ok(())
    }
}

/// Shows everything but the value.
impl fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = SetCookie {
            value: "…".to_owned(),
            ..self.clone()
        };
        write!(f, "SetCookie({:?})", hidden.to_string())
    }
}

fn write_attribute(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    match value {
        Some(value) if !value.is_empty() => write!(f, "; {name}={value}"),
        _ => Ok(()),
    }
}

fn is_legal(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_legal_char)
}

fn is_legal_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:".contains(c)
}

/// A value as Python's `http.cookies` writes it: as it is when every character is legal, otherwise
/// in quotes, with octal escapes up to the 256th character.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        if is_legal(self.0) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if is_legal_char(c) || " ()/<=>?@[]{}".contains(c) => f.write_char(c)?,
                c if u32::from(c) < 256 => write!(f, "\\{:03o}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn one_cookie_is_read_as_among_all(
            header in r#"((a|b|"a"| a|)=?["\\\\ 0-9a=]{0,6};? ?){0,6}"#,
            name in "[ab]?",
        ) {
            let all = parse_cookie(&header);
            let one = find_cookie(&header, &name);
            prop_assert_eq!(one.as_deref(), all.get(&name));
        }
    }
}
