//! How a struct is read from columns and written to them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::{BaseUser, FieldInfo, UserMeta};
use crate::db::{self, Field, Row, Value};

/// A struct whose columns are columns of the model that embeds it.
pub trait Embed: Sized {
    /// What is known about its columns.
    const FIELDS: &'static [FieldInfo];
    /// Reads its columns.
    ///
    /// # Errors
    /// A column that does not hold its type.
    fn read(row: &mut Columns<'_>) -> db::Result<Self>;
    /// Names its columns with their values.
    fn write<'a>(&'a self, row: &mut Changes<'a>);
}

/// Where [`BaseUser::read`] reads from: a row, given values, or nothing (to learn the column names).
pub struct Columns<'r> {
    source: Source<'r>,
    meta: Option<&'r Arc<UserMeta>>,
}

enum Source<'r> {
    /// Selected in the model's order from `next` on: no look-up, only a check of the name.
    Row {
        row: &'r Row<'r>,
        names: &'r [Cow<'static, str>],
        next: usize,
        offset: usize,
    },
    /// Records the names, answers blanks.
    Record(Vec<&'static str>),
    /// Given values, defaults for the rest.
    Map(&'r HashMap<String, Value<'static>>),
}

impl<'r> Columns<'r> {
    /// A row whose columns from `offset` on are `names`, in that order.
    pub(crate) fn row(row: &'r Row<'r>, names: &'r [Cow<'static, str>], offset: usize) -> Self {
        Self::of(Source::Row {
            row,
            names,
            next: 0,
            offset,
        })
    }

    /// Given values; absent ones take their defaults.
    pub(crate) fn map(values: &'r HashMap<String, Value<'static>>) -> Self {
        Self::of(Source::Map(values))
    }

    /// Defaults alone.
    pub(crate) fn defaults() -> Self {
        Self::of(Source::Record(Vec::new()))
    }

    fn of(source: Source<'r>) -> Self {
        Self { source, meta: None }
    }

    /// The same for a model that is described.
    pub(crate) fn with_meta(mut self, meta: Option<&'r Arc<UserMeta>>) -> Self {
        self.meta = meta;
        self
    }

    /// What the model is described by.
    pub(crate) fn meta(&self) -> Option<&'r Arc<UserMeta>> {
        self.meta
    }

    /// An object of defaults.
    pub(crate) fn blank<T>(read: impl FnOnce(&mut Columns<'_>) -> db::Result<T>) -> T {
        read(&mut Columns::defaults()).expect("defaults can always be read")
    }

    /// The names that `read` asks for, in its order.
    pub(crate) fn names<T>(
        read: impl FnOnce(&mut Columns<'_>) -> db::Result<T>,
    ) -> db::Result<Vec<&'static str>> {
        let mut columns = Columns::defaults();
        read(&mut columns)?;
        match columns.source {
            Source::Record(names) => Ok(names),
            _ => Ok(Vec::new()),
        }
    }

    /// The column of this name.
    ///
    /// # Errors
    /// The column does not hold a `T`.
    pub fn get<T: Field>(&mut self, name: &'static str) -> db::Result<T> {
        self.get_or(name, T::blank)
    }

    /// The column of this name; `default` is used for new objects only, never for a row (Django's
    /// `default=`).
    ///
    /// # Errors
    /// The column does not hold a `T`.
    pub fn get_or<T: Field>(
        &mut self,
        name: &'static str,
        default: impl FnOnce() -> T,
    ) -> db::Result<T> {
        match &mut self.source {
            Source::Row {
                row,
                names,
                next,
                offset,
            } => {
                let index = position(names, next, name)?;
                row.get(*offset + index)
            }
            Source::Record(names) => {
                names.push(name);
                Ok(default())
            }
            Source::Map(values) => match values.get(name) {
                Some(value) => {
                    T::from_value(value.clone()).ok_or_else(|| db::Error::decode(name, T::NAME))
                }
                None => Ok(default()),
            },
        }
    }
}

impl Columns<'_> {
    /// The field of a described model, as a value of its kind.
    pub(crate) fn described(&mut self, field: &FieldInfo) -> db::Result<Value<'static>> {
        let value = match &mut self.source {
            Source::Row {
                row,
                names,
                next,
                offset,
            } => {
                let index = position(names, next, &field.name)?;
                field.read(row.value(*offset + index)?)
            }
            Source::Record(_) => return Ok(field.default_value()),
            Source::Map(values) => match values.get(field.name.as_ref()) {
                Some(value) => field.read(value.clone()),
                None => return Ok(field.default_value()),
            },
        };
        value.ok_or_else(|| db::Error::decode(&field.name, field.kind.name()))
    }
}

/// Where `name` is: at `next` when it is read in the model's order, else wherever it was selected.
fn position(names: &[Cow<'static, str>], next: &mut usize, name: &str) -> db::Result<usize> {
    let index = if names.get(*next).is_some_and(|known| known == name) {
        *next
    } else {
        let found = names.iter().position(|known| *known == name);
        found.ok_or_else(|| db::Error::decode(name, "value: it was not selected"))?
    };
    *next = index + 1;
    Ok(index)
}

/// What [`BaseUser::write`] writes to.
pub struct Changes<'a> {
    only: Option<&'a [&'a str]>,
    columns: Vec<(&'a str, Value<'a>)>,
}

impl<'a> Changes<'a> {
    /// Every column.
    pub(crate) fn all() -> Self {
        Self {
            only: None,
            columns: Vec::with_capacity(16),
        }
    }

    /// Only the columns of these names.
    pub(crate) fn only(names: &'a [&'a str]) -> Self {
        Self {
            only: Some(names),
            columns: Vec::with_capacity(names.len()),
        }
    }

    /// Names a column with its value.
    pub fn set<T: Field>(&mut self, name: &'a str, value: &'a T) {
        if self.only.is_none_or(|only| only.contains(&name)) {
            self.columns.push((name, value.to_value()));
        }
    }

    pub(crate) fn into_columns(self) -> Vec<(&'a str, Value<'a>)> {
        self.columns
    }

    /// One column of a user, if there is such a column and it holds text.
    pub(crate) fn only_text_of<U: BaseUser>(user: &U, name: &str) -> Option<String> {
        let only = [name];
        let mut changes = Changes::only(&only);
        user.write(&mut changes);
        match changes.columns.pop()?.1 {
            Value::Text(text) => Some(Cow::into_owned(text)),
            _ => None,
        }
    }

    /// One column of a user as text; `None` when there is no such column or it holds no text.
    pub(crate) fn text_of<U: BaseUser>(user: &U, name: &str) -> Option<String> {
        let only = [name];
        let mut changes = Changes::only(&only);
        user.write(&mut changes);
        match changes.columns.pop()?.1 {
            Value::Text(text) => Some(Cow::into_owned(text)),
            Value::Int(number) => Some(number.to_string()),
            Value::Uuid(uuid) => Some(uuid.to_string()),
            _ => None,
        }
    }
}
