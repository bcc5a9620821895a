//! What long lists ask: through a relation, keys alone, and counts that end somewhere. All of it reads
//! without holding up an async worker.

use super::condition::{Names, Q};
use super::{QuerySet, Rows};
use crate::Error;
use crate::db::{Dialect, Executor, Field, Sql, Value};

/// PostgreSQL's idea of the size of a table, from its last ANALYZE.
static POSTGRES_ESTIMATE: Sql = Sql::new(
    "SELECT CAST(reltuples AS bigint) FROM pg_catalog.pg_class \
     WHERE oid = CAST(CAST(? AS text) AS regclass)",
);

/// MariaDB's.
static MYSQL_ESTIMATE: Sql = Sql::new(
    "SELECT CAST(table_rows AS signed) FROM information_schema.tables \
     WHERE table_schema = DATABASE() AND table_name = ?",
);

impl<T: Rows, E: Executor> QuerySet<'_, T, E> {
    /// Only rows that are linked to this key, going through the table of the relation first: for keys that
    /// few are linked to. Otherwise [`Q::linked`] says the same.
    ///
    /// A relation over two tables (`groups__permissions`) gives a row once for each way to it: a user for
    /// each of their groups that has the permission. [`QuerySet::distinct_keys`] gives each once.
    pub fn via(mut self, relation: &'static str, key: i32) -> Self {
        self.via = Some((relation, key));
        self
    }

    /// Every row. As [`QuerySet::all`], but never on an async worker.
    ///
    /// # Errors
    /// As [`QuerySet::all`].
    pub async fn collected(self) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        self.for_each(|row| rows.push(row)).await?;
        Ok(rows)
    }

    /// The keys of at most so many rows, of the type that the model has for them.
    ///
    /// # Errors
    /// As [`QuerySet::all`]; a key that is none of `K`.
    pub async fn keys<K: Field + Send>(self, limit: u64) -> Result<Vec<K>, Error> {
        self.limit(limit).all_keys().await
    }

    /// The keys of every row, in order.
    ///
    /// # Errors
    /// As [`QuerySet::keys`].
    pub async fn all_keys<K: Field + Send>(self) -> Result<Vec<K>, Error> {
        let list = self.key_text();
        self.keys_of(&list).await
    }

    /// The keys of at most so many rows, each once however often [`QuerySet::via`] finds it; in no order.
    ///
    /// # Errors
    /// As [`QuerySet::keys`].
    pub async fn distinct_keys<K: Field + Send>(self, limit: u64) -> Result<Vec<K>, Error> {
        let list = format!("DISTINCT {}", self.key_text());
        self.order_by(&[]).limit(limit).keys_of(&list).await
    }

    async fn keys_of<K: Field + Send>(self, list: &str) -> Result<Vec<K>, Error> {
        let (sql, params) = self.statement(list)?;
        let mut keys = Vec::new();
        let read = self.ex.fetch_each(&sql, &params, |row| {
            keys.push(row.get(0)?);
            Ok(())
        });
        read.await?;
        Ok(keys)
    }

    /// The texts that a field of text has, each once, in order; at most so many. NULL is none.
    ///
    /// # Errors
    /// As [`QuerySet::all`]; the field holds something else than text.
    pub async fn distinct_texts(self, field: &str, limit: u64) -> Result<Vec<String>, Error> {
        let this = self.filter(Q::isnull(field, false)).order_by(&[field]);
        let this = this.limit(limit);
        let (sql, params) = this.statement(&format!("DISTINCT {}", this.column(field)?))?;
        let mut texts = Vec::new();
        let read = this.ex.fetch_each(&sql, &params, |row| {
            texts.push(row.get(0)?);
            Ok(())
        });
        read.await?;
        Ok(texts)
    }

    /// How many rows, but no more than `limit` are looked at.
    ///
    /// # Errors
    /// As [`QuerySet::all`].
    pub async fn count_up_to(self, limit: u64) -> Result<u64, Error> {
        let (inner, params) = self.clone().order_by(&[]).limit(limit).text("1 AS one")?;
        let text = format!("SELECT COUNT(*) FROM ({inner}) counted");
        Ok(self.numbers(text, &params, 1).await?[0])
    }

    /// How many rows meet each of these too, in one statement.
    ///
    /// # Errors
    /// As [`QuerySet::all`].
    pub async fn counts(self, asked: &[Q]) -> Result<Vec<u64>, Error> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let (mut list, mut params) = (String::new(), Vec::new());
        for (i, condition) in asked.iter().enumerate() {
            list.push_str(if i == 0 { "" } else { ", " });
            list.push_str("COUNT(CASE WHEN ");
            condition.render(&self, self.ex.dialect(), false, &mut list, &mut params)?;
            list.push_str(" THEN 1 END)");
        }
        let (text, more) = self.clone().order_by(&[]).text(&list)?;
        params.extend(more);
        self.numbers(text, &params, asked.len()).await
    }

    /// About how many rows the whole table has, whatever the conditions: what PostgreSQL and MariaDB guess,
    /// and on SQLite, which guesses nothing, their exact number.
    ///
    /// # Errors
    /// The database's.
    pub async fn estimated_count(self) -> Result<u64, Error> {
        let (sql, name) = match self.ex.dialect() {
            Dialect::Postgres => (&POSTGRES_ESTIMATE, &self.table.name),
            Dialect::Mysql => (&MYSQL_ESTIMATE, &self.table.table),
            Dialect::Sqlite => return self.size().await,
        };
        let params = [Value::from(name.as_str())];
        let mut estimate = 0;
        let read = self.ex.fetch_each(sql, &params, |row| {
            estimate = row.get::<Option<i64>>(0)?.unwrap_or_default();
            Ok(())
        });
        read.await?;
        Ok(u64::try_from(estimate).unwrap_or_default())
    }

    async fn size(&self) -> Result<u64, Error> {
        let text = format!("SELECT COUNT(*) FROM {}", self.table.name);
        Ok(self.numbers(text, &[], 1).await?[0])
    }

    /// The numbers of the one row that a statement gives.
    async fn numbers(
        &self,
        text: String,
        params: &[Value<'static>],
        count: usize,
    ) -> Result<Vec<u64>, Error> {
        let sql = Sql::generated(text, None);
        let mut numbers = vec![0; count];
        let read = self.ex.fetch_each(&sql, params, |row| {
            for (at, number) in numbers.iter_mut().enumerate() {
                *number = row.get::<i64>(at)?.unsigned_abs();
            }
            Ok(())
        });
        read.await?;
        Ok(numbers)
    }

    /// What stands behind FROM, with the values bound there.
    pub(super) fn source_text(&self) -> Result<(String, Vec<Value<'static>>), Error> {
        let name = &self.table.name;
        let Some((relation, key)) = self.via else {
            return Ok((format!("{name}{}", T::JOIN), Vec::new()));
        };
        let (link, id) = self.link(relation)?;
        let (from, owner, target) = (&link.from, &link.owner, &link.target);
        let text = format!(
            "{from} INNER JOIN {name} ON {id} = {owner}{} WHERE {target} = ?",
            T::JOIN
        );
        Ok((text, vec![key.into()]))
    }

    /// The key, quoted and qualified.
    pub(super) fn key_text(&self) -> String {
        format!("{}.{}", self.table.name, self.table.id_column())
    }
}
