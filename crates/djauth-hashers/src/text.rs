//! Reading the text of stored values the way Python reads it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use crate::{Error, ErrorKind};

/// A cost field. Django reads these with `int()`, which takes white space, a sign, leading zeros
/// and single underscores; such a value is understood here (for summaries and updates), but it is
/// not the canonical text and therefore never verifies. Beyond 64 bits: the largest number.
pub(crate) fn cost(text: &str) -> Result<i64, Error> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lonely = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__");
    if digits.is_empty() || lonely || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
        return Err(Error::malformed("a cost is not a number"));
    }
    let digits = digits
        .bytes()
        .filter(|b| *b != b'_')
        .map(|b| i64::from(b - b'0'));
    let size = digits.fold(0i64, |n, digit| n.saturating_mul(10).saturating_add(digit));
    Ok(if text.starts_with('-') { -size } else { size })
}

/// A limit in the type of [`cost`].
pub(crate) fn limit(limit: u64) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Exactly `N` pieces between `$` signs.
pub(crate) fn fields<const N: usize>(encoded: &str) -> Result<[&str; N], Error> {
    let mut pieces = encoded.split('$');
    let fields = std::array::from_fn(|_| pieces.next());
    if pieces.next().is_some() || fields.contains(&None) {
        return Err(Error::malformed("wrong number of fields"));
    }
    Ok(fields.map(Option::unwrap_or_default))
}

/// `N` pieces; the last keeps any further `$` signs.
pub(crate) fn fields_rest<const N: usize>(encoded: &str) -> Result<[&str; N], Error> {
    let mut pieces = encoded.splitn(N, '$');
    let fields = std::array::from_fn(|_| pieces.next());
    if fields.contains(&None) {
        return Err(Error::malformed("wrong number of fields"));
    }
    Ok(fields.map(Option::unwrap_or_default))
}

pub(crate) fn expect_algorithm(found: &str, expected: &str) -> Result<(), Error> {
    if found == expected {
        Ok(())
    } else {
        Err(Error::malformed("another algorithm's value"))
    }
}

pub(crate) fn check_salt(salt: &str) -> Result<(), Error> {
    if salt.is_empty() || salt.contains('$') {
        return Err(Error::new(
            ErrorKind::InvalidSalt,
            "empty, or holds a dollar sign",
        ));
    }
    Ok(())
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

pub(crate) fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_as_python_reads_them() {
        for (text, value) in [
            ("1000", 1000),
            ("01000", 1000),
            (" 7 ", 7),
            ("+5", 5),
            ("1_000", 1000),
            ("0", 0),
        ] {
            assert_eq!(cost(text).unwrap(), value, "{text:?}");
        }
        assert_eq!(cost("99999999999999999999999").unwrap(), i64::MAX);
        for text in [
            "", " ", "--1", "1__0", "_1", "1_", "1.0", "0x10", "+", "+ 1", "²",
        ] {
            assert!(cost(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn counts_fields() {
        assert_eq!(fields::<3>("a$$c").unwrap(), ["a", "", "c"]);
        assert!(fields::<3>("a$b").is_err());
        assert!(fields::<3>("a$b$c$d").is_err());
        assert_eq!(fields_rest::<3>("a$b$c$d").unwrap(), ["a", "b", "c$d"]);
        assert!(fields_rest::<3>("a$b").is_err());
    }

    #[test]
    fn salts_without_dollar() {
        assert!(check_salt("abc").is_ok());
        assert!(check_salt("").is_err());
        assert!(check_salt("a$b").is_err());
    }
}
