//! One row of an answer.

use crate::{Error, Field, Result, Value};

/// One row, borrowed from the driver for the length of the mapping closure: text is not copied
/// twice.
///
/// Columns are read by their place in the SELECT list. The Rust type that is asked for decides how
/// a value is read; see [`Field`].
pub struct Row<'a>(pub(crate) Source<'a>);

pub(crate) enum Source<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
    Mysql(&'a mysql_async::Row),
    Owned {
        values: &'a [Value<'static>],
        names: &'a [String],
    },
}

impl<'a> Row<'a> {
    /// A row of given values, for forms and tests. Names may be left out.
    pub fn owned(values: &'a [Value<'static>], names: &'a [String]) -> Self {
        Row(Source::Owned { values, names })
    }

    /// The column at `index` as a `T`.
    ///
    /// # Errors
    /// `Decode` when the column is missing or holds something else.
    pub fn get<T: Field>(&self, index: usize) -> Result<T> {
        T::from_value(self.value(index)?).ok_or_else(|| Error::decode(&self.label(index), T::NAME))
    }

    /// The text of the column at `index`; empty when it holds something else, as columns of SQLite can.
    ///
    /// # Errors
    /// `Decode` when the column is missing, or its text is not UTF-8.
    pub fn text(&self, index: usize) -> Result<String> {
        match self.value(index)? {
            Value::Text(text) => Ok(text.into_owned()),
            _ => Ok(String::new()),
        }
    }

    /// The column at `index` as text for people, if it holds a text, an integer or a UUID; `None` for all else.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn shown(&self, index: usize) -> Result<Option<String>> {
        Ok(match self.value(index)? {
            Value::Text(text) => Some(text.into_owned()),
            Value::Int(number) => Some(number.to_string()),
            Value::Uuid(uuid) => Some(uuid.to_string()),
            _ => None,
        })
    }

    /// The column at `index`, borrowed.
    ///
    /// # Errors
    /// `Decode` when the column is missing or of a type that this crate does not know.
    pub fn value(&self, index: usize) -> Result<Value<'_>> {
        match &self.0 {
            Source::Sqlite(row) => crate::sqlite::column(row, index),
            Source::Postgres(row) => crate::postgres::column(row, index),
            Source::Mysql(row) => crate::mysql::column(row, index),
            Source::Owned { values, .. } => values.get(index).map(Value::borrowed),
        }
        .ok_or_else(|| Error::decode(&self.label(index), "known value"))
    }

    /// The name of the column at `index`, when it is known.
    pub fn name(&self, index: usize) -> Option<&str> {
        match &self.0 {
            Source::Sqlite(row) => row.as_ref().column_name(index).ok(),
            Source::Postgres(row) => row.columns().get(index).map(tokio_postgres::Column::name),
            Source::Mysql(row) => crate::mysql::name(row, index),
            Source::Owned { names, .. } => names.get(index).map(String::as_str),
        }
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Source::Sqlite(row) => row.as_ref().column_count(),
            Source::Postgres(row) => row.len(),
            Source::Mysql(row) => row.len(),
            Source::Owned { values, .. } => values.len(),
        }
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn label(&self, index: usize) -> String {
        match self.name(index) {
            Some(name) => format!("{index} ({name})"),
            None => index.to_string(),
        }
    }

    /// Copies the row.
    pub(crate) fn to_values(&self) -> Result<Vec<Value<'static>>> {
        (0..self.len())
            .map(|index| Ok(self.value(index)?.into_owned()))
            .collect()
    }
}
