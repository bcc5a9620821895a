//! Binding by the parameter's type, reading by the column's type.

use std::error::Error as StdError;
use std::fmt;

use bytes::{BufMut, BytesMut};
use chrono::{DateTime, NaiveDateTime, Utc};
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::{Value, datetime};

type BoxError = Box<dyn StdError + Sync + Send>;

/// A value on its way to a parameter.
pub(super) struct Param<'a>(pub(super) &'a Value<'a>);

impl fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A value that its parameter cannot take. Says the types, never the value.
#[derive(Debug)]
pub(super) struct Unfit {
    value: String,
    parameter: String,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} for a parameter of type {}",
            self.value, self.parameter
        )
    }
}

impl StdError for Unfit {}

/// The value does not fit an integer parameter of this type: it must be sent wider.
pub(super) fn is_too_wide(value: &Value<'_>, ty: &Type) -> bool {
    match (value, ty) {
        (Value::Int(v), &Type::INT2) => i16::try_from(*v).is_err(),
        (Value::Int(v), &Type::INT4) => i32::try_from(*v).is_err(),
        _ => false,
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        if let Kind::Domain(inner) = ty.kind() {
            return self.to_sql(inner, out);
        }
        let unfit = || {
            Unfit {
                value: format!("{:?}", self.0),
                parameter: ty.name().to_owned(),
            }
            .into()
        };
        match self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Bool(v) if *ty == Type::BOOL => v.to_sql(ty, out),
            Value::Bool(v) => put_integer((*v).into(), ty, out).ok_or_else(unfit),
            Value::Int(v) => put_integer(*v, ty, out).ok_or_else(unfit),
            Value::Real(v) if *ty == Type::FLOAT4 => (*v as f32).to_sql(ty, out),
            Value::Real(v) if *ty == Type::FLOAT8 => v.to_sql(ty, out),
            Value::Text(v) => put_text(v, ty, out).ok_or_else(unfit),
            Value::Bytes(v) if *ty == Type::BYTEA => v.as_ref().to_sql(ty, out),
            Value::Timestamp(v) => match (datetime::in_range(*v), ty) {
                (true, &Type::TIMESTAMPTZ) => v.to_sql(ty, out),
                (true, &Type::TIMESTAMP) => v.naive_utc().to_sql(ty, out),
                _ => Err(unfit()),
            },
            Value::Uuid(v) if *ty == Type::UUID => v.to_sql(ty, out),
            Value::Uuid(v) => put_text(&v.simple().to_string(), ty, out).ok_or_else(unfit),
            _ => Err(unfit()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn put_integer(v: i64, ty: &Type, out: &mut BytesMut) -> Option<IsNull> {
    match *ty {
        Type::INT2 => out.put_i16(v.try_into().ok()?),
        Type::INT4 => out.put_i32(v.try_into().ok()?),
        Type::INT8 => out.put_i64(v),
        Type::OID => out.put_u32(v.try_into().ok()?),
        Type::FLOAT8 => out.put_f64(v as f64),
        _ => return None,
    }
    Some(IsNull::No)
}

fn put_text(v: &str, ty: &Type, out: &mut BytesMut) -> Option<IsNull> {
    if v.contains('\0') {
        return None;
    }
    if *ty == Type::UUID {
        out.put_slice(Uuid::try_parse(v).ok()?.as_bytes());
        return Some(IsNull::No);
    }
    if *ty == Type::JSONB {
        out.put_u8(1);
    } else if !is_text(ty) {
        return None;
    }
    out.put_slice(v.as_bytes());
    Some(IsNull::No)
}

fn is_text(ty: &Type) -> bool {
    matches!(
        *ty,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON
    ) || ty.name() == "citext"
        || matches!(ty.kind(), Kind::Enum(_))
}

/// A column on its way to a value; `None` when its type is not known here.
pub(super) struct Column<'r>(pub(super) Option<Value<'r>>);

impl<'r> FromSql<'r> for Column<'r> {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, BoxError> {
        if let Kind::Domain(inner) = ty.kind() {
            return Column::from_sql(inner, raw);
        }
        Ok(Column(Some(match *ty {
            Type::BOOL => Value::Bool(bool::from_sql(ty, raw)?),
            Type::INT2 => Value::Int(i16::from_sql(ty, raw)?.into()),
            Type::INT4 => Value::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT8 => Value::Int(i64::from_sql(ty, raw)?),
            Type::OID => Value::Int(u32::from_sql(ty, raw)?.into()),
            Type::FLOAT4 => Value::Real(f32::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(ty, raw)?),
            Type::BYTEA => Value::Bytes(raw.into()),
            Type::TIMESTAMPTZ => Value::Timestamp(DateTime::<Utc>::from_sql(ty, raw)?),
            Type::TIMESTAMP => Value::Timestamp(NaiveDateTime::from_sql(ty, raw)?.and_utc()),
            Type::UUID => Value::Uuid(Uuid::from_sql(ty, raw)?),
            _ if is_text(ty) => Value::Text(std::str::from_utf8(raw)?.into()),
            _ => return Ok(Column(None)),
        })))
    }

    fn from_sql_null(_: &Type) -> Result<Self, BoxError> {
        Ok(Column(Some(Value::Null)))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The column at `index`; `None` when there is none, or none that can be read.
pub(crate) fn column(row: &tokio_postgres::Row, index: usize) -> Option<Value<'_>> {
    row.try_get::<_, Column<'_>>(index).ok()?.0
}
