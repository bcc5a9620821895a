//! What rows of link tables link, by name: for pages that say what goes along with a user or a group.

use super::link::Link;
use super::query::key_values;
use super::{GroupManager, UserManager};
use crate::Error;
use crate::base_user::BaseUser;
use crate::db::{Executor, Field, Row, Sql, quote_name};

/// The other end of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkedTo {
    /// The name of a group.
    Group(String),
    /// The name by which a member of a group logs in.
    Member(String),
    /// A permission in Django's words, `app_label | model | name`.
    Permission(String),
}

/// From a link to the permission at its other end.
const PERMISSION: &str = "INNER JOIN \"auth_permission\" ON \"auth_permission\".\"id\" = {end} \
     INNER JOIN \"django_content_type\" \
     ON \"django_content_type\".\"id\" = \"auth_permission\".\"content_type_id\"";

impl<U: BaseUser, E: Executor> UserManager<'_, U, E> {
    /// Groups and permissions that users are linked with, one after another, at most `limit` of each; nothing
    /// for a model without them.
    ///
    /// # Errors
    /// The database's.
    pub async fn links_each(
        self,
        users: &[U::Id],
        limit: u64,
        mut each: impl FnMut(U::Id, LinkedTo) + Send,
    ) -> Result<(), Error> {
        let Some(links) = self.auth.model().links.as_ref() else {
            return Ok(());
        };
        let groups = &links.groups;
        let end = format!("{}.{}", groups.table, groups.target);
        let join = format!("INNER JOIN \"auth_group\" ON \"auth_group\".\"id\" = {end}");
        let names = "\"auth_group\".\"name\"";
        let sql = ends(groups, &groups.owner, (names, &join), users.len(), limit);
        read(self.ex, &sql, users, |row| {
            each(row.get(0)?, LinkedTo::Group(row.get(1)?));
            Ok(())
        })
        .await?;
        let permissions = &links.user_permissions;
        let sql = permissions_of(permissions, users.len(), limit);
        read(self.ex, &sql, users, |row| {
            each(row.get(0)?, permission(row)?);
            Ok(())
        })
        .await
    }
}

impl<U: BaseUser, E: Executor> GroupManager<'_, U, E> {
    /// Members and permissions that groups are linked with, one after another, at most `limit` of each.
    ///
    /// # Errors
    /// The database's.
    pub async fn links_each(
        self,
        groups: &[i32],
        limit: u64,
        mut each: impl FnMut(i32, LinkedTo) + Send,
    ) -> Result<(), Error> {
        let model = self.auth.model();
        if let Some(links) = &model.links {
            let (members, users) = (&links.groups, &model.users);
            let name = quote_name(model.meta.column(&model.meta.username_field));
            let name = format!("{}.{name}", users.name);
            let (key, end) = (
                users.id_column(),
                format!("{}.{}", members.table, members.owner),
            );
            let join = format!("INNER JOIN {0} ON {0}.{key} = {end}", users.name);
            let sql = ends(
                members,
                &members.target,
                (&name, &join),
                groups.len(),
                limit,
            );
            read(self.ex, &sql, groups, |row| {
                each(row.get(0)?, LinkedTo::Member(row.get(1)?));
                Ok(())
            })
            .await?;
        }
        let sql = permissions_of(&model.group_permissions, groups.len(), limit);
        read(self.ex, &sql, groups, |row| {
            each(row.get(0)?, permission(row)?);
            Ok(())
        })
        .await
    }
}

fn permission(row: &Row<'_>) -> crate::db::Result<LinkedTo> {
    let texts: [String; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
    Ok(LinkedTo::Permission(texts.join(" | ")))
}

fn permissions_of(link: &Link, keys: usize, limit: u64) -> Sql {
    let join = PERMISSION.replace("{end}", &format!("{}.{}", link.table, link.target));
    let names = "\"django_content_type\".\"app_label\", \"django_content_type\".\"model\", \
         \"auth_permission\".\"name\"";
    ends(link, &link.owner, (names, &join), keys, limit)
}

/// Rows of a link whose `column` is one of the keys, with what stands at their other end.
fn ends(link: &Link, column: &str, (names, join): (&str, &str), keys: usize, limit: u64) -> Sql {
    let (table, marks) = (&link.table, vec!["?"; keys].join(", "));
    let text = format!(
        "SELECT {table}.{column}, {names} FROM {table} {join} WHERE {table}.{column} IN ({marks}) \
         ORDER BY {table}.{column} LIMIT {limit}"
    );
    Sql::generated(text, None)
}

async fn read<I: Field>(
    ex: &impl Executor,
    sql: &Sql,
    keys: &[I],
    each: impl FnMut(&Row<'_>) -> crate::db::Result<()> + Send,
) -> Result<(), Error> {
    if !keys.is_empty() {
        ex.fetch_each(sql, &key_values(keys), each).await?;
    }
    Ok(())
}
