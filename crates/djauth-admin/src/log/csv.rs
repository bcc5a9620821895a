//! Rows of a CSV file that a spreadsheet opens without running anything in it.

/// What stands before the first row: the file is UTF-8.
pub(super) const BOM: &str = "\u{feff}";

/// A row, with its end.
pub(super) fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells = cells.into_iter().map(cell);
    format!("{}\r\n", cells.collect::<Vec<_>>().join(","))
}

/// In quotes, whatever is in it. What a spreadsheet would take for a formula begins with an apostrophe: at the
/// beginning, and after whatever some spreadsheet takes for the end of a cell, as not all of them split at commas.
fn cell(text: &str) -> String {
    let (mut out, mut start) = (String::from("\""), true);
    for c in text.chars() {
        // Spreadsheets skip these at the very beginning; behind a separator they are one themselves.
        let skipped = out.len() == 1 && matches!(c, '\t' | '\r' | '\n');
        if skipped || (start && begins_formula(c)) {
            out.push('\'');
        }
        if c == '"' {
            out.push('"');
        }
        out.push(c);
        start = ends_cell(c) || (start && matches!(c, '"' | ' '));
    }
    out.push('"');
    out
}

/// The wide ones are read as their narrow ones in East Asia.
fn begins_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

fn ends_cell(c: char) -> bool {
    matches!(c, ',' | ';' | '|' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠A1"] {
            assert_eq!(cell(text), format!("\"'{text}\""), "{text:?}");
        }
        for (text, marked) in [
            ("\t=1", "'\t'=1"),
            ("\r\n=1", "'\r\n'=1"),
            ("a;=1", "a;'=1"),
            ("a, +1", "a, '+1"),
            ("a|\"@1", "a|\"\"'@1"),
            (" =1", " '=1"),
        ] {
            assert_eq!(cell(text), format!("\"{marked}\""), "{text:?}");
        }
        for text in ["", "a=1", "1-1", "\u{202e}=1", "'=1"] {
            assert_eq!(cell(text), format!("\"{text}\""), "{text:?}");
        }
    }

    #[test]
    fn quotes_commas_and_lines_stay_in_their_cell() {
        let text = row(["a\"b", "c,d", "e\r\nf", "\",=1"]);
        assert_eq!(text, "\"a\"\"b\",\"c,d\",\"e\r\nf\",\"\"\",'=1\"\r\n");
    }
}
