//! From raw JSON text to a value.

use super::{BigInt, MAX_DEPTH, Value, unescape};
use crate::json;

/// The value that Python's decoder makes of `raw`. `None` if `raw` is not JSON, nests too deeply or
/// holds a number over Python's limit.
pub(crate) fn from_json(raw: &str) -> Option<Value> {
    nested(raw.trim_matches([' ', '\t', '\n', '\r']), 0)
}

fn nested(raw: &str, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    match raw.as_bytes().first()? {
        b'"' => unescape(raw.strip_prefix('"')?.strip_suffix('"')?).map(Value::Str),
        b'[' => list(raw, depth),
        b'{' => dict(raw, depth),
        _ => scalar(raw),
    }
}

fn list(raw: &str, depth: usize) -> Option<Value> {
    let mut values = Some(Vec::new());
    json::elements(raw, |element| {
        values = values.take().and_then(|mut values| {
            values.push(nested(element, depth + 1)?);
            Some(values)
        });
    })?;
    values.map(Value::List)
}

fn dict(raw: &str, depth: usize) -> Option<Value> {
    let mut entries = Some(Vec::new());
    json::members(raw, |key, value| {
        entries = entries.take().and_then(|mut entries| {
            entries.push((Value::Str(unescape(key)?), nested(value, depth + 1)?));
            Some(entries)
        });
    })?;
    entries.map(Value::Dict)
}

fn scalar(raw: &str) -> Option<Value> {
    Some(match raw {
        "null" => Value::None,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "NaN" => Value::Float(f64::NAN),
        "Infinity" => Value::Float(f64::INFINITY),
        "-Infinity" => Value::Float(f64::NEG_INFINITY),
        number => return self::number(number),
    })
}

fn number(raw: &str) -> Option<Value> {
    if raw.contains(['.', 'e', 'E']) {
        return raw.parse().ok().map(Value::Float);
    }
    match raw.parse() {
        Ok(number) => Some(Value::Int(number)),
        Err(_) => BigInt::from_decimal(raw).map(Value::BigInt),
    }
}
