//! What a user model is: `django/contrib/auth/base_user.py`.
//!
//! Inheritance becomes embedding: a user model is a plain struct that embeds [`AbstractBaseUser`]
//! (password and last login) and usually [`PermissionsMixin`], and derives [`BaseUser`].

mod columns;
mod field_info;
mod fields;
mod id;
mod meta;
mod normalize;
mod password;
mod permissions_mixin;
mod truncate_name;

use std::fmt;

pub use columns::{Changes, Columns, Embed};
pub use field_info::{ColumnType, FieldDefault, FieldInfo, FieldKind};
pub use id::UserId;
pub use meta::{LinkTable, UserFlag, UserLinkTables, UserMeta};
pub use normalize::{normalize_email, normalize_username};
pub(crate) use password::RawPassword;
pub use password::{AbstractBaseUser, SESSION_AUTH_HASH_SALT};
pub(crate) use permissions_mixin::PermissionSet;
pub use permissions_mixin::PermissionsMixin;
pub(crate) use truncate_name::truncate_name;

use crate::db;

/// A user model, Django's `AUTH_USER_MODEL`. Implement it with `#[derive(BaseUser)]`, or by hand with
/// [`fields!`](crate::fields).
///
/// The constants carry Django's own names, and are read once, when an [`Auth`](crate::Auth) is made:
/// code for any user model asks [`Auth::user_meta`](crate::Auth::user_meta), because a
/// [`DescribedUser`](crate::models::DescribedUser) has no constants to speak of. `Display` is Django's
/// `__str__`, by custom the username.
pub trait BaseUser: Clone + fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// The type of the key.
    type Id: UserId;
    /// The application that the model belongs to, as in the content type.
    const APP_LABEL: &'static str;
    /// The model's name in lower case: part of the content type, of the table and of the link columns.
    const MODEL_NAME: &'static str;
    /// The key's column.
    const ID_COLUMN: &'static str = "id";
    /// The table; `None` stands for `<app_label>_<model_name>`.
    const DB_TABLE: Option<&'static str> = None;
    /// The field that people log in with.
    const USERNAME_FIELD: &'static str = "username";
    /// The field with the e-mail address; it need not exist.
    const EMAIL_FIELD: &'static str = "email";
    /// What `createsuperuser` asks for besides [`Self::USERNAME_FIELD`] and the password.
    const REQUIRED_FIELDS: &'static [&'static str] = &[];
    /// The field that says whether a user may log in; where there is none, everybody may.
    const IS_ACTIVE: &'static str = "is_active";
    /// The field that says whether a user may enter the admin; where there is none, nobody may.
    const IS_STAFF: &'static str = "is_staff";
    /// What is known about the columns, in pieces (own fields and embedded structs). Empty when the
    /// trait was implemented by hand: such a table cannot be made by `migrate`.
    const FIELDS: &'static [&'static [FieldInfo]] = &[];

    /// What the constants say. `None` for a model that is described when the program starts.
    fn declared() -> Option<UserMeta> {
        Some(UserMeta::declared::<Self>())
    }

    /// The key.
    fn id(&self) -> Self::Id;
    /// Sets the key.
    fn set_id(&mut self, id: Self::Id);
    /// Password and last login.
    fn base(&self) -> &AbstractBaseUser;
    /// Password and last login, to change.
    fn base_mut(&mut self) -> &mut AbstractBaseUser;
    /// Superuser flag, groups and permissions; `None` for a model without them.
    fn permissions(&self) -> Option<&PermissionsMixin> {
        None
    }
    /// Superuser flag, to change.
    fn permissions_mut(&mut self) -> Option<&mut PermissionsMixin> {
        None
    }
    /// Whether this user may log in. Django's class attribute is `True`.
    fn is_active(&self) -> bool {
        true
    }
    /// Whether this user may enter the admin.
    fn is_staff(&self) -> bool {
        false
    }
    /// Whether this user has every permission (while active).
    fn is_superuser(&self) -> bool {
        self.permissions().is_some_and(|mixin| mixin.is_superuser)
    }

    /// A new, unsaved object with Django's defaults.
    fn blank() -> Self {
        Columns::blank(Self::read)
    }
    /// Builds the struct from named columns. Run once at start-up without a row, to learn the columns.
    ///
    /// # Errors
    /// A column that does not hold its type.
    fn read(row: &mut Columns<'_>) -> db::Result<Self>;
    /// Names every column with its value, in any order. Columns of the table that are not named are
    /// left to the database.
    fn write<'a>(&'a self, row: &mut Changes<'a>);

    /// `None`: not saved yet (a key made by the database is still zero).
    fn pk(&self) -> Option<Self::Id> {
        let id = self.id();
        (!Self::Id::AUTO || id != Self::Id::from_auto(0)).then_some(id)
    }
    /// The value of [`Self::USERNAME_FIELD`] as text, Django's `get_username()`.
    fn get_username(&self) -> String {
        Changes::text_of(self, Self::USERNAME_FIELD).unwrap_or_default()
    }
    /// The value of [`Self::EMAIL_FIELD`]; `None` when the model has no such column.
    fn get_email(&self) -> Option<String> {
        Changes::text_of(self, Self::EMAIL_FIELD)
    }
    /// Django's `_meta.db_table`.
    fn db_table() -> String {
        match Self::DB_TABLE {
            Some(table) => table.to_owned(),
            None => format!("{}_{}", Self::APP_LABEL, Self::MODEL_NAME),
        }
    }
    /// Django's `AUTH_USER_MODEL` in lower case: `auth.user`.
    fn label() -> String {
        format!("{}.{}", Self::APP_LABEL, Self::MODEL_NAME)
    }
}

#[cfg(test)]
mod tests;
