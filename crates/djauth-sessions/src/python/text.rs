//! Python's `str`: code points that may include lone surrogates, kept as WTF-8.

use std::fmt;

/// A Python string. Unlike Rust's it may hold lone surrogates (`"\ud800"`).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PyStr(Box<[u8]>);

impl PyStr {
    /// From UTF-8 with surrogates encoded like other code points, as pickles hold strings
    /// (`surrogatepass`). `None` if the bytes are anything else.
    pub fn from_wtf8(bytes: &[u8]) -> Option<Self> {
        if std::str::from_utf8(bytes).is_err() {
            let mut rest = bytes;
            while !rest.is_empty() {
                let (_, length) = first_code_point(rest)?;
                rest = &rest[length..];
            }
        }
        Some(PyStr(bytes.into()))
    }

    /// The bytes in WTF-8.
    pub fn as_wtf8(&self) -> &[u8] {
        &self.0
    }

    /// The text, unless it holds a lone surrogate.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    fn code_points(&self) -> impl Iterator<Item = u32> + '_ {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (code, length) = first_code_point(rest)?;
            rest = &rest[length..];
            Some(code)
        })
    }
}

impl From<&str> for PyStr {
    fn from(text: &str) -> Self {
        PyStr(text.as_bytes().into())
    }
}

impl fmt::Display for PyStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        self.code_points().try_for_each(|code| {
            f.write_char(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
        })
    }
}

impl fmt::Debug for PyStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

/// The first code point, which may be a surrogate, and how many bytes it takes.
fn first_code_point(bytes: &[u8]) -> Option<(u32, usize)> {
    let length = match *bytes.first()? {
        byte @ 0..0x80 => return Some((u32::from(byte), 1)),
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let bytes = bytes.get(..length)?;
    if let &[0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf] = bytes {
        return Some((
            0xd000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f),
            3,
        ));
    }
    let code = std::str::from_utf8(bytes).ok()?.chars().next()?;
    Some((u32::from(code), length))
}

/// The inside of a JSON string as Python's encoder writes it: ASCII only.
pub(crate) fn escape(text: &PyStr) -> String {
    let mut escaped = String::with_capacity(text.0.len());
    for code in text.code_points() {
        push_escaped(&mut escaped, code);
    }
    escaped
}

fn push_escaped(escaped: &mut String, code: u32) {
    match code {
        0x22 => escaped.push_str("\\\""),
        0x5c => escaped.push_str("\\\\"),
        0x08 => escaped.push_str("\\b"),
        0x0c => escaped.push_str("\\f"),
        0x0a => escaped.push_str("\\n"),
        0x0d => escaped.push_str("\\r"),
        0x09 => escaped.push_str("\\t"),
        0x20..=0x7e => escaped.extend(char::from_u32(code)),
        0..=0xffff => push_unit(escaped, code),
        _ => {
            let offset = code - 0x1_0000;
            push_unit(escaped, 0xd800 | offset >> 10);
            push_unit(escaped, 0xdc00 | offset & 0x3ff);
        }
    }
}

fn push_unit(escaped: &mut String, unit: u32) {
    use std::fmt::Write;
    write!(escaped, "\\u{unit:04x}").expect("writing to a String never fails");
}

/// The string that the inside of a (well-formed) JSON string stands for.
pub(crate) fn unescape(raw: &str) -> Option<PyStr> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let (code, length) = escaped_code_point(&rest[at..])?;
        push_wtf8(&mut bytes, code);
        rest = rest.get(at + length..)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(PyStr(bytes.into()))
}

/// The code point of the escape at the start of `text`; a surrogate pair is joined.
fn escaped_code_point(text: &str) -> Option<(u32, usize)> {
    let code = match text.as_bytes().get(1)? {
        b'u' => return unicode_escape(text),
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => 0x0a,
        b'r' => 0x0d,
        b't' => 0x09,
        other => u32::from(*other),
    };
    Some((code, 2))
}

fn unicode_escape(text: &str) -> Option<(u32, usize)> {
    let unit = |at: usize| u32::from_str_radix(text.get(at..at + 4)?, 16).ok();
    let high = unit(2)?;
    if (0xd800..0xdc00).contains(&high)
        && text.get(6..8) == Some("\\u")
        && let Some(low @ 0xdc00..=0xdfff) = unit(8)
    {
        return Some((0x1_0000 + ((high - 0xd800) << 10 | (low - 0xdc00)), 12));
    }
    Some((high, 6))
}

fn push_wtf8(bytes: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(character) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => bytes.extend_from_slice(&surrogate_bytes(code)),
    }
}

fn surrogate_bytes(code: u32) -> [u8; 3] {
    let low_six = |shift: u32| u8::try_from(code >> shift & 0x3f).unwrap_or(0);
    [0xed, 0x80 | low_six(6), 0x80 | low_six(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_as_python_does() {
        let text = "a\"\\/\u{8}\u{c}\n\r\t\u{1}\u{7f}é€😀";
        let escaped = escape(&text.into());
        assert_eq!(
            escaped,
            r#"a\"\\/\b\f\n\r\t\u0001\u007f\u00e9\u20ac\ud83d\ude00"#
        );
        assert_eq!(unescape(&escaped).unwrap().as_str(), Some(text));
    }

    #[test]
    fn lone_surrogates_survive() {
        for raw in [
            r"\ud800",
            r"x\udfffy",
            r"\ud800\ud800",
            r"\udc00\ud800",
            r"\ud800\u0041",
        ] {
            let text = unescape(raw).unwrap();
            assert_eq!(PyStr::from_wtf8(text.as_wtf8()).as_ref(), Some(&text));
            assert_eq!(escape(&text), raw.replace(r"\u0041", "A"));
            assert_eq!(text.as_str(), None);
        }
        assert_eq!(unescape(r"\ud800").unwrap().as_wtf8(), [0xed, 0xa0, 0x80]);
    }

    proptest! {
        #[test]
        fn any_text_round_trips(text in "\\PC{0,20}") {
            let back = unescape(&escape(&text.as_str().into())).unwrap();
            prop_assert_eq!(back.as_str(), Some(text.as_str()));
        }

        #[test]
        fn any_bytes_are_refused_or_kept(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            if let Some(text) = PyStr::from_wtf8(&bytes) {
                prop_assert_eq!(text.as_wtf8(), bytes.as_slice());
                let _ = text.to_string();
            }
        }
    }
}
