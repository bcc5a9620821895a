//! From a value to JSON text, byte for byte as Python's `json.dumps(…, separators=(",", ":"))`.

use super::{MAX_DEPTH, Value, escape};
use crate::error::{Error, Result};

impl Value {
    /// The JSON that Python's encoder writes.
    ///
    /// # Errors
    /// [`NotCarried`](crate::ErrorKind::NotCarried) if the value, or one inside it, has no JSON form.
    pub fn to_json(&self) -> Result<String> {
        let mut text = String::new();
        push(&mut text, self, 0)?;
        Ok(text)
    }

    /// What the value is called in an error message.
    pub(crate) fn type_name(&self) -> &str {
        match self {
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::BigInt(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "str",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::Opaque(class) => class,
        }
    }
}

fn push(text: &mut String, value: &Value, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::not_carried(
            "the session nests its values too deeply",
        ));
    }
    match value {
        Value::Str(string) => push_string(text, &escape(string)),
        Value::List(values) | Value::Tuple(values) => return push_list(text, values, depth),
        Value::Dict(entries) => return push_dict(text, entries, depth),
        Value::Bytes(_) | Value::Opaque(_) => return Err(no_json(value)),
        scalar => text.push_str(&scalar_text(scalar)),
    }
    Ok(())
}

fn push_string(text: &mut String, escaped: &str) {
    text.push('"');
    text.push_str(escaped);
    text.push('"');
}

fn push_list(text: &mut String, values: &[Value], depth: usize) -> Result<()> {
    text.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        push(text, value, depth + 1)?;
    }
    text.push(']');
    Ok(())
}

fn push_dict(text: &mut String, entries: &[(Value, Value)], depth: usize) -> Result<()> {
    text.push('{');
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        push_string(text, &key_text(key)?);
        text.push(':');
        push(text, value, depth + 1)?;
    }
    text.push('}');
    Ok(())
}

/// A key as Python's encoder makes it text: numbers, booleans and `None` by their JSON form.
pub(crate) fn key_text(key: &Value) -> Result<String> {
    match key {
        Value::Str(string) => Ok(escape(string)),
        Value::None | Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
            Ok(scalar_text(key))
        }
        other => Err(no_json(other)),
    }
}

fn scalar_text(value: &Value) -> String {
    match value {
        Value::Bool(true) => "true".into(),
        Value::Bool(false) => "false".into(),
        Value::Int(number) => number.to_string(),
        Value::BigInt(number) => number.to_string(),
        Value::Float(number) => float_text(*number),
        _ => "null".into(),
    }
}

fn no_json(value: &Value) -> Error {
    Error::not_carried(format!(
        "the session holds a value that has no JSON form ({})",
        value.type_name()
    ))
}

/// Python's `repr` of a float: shortest digits, an exponent below 1e-4 and from 1e16.
fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .into();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>().unwrap_or(0) {
        exponent @ (..-4 | 16..) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => format!("{number:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::from_json;

    #[test]
    fn floats_as_python_writes_them() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (1e-4, "0.0001"),
            (1.25e-5, "1.25e-05"),
            (5e-324, "5e-324"),
            (123_456_789.123, "123456789.123"),
            (f64::INFINITY, "Infinity"),
        ] {
            assert_eq!(float_text(number), text);
        }
    }

    #[test]
    fn json_round_trips() {
        let text = r#"{"a":[1,-2.5,null,true,{"\u00e9":"\ud800"}],"b":123456789012345678901234567890,"c":{}}"#;
        assert_eq!(from_json(text).unwrap().to_json().unwrap(), text);
    }

    #[test]
    fn python_only_values_are_refused_by_name() {
        let value = Value::List(vec![Value::Opaque("decimal.Decimal".into())]);
        let error = value.to_json().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::NotCarried);
        assert!(error.to_string().contains("decimal.Decimal"));
    }
}
