//! The link tables of many-to-many fields: who is in which group, who has which permission.

use std::collections::HashSet;
use std::hash::Hash;

use crate::Error;
use crate::db::{Dialect, Executor, Field, Sql, quote_name};

/// Pairs in one statement: far below what any of the databases binds.
const CHUNK: usize = 400;

/// One link table, `owner` to `target`.
pub(crate) struct Link {
    /// The table as it is.
    pub(crate) name: String,
    /// Quoted.
    pub(crate) table: String,
    /// Quoted.
    pub(crate) owner: String,
    /// Quoted.
    pub(crate) target: String,
    targets: Sql,
    owners: Sql,
    clear: Sql,
}

impl Link {
    pub(crate) fn new(table: &str, owner: &str, target: &str) -> Self {
        let name = table.to_owned();
        let (table, owner, target) = (
            quote_name(table).into_owned(),
            quote_name(owner).into_owned(),
            quote_name(target).into_owned(),
        );
        Self {
            targets: Sql::generated(
                format!("SELECT {target} FROM {table} WHERE {owner} = ? ORDER BY {target}"),
                None,
            ),
            owners: Sql::generated(
                format!("SELECT {owner} FROM {table} WHERE {target} = ? ORDER BY {owner}"),
                None,
            ),
            clear: Sql::generated(format!("DELETE FROM {table} WHERE {owner} = ?"), None),
            name,
            table,
            owner,
            target,
        }
    }

    /// What `owner` is linked to.
    pub(crate) async fn targets<O: Field, T: Field + Copy>(
        &self,
        ex: &impl Executor,
        owner: &O,
    ) -> Result<Vec<T>, Error> {
        let params = [owner.to_value()];
        Ok(ex.fetch(&self.targets, &params, |row| row.get(0)).await?)
    }

    /// What is linked to `target`.
    pub(crate) async fn owners<O: Field + Copy, T: Field>(
        &self,
        ex: &impl Executor,
        target: &T,
    ) -> Result<Vec<O>, Error> {
        let params = [target.to_value()];
        Ok(ex.fetch(&self.owners, &params, |row| row.get(0)).await?)
    }

    /// Links to each target that is not linked yet.
    pub(crate) async fn add<O: Field, T: Field>(
        &self,
        ex: &impl Executor,
        owner: &O,
        targets: &[T],
    ) -> Result<(), Error> {
        if targets.is_empty() {
            return Ok(());
        }
        let tx = ex.begin().await?;
        for chunk in targets.chunks(CHUNK) {
            let mut params = Vec::with_capacity(chunk.len() * 2);
            for target in chunk {
                params.push(owner.to_value());
                params.push(target.to_value());
            }
            tx.execute(&self.insert(chunk.len(), tx.dialect()), params)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Takes the links to these targets away.
    pub(crate) async fn remove<O: Field, T: Field>(
        &self,
        ex: &impl Executor,
        owner: &O,
        targets: &[T],
    ) -> Result<(), Error> {
        if targets.is_empty() {
            return Ok(());
        }
        let tx = ex.begin().await?;
        for chunk in targets.chunks(CHUNK) {
            let mut params = vec![owner.to_value()];
            params.extend(chunk.iter().map(Field::to_value));
            let marks = vec!["?"; chunk.len()].join(", ");
            let (table, owner, target) = (&self.table, &self.owner, &self.target);
            let text = format!("DELETE FROM {table} WHERE {owner} = ? AND {target} IN ({marks})");
            tx.execute(&Sql::generated(text, None), params).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Links to exactly these targets; rows that stay are not touched, as in Django.
    pub(crate) async fn set<O: Field, T: Field + Copy + Eq + Hash>(
        &self,
        ex: &impl Executor,
        owner: &O,
        targets: &[T],
    ) -> Result<(), Error> {
        let tx = ex.begin().await?;
        let old: HashSet<T> = self.targets(&tx, owner).await?.into_iter().collect();
        let wanted: HashSet<T> = targets.iter().copied().collect();
        let surplus: Vec<T> = old.difference(&wanted).copied().collect();
        let missing: Vec<T> = targets
            .iter()
            .copied()
            .filter(|t| !old.contains(t))
            .collect();
        self.remove(&tx, owner, &surplus).await?;
        self.add(&tx, owner, &missing).await?;
        Ok(tx.commit().await?)
    }

    /// Takes every link of `owner` away.
    pub(crate) async fn clear<O: Field>(&self, ex: &impl Executor, owner: &O) -> Result<(), Error> {
        ex.execute(&self.clear, vec![owner.to_value()]).await?;
        Ok(())
    }

    /// Only a pair that exists already is passed over; a target that does not exist stays an error.
    fn insert(&self, pairs: usize, dialect: Dialect) -> Sql {
        let (table, owner, target) = (&self.table, &self.owner, &self.target);
        let values = vec!["(?, ?)"; pairs].join(", ");
        let existing = match dialect {
            Dialect::Mysql => format!("ON DUPLICATE KEY UPDATE {owner} = VALUES({owner})"),
            _ => "ON CONFLICT DO NOTHING".to_owned(),
        };
        Sql::generated(
            format!("INSERT INTO {table} ({owner}, {target}) VALUES {values} {existing}"),
            None,
        )
    }
}
