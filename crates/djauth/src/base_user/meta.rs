//! What is known about a user model while the program runs: Django's `_meta`.

use std::borrow::Cow;
use std::sync::Arc;

use super::{BaseUser, Columns, FieldInfo, FieldKind, UserId};
use crate::Error;
use crate::db::Value;
use crate::settings::Settings;

/// A user model: the constants of its class and its `_meta`.
///
/// A struct says all of it by its constants ([`UserMeta::declared`]); a
/// [`DescribedUser`](crate::models::DescribedUser) has it from the settings. Code that works for both
/// asks [`Auth::user_meta`](crate::Auth::user_meta), never the constants.
///
/// Fields are named by Django's names. Their columns may be called otherwise
/// ([`column`](UserMeta::column)).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct UserMeta {
    /// The application that the model belongs to, as in the content type.
    pub app_label: String,
    /// The name of the class; part of the content type, of tables and of links in lower case
    /// ([`model_name`](UserMeta::model_name)).
    pub object_name: String,
    /// The name for people, `Meta.verbose_name`; the class's name with spaces when absent.
    pub verbose_name: Option<String>,
    /// `Meta.db_table`.
    pub db_table: String,
    /// The field that is the key.
    pub pk: String,
    /// The field that people log in with.
    pub username_field: String,
    /// The field with the e-mail address; it need not exist.
    pub email_field: String,
    /// What `createsuperuser` asks for besides name and password.
    pub required_fields: Vec<String>,
    /// The fields, in the model's order. Empty when the trait was implemented by hand.
    pub fields: Vec<FieldInfo>,
    /// Where users are linked with groups and permissions; `None` for a model without
    /// `PermissionsMixin`.
    pub links: Option<UserLinkTables>,
    /// Whether a user may log in.
    pub is_active: UserFlag,
    /// Whether a user may enter the admin.
    pub is_staff: UserFlag,
    /// Whether a user has every permission.
    pub is_superuser: UserFlag,
}

/// The link tables of a user model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLinkTables {
    /// `groups`.
    pub groups: LinkTable,
    /// `user_permissions`.
    pub user_permissions: LinkTable,
}

/// One link table, Django's `through`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTable {
    /// Its name.
    pub table: String,
    /// The column that points at the user.
    pub user_column: String,
    /// The column that points at the group or the permission.
    pub target_column: String,
}

/// Where a flag of a user comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserFlag {
    /// The field of this name.
    Field(String),
    /// The same for every user: a plain attribute of the Python class.
    Always(bool),
}

impl UserMeta {
    /// What a struct says by its constants.
    #[must_use]
    pub fn declared<U: BaseUser>() -> Self {
        let fields = in_django_order::<U>();
        let db_table = U::db_table();
        let with_mixin = U::blank().permissions().is_some();
        let key = fields
            .iter()
            .find(|field| field.column_name() == U::ID_COLUMN);
        // A struct without `FIELDS` shows its names by reading them.
        let names = Columns::names(U::read).unwrap_or_default();
        let flag = |name: &str, otherwise| match names.contains(&name) {
            true => UserFlag::Field(name.to_owned()),
            false => UserFlag::Always(otherwise),
        };
        Self {
            app_label: U::APP_LABEL.to_owned(),
            object_name: class_name::<U>().to_owned(),
            verbose_name: None,
            pk: key.map_or(U::ID_COLUMN, |key| &key.name).to_owned(),
            username_field: U::USERNAME_FIELD.to_owned(),
            email_field: U::EMAIL_FIELD.to_owned(),
            required_fields: U::REQUIRED_FIELDS.iter().map(|&f| f.to_owned()).collect(),
            links: with_mixin.then(|| UserLinkTables::named(&db_table, U::MODEL_NAME)),
            is_active: flag(U::IS_ACTIVE, true),
            is_staff: flag(U::IS_STAFF, false),
            is_superuser: flag("is_superuser", false),
            fields,
            db_table,
        }
    }

    /// Whether a struct gives its model's name as content types have it.
    pub(crate) fn is_named_in_lower_case<U: BaseUser>() -> bool {
        U::declared().is_none() || !U::MODEL_NAME.chars().any(char::is_uppercase)
    }

    /// What is known about a model: what its constants say, or what the settings describe.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: nothing describes it.
    pub fn of<U: BaseUser>(settings: &Settings) -> Result<Arc<Self>, Error> {
        let setting = &settings.auth_user_model;
        let wrong = |what: String| Err(Error::improperly_configured(what));
        let declared = U::declared().map(Arc::new);
        let meta = match (declared, setting.description()) {
            (Some(declared), _) if setting.is_default() => return Ok(declared),
            (Some(declared), _) if setting.label() == declared.label() => return Ok(declared),
            (Some(declared), _) => {
                let (named, label) = (setting.label(), declared.label());
                return wrong(format!(
                    "AUTH_USER_MODEL names {named}, but the user model is {label}; \
                     describe the model in AUTH_USER_MODEL, or name it in Rust"
                ));
            }
            (None, Some(described)) => described,
            (None, None) => {
                return wrong("AUTH_USER_MODEL does not describe the user model".to_owned());
            }
        };
        let key_is_uuid = meta.key_kind() == FieldKind::Uuid;
        if key_is_uuid == U::Id::AUTO {
            return wrong(format!(
                "AUTH_USER_MODEL: the key of {} is not of the type that this program expects",
                meta.label()
            ));
        }
        Ok(meta.clone())
    }

    /// A model without anything.
    pub(crate) fn of_nothing() -> Self {
        Self {
            app_label: String::new(),
            object_name: String::new(),
            verbose_name: None,
            db_table: String::new(),
            pk: String::new(),
            username_field: String::new(),
            email_field: String::new(),
            required_fields: Vec::new(),
            fields: Vec::new(),
            links: None,
            is_active: UserFlag::Always(true),
            is_staff: UserFlag::Always(false),
            is_superuser: UserFlag::Always(false),
        }
    }

    /// Whether a key can be in the table at all: an integer column may be narrower than the type.
    pub(crate) fn key_fits(&self, id: &impl UserId) -> bool {
        match (id.to_value(), self.field(&self.pk).map(|key| key.kind)) {
            (Value::Int(id), Some(FieldKind::Int32)) => i32::try_from(id).is_ok(),
            _ => true,
        }
    }

    /// The model's name in lower case.
    #[must_use]
    pub fn model_name(&self) -> String {
        self.object_name.to_lowercase()
    }

    /// Django's `AUTH_USER_MODEL` in lower case: `auth.user`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}.{}", self.app_label, self.model_name())
    }

    /// Whether this is Django's own user, in its own table.
    #[must_use]
    pub fn is_stock(&self) -> bool {
        self.label() == "auth.user" && self.db_table == "auth_user"
    }

    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldInfo> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The column of this field.
    #[must_use]
    pub fn column<'a>(&'a self, name: &'a str) -> &'a str {
        self.field(name).map_or(name, FieldInfo::column_name)
    }

    /// The name of a field for people, in lower case.
    #[must_use]
    pub fn field_label(&self, name: &str) -> String {
        let given = self
            .field(name)
            .and_then(|field| field.verbose_name.as_ref());
        match (given, name) {
            (Some(given), _) => given.clone().into_owned(),
            (None, "email") => "email address".to_owned(),
            (None, name) => name.replace('_', " "),
        }
    }

    /// What kind of key users have.
    #[must_use]
    pub fn key_kind(&self) -> FieldKind {
        self.field(&self.pk)
            .map_or(FieldKind::Int32, |key| key.kind)
    }

    /// What is known of the field that people log in with.
    #[must_use]
    pub fn username(&self) -> Option<&FieldInfo> {
        self.field(&self.username_field)
    }
}

impl UserLinkTables {
    /// The tables as Django names them for a model with this table and name.
    #[must_use]
    pub fn named(db_table: &str, model_name: &str) -> Self {
        let link = |field: &str, target: &str| LinkTable {
            table: format!("{db_table}_{field}"),
            user_column: format!("{model_name}_id"),
            target_column: target.to_owned(),
        };
        Self {
            groups: link("groups", "group_id"),
            user_permissions: link("user_permissions", "permission_id"),
        }
    }
}

/// The fields in the order of Django's table: a key that the database makes and Django adds by itself, the columns of
/// `AbstractBaseUser` and `PermissionsMixin`, the model's own.
fn in_django_order<U: BaseUser>() -> Vec<FieldInfo> {
    let mut fields: Vec<FieldInfo> = U::FIELDS.iter().copied().flatten().cloned().collect();
    fields.sort_by_key(|field| match field.column_name() {
        "id" if U::Id::AUTO && U::ID_COLUMN == "id" => 0,
        "password" => 1,
        "last_login" => 2,
        "is_superuser" => 3,
        _ => 4,
    });
    fields
}

/// The name of the type, if it is the model's in capitals; otherwise the model's own.
fn class_name<U: BaseUser>() -> &'static str {
    let path = std::any::type_name::<U>();
    let path = path.split('<').next().unwrap_or(path);
    let name = path.rsplit("::").next().unwrap_or(path);
    if name.to_lowercase() == U::MODEL_NAME {
        name
    } else {
        U::MODEL_NAME
    }
}

impl FieldInfo {
    /// The column's name: the field's own unless it has another.
    #[must_use]
    pub fn column_name(&self) -> &str {
        self.column.as_ref().map_or(&self.name, Cow::as_ref)
    }
}
