//! The statements of one table, built once.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use super::FieldValues;
use super::query::LinkNames;
use crate::base_user::{BaseUser, Changes, Columns, UserId, UserMeta};
use crate::db::{self, Dialect, Executor, Field, Row, Sql, Value, quote_name};
use crate::{Error, ErrorKind};

/// A struct that is a row of one table.
pub(crate) trait Entity: Clone + Send + Sync + 'static {
    type Id: UserId;
    /// What the row is called in errors.
    const NAME: &'static str;
    /// Django's `Meta.ordering`.
    const ORDERING: &'static [&'static str] = &[];
    /// Appended to `FROM <table>` in lists.
    const JOIN: &'static str = "";
    /// Lookup names of joined columns, with the SQL that they stand for.
    const RELATED: &'static [(&'static str, &'static str)] = &[];

    fn key(&self) -> Self::Id;
    fn set_key(&mut self, id: Self::Id);
    fn read_from(row: &mut Columns<'_>) -> db::Result<Self>;
    fn write_to<'a>(&'a self, row: &mut Changes<'a>);
}

impl<U: BaseUser> Entity for U {
    type Id = U::Id;
    const NAME: &'static str = "user";

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
    /// As it is.
    pub(crate) table: String,
    /// Quoted.
    pub(crate) name: String,
    /// The names of the fields.
    pub(crate) columns: Vec<Cow<'static, str>>,
    /// Every column, quoted and qualified, for SELECT.
    pub(crate) list: String,
    /// Which of `columns` is the key.
    pub(crate) key: usize,
    /// The relations that lists can be filtered by.
    pub(crate) links: Vec<(&'static str, LinkNames)>,
    /// Of users alone.
    meta: Option<Arc<UserMeta>>,
    dialect: Option<Dialect>,
    by_id: Sql,
    insert: Sql,
    insert_with_id: Sql,
    update: Sql,
    of: PhantomData<fn() -> T>,
}

impl<U: BaseUser> Table<U> {
    /// The table of a user model.
    ///
    /// # Errors
    /// `ImproperlyConfigured` when the struct reads other columns than it writes, or one twice.
    pub(crate) fn users(meta: &Arc<UserMeta>, dialect: Dialect) -> Result<Self, Error> {
        let columns = match U::declared() {
            Some(_) => Columns::names(U::read)?
                .into_iter()
                .map(Cow::Borrowed)
                .collect(),
            None => meta.fields.iter().map(|field| field.name.clone()).collect(),
        };
        let described = Some((meta.clone(), dialect));
        Self::build(meta.db_table.clone(), &meta.pk, columns, described)
    }

    /// An unsaved user with the model's defaults.
    pub(crate) fn blank(&self) -> Result<U, Error> {
        Ok(U::read(
            &mut Columns::defaults().with_meta(self.meta.as_ref()),
        )?)
    }

    /// An unsaved user with these values.
    pub(crate) fn of_values(&self, values: &FieldValues) -> Result<U, Error> {
        Ok(U::read(
            &mut Columns::map(values).with_meta(self.meta.as_ref()),
        )?)
    }
}

impl<T: Entity> Table<T> {
    /// A table of Django's with the key `id`.
    ///
    /// # Errors
    /// `ImproperlyConfigured` when the struct reads other columns than it writes, or one twice.
    pub(crate) fn new(table: &str) -> Result<Self, Error> {
        let columns = Columns::names(T::read_from)?;
        let columns = columns.into_iter().map(Cow::Borrowed).collect();
        Self::build(table.to_owned(), "id", columns, None)
    }

    fn build(
        table: String,
        key: &str,
        columns: Vec<Cow<'static, str>>,
        users: Option<(Arc<UserMeta>, Dialect)>,
    ) -> Result<Self, Error> {
        let (meta, dialect) = users.unzip();
        let wrong = |name: &str, what: &str| wrong_column(&table, name, what);
        check_written::<T>(&columns, meta.as_ref(), &wrong)?;
        let place = columns.iter().position(|column| column == key);
        let place = place.ok_or_else(|| wrong(key, "is the key but is not read"))?;
        let quoted = |name: &Cow<'static, str>| quoted_column(meta.as_deref(), name);
        let casts = |name: &Cow<'static, str>| cast_of(meta.as_deref(), dialect, name);
        let all: Vec<String> = columns.iter().map(quoted).collect();
        let marks: Vec<String> = columns.iter().map(|name| mark(casts(name))).collect();
        let id = all[place].clone();
        let without_key = |texts: &[String]| {
            let mut texts = texts.to_vec();
            texts.remove(place);
            texts
        };
        let (rest, rest_marks) = (without_key(&all), without_key(&marks));
        let key_column = meta.as_ref().map_or(key, |meta| meta.column(key));
        let name = quote_name(&table).into_owned();
        let list = columns.iter().zip(&all);
        let list = list.map(|(field, column)| selected(&name, column, casts(field)));
        let list = list.collect::<Vec<_>>().join(", ");
        Ok(Self {
            by_id: Sql::generated(
                format!("SELECT {list} FROM {name} WHERE {name}.{id} = ?"),
                None,
            ),
            insert: Sql::generated(insert(&name, &rest, &rest_marks), Some(key_column)),
            insert_with_id: Sql::generated(insert(&name, &all, &marks), None),
            update: Sql::generated(update(&name, &rest, &rest_marks, &id), None),
            table,
            name,
            columns,
            list,
            key: place,
            links: Vec::new(),
            meta,
            dialect,
            of: PhantomData,
        })
    }

    /// The quoted column of a field of this table.
    pub(crate) fn column(&self, name: &str) -> Option<String> {
        let known = self.columns.iter().find(|known| *known == name)?;
        Some(quoted_column(self.meta.as_deref(), known))
    }

    /// The quoted column of the key.
    pub(crate) fn id_column(&self) -> String {
        quoted_column(self.meta.as_deref(), &self.columns[self.key])
    }

    fn id_name(&self) -> &str {
        &self.columns[self.key]
    }

    /// The row's columns from `offset` on as a `T`.
    pub(crate) fn read(&self, row: &Row<'_>, offset: usize) -> db::Result<T> {
        let columns = Columns::row(row, &self.columns, offset);
        T::read_from(&mut columns.with_meta(self.meta.as_ref()))
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
        let params = values(object, &self.columns, self.id_name(), true);
        if ex.execute(&self.update, params).await? == 0 {
            self.insert(ex, object).await?;
        }
        Ok(())
    }

    /// Writes a new row; a key that the database makes is stored in the object.
    pub(crate) async fn insert<E: Executor>(&self, ex: &E, object: &mut T) -> Result<(), Error> {
        if is_new(object) {
            let params = values(object, &self.columns, self.id_name(), false);
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
        let columns: Vec<String> = named
            .iter()
            .map(|name| quoted_column(self.meta.as_deref(), name))
            .collect();
        let marks: Vec<String> = named
            .iter()
            .map(|name| mark(cast_of(self.meta.as_deref(), self.dialect, name)))
            .collect();
        let text = update(&self.name, &columns, &marks, &self.id_column());
        let sql = Sql::generated(text, None);
        match ex
            .execute(&sql, values(object, &named, self.id_name(), true))
            .await?
        {
            0 => Err(Error::new(
                ErrorKind::DoesNotExist,
                format!("the {} to save does not exist any more", T::NAME),
            )),
            _ => Ok(()),
        }
    }

    fn named(&self, fields: &[&str]) -> Result<Vec<Cow<'static, str>>, Error> {
        let known = |name: &str| self.columns.iter().any(|column| column == name);
        if let Some(unknown) = fields
            .iter()
            .find(|name| !known(name) || **name == self.id_name())
        {
            return Err(Error::value(format!(
                "a {} has no field {unknown:?} to save",
                T::NAME
            )));
        }
        Ok(self
            .columns
            .iter()
            .filter(|column| fields.contains(&column.as_ref()))
            .cloned()
            .collect())
    }
}

fn is_new<T: Entity>(object: &T) -> bool {
    T::Id::AUTO && object.key() == T::Id::from_auto(0)
}

fn wrong_column(table: &str, name: &str, what: &str) -> Error {
    Error::improperly_configured(format!("model of {table}: column {name:?} {what}"))
}

/// The quoted column of a field.
fn quoted_column(meta: Option<&UserMeta>, name: &str) -> String {
    let column = meta.map_or(name, |meta| meta.column(name));
    quote_name(column).into_owned()
}

/// `read` and `write` must name the same columns, each once.
fn check_written<T: Entity>(
    read: &[Cow<'static, str>],
    meta: Option<&Arc<UserMeta>>,
    wrong: &impl Fn(&str, &str) -> Error,
) -> Result<(), Error> {
    let blank = T::read_from(&mut Columns::defaults().with_meta(meta))?;
    let read: Vec<&str> = read.iter().map(AsRef::as_ref).collect();
    let written: Vec<&str> = pairs(&blank).into_iter().map(|(name, _)| name).collect();
    for (one, other, what) in [
        (&read, &written, "is read but not written"),
        (&written, &read, "is written but not read"),
    ] {
        for (i, name) in one.iter().enumerate() {
            if one[..i].contains(name) {
                return Err(wrong(name, "is named twice"));
            }
            if !other.contains(name) {
                return Err(wrong(name, what));
            }
        }
    }
    Ok(())
}

/// The values of `columns` without the key, in that order; then the key once more where a WHERE asks for it.
fn values<'a, T: Entity>(
    object: &'a T,
    columns: &[Cow<'static, str>],
    key: &str,
    key_too: bool,
) -> Vec<Value<'a>> {
    let mut pairs = pairs(object);
    let mut ordered: Vec<_> = columns
        .iter()
        .filter(|name| *name != key)
        .map(|name| take(&mut pairs, name))
        .collect();
    if key_too {
        ordered.push(take(&mut pairs, key));
    }
    ordered
}

fn all_values<'a, T: Entity>(object: &'a T, columns: &[Cow<'static, str>]) -> Vec<Value<'a>> {
    let mut pairs = pairs(object);
    columns.iter().map(|name| take(&mut pairs, name)).collect()
}

fn pairs<T: Entity>(object: &T) -> Vec<(&str, Value<'_>)> {
    let mut changes = Changes::all();
    object.write_to(&mut changes);
    changes.into_columns()
}

fn take<'a>(pairs: &mut [(&'a str, Value<'a>)], name: &str) -> Value<'a> {
    let found = pairs.iter_mut().find(|(known, _)| *known == name);
    found.map_or(Value::Null, |(_, value)| {
        std::mem::replace(value, Value::Null)
    })
}

/// The type that a field's text is converted to and from, where the database must be told.
fn cast_of(
    meta: Option<&UserMeta>,
    dialect: Option<Dialect>,
    name: &str,
) -> Option<(Dialect, &'static str)> {
    let cast = meta?.field(name)?.kind.postgres_cast()?;
    Some((dialect?, cast))
}

/// A mark for a value of a field.
fn mark(cast: Option<(Dialect, &'static str)>) -> String {
    match cast {
        Some((Dialect::Postgres, cast)) => format!("CAST(CAST(? AS text) AS {cast})"),
        _ => "?".to_owned(),
    }
}

/// A field in a SELECT.
fn selected(table: &str, column: &str, cast: Option<(Dialect, &'static str)>) -> String {
    match cast {
        Some((Dialect::Mysql, _)) => format!("CAST({table}.{column} AS char)"),
        Some(_) => format!("CAST({table}.{column} AS text)"),
        None => format!("{table}.{column}"),
    }
}

/// Columns are quoted.
fn insert(table: &str, columns: &[String], marks: &[String]) -> String {
    let (columns, marks) = (columns.join(", "), marks.join(", "));
    format!("INSERT INTO {table} ({columns}) VALUES ({marks})")
}

fn update(table: &str, columns: &[String], marks: &[String], id: &str) -> String {
    let sets = columns.iter().zip(marks);
    let sets: Vec<_> = sets
        .map(|(column, mark)| format!("{column} = {mark}"))
        .collect();
    format!("UPDATE {table} SET {} WHERE {id} = ?", sets.join(", "))
}
