//! A scanner for JSON as Python's `json` module reads and writes it.
//!
//! It finds the members of an object without building values, so that a session can be rewritten
//! without touching what nobody changed. Beyond the standard it accepts what Python accepts: `NaN`,
//! `Infinity`, `-Infinity` and escaped lone surrogates.

/// Nesting beyond this is refused. Python gives up near the same depth.
pub(crate) const MAX_DEPTH: usize = 1000;

/// Calls `each` with the raw key (without quotes) and the raw value of each member of the object that
/// `text` consists of. `None` if `text` is anything else; `each` may have been called by then.
pub(crate) fn members<'a>(text: &'a str, mut each: impl FnMut(&'a str, &'a str)) -> Option<()> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.expect(b'{')?;
    scanner.blanks();
    if !scanner.take(b'}') {
        loop {
            let key = scanner.key()?;
            each(key, scanner.value()?);
            scanner.blanks();
            if scanner.take(b'}') {
                break;
            }
            scanner.expect(b',')?;
        }
    }
    scanner.end()
}

/// Calls `each` with each raw element of the array that `text` consists of.
pub(crate) fn elements<'a>(text: &'a str, mut each: impl FnMut(&'a str)) -> Option<()> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.expect(b'[')?;
    scanner.blanks();
    if !scanner.take(b']') {
        loop {
            each(scanner.value()?);
            scanner.blanks();
            if scanner.take(b']') {
                break;
            }
            scanner.expect(b',')?;
        }
    }
    scanner.end()
}

/// Whether `text` is one JSON value, with blanks around it or not.
pub(crate) fn is_value(text: &str) -> bool {
    let mut scanner = Scanner { text, at: 0 };
    scanner.value().and_then(|_| scanner.end()).is_some()
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        self.take(byte).then_some(())
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn end(&mut self) -> Option<()> {
        self.blanks();
        (self.at == self.text.len()).then_some(())
    }

    /// A member's name and its colon.
    fn key(&mut self) -> Option<&'a str> {
        self.blanks();
        let start = self.at + 1;
        self.string()?;
        let key = &self.text[start..self.at - 1];
        self.expect(b':')?;
        Some(key)
    }

    /// One whole value. A loop with a stack of its own: hostile nesting costs memory in proportion, and
    /// never the thread's stack.
    fn value(&mut self) -> Option<&'a str> {
        self.blanks();
        let start = self.at;
        let mut open: Vec<u8> = Vec::new();
        loop {
            self.blanks();
            if self.opens_or_scalar(&mut open)? {
                continue;
            }
            if self.closes(&mut open)? {
                return Some(&self.text[start..self.at]);
            }
        }
    }

    /// Reads a scalar, an empty container, or the opening of one. True if a first element must follow.
    fn opens_or_scalar(&mut self, open: &mut Vec<u8>) -> Option<bool> {
        let close = match self.peek()? {
            b'{' => b'}',
            b'[' => b']',
            b'"' => return self.string().map(|()| false),
            _ => return self.scalar().map(|()| false),
        };
        self.at += 1;
        self.blanks();
        if self.take(close) {
            return Some(false);
        }
        open.push(close);
        if close == b'}' {
            self.key()?;
        }
        (open.len() <= MAX_DEPTH).then_some(true)
    }

    /// After a value: closes what ends here. True if the outermost value is complete, false if another
    /// element must follow.
    fn closes(&mut self, open: &mut Vec<u8>) -> Option<bool> {
        while let Some(&close) = open.last() {
            self.blanks();
            if self.take(close) {
                open.pop();
            } else if self.take(b',') {
                if close == b'}' {
                    self.key()?;
                }
                return Some(false);
            } else {
                return None;
            }
        }
        Some(true)
    }

    fn string(&mut self) -> Option<()> {
        if !self.take(b'"') {
            return None;
        }
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.escape()?,
                0..0x20 => return None,
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let digits = bytes.get(self.at + 2..self.at + 6)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                self.at += 6;
            }
            _ => return None,
        }
        Some(())
    }

    fn scalar(&mut self) -> Option<()> {
        const WORDS: [&str; 6] = ["true", "false", "null", "NaN", "Infinity", "-Infinity"];
        let rest = &self.text[self.at..];
        if let Some(word) = WORDS.iter().find(|word| rest.starts_with(**word)) {
            self.at += word.len();
            return Some(());
        }
        self.number()
    }

    fn number(&mut self) -> Option<()> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> Option<Vec<(&str, &str)>> {
        let mut found = Vec::new();
        members(text, |key, value| found.push((key, value))).map(|()| found)
    }

    #[test]
    fn finds_raw_members() {
        let text = r#" { "a" : [1, {"b": "]}\""}] ,"c":-1.5e+300,"d":NaN,"e":{},"f":"\ud800" } "#;
        let expected = vec![
            ("a", r#"[1, {"b": "]}\""}]"#),
            ("c", "-1.5e+300"),
            ("d", "NaN"),
            ("e", "{}"),
            ("f", r#""\ud800""#),
        ];
        assert_eq!(split(text), Some(expected));
        assert_eq!(split("{}"), Some(vec![]));
    }

    #[test]
    fn refuses_what_python_refuses() {
        for bad in [
            "",
            "{",
            "[]",
            "1",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":+1}",
            "{\"a\":'x'}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12g4\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":1}x",
            "{\"a\":[1}",
            "{\"a\":[1,]}",
            "{\"a\":-}",
            "{\"a\":1e}",
            "{\"a\":nan}",
            "{\"a\":{1:2}}",
        ] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(split(&nested(MAX_DEPTH)).is_some());
        assert!(split(&nested(MAX_DEPTH + 2)).is_none());
        assert!(split(&"[{\"a\":".repeat(200_000)).is_none());
    }

    proptest! {
        #[test]
        fn accepts_exactly_what_serde_accepts_of_finite_text(text in "[\\[\\]{}\",:0-9.eE+\\-a \\\\u]{0,24}") {
            // serde_json refuses lone surrogates and numbers out of range: only its "yes" is compared.
            if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
                prop_assert!(is_value(&text));
            }
        }

        #[test]
        fn never_panics(text in "\\PC{0,64}") {
            let _ = is_value(&text);
            let _ = split(&text);
        }
    }
}
