//! Rows of a CSV file that a spreadsheet opens without running anything in it.

/// What stands before the first row: the file is UTF-8.
pub(super) const BOM: &str = "\u{feff}";

/// A row, with its end.
pub(super) fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells = cells.into_iter().map(cell);
    format!("{}\r\n", cells.collect::<Vec<_>>().join(","))
}

/// In quotes, whatever is in it. What a spreadsheet would take for a formula begins with an apostrophe.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(cell(text), format!("\"'{text}\""), "{text:?}");
        }
        for text in ["", "a=1", "1-1", "\u{202e}=1", "'=1"] {
            assert_eq!(cell(text), format!("\"{text}\""), "{text:?}");
        }
    }

    #[test]
    fn quotes_commas_and_lines_stay_in_their_cell() {
        let text = row(["a\"b", "c,d", "e\r\nf", "\",=1"]);
        assert_eq!(text, "\"a\"\"b\",\"c,d\",\"e\r\nf\",\"\"\",=1\"\r\n");
    }
}
