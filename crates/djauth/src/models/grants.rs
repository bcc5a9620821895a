//! The rows by which users have permissions: their own, and those of their groups.

use std::collections::HashSet;

use super::link::Link;
use super::query::key_values;
use super::{Group, UserManager};
use crate::Error;
use crate::base_user::BaseUser;
use crate::db::{Executor, Field, Row, Sql, Value};

/// Keys in one statement.
const CHUNK: usize = 400;
/// The same where a row answers nothing but a key.
const KEYS_CHUNK: usize = 5_000;

/// The permissions of a group stand here.
const OF_GROUPS: &str = "INNER JOIN \"auth_group\" ON \"auth_group\".\"id\" = {target} \
     INNER JOIN \"auth_group_permissions\" \
     ON \"auth_group_permissions\".\"group_id\" = \"auth_group\".\"id\"";

impl<U: BaseUser, E: Executor> UserManager<'_, U, E> {
    /// Every row that gives a user a permission, one after another: the permission's key, and the group that
    /// has it, or `None` where the user has it directly. Groups come by name. Flags play no part: an inactive
    /// user has the rows and no permission.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: the model has no permissions. Otherwise the database's.
    pub async fn grants_each(
        self,
        user: &U,
        mut each: impl FnMut(i32, Option<Group>) + Send,
    ) -> Result<(), Error> {
        let links = self.auth.model().links()?;
        let id = user.id();
        let params = [id.to_value()];
        let direct = links.user_permissions.granted();
        let direct = self.ex.fetch_each(&direct, &params, |row| {
            each(row.get(0)?, None);
            Ok(())
        });
        direct.await?;
        let by_group = links.groups.granted_to_groups();
        let by_group = self.ex.fetch_each(&by_group, &params, |row| {
            each(row.get(0)?, Some(group(row, 1)?));
            Ok(())
        });
        by_group.await?;
        Ok(())
    }

    /// The rows by which these users have one of these permissions, as [`grants_each`](Self::grants_each)
    /// gives them, with the user's key in place of the permission's.
    ///
    /// # Errors
    /// As [`grants_each`](Self::grants_each).
    pub async fn grants_of_each(
        self,
        permissions: &[i32],
        users: &[U::Id],
        mut each: impl FnMut(U::Id, Option<Group>) + Send,
    ) -> Result<(), Error> {
        let links = self.auth.model().links()?;
        if permissions.is_empty() {
            return Ok(());
        }
        for chunk in users.chunks(CHUNK) {
            let params = [key_values(permissions), key_values(chunk)].concat();
            let direct = links.user_permissions.holders(permissions, chunk);
            self.each_holder(&direct, &params, &mut |row| {
                each(row.get(0)?, None);
                Ok(())
            })
            .await?;
            let by_group = links.groups.holders_by_group(permissions, chunk);
            self.each_holder(&by_group, &params, &mut |row| {
                each(row.get(0)?, Some(group(row, 1)?));
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Which of these users have a row that gives one of these permissions, their own or one of a group of
    /// theirs. Flags play no part, as in [`grants_each`](Self::grants_each).
    ///
    /// # Errors
    /// As [`grants_each`](Self::grants_each).
    pub async fn holders_among(
        self,
        permissions: &[i32],
        users: &[U::Id],
    ) -> Result<HashSet<U::Id>, Error> {
        let links = self.auth.model().links()?;
        let mut holders = HashSet::new();
        if permissions.is_empty() {
            return Ok(holders);
        }
        for chunk in users.chunks(KEYS_CHUNK) {
            let params = [key_values(permissions), key_values(chunk)].concat();
            for sql in [
                links.user_permissions.holders(permissions, chunk),
                links.groups.holders_by_any_group(permissions, chunk),
            ] {
                let each = &mut |row: &Row<'_>| {
                    holders.insert(row.get(0)?);
                    Ok(())
                };
                self.each_holder(&sql, &params, each).await?;
            }
        }
        Ok(holders)
    }

    async fn each_holder(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        each: &mut (dyn FnMut(&Row<'_>) -> crate::db::Result<()> + Send),
    ) -> Result<(), Error> {
        self.ex.fetch_each(sql, params, |row| each(row)).await?;
        Ok(())
    }
}

fn group(row: &Row<'_>, offset: usize) -> crate::db::Result<Group> {
    let mut group = Group::new(row.get::<String>(offset + 1)?);
    group.id = row.get(offset)?;
    Ok(group)
}

impl Link {
    /// From users to permissions: those of one user.
    fn granted(&self) -> Sql {
        let (table, owner, target) = (&self.table, &self.owner, &self.target);
        generated(format!(
            "SELECT {table}.{target} FROM {table} WHERE {table}.{owner} = ?"
        ))
    }

    /// From users to groups: the permissions of one user's groups, with the groups.
    fn granted_to_groups(&self) -> Sql {
        let (table, owner) = (&self.table, &self.owner);
        generated(format!(
            "SELECT \"auth_group_permissions\".\"permission_id\", \"auth_group\".\"id\", \
             \"auth_group\".\"name\" FROM {table} {} WHERE {table}.{owner} = ? \
             ORDER BY \"auth_group\".\"name\"",
            self.groups_with_permissions()
        ))
    }

    /// From users to permissions: which of the users have one.
    fn holders<I>(&self, permissions: &[i32], users: &[I]) -> Sql {
        let (table, owner, target) = (&self.table, &self.owner, &self.target);
        let (of, among) = (marks(permissions), marks(users));
        generated(format!(
            "SELECT {table}.{owner} FROM {table} \
             WHERE {table}.{target} IN ({of}) AND {table}.{owner} IN ({among})"
        ))
    }

    /// From users to groups: which of the users are in a group that has one.
    fn holders_by_group<I>(&self, permissions: &[i32], users: &[I]) -> Sql {
        let (table, owner) = (&self.table, &self.owner);
        let (of, among) = (marks(permissions), marks(users));
        generated(format!(
            "SELECT {table}.{owner}, \"auth_group\".\"id\", \"auth_group\".\"name\" FROM {table} {} \
             WHERE \"auth_group_permissions\".\"permission_id\" IN ({of}) \
             AND {table}.{owner} IN ({among}) ORDER BY \"auth_group\".\"name\"",
            self.groups_with_permissions()
        ))
    }

    /// From users to groups: the same, each user once.
    fn holders_by_any_group<I>(&self, permissions: &[i32], users: &[I]) -> Sql {
        let (table, owner, target) = (&self.table, &self.owner, &self.target);
        let (of, among) = (marks(permissions), marks(users));
        generated(format!(
            "SELECT DISTINCT {table}.{owner} FROM {table} INNER JOIN \"auth_group_permissions\" \
             ON \"auth_group_permissions\".\"group_id\" = {table}.{target} \
             WHERE \"auth_group_permissions\".\"permission_id\" IN ({of}) \
             AND {table}.{owner} IN ({among})"
        ))
    }

    fn groups_with_permissions(&self) -> String {
        let target = format!("{}.{}", self.table, self.target);
        OF_GROUPS.replace("{target}", &target)
    }
}

fn marks<T>(values: &[T]) -> String {
    vec!["?"; values.len()].join(", ")
}

fn generated(text: String) -> Sql {
    Sql::generated(text, None)
}
