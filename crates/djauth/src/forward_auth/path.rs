//! Paths that every server reads alike.

/// The segments of a path, percent-decoded; the last one is empty when it ends with a slash.
///
/// `None` for a path that some server reads as another: one with `.` or `..`, an empty segment, an
/// encoded slash, a backslash, a parameter (`;`), anything encoded twice, control characters or bytes
/// that are not UTF-8.
pub(super) fn segments(path: &str) -> Option<Vec<String>> {
    let rest = path.strip_prefix('/')?;
    let raw: Vec<&str> = rest.split('/').collect();
    let last = raw.len() - 1;
    let decoded = raw
        .into_iter()
        .enumerate()
        .map(|(index, segment)| decoded(segment).filter(|text| index == last || !text.is_empty()));
    decoded.collect()
}

fn decoded(segment: &str) -> Option<String> {
    let text = String::from_utf8(decode(segment.as_bytes())?).ok()?;
    let dots = matches!(text.as_str(), "." | "..");
    let bad = |c: char| c.is_control() || matches!(c, '/' | '\\' | ';' | '?' | '#');
    (!dots && !text.contains(bad) && !is_encoded_again(&text)).then_some(text)
}

/// `None`: a percent sign without two digits, or a byte that no URL has.
fn decode(segment: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = segment.iter();
    let mut decoded = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next())? << 4 | hex(bytes.next())?,
            0x21..=0x7e => *byte,
            _ => return None,
        });
    }
    Some(decoded)
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    let value = char::from(*digit?).to_digit(16)?;
    u8::try_from(value).ok()
}

/// Whether decoding once more gives another text.
fn is_encoded_again(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut windows = bytes.windows(3);
    windows.any(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::quote;

    #[test]
    fn plain_paths_are_taken_apart() {
        assert_eq!(segments("/").unwrap(), [""]);
        assert_eq!(segments("/a/b").unwrap(), ["a", "b"]);
        assert_eq!(segments("/a/b/").unwrap(), ["a", "b", ""]);
        assert_eq!(segments("/%72eports/x%20y").unwrap(), ["reports", "x y"]);
        assert_eq!(
            segments("/caf%C3%A9/100%25").unwrap(),
            ["caf\u{e9}", "100%"]
        );
        assert_eq!(
            segments("/.well-known/...").unwrap(),
            [".well-known", "..."]
        );
    }

    #[test]
    fn what_servers_read_in_different_ways_is_refused() {
        for path in [
            "",
            "a",
            "*",
            "//",
            "//a",
            "/a//b",
            "/.",
            "/..",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/%2e%2e/b",
            "/.%2E",
            "/a%2fb",
            "/a%2Fb",
            "/a\\b",
            "/a%5Cb",
            "/a;x",
            "/a%3bx",
            "/a%00",
            "/a%0a",
            "/a%7f",
            "/a%C2%85",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%252e",
            "/%252e%252e/",
            "/a%2523",
            "/%ff",
            "/a b",
            "/caf\u{e9}",
            "/a%3fb",
            "/a%23b",
        ] {
            assert_eq!(segments(path), None, "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(path in ".{0,60}") {
            let _ = segments(&path);
        }

        /// Whatever is accepted means the same to whoever decodes it once, and has no way out.
        #[test]
        fn what_is_accepted_reads_back(path in "/[a-z./%25;\\\\]{0,40}") {
            if let Some(segments) = segments(&path) {
                prop_assert!(segments.iter().all(|s| s != "." && s != ".." && !s.contains(['/', '\\', ';'])));
                let last = segments.len() - 1;
                prop_assert!(segments[..last].iter().all(|s| !s.is_empty()));
                let again: Vec<_> = segments.iter().map(|s| quote(s, "")).collect();
                prop_assert_eq!(super::segments(&format!("/{}", again.join("/"))), Some(segments));
            }
        }
    }
}
