//! Everything that is known about the user model and the tables around it, built once.

use crate::base_user::{BaseUser, truncate_name};
use crate::db::{Dialect, Sql, quote_name};
use crate::models::link::Link;
use crate::models::table::Table;
use crate::models::{Group, Permission};
use crate::{Error, ErrorKind};

/// The longest name of a table of users: PostgreSQL's limit.
const LONGEST_TABLE_NAME: usize = 63;

/// The statements of user model `U`, groups and permissions.
pub(crate) struct Model<U: BaseUser> {
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
    pub(crate) fn new(dialect: Dialect) -> Result<Self, Error> {
        let users = Table::<U>::new()?;
        check_names::<U>(&users.columns)?;
        let (groups, permissions) = (Table::new()?, Table::new()?);
        let id = quote_name(U::ID_COLUMN);
        let (name, list) = (&users.name, &users.list);
        let with_mixin = U::blank().permissions().is_some();
        Ok(Self {
            links: with_mixin.then(|| UserLinks::new::<U>(dialect)),
            group_permissions: Link::new("auth_group_permissions", "group_id", "permission_id"),
            // Two rows at most are read, so that a name that is not unique is noticed.
            by_username: Sql::generated(
                format!(
                    "SELECT {list} FROM {name} WHERE {name}.{} = ? LIMIT 2",
                    quote_name(U::USERNAME_FIELD)
                ),
                None,
            ),
            set_password: generated(format!("UPDATE {name} SET \"password\" = ? WHERE {id} = ?")),
            set_password_if: generated(format!(
                "UPDATE {name} SET \"password\" = ? WHERE {id} = ? AND \"password\" = ?"
            )),
            set_last_login: generated(format!(
                "UPDATE {name} SET \"last_login\" = ? WHERE {id} = ?"
            )),
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
                U::label()
            ))
        })
    }

    /// Whether the users have a column of this name.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.users.columns.contains(&name)
    }
}

impl UserLinks {
    fn new<U: BaseUser>(dialect: Dialect) -> Self {
        let table = U::db_table();
        let name = |field| truncate_name(format!("{table}_{field}"), dialect);
        let owner = format!("{}_id", U::MODEL_NAME);
        let groups = Link::new(&name("groups"), &owner, "group_id");
        let permissions = Link::new(&name("user_permissions"), &owner, "permission_id");
        Self {
            user_perms: generated(format!("{PERMISSION_NAMES}{}", permissions.of_user())),
            group_perms: generated(format!("{PERMISSION_NAMES}{}", groups.of_groups())),
            groups,
            user_permissions: permissions,
        }
    }
}

impl Link {
    /// The rest of a list of permissions: those that one user has directly.
    pub(crate) fn of_user(&self) -> String {
        let (table, owner, target) = (&self.table, &self.owner, &self.target);
        format!(
            " INNER JOIN {table} ON {table}.{target} = \"auth_permission\".\"id\" \
             WHERE {table}.{owner} = ?"
        )
    }

    /// The rest of a list of permissions: those of one user's groups.
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

fn check_names<U: BaseUser>(columns: &[&str]) -> Result<(), Error> {
    let refuse = |text: String| Err(Error::new(ErrorKind::ImproperlyConfigured, text));
    let model = U::label();
    for name in [U::USERNAME_FIELD, "password", "last_login"] {
        if !columns.contains(&name) {
            return refuse(format!("{model} has no column {name:?}"));
        }
    }
    if let Some(name) = U::REQUIRED_FIELDS
        .iter()
        .find(|name| !columns.contains(name))
    {
        return refuse(format!(
            "{model}: REQUIRED_FIELDS names {name:?}, which is no column"
        ));
    }
    if U::REQUIRED_FIELDS.contains(&U::USERNAME_FIELD) {
        return refuse(format!(
            "{model}: REQUIRED_FIELDS names the USERNAME_FIELD (auth.E002)"
        ));
    }
    if U::MODEL_NAME.chars().any(char::is_uppercase) {
        return refuse(format!("{model}: the model's name must be in lower case"));
    }
    if U::db_table().len() > LONGEST_TABLE_NAME {
        return refuse(format!(
            "{model}: the table's name is longer than {LONGEST_TABLE_NAME} bytes: name another (DB_TABLE)"
        ));
    }
    Ok(())
}
