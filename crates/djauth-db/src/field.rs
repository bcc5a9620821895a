//! Rust types that a column can hold.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::{Value, datetime};

/// A Rust type that a column can hold.
///
/// [`from_value`](Field::from_value) accepts every form that the three databases use: a bool is an
/// integer on SQLite, a moment is text there, a UUID may be text or native.
pub trait Field: Sized + Send + Sync + 'static {
    /// The name used in errors.
    const NAME: &'static str;

    /// `None`: the value is of another kind, or out of range.
    fn from_value(value: Value<'_>) -> Option<Self>;

    /// The value to bind.
    fn to_value(&self) -> Value<'_>;

    /// Django's empty value: `''`, `0`, `False`, `None`, now (microseconds), a fresh UUID.
    fn blank() -> Self;
}

impl Field for bool {
    const NAME: &'static str = "boolean";

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bool(v) => Some(v),
            // SQLite and MariaDB keep any number in such a column. On SQLite nothing but one is true for
            // Django either; on MariaDB other numbers are, but here no flag is set by a slip.
            Value::Int(v) => Some(v == 1),
            Value::Real(v) => Some(v == 1.0),
            _ => None,
        }
    }

    fn to_value(&self) -> Value<'_> {
        Value::Bool(*self)
    }

    fn blank() -> Self {
        false
    }
}

macro_rules! integer {
    ($($t:ty => $name:literal),*) => {$(
        impl Field for $t {
            const NAME: &'static str = $name;

            fn from_value(value: Value<'_>) -> Option<Self> {
                match value {
                    Value::Int(v) => v.try_into().ok(),
                    Value::Bool(v) => Some(v.into()),
                    _ => None,
                }
            }

            fn to_value(&self) -> Value<'_> {
                Value::Int((*self).into())
            }

            fn blank() -> Self {
                0
            }
        }
    )*};
}

integer!(i16 => "16-bit integer", i32 => "32-bit integer", i64 => "64-bit integer");

impl Field for f64 {
    const NAME: &'static str = "double";

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Real(v) => Some(v),
            // A whole number in a REAL column may come back as an integer on SQLite.
            Value::Int(v) if v.unsigned_abs() <= 1 << 53 => Some(v as f64),
            _ => None,
        }
    }

    fn to_value(&self) -> Value<'_> {
        Value::Real(*self)
    }

    fn blank() -> Self {
        0.0
    }
}

impl Field for String {
    const NAME: &'static str = "text";

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(v) => Some(v.into_owned()),
            _ => None,
        }
    }

    fn to_value(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self))
    }

    fn blank() -> Self {
        String::new()
    }
}

impl Field for Vec<u8> {
    const NAME: &'static str = "byte string";

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(v) => Some(v.into_owned()),
            _ => None,
        }
    }

    fn to_value(&self) -> Value<'_> {
        Value::Bytes(Cow::Borrowed(self))
    }

    fn blank() -> Self {
        Vec::new()
    }
}

impl Field for DateTime<Utc> {
    const NAME: &'static str = "moment";

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Timestamp(v) => Some(v),
            Value::Text(v) => datetime::parse(&v),
            // SQLite makes a number of a text that is all digits, `20261103`.
            Value::Int(v) => datetime::parse(&v.to_string()),
            _ => None,
        }
    }

    fn to_value(&self) -> Value<'_> {
        Value::Timestamp(*self)
    }

    fn blank() -> Self {
        datetime::truncate(Utc::now())
    }
}

/// As text, `YYYY-MM-DD`. PostgreSQL must be told to convert: `CAST(column AS text)`.
impl Field for NaiveDate {
    const NAME: &'static str = "date";

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(v) if v.len() == 10 => NaiveDate::parse_from_str(&v, "%Y-%m-%d").ok(),
            _ => None,
        }
    }

    fn to_value(&self) -> Value<'_> {
        Value::Text(self.format("%Y-%m-%d").to_string().into())
    }

    fn blank() -> Self {
        Utc::now().date_naive()
    }
}

impl Field for Uuid {
    const NAME: &'static str = "UUID";

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Uuid(v) => Some(v),
            // Django writes 32 digits; both forms are read, the braced and URN ones are not.
            Value::Text(v) if matches!(v.len(), 32 | 36) => Uuid::try_parse(&v).ok(),
            Value::Bytes(v) => Uuid::from_slice(&v).ok(),
            _ => None,
        }
    }

    fn to_value(&self) -> Value<'_> {
        Value::Uuid(*self)
    }

    fn blank() -> Self {
        Uuid::new_v4()
    }
}

/// NULL is `None`.
impl<T: Field> Field for Option<T> {
    const NAME: &'static str = T::NAME;

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }

    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    fn blank() -> Self {
        None
    }
}

/// Whatever the column holds, as the driver tells it.
impl Field for Value<'static> {
    const NAME: &'static str = "value";

    fn from_value(value: Value<'_>) -> Option<Self> {
        Some(value.into_owned())
    }

    fn to_value(&self) -> Value<'_> {
        self.borrowed()
    }

    fn blank() -> Self {
        Value::Null
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_true_and_no_other_number_is() {
        for (value, truth) in [(0, false), (1, true), (2, false), (-1, false)] {
            assert_eq!(bool::from_value(Value::Int(value)), Some(truth), "{value}");
        }
        assert_eq!(bool::from_value(Value::Real(0.5)), Some(false));
        assert_eq!(bool::from_value(Value::Text("1".into())), None);
        assert_eq!(bool::from_value(Value::Null), None);
    }

    #[test]
    fn integers_out_of_range_are_refused() {
        assert_eq!(i32::from_value(Value::Int(1 << 31)), None);
        assert_eq!(i32::from_value(Value::Int((1 << 31) - 1)), Some(i32::MAX));
        assert_eq!(i64::from_value(Value::Int(i64::MIN)), Some(i64::MIN));
    }

    #[test]
    fn uuids_in_every_stored_form() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        for text in [id.simple().to_string(), id.hyphenated().to_string()] {
            assert_eq!(Uuid::from_value(Value::Text(text.into())), Some(id));
        }
        assert_eq!(
            Uuid::from_value(Value::Bytes(id.as_bytes()[..].into())),
            Some(id)
        );
        assert_eq!(
            Uuid::from_value(Value::Text(id.braced().to_string().into())),
            None
        );
        assert_eq!(Uuid::from_value(Value::Text("é".repeat(16).into())), None);
    }

    #[test]
    fn dates_are_text() {
        let date = NaiveDate::from_ymd_opt(2000, 2, 29).unwrap();
        assert_eq!(NaiveDate::from_value(date.to_value()), Some(date));
        for wrong in ["2001-02-29", "2000-2-29", "2000-02-29 00:00", ""] {
            assert_eq!(NaiveDate::from_value(wrong.into()), None, "{wrong}");
        }
    }

    #[test]
    fn null_is_none_and_nothing_else() {
        assert_eq!(Option::<String>::from_value(Value::Null), Some(None));
        assert_eq!(String::from_value(Value::Null), None);
        assert_eq!(Option::<i64>::from_value(Value::Text("x".into())), None);
    }

    #[test]
    fn debug_hides_content() {
        assert!(!format!("{:?}", Value::from("hunter2")).contains("hunter2"));
    }
}
