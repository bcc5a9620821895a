//! Everything that is known about the user model and the tables around it, built once.

use std::sync::Arc;

use crate::base_user::{BaseUser, LinkTable, UserLinkTables, UserMeta, truncate_name};
use crate::db::{Dialect, Sql, quote_name};
use crate::models::link::Link;
use crate::models::query::LinkNames;
use crate::models::table::Table;
use crate::models::{Group, Permission};
use crate::{Error, ErrorKind};

/// The longest name of a table of users: PostgreSQL's limit.
const LONGEST_TABLE_NAME: usize = 63;

/// The statements of user model `U`, groups and permissions.
pub(crate) struct Model<U: BaseUser> {
    pub(crate) meta: Arc<UserMeta>,
    pub(crate) users: Table<U>,
    pub(crate) groups: Table<Group>,
    pub(crate) permissions: Table<Permission>,
    /// None for a model without `PermissionsMixin`.
    pub(crate) links: Option<UserLinks>,
    pub(crate) group_permissions: Link,
    pub(crate) by_username: Sql,
    pub(crate) set_password: Sql,
    pub(crate) set_password_if: Sql,
    pub(crate) set_last_login: Sql,
    pub(crate) group_by_name: Sql,
    pub(crate) permission_by_natural_key: Sql,
    pub(crate) every_permission: Sql,
}

/// Links and permission statements of a model with `PermissionsMixin`.
pub(crate) struct UserLinks {
    pub(crate) groups: Link,
    pub(crate) user_permissions: Link,
    pub(crate) user_perms: Sql,
    pub(crate) group_perms: Sql,
}

/// How each statement that lists permissions begins: application and codename.
pub(crate) const PERMISSION_NAMES: &str = "SELECT \"django_content_type\".\"app_label\", \
     \"auth_permission\".\"codename\" FROM \"auth_permission\" \
     INNER JOIN \"django_content_type\" \
     ON \"django_content_type\".\"id\" = \"auth_permission\".\"content_type_id\"";

impl<U: BaseUser> Model<U> {
    /// Learns the columns and builds the statements.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: the model contradicts itself.
    pub(crate) fn new(dialect: Dialect, meta: Arc<UserMeta>) -> Result<Self, Error> {
        let mut users = Table::<U>::users(&meta, dialect)?;
        check_names(&meta, &users)?;
        let mut groups = Table::new("auth_group")?;
        let permissions = Table::new("auth_permission")?;
        let links = meta.links.as_ref();
        let links = links.map(|links| UserLinks::new(links, dialect));
        let group_permissions = Link::new("auth_group_permissions", "group_id", "permission_id");
        users.links = links
            .iter()
            .flat_map(|links| links.names(&group_permissions))
            .collect();
        groups.links = vec![("permissions", group_permissions.names())];
        let id = users.id_column();
        let (name, list) = (&users.name, &users.list);
        let [username, password, last_login] =
            [&meta.username_field, "password", "last_login"].map(|field| quoted(&meta, field));
        Ok(Self {
            links,
            group_permissions,
            // Two rows at most are read, so that a name that is not unique is noticed.
            by_username: Sql::generated(
                format!("SELECT {list} FROM {name} WHERE {name}.{username} = ? LIMIT 2"),
                None,
            ),
            set_password: generated(format!("UPDATE {name} SET {password} = ? WHERE {id} = ?")),
            set_password_if: generated(format!(
                "UPDATE {name} SET {password} = ? WHERE {id} = ? AND {password} = ?"
            )),
            set_last_login: generated(format!("UPDATE {name} SET {last_login} = ? WHERE {id} = ?")),
            group_by_name: generated(format!(
                "SELECT {} FROM \"auth_group\" WHERE \"name\" = ?",
                groups.list
            )),
            permission_by_natural_key: generated(format!(
                "SELECT {} FROM \"auth_permission\" INNER JOIN \"django_content_type\" \
                 ON \"django_content_type\".\"id\" = \"auth_permission\".\"content_type_id\" \
                 WHERE \"auth_permission\".\"codename\" = ? \
                 AND \"django_content_type\".\"app_label\" = ? \
                 AND \"django_content_type\".\"model\" = ?",
                permissions.list
            )),
            every_permission: Sql::new(PERMISSION_NAMES),
            meta,
            users,
            groups,
            permissions,
        })
    }

    /// The links of users.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: the model has no `PermissionsMixin`.
    pub(crate) fn links(&self) -> Result<&UserLinks, Error> {
        self.links.as_ref().ok_or_else(|| {
            Error::improperly_configured(format!(
                "{} has no groups and permissions: embed PermissionsMixin",
                self.meta.label()
            ))
        })
    }

    /// Whether the users have a column of this name.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.users.columns.iter().any(|column| column == name)
    }
}

#[cfg(test)]
impl Model<crate::User> {
    /// Of the stock user.
    pub(crate) fn stock(dialect: Dialect) -> Self {
        let meta = Arc::new(UserMeta::declared::<crate::User>());
        Self::new(dialect, meta).expect("the stock user is a model")
    }
}

impl UserLinks {
    fn new(tables: &UserLinkTables, dialect: Dialect) -> Self {
        let link = |through: &LinkTable| {
            let table = truncate_name(through.table.clone(), dialect);
            Link::new(&table, &through.user_column, &through.target_column)
        };
        let (groups, permissions) = (link(&tables.groups), link(&tables.user_permissions));
        Self {
            user_perms: generated(format!("{PERMISSION_NAMES}{}", permissions.of_user())),
            group_perms: generated(format!("{PERMISSION_NAMES}{}", groups.among_groups())),
            groups,
            user_permissions: permissions,
        }
    }
}

impl UserLinks {
    /// What lists of users can be filtered by.
    fn names(&self, group_permissions: &Link) -> [(&'static str, LinkNames); 3] {
        let groups = self.groups.names();
        let through = LinkNames {
            from: format!(
                "{} INNER JOIN {} ON {} = {}",
                groups.from,
                group_permissions.table,
                group_permissions.names().owner,
                groups.target,
            ),
            owner: groups.owner.clone(),
            target: group_permissions.names().target,
        };
        [
            ("groups", groups),
            ("user_permissions", self.user_permissions.names()),
            ("groups__permissions", through),
        ]
    }
}

impl Link {
    fn names(&self) -> LinkNames {
        LinkNames {
            from: self.table.clone(),
            owner: format!("{}.{}", self.table, self.owner),
            target: format!("{}.{}", self.table, self.target),
        }
    }

    /// The rest of a list of permissions: those that one user has directly.
    pub(crate) fn of_user(&self) -> String {
        let (table, owner, target) = (&self.table, &self.owner, &self.target);
        format!(
            " INNER JOIN {table} ON {table}.{target} = \"auth_permission\".\"id\" \
             WHERE {table}.{owner} = ?"
        )
    }

    /// The rest of a list of permissions: those of one user's groups, each once, however many of the groups
    /// have it.
    fn among_groups(&self) -> String {
        let (table, owner, target) = (&self.table, &self.owner, &self.target);
        format!(
            " WHERE \"auth_permission\".\"id\" IN \
             (SELECT \"auth_group_permissions\".\"permission_id\" FROM \"auth_group_permissions\" \
             INNER JOIN {table} ON {table}.{target} = \"auth_group_permissions\".\"group_id\" \
             WHERE {table}.{owner} = ?)"
        )
    }

    /// The rest of a list of permissions: those of one user's groups, again for each group. For EXISTS.
    pub(crate) fn of_groups(&self) -> String {
        let (table, owner, target) = (&self.table, &self.owner, &self.target);
        format!(
            " INNER JOIN \"auth_group_permissions\" \
             ON \"auth_group_permissions\".\"permission_id\" = \"auth_permission\".\"id\" \
             INNER JOIN {table} ON {table}.{target} = \"auth_group_permissions\".\"group_id\" \
             WHERE {table}.{owner} = ?"
        )
    }
}

fn generated(text: String) -> Sql {
    Sql::generated(text, None)
}

/// The quoted column of a field.
fn quoted(meta: &UserMeta, field: &str) -> String {
    quote_name(meta.column(field)).into_owned()
}

fn check_names<U: BaseUser>(meta: &UserMeta, users: &Table<U>) -> Result<(), Error> {
    let refuse = |text: String| Err(Error::new(ErrorKind::ImproperlyConfigured, text));
    let model = meta.label();
    let has = |name: &str| users.column(name).is_some();
    for name in [&meta.username_field, "password", "last_login"] {
        if !has(name) {
            return refuse(format!("{model} has no column {name:?}"));
        }
    }
    if let Some(name) = meta.required_fields.iter().find(|name| !has(name)) {
        return refuse(format!(
            "{model}: REQUIRED_FIELDS names {name:?}, which is no column"
        ));
    }
    if meta.required_fields.contains(&meta.username_field) {
        return refuse(format!(
            "{model}: REQUIRED_FIELDS names the USERNAME_FIELD (auth.E002)"
        ));
    }
    if !UserMeta::is_named_in_lower_case::<U>() {
        return refuse(format!("{model}: the model's name must be in lower case"));
    }
    if meta.db_table.len() > LONGEST_TABLE_NAME {
        return refuse(format!(
            "{model}: the table's name is longer than {LONGEST_TABLE_NAME} bytes: name another (DB_TABLE)"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use test_databases::TestDatabase;

    use super::*;
    use crate::db::Executor;
    use crate::settings::Settings;
    use crate::{Auth, User};

    /// A thousand groups with the same permissions would else give each of them a thousand times.
    #[tokio::test]
    async fn each_permission_of_the_groups_is_read_once() {
        static GROUPS: Sql = Sql::new("INSERT INTO auth_group (name) VALUES ('a'), ('b'), ('c')");
        static ALL: Sql = Sql::new(
            "INSERT INTO auth_group_permissions (group_id, permission_id) \
             SELECT auth_group.id, auth_permission.id FROM auth_group CROSS JOIN auth_permission",
        );
        static MEMBER: Sql = Sql::new(
            "INSERT INTO auth_user_groups (user_id, group_id) \
             SELECT auth_user.id, auth_group.id FROM auth_user CROSS JOIN auth_group",
        );
        for database in TestDatabase::all() {
            let settings = Settings::new(djauth_signing::crypto::get_random_secret_key());
            let auth: Auth<User> = Auth::connect(database.url(), settings).await.unwrap();
            auth.migrate().await.unwrap();
            let user = auth.users().create_user("alice", "", None).await.unwrap();
            for sql in [&GROUPS, &ALL, &MEMBER] {
                auth.db().execute(sql, Vec::new()).await.unwrap();
            }
            let links = auth.model().links().unwrap();
            let key = [user.id.into()];
            let rows = auth.db().fetch(&links.group_perms, &key, |_| Ok(()));
            let permissions = auth.permissions().all().count().await.unwrap();
            assert!(permissions > 10);
            assert_eq!(rows.await.unwrap().len() as u64, permissions);
            auth.db().close().await;
        }
    }
}
