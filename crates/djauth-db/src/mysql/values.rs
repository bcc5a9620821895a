//! Values as MariaDB sends and takes them.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use mysql_async::Value as Raw;
use mysql_async::consts::ColumnType;

use crate::{Error, ErrorKind, Result, Value, datetime};

/// The character set of columns that hold bytes.
const BINARY: u16 = 63;

pub(super) fn params(values: &[Value<'_>]) -> Result<Vec<Raw>> {
    values.iter().map(param).collect()
}

fn param(value: &Value<'_>) -> Result<Raw> {
    Ok(match value {
        Value::Null => Raw::NULL,
        Value::Bool(v) => Raw::Int((*v).into()),
        Value::Int(v) => Raw::Int(*v),
        Value::Real(v) => Raw::Double(*v),
        Value::Text(v) => Raw::Bytes(v.as_bytes().to_vec()),
        Value::Bytes(v) => Raw::Bytes(v.to_vec()),
        Value::Timestamp(v) => {
            moment(*v).ok_or_else(|| Error::new(ErrorKind::Data, "a year outside of 1 to 9999"))?
        }
        // Native columns take this form as well.
        Value::Uuid(v) => Raw::Bytes(v.simple().to_string().into_bytes()),
    })
}

fn moment(v: DateTime<Utc>) -> Option<Raw> {
    if !datetime::in_range(v) {
        return None;
    }
    let v = datetime::truncate(v).naive_utc();
    Some(Raw::Date(
        v.year().try_into().ok()?,
        v.month().try_into().ok()?,
        v.day().try_into().ok()?,
        v.hour().try_into().ok()?,
        v.minute().try_into().ok()?,
        v.second().try_into().ok()?,
        v.nanosecond() / 1_000,
    ))
}

/// The column at `index`; `None` when there is none, or none that can be read.
pub(crate) fn column(row: &mysql_async::Row, index: usize) -> Option<Value<'_>> {
    Some(match row.as_ref(index)? {
        Raw::NULL => Value::Null,
        Raw::Int(v) => Value::Int(*v),
        Raw::UInt(v) => Value::Int((*v).try_into().ok()?),
        Raw::Float(v) => Value::Real((*v).into()),
        Raw::Double(v) => Value::Real(*v),
        Raw::Bytes(v) if is_bytes(row, index) => Value::Bytes(v.as_slice().into()),
        Raw::Bytes(v) => Value::Text(std::str::from_utf8(v).ok()?.into()),
        Raw::Date(year, month, day, hour, minute, second, micros) => {
            let date = NaiveDate::from_ymd_opt((*year).into(), (*month).into(), (*day).into())?;
            let (hour, minute, second) = ((*hour).into(), (*minute).into(), (*second).into());
            Value::Timestamp(
                date.and_hms_micro_opt(hour, minute, second, *micros)?
                    .and_utc(),
            )
        }
        Raw::Time(..) => return None,
    })
}

fn is_bytes(row: &mysql_async::Row, index: usize) -> bool {
    let column = &row.columns_ref()[index];
    let decimal = matches!(
        column.column_type(),
        ColumnType::MYSQL_TYPE_NEWDECIMAL | ColumnType::MYSQL_TYPE_DECIMAL
    );
    column.character_set() == BINARY && !decimal
}

/// The name of the column at `index`.
pub(crate) fn name(row: &mysql_async::Row, index: usize) -> Option<&str> {
    std::str::from_utf8(row.columns_ref().get(index)?.name_ref()).ok()
}
