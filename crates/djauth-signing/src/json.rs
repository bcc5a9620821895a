//! JSON exactly as Python's `json.dumps(…, separators=(",", ":"))` writes it.
//!
//! Everything outside printable ASCII is escaped, characters beyond the basic plane as surrogate
//! pairs; numbers with a fraction have the text of Python's `repr`. Keys keep the order in which
//! they are written (a [`serde_json::Value`] keeps insertion order).

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

use crate::{Error, ErrorKind, Result};

/// The text that Python's `json` writes for `value`, without spaces.
pub fn to_python_json(value: &serde_json::Value) -> String {
    to_string(value).expect("a JSON value has a JSON form")
}

/// The text that Python's `json` writes for the JSON form of `value`, without spaces.
///
/// Not-a-number and the infinities become `null`, where Python writes words that are not JSON.
///
/// # Errors
/// [`ErrorKind::NotSerializable`] when the value has no JSON form (as a map whose keys are lists).
pub fn to_string(value: &(impl Serialize + ?Sized)) -> Result<String> {
    write(value, PythonFormatter { spaces: false })
}

/// The same with Python's default separators `, ` and `: ` (messages in sessions are kept so).
///
/// # Errors
/// As [`to_string`].
pub fn to_string_spaced(value: &(impl Serialize + ?Sized)) -> Result<String> {
    write(value, PythonFormatter { spaces: true })
}

fn write(value: &(impl Serialize + ?Sized), formatter: PythonFormatter) -> Result<String> {
    let mut bytes = Vec::with_capacity(128);
    value
        .serialize(&mut Serializer::with_formatter(&mut bytes, formatter))
        .map_err(|error| Error::with_source(ErrorKind::NotSerializable, error))?;
    Ok(String::from_utf8(bytes).expect("only ASCII is written"))
}

struct PythonFormatter {
    spaces: bool,
}

impl PythonFormatter {
    fn comma<W: ?Sized + io::Write>(&self, writer: &mut W, first: bool) -> io::Result<()> {
        match (first, self.spaces) {
            (true, _) => Ok(()),
            (false, true) => writer.write_all(b", "),
            (false, false) => writer.write_all(b","),
        }
    }
}

impl Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.comma(writer, first)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.comma(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(if self.spaces { b": " } else { b":" })
    }

    fn write_f32<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        write_float(writer, &format!("{value:e}"))
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        write_float(writer, &format!("{value:e}"))
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(start) = rest.find(|c: char| !matches!(c, ' '..='~')) {
            let (plain, tail) = rest.split_at(start);
            writer.write_all(plain.as_bytes())?;
            let c = tail.chars().next().expect("a character was found");
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &tail[c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let short = match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => return writer.write_all(b"/"),
            CharEscape::Backspace => b"\\b",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::AsciiControl(byte) => return write!(writer, "\\u{byte:04x}"),
        };
        writer.write_all(short)
    }
}

/// Python's `repr` of a finite float, from its shortest digits in Rust's exponent form
/// (`-1.25e-7`): positional from 1e-4 up to below 1e16, otherwise with a signed exponent of at
/// least two digits.
fn write_float<W: ?Sized + io::Write>(writer: &mut W, shortest: &str) -> io::Result<()> {
    let (mantissa, exponent) = shortest
        .split_once('e')
        .expect("an exponent is always written");
    let exponent: i32 = exponent.parse().expect("an exponent is a small number");
    let (sign, mantissa) = mantissa
        .strip_prefix('-')
        .map_or(("", mantissa), |rest| ("-", rest));
    writer.write_all(sign.as_bytes())?;
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return write!(writer, "{mantissa}e{sign}{:02}", exponent.abs());
    }
    let digits = mantissa.replace('.', "");
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return write!(writer, "0.{zeros}{digits}");
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return write!(writer, "{digits}{}.0", "0".repeat(whole - digits.len()));
    }
    write!(writer, "{}.{}", &digits[..whole], &digits[whole..])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_keep_their_order_and_nothing_is_spaced() {
        let value = json!({"z": [1, null, true], "a": {"b": "c"}});
        assert_eq!(
            to_python_json(&value),
            r#"{"z":[1,null,true],"a":{"b":"c"}}"#
        );
        assert_eq!(
            to_string_spaced(&value).unwrap(),
            r#"{"z": [1, null, true], "a": {"b": "c"}}"#
        );
    }

    #[test]
    fn what_json_cannot_say() {
        assert_eq!(to_string(&f64::NAN).unwrap(), "null");
        let lists = std::collections::BTreeMap::from([(vec![1], 2)]);
        assert_eq!(
            to_string(&lists).unwrap_err().kind(),
            ErrorKind::NotSerializable
        );
    }
}
