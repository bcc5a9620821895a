//! Running one statement on one connection.

use std::ops::ControlFlow;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection};

use super::errors::map;
use crate::row::Source;
use crate::{Error, ErrorKind, Result, Row, Value, datetime};

/// Rows that came over from another thread.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<Vec<Value<'static>>>,
}

impl Rows {
    pub(crate) fn map<T>(&self, mut f: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        self.rows
            .iter()
            .map(|values| f(&Row::owned(values, &self.names)))
            .collect()
    }
}

/// A statement, prepared or from the cache, with its values bound.
pub(super) fn prepare<'c>(
    connection: &'c Connection,
    sql: &str,
    params: &[Value<'_>],
) -> Result<CachedStatement<'c>> {
    let mut statement = connection.prepare_cached(sql).map_err(map)?;
    if statement.parameter_count() != params.len() {
        return Err(Error::new(
            ErrorKind::Other,
            format!(
                "{} values for {} marks",
                params.len(),
                statement.parameter_count()
            ),
        ));
    }
    for (index, value) in params.iter().enumerate() {
        statement
            .raw_bind_parameter(index + 1, Bound(output(value)?))
            .map_err(map)?;
    }
    Ok(statement)
}

/// Every row through `f`, until it breaks.
pub(super) fn each(
    statement: &mut CachedStatement<'_>,
    mut f: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(map)? {
        if f(&Row(Source::Sqlite(row)))?.is_break() {
            break;
        }
    }
    Ok(())
}

/// All rows, copied.
pub(super) fn collect(connection: &Connection, sql: &str, params: &[Value<'_>]) -> Result<Rows> {
    let mut statement = prepare(connection, sql, params)?;
    let names = statement.column_names().map(str::to_owned).collect();
    let mut rows = Vec::new();
    each(&mut statement, |row| {
        rows.push(row.to_values()?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(Rows { names, rows })
}

/// Runs a write. Rows that it answers (RETURNING) are read to the end and left.
pub(super) fn execute(connection: &Connection, sql: &str, params: &[Value<'_>]) -> Result<u64> {
    let mut statement = prepare(connection, sql, params)?;
    each(&mut statement, |_| Ok(ControlFlow::Continue(())))?;
    Ok(connection.changes())
}

struct Bound<'a>(ToSqlOutput<'a>);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match &self.0 {
            ToSqlOutput::Borrowed(value) => ToSqlOutput::Borrowed(*value),
            ToSqlOutput::Owned(value) => ToSqlOutput::Borrowed(value.into()),
            _ => ToSqlOutput::Borrowed(ValueRef::Null),
        })
    }
}

fn output<'v>(value: &'v Value<'_>) -> Result<ToSqlOutput<'v>> {
    use rusqlite::types::Value as Owned;
    Ok(match value {
        Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
        Value::Bool(v) => ToSqlOutput::Borrowed(ValueRef::Integer((*v).into())),
        Value::Int(v) => ToSqlOutput::Borrowed(ValueRef::Integer(*v)),
        Value::Real(v) => ToSqlOutput::Borrowed(ValueRef::Real(*v)),
        Value::Text(v) => ToSqlOutput::Borrowed(ValueRef::Text(v.as_bytes())),
        Value::Bytes(v) => ToSqlOutput::Borrowed(ValueRef::Blob(v)),
        Value::Timestamp(v) => {
            ToSqlOutput::Owned(Owned::Text(datetime::format(*v).ok_or_else(|| {
                Error::new(ErrorKind::Data, "a year outside of 1 to 9999")
            })?))
        }
        Value::Uuid(v) => ToSqlOutput::Owned(Owned::Text(v.simple().to_string())),
    })
}

/// The column at `index`; `None` when there is none or its text is not UTF-8.
pub(crate) fn column<'r>(row: &'r rusqlite::Row<'_>, index: usize) -> Option<Value<'r>> {
    Some(match row.get_ref(index).ok()? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(v) => Value::Int(v),
        ValueRef::Real(v) => Value::Real(v),
        ValueRef::Text(v) => Value::Text(std::str::from_utf8(v).ok()?.into()),
        ValueRef::Blob(v) => Value::Bytes(v.into()),
    })
}
