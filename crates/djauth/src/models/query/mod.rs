//! Plain data access: get, filter, exclude, order, page, count. The slice of `QuerySet` and `Q` that
//! users, groups and permissions need, under Django's names.

mod condition;
mod lists;

use std::fmt;

use super::table::{Entity, Table};
use crate::db::{Dialect, Executor, Field, Sql, Value};
use crate::{Error, ErrorKind};

pub(crate) use condition::LinkNames;
use condition::Names;
pub use condition::Q;

/// Rows of one table: narrow it down, then await one of the last methods. Nothing runs before that.
///
/// Field names are Django's (`username`, `content_type__app_label`); an unknown one is an error of the
/// kind `Value`. Values are always bound.
#[must_use = "nothing runs before `all`, `first`, `get`, `count` or `exists`"]
pub struct QuerySet<'a, T: Rows, E: Executor> {
    pub(super) table: &'a Table<T>,
    pub(super) ex: &'a E,
    conditions: Vec<Q>,
    order: Option<Vec<String>>,
    limit: Option<u64>,
    offset: u64,
    /// The relation whose table is gone through first, and the key that it points at.
    via: Option<(&'static str, i32)>,
}

/// Marks what a [`QuerySet`] can hold: users, [`Group`](super::Group) and
/// [`Permission`](super::Permission). Sealed.
#[allow(private_bounds, reason = "the bound seals the trait")]
pub trait Rows: Entity {}
#[allow(private_bounds, reason = "the bound seals the trait")]
impl<T: Entity> Rows for T {}

impl<T: Rows, E: Executor> Clone for QuerySet<'_, T, E> {
    fn clone(&self) -> Self {
        Self {
            table: self.table,
            ex: self.ex,
            conditions: self.conditions.clone(),
            order: self.order.clone(),
            limit: self.limit,
            offset: self.offset,
            via: self.via,
        }
    }
}

impl<T: Rows, E: Executor> fmt::Debug for QuerySet<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuerySet")
            .field("table", &self.table.name)
            .field("conditions", &self.conditions)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

impl<'a, T: Rows, E: Executor> QuerySet<'a, T, E> {
    pub(super) fn new(table: &'a Table<T>, ex: &'a E) -> Self {
        Self {
            table,
            ex,
            conditions: Vec::new(),
            order: None,
            limit: None,
            offset: 0,
            via: None,
        }
    }

    /// Only rows that meet this too.
    pub fn filter(mut self, condition: Q) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Only rows that do not meet this.
    pub fn exclude(self, condition: Q) -> Self {
        self.filter(!condition)
    }

    /// In this order; a leading `-` turns a field around. Replaces an earlier order; an empty list
    /// means none at all.
    pub fn order_by(mut self, fields: &[&str]) -> Self {
        self.order = Some(fields.iter().map(|&field| field.to_owned()).collect());
        self
    }

    /// At most so many rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows.min(i64::MAX as u64));
        self
    }

    /// Skips so many rows.
    pub fn offset(mut self, rows: u64) -> Self {
        self.offset = rows.min(i64::MAX as u64);
        self
    }

    /// Page `number`, counted from 1 (0 counts as 1), of `size` rows each.
    pub fn page(self, number: u64, size: u64) -> Self {
        let skipped = number.saturating_sub(1).saturating_mul(size);
        self.offset(skipped).limit(size)
    }

    /// Every row.
    ///
    /// # Errors
    /// `Value`: an unknown field. Otherwise the database's.
    pub async fn all(self) -> Result<Vec<T>, Error> {
        let (sql, params) = self.statement(&self.table.list)?;
        let rows = self.ex.fetch(&sql, &params, |row| self.table.read(row, 0));
        Ok(rows.await?)
    }

    /// Every row, one after another as the database gives them, and how many they were: Django's
    /// `iterator()`. The memory does not grow with their number.
    ///
    /// # Errors
    /// As [`QuerySet::all`]; some rows may have been given before the database fails.
    pub async fn for_each(self, mut each: impl FnMut(T) + Send) -> Result<u64, Error> {
        let (sql, params) = self.statement(&self.table.list)?;
        let rows = self.ex.fetch_each(&sql, &params, |row| {
            each(self.table.read(row, 0)?);
            Ok(())
        });
        Ok(rows.await?)
    }

    /// The first row.
    ///
    /// # Errors
    /// As [`QuerySet::all`].
    pub async fn first(self) -> Result<Option<T>, Error> {
        let one = self.limit.map_or(1, |limit| limit.min(1));
        Ok(self.limit(one).all().await?.into_iter().next())
    }

    /// The only row.
    ///
    /// # Errors
    /// `DoesNotExist`, `MultipleObjectsReturned`; otherwise as [`QuerySet::all`].
    pub async fn get(self) -> Result<T, Error> {
        let two = self.limit.map_or(2, |limit| limit.min(2));
        let mut rows = self.limit(two).all().await?.into_iter();
        match (rows.next(), rows.next()) {
            (Some(row), None) => Ok(row),
            (None, _) => Err(Error::new(
                ErrorKind::DoesNotExist,
                format!("no {} meets this", T::NAME),
            )),
            (Some(_), Some(_)) => Err(Error::new(
                ErrorKind::MultipleObjectsReturned,
                format!("more than one {} meets this", T::NAME),
            )),
        }
    }

    /// How many rows.
    ///
    /// # Errors
    /// As [`QuerySet::all`].
    pub async fn count(self) -> Result<u64, Error> {
        let (inner, params) = self.clone().order_by(&[]).text("1 AS one")?;
        let sql = Sql::generated(format!("SELECT COUNT(*) FROM ({inner}) counted"), None);
        let count = self
            .ex
            .fetch_optional(&sql, &params, |row| row.get::<i64>(0))
            .await?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }

    /// Whether there is any row.
    ///
    /// # Errors
    /// As [`QuerySet::all`].
    pub async fn exists(self) -> Result<bool, Error> {
        let one = self.limit.map_or(1, |limit| limit.min(1));
        let one = self.order_by(&[]).limit(one);
        let (sql, params) = one.statement("1 AS one")?;
        let found = one
            .ex
            .fetch_optional(&sql, &params, |row| row.get::<i64>(0));
        Ok(found.await?.is_some())
    }

    /// The keys of the rows.
    pub(super) async fn ids(&self) -> Result<Vec<T::Id>, Error> {
        let (sql, params) = self.statement(&self.key_text())?;
        Ok(self.ex.fetch(&sql, &params, |row| row.get(0)).await?)
    }

    fn statement(&self, list: &str) -> Result<(Sql, Vec<Value<'static>>), Error> {
        let (text, params) = self.text(list)?;
        Ok((Sql::generated(text, None), params))
    }

    fn text(&self, list: &str) -> Result<(String, Vec<Value<'static>>), Error> {
        let dialect = self.ex.dialect();
        let (from, mut params) = self.source_text()?;
        let mut text = format!("SELECT {list} FROM {from}");
        let mut word = if self.via.is_some() {
            " AND "
        } else {
            " WHERE "
        };
        for condition in &self.conditions {
            text.push_str(std::mem::replace(&mut word, " AND "));
            condition.render(self, dialect, false, &mut text, &mut params)?;
        }
        text.push_str(&self.order_text()?);
        text.push_str(&self.slice_text(dialect));
        Ok((text, params))
    }

    fn order_text(&self) -> Result<String, Error> {
        let given: Vec<&str> = match &self.order {
            Some(order) => order.iter().map(String::as_str).collect(),
            None => T::ORDERING.to_vec(),
        };
        let mut text = String::new();
        for (i, field) in given.into_iter().enumerate() {
            let (name, direction) = match field.strip_prefix('-') {
                Some(name) => (name, " DESC"),
                None => (field, " ASC"),
            };
            text.push_str(if i == 0 { " ORDER BY " } else { ", " });
            text.push_str(&self.column(name)?);
            text.push_str(direction);
        }
        Ok(text)
    }

    fn slice_text(&self, dialect: Dialect) -> String {
        match (self.limit, self.offset, dialect) {
            (None, 0, _) => String::new(),
            (Some(limit), 0, _) => format!(" LIMIT {limit}"),
            (Some(limit), offset, _) => format!(" LIMIT {limit} OFFSET {offset}"),
            (None, offset, Dialect::Postgres) => format!(" OFFSET {offset}"),
            (None, offset, _) => format!(" LIMIT {} OFFSET {offset}", i64::MAX),
        }
    }
}

impl<T: Rows, E: Executor> Names for QuerySet<'_, T, E> {
    fn column(&self, name: &str) -> Result<String, Error> {
        let column = match name {
            "pk" => Some(self.table.id_column()),
            name => self.table.column(name),
        };
        if let Some(column) = column {
            return Ok(format!("{}.{column}", self.table.name));
        }
        let related = T::RELATED.iter().find(|(lookup, _)| *lookup == name);
        related
            .map(|(_, sql)| (*sql).to_owned())
            .ok_or_else(|| Error::value(format!("a {} has no field {name:?}", T::NAME)))
    }

    fn link(&self, relation: &str) -> Result<(&LinkNames, String), Error> {
        let mut links = self.table.links.iter();
        let found = links.find(|(name, _)| *name == relation);
        let (_, link) = found
            .ok_or_else(|| Error::value(format!("a {} has no relation {relation:?}", T::NAME)))?;
        Ok((link, self.key_text()))
    }
}

/// Keys as bound values.
pub(super) fn key_values<I: Field>(ids: &[I]) -> Vec<Value<'_>> {
    ids.iter().map(Field::to_value).collect()
}
