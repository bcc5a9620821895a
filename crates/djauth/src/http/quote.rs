//! Percent-encoding: Python's `urllib.parse.quote` and what Django builds on it.

/// Percent-encodes the UTF-8 bytes of `text`, except ASCII letters and digits, `_`, `.`, `-`, `~` and
/// the ASCII characters of `safe` (Python's `urllib.parse.quote`).
pub fn quote(text: &str, safe: &str) -> String {
    quote_bytes(text.as_bytes(), safe)
}

pub(crate) fn quote_bytes(bytes: &[u8], safe: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut quoted = String::with_capacity(bytes.len());
    for &byte in bytes {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~');
        if plain || (byte.is_ascii() && safe.as_bytes().contains(&byte)) {
            quoted.push(char::from(byte));
        } else {
            quoted.push('%');
            quoted.push(char::from(HEX[usize::from(byte >> 4)]));
            quoted.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    quoted
}

/// Makes an address ASCII; characters with a meaning in addresses, and `%`, stay
/// (`django.utils.encoding.iri_to_uri`).
pub fn iri_to_uri(iri: &str) -> String {
    quote(iri, "/#%[]=:;$&()+,!?*@'~")
}

/// Escapes what has no place in the path of an address (`django.utils.encoding.escape_uri_path`).
pub fn escape_uri_path(path: &str) -> String {
    quote(path, "/:@&+$,-_.!~*'()")
}

/// Escapes the second of two leading slashes, so that a browser does not take what follows for a
/// host (`django.utils.http.escape_leading_slashes`).
pub fn escape_leading_slashes(url: &str) -> String {
    match url.strip_prefix("//") {
        Some(rest) => format!("/%2F{rest}"),
        None => url.to_owned(),
    }
}

/// Fields as a query string; spaces become `+` (`urllib.parse.urlencode`).
pub fn urlencode<N: AsRef<str>, V: AsRef<str>>(fields: impl IntoIterator<Item = (N, V)>) -> String {
    let plus = |text: &str| quote(text, " ").replace(' ', "+");
    let fields = fields.into_iter();
    let pairs = fields.map(|(n, v)| format!("{}={}", plus(n.as_ref()), plus(v.as_ref())));
    pairs.collect::<Vec<_>>().join("&")
}

/// Decodes every `%` that two hexadecimal digits follow; others stay.
pub(crate) fn percent_decode(text: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(text).collect()
}
