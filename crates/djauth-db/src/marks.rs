//! Rewriting of `?` marks for PostgreSQL.

/// `?` marks as `$1`, `$2`, …; untouched inside of quoted text, quoted identifiers and comments.
pub(crate) fn numbered(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 8);
    let mut rest = sql;
    let mut count = 0;
    while let Some(at) = rest.find(['?', '\'', '"', '-', '/']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = quoted(rest);
        if length > 0 {
            out.push_str(&rest[..length]);
        } else if rest.starts_with('?') {
            count += 1;
            out.push_str(&format!("${count}"));
        } else {
            out.push_str(&rest[..1]);
        }
        rest = &rest[length.max(1)..];
    }
    out.push_str(rest);
    out
}

/// The length of the quoted text or comment at the start, or 0. What is not closed runs to the end.
fn quoted(sql: &str) -> usize {
    let end = |start: usize, mark: &str| {
        sql[start..]
            .find(mark)
            .map_or(sql.len(), |at| start + at + mark.len())
    };
    match sql.as_bytes() {
        [b'\'', ..] => end(1, "'"),
        [b'"', ..] => end(1, "\""),
        [b'-', b'-', ..] => end(2, "\n"),
        [b'/', b'*', ..] => block_comment(sql),
        _ => 0,
    }
}

/// PostgreSQL nests block comments.
fn block_comment(sql: &str) -> usize {
    let bytes = sql.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_are_numbered() {
        assert_eq!(
            numbered("a = ? AND b IN (?, ?)"),
            "a = $1 AND b IN ($2, $3)"
        );
        assert_eq!(numbered(""), "");
        assert_eq!(numbered("a - ? / ?"), "a - $1 / $2");
    }

    #[test]
    fn quotes_and_comments_are_left_alone() {
        assert_eq!(numbered("'?' = ?"), "'?' = $1");
        assert_eq!(numbered("'it''s ?' = ?"), "'it''s ?' = $1");
        assert_eq!(numbered(r#""a?" = ?"#), r#""a?" = $1"#);
        assert_eq!(numbered(r#""a""?" = ?"#), r#""a""?" = $1"#);
        assert_eq!(numbered("-- ?\n?"), "-- ?\n$1");
        assert_eq!(numbered("/* ? */ ?"), "/* ? */ $1");
        assert_eq!(numbered("/* /* ? */ ? */ ?"), "/* /* ? */ ? */ $1");
        assert_eq!(numbered("? '?"), "$1 '?");
    }

    /// Pieces of SQL with the number of marks that each holds.
    fn piece() -> impl Strategy<Value = (String, usize)> {
        prop_oneof![
            Just((" ? ".to_owned(), 1)),
            "[a-z =(),.é]{0,8}".prop_map(|text| (text, 0)),
            "[^'\0]{0,8}".prop_map(|text| (format!(" '{text}' "), 0)),
            "[^\"\0]{0,8}".prop_map(|text| (format!(" \"{text}\" "), 0)),
            "[^\n\0]{0,8}".prop_map(|text| (format!(" --{text}\n "), 0)),
            "[^*/\0]{0,8}".prop_map(|text| (format!(" /*{text}*/ "), 0)),
        ]
    }

    proptest! {
        #[test]
        fn only_marks_change(pieces in prop::collection::vec(piece(), 0..12)) {
            let text: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
            let (mut want, mut count) = (String::new(), 0);
            for (text, marks) in &pieces {
                count += marks;
                want.push_str(&if *marks == 1 { format!(" ${count} ") } else { text.clone() });
            }
            prop_assert_eq!(numbered(&text), want);
        }

        #[test]
        fn any_text_is_safe(text in any::<String>()) {
            let _ = numbered(&text);
        }
    }
}
