//! Where users are kept.

use crate::base_user::{FieldInfo, LinkTable, UserLinkTables, UserMeta, truncate_name};
use crate::db::Dialect;

/// The tables of the user model: Django's own, or those of `AUTH_USER_MODEL`.
///
/// ```
/// use djauth::management::UserTable;
///
/// let accounts = UserTable::own("accounts", "account").columns(["id", "password", "last_login", "email"]);
/// assert_eq!(accounts.groups_table.as_deref(), Some("accounts_account_groups"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct UserTable {
    /// Whether Django's own model is replaced; `auth_user` and its link tables are then neither made nor wanted.
    pub swapped: bool,
    /// The table of users.
    pub table: String,
    /// The column of its primary key.
    pub key: String,
    /// The columns that are read and written.
    pub columns: Vec<String>,
    /// The application of the model.
    pub app_label: String,
    /// What is known of the fields, so that the table can be made; nothing when it only is looked at.
    pub fields: Vec<FieldInfo>,
    /// The table that links users with groups; `None` for a model without Django's `PermissionsMixin`.
    pub groups_table: Option<String>,
    /// The table that links users with permissions; `None` for a model without Django's `PermissionsMixin`.
    pub permissions_table: Option<String>,
    /// The column of `groups_table` that points at the user, and that which points at the group.
    pub groups_columns: [String; 2],
    /// The column of `permissions_table` that points at the user, and that which points at the permission.
    pub permissions_columns: [String; 2],
}

/// The columns of Django's own user.
const STOCK_COLUMNS: [&str; 11] = [
    "id",
    "password",
    "last_login",
    "is_superuser",
    "username",
    "first_name",
    "last_name",
    "email",
    "is_staff",
    "is_active",
    "date_joined",
];

impl UserTable {
    /// Django's own user: `auth_user`.
    #[must_use]
    pub fn stock() -> Self {
        UserTable {
            swapped: false,
            ..UserTable::own("auth", "user")
        }
        .columns(STOCK_COLUMNS)
    }

    /// A model of the project's own, named as Django would name its tables: `<app>_<model>`,
    /// `<app>_<model>_groups`, `<app>_<model>_user_permissions`, linked by `<model>_id`.
    #[must_use]
    pub fn own(app_label: &str, model_name: &str) -> Self {
        UserTable {
            swapped: true,
            table: String::new(),
            key: "id".to_owned(),
            columns: Vec::new(),
            app_label: app_label.to_owned(),
            fields: Vec::new(),
            groups_table: None,
            permissions_table: None,
            groups_columns: [format!("{model_name}_id"), "group_id".to_owned()],
            permissions_columns: [format!("{model_name}_id"), "permission_id".to_owned()],
        }
        .table(format!("{app_label}_{model_name}"))
    }

    /// The tables of a user model.
    #[must_use]
    pub fn of(meta: &UserMeta) -> Self {
        let stock = meta.is_stock();
        let mut table = UserTable {
            swapped: !stock,
            columns: meta
                .fields
                .iter()
                .map(|field| field.column_name().to_owned())
                .collect(),
            fields: meta.fields.clone(),
            ..UserTable::own(&meta.app_label, &meta.model_name())
        }
        .table(&meta.db_table)
        .key(meta.column(&meta.pk));
        let Some(UserLinkTables {
            groups,
            user_permissions,
        }) = &meta.links
        else {
            return table.without_permissions();
        };
        let columns = |link: &LinkTable| [link.user_column.clone(), link.target_column.clone()];
        table.groups_table = Some(groups.table.clone());
        table.groups_columns = columns(groups);
        table.permissions_table = Some(user_permissions.table.clone());
        table.permissions_columns = columns(user_permissions);
        table
    }

    /// Another name of the table (`Meta.db_table`); the link tables are named after it.
    #[must_use]
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = table.into();
        self.groups_table = Some(format!("{}_groups", self.table));
        self.permissions_table = Some(format!("{}_user_permissions", self.table));
        self
    }

    /// The link tables' names as this database has them: longer ones than it takes are cut by Django, with a
    /// hash at the end. `migrate` and the checks do it by themselves.
    #[must_use]
    pub fn for_dialect(mut self, dialect: Dialect) -> Self {
        let short = |name: Option<String>| name.map(|name| truncate_name(name, dialect));
        self.groups_table = short(self.groups_table);
        self.permissions_table = short(self.permissions_table);
        self
    }

    /// Another column as the primary key.
    #[must_use]
    pub fn key(mut self, column: impl Into<String>) -> Self {
        self.key = column.into();
        self
    }

    /// The columns that are read and written.
    #[must_use]
    pub fn columns<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// A model without groups and permissions (Django's `AbstractBaseUser` alone).
    #[must_use]
    pub fn without_permissions(mut self) -> Self {
        (self.groups_table, self.permissions_table) = (None, None);
        self
    }
}

impl Default for UserTable {
    fn default() -> Self {
        UserTable::stock()
    }
}
