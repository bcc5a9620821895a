//! The statements of one table, built once.

use std::marker::PhantomData;

use crate::base_user::{BaseUser, Changes, Columns, UserId};
use crate::db::{self, Executor, Field, Row, Sql, Value, quote_name};
use crate::{Error, ErrorKind};

/// A struct that is a row of one table.
pub(crate) trait Entity: Clone + Send + Sync + 'static {
    type Id: UserId;
    const ID_COLUMN: &'static str;
    /// What the row is called in errors.
    const NAME: &'static str;
    /// Django's `Meta.ordering`.
    const ORDERING: &'static [&'static str] = &[];
    /// Appended to `FROM <table>` in lists.
    const JOIN: &'static str = "";
    /// Lookup names of joined columns, with the SQL that they stand for.
    const RELATED: &'static [(&'static str, &'static str)] = &[];

    fn table_name() -> String;
    fn key(&self) -> Self::Id;
    fn set_key(&mut self, id: Self::Id);
    fn read_from(row: &mut Columns<'_>) -> db::Result<Self>;
    fn write_to<'a>(&'a self, row: &mut Changes<'a>);
}

impl<U: BaseUser> Entity for U {
    type Id = U::Id;
    const ID_COLUMN: &'static str = U::ID_COLUMN;
    const NAME: &'static str = "user";

    fn table_name() -> String {
        U::db_table()
    }
    fn key(&self) -> Self::Id {
        self.id()
    }
    fn set_key(&mut self, id: Self::Id) {
        self.set_id(id);
    }
    fn read_from(row: &mut Columns<'_>) -> db::Result<Self> {
        U::read(row)
    }
    fn write_to<'a>(&'a self, row: &mut Changes<'a>) {
        self.write(row);
    }
}

/// The columns of a table in the model's order, and the statements that need nothing else.
pub(crate) struct Table<T: Entity> {
    /// Quoted.
    pub(crate) name: String,
    pub(crate) columns: Vec<&'static str>,
    /// Every column, quoted and qualified, for SELECT.
    pub(crate) list: String,
    by_id: Sql,
    insert: Sql,
    insert_with_id: Sql,
    update: Sql,
    of: PhantomData<fn() -> T>,
}

impl<T: Entity> Table<T> {
    /// Learns the columns and builds the statements.
    ///
    /// # Errors
    /// `ImproperlyConfigured` when the struct reads other columns than it writes, or one twice.
    pub(crate) fn new() -> Result<Self, Error> {
        let columns = Columns::names(T::read_from)?;
        check_written::<T>(&columns)?;
        let name = quote_name(&T::table_name()).into_owned();
        let list = list(&name, &columns);
        let id = quote_name(T::ID_COLUMN);
        let rest: Vec<_> = columns
            .iter()
            .copied()
            .filter(|c| *c != T::ID_COLUMN)
            .collect();
        Ok(Self {
            by_id: Sql::generated(
                format!("SELECT {list} FROM {name} WHERE {name}.{id} = ?"),
                None,
            ),
            insert: Sql::generated(insert(&name, &rest), Some(T::ID_COLUMN)),
            insert_with_id: Sql::generated(insert(&name, &columns), None),
            update: Sql::generated(update(&name, &rest, T::ID_COLUMN), None),
            name,
            columns,
            list,
            of: PhantomData,
        })
    }

    /// The row's columns from `offset` on as a `T`.
    pub(crate) fn read(&self, row: &Row<'_>, offset: usize) -> db::Result<T> {
        T::read_from(&mut Columns::row(row, &self.columns, offset))
    }

    /// The row of this key.
    pub(crate) async fn find<E: Executor>(&self, ex: &E, id: T::Id) -> Result<Option<T>, Error> {
        let params = [id.to_value()];
        Ok(ex
            .fetch_optional(&self.by_id, &params, |row| self.read(row, 0))
            .await?)
    }

    /// Writes every column: UPDATE where the row exists, INSERT otherwise (Django's `save()`).
    pub(crate) async fn save<E: Executor>(&self, ex: &E, object: &mut T) -> Result<(), Error> {
        if is_new(object) {
            return self.insert(ex, object).await;
        }
        let params = values(object, &self.columns, Some(T::ID_COLUMN));
        if ex.execute(&self.update, params).await? == 0 {
            self.insert(ex, object).await?;
        }
        Ok(())
    }

    /// Writes a new row; a key that the database makes is stored in the object.
    pub(crate) async fn insert<E: Executor>(&self, ex: &E, object: &mut T) -> Result<(), Error> {
        if is_new(object) {
            let params = values(object, &self.columns, None);
            let params = params.into_iter().map(Value::into_owned).collect();
            let id = ex.insert(&self.insert, params).await?;
            object.set_key(T::Id::from_auto(id));
        } else {
            ex.execute(&self.insert_with_id, all_values(object, &self.columns))
                .await?;
        }
        Ok(())
    }

    /// Writes the named columns only (Django's `save(update_fields=…)`).
    ///
    /// # Errors
    /// `Value`: no such column. `DoesNotExist`: the row is gone.
    pub(crate) async fn save_only<E: Executor>(
        &self,
        ex: &E,
        object: &T,
        fields: &[&str],
    ) -> Result<(), Error> {
        let named = self.named(fields)?;
        if named.is_empty() {
            return Ok(());
        }
        let sql = Sql::generated(update(&self.name, &named, T::ID_COLUMN), None);
        match ex
            .execute(&sql, values(object, &named, Some(T::ID_COLUMN)))
            .await?
        {
            0 => Err(Error::new(
                ErrorKind::DoesNotExist,
                format!("the {} to save does not exist any more", T::NAME),
            )),
            _ => Ok(()),
        }
    }

    fn named(&self, fields: &[&str]) -> Result<Vec<&'static str>, Error> {
        if let Some(unknown) = fields
            .iter()
            .find(|f| !self.columns.contains(f) || **f == T::ID_COLUMN)
        {
            return Err(Error::value(format!(
                "a {} has no field {unknown:?} to save",
                T::NAME
            )));
        }
        Ok(self
            .columns
            .iter()
            .copied()
            .filter(|c| fields.contains(c))
            .collect())
    }
}

fn is_new<T: Entity>(object: &T) -> bool {
    T::Id::AUTO && object.key() == T::Id::from_auto(0)
}

/// `read` and `write` must name the same columns, each once.
fn check_written<T: Entity>(read: &[&'static str]) -> Result<(), Error> {
    let blank = Columns::blank(T::read_from);
    let mut changes = Changes::all();
    blank.write_to(&mut changes);
    let written: Vec<_> = changes
        .into_columns()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let wrong = |name: &str, what: &str| {
        let table = T::table_name();
        Err(Error::improperly_configured(format!(
            "model of {table}: column {name:?} {what}"
        )))
    };
    for (one, other, what) in [
        (read, written.as_slice(), "is read but not written"),
        (written.as_slice(), read, "is written but not read"),
    ] {
        for (i, name) in one.iter().enumerate() {
            if one[..i].contains(name) {
                return wrong(name, "is named twice");
            }
            if !other.contains(name) {
                return wrong(name, what);
            }
        }
    }
    if !read.contains(&T::ID_COLUMN) {
        return wrong(T::ID_COLUMN, "is the key but is not read");
    }
    Ok(())
}

/// The values of `columns` without the key, in that order; then the key once more where a WHERE asks for it.
fn values<'a, T: Entity>(
    object: &'a T,
    columns: &[&'static str],
    key: Option<&'static str>,
) -> Vec<Value<'a>> {
    let mut pairs = pairs(object);
    let mut ordered: Vec<_> = columns
        .iter()
        .filter(|name| **name != T::ID_COLUMN)
        .map(|name| take(&mut pairs, name))
        .collect();
    if let Some(key) = key {
        ordered.push(take(&mut pairs, key));
    }
    ordered
}

fn all_values<'a, T: Entity>(object: &'a T, columns: &[&'static str]) -> Vec<Value<'a>> {
    let mut pairs = pairs(object);
    columns.iter().map(|name| take(&mut pairs, name)).collect()
}

fn pairs<T: Entity>(object: &T) -> Vec<(&'static str, Value<'_>)> {
    let mut changes = Changes::all();
    object.write_to(&mut changes);
    changes.into_columns()
}

fn take<'a>(pairs: &mut [(&'static str, Value<'a>)], name: &str) -> Value<'a> {
    let found = pairs.iter_mut().find(|(known, _)| *known == name);
    found.map_or(Value::Null, |(_, value)| {
        std::mem::replace(value, Value::Null)
    })
}

fn list(table: &str, columns: &[&str]) -> String {
    let columns: Vec<_> = columns
        .iter()
        .map(|c| format!("{table}.{}", quote_name(c)))
        .collect();
    columns.join(", ")
}

fn insert(table: &str, columns: &[&str]) -> String {
    let names: Vec<_> = columns.iter().map(|c| quote_name(c)).collect();
    let marks = vec!["?"; columns.len()].join(", ");
    format!(
        "INSERT INTO {table} ({}) VALUES ({marks})",
        names.join(", ")
    )
}

fn update(table: &str, columns: &[&str], id: &str) -> String {
    let sets: Vec<_> = columns
        .iter()
        .map(|c| format!("{} = ?", quote_name(c)))
        .collect();
    format!(
        "UPDATE {table} SET {} WHERE {} = ?",
        sets.join(", "),
        quote_name(id)
    )
}
