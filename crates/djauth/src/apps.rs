//! What the auth application connects at start-up, and what an application registers with it:
//! `django/contrib/auth/apps.py`.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::base_user::BaseUser;
use crate::management::ModelMeta;
use crate::models::update_last_login;
use crate::signals::UserLoggedIn;
use crate::{Auth, Error, access_log};

/// What happens to a row when the row that it refers to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// It goes too (`CASCADE`).
    Cascade,
    /// Its column becomes NULL (`SET_NULL`).
    SetNull,
}

/// What a column refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Referred {
    /// The user model.
    User,
    /// `auth.Group`.
    Group,
    /// `auth.Permission`.
    Permission,
    /// `contenttypes.ContentType`.
    ContentType,
}

/// A table of the application with a foreign key to one of ours. Django's databases have no
/// `ON DELETE`, so that deletes must be told: register it with
/// [`Builder::dependant`](crate::Builder::dependant).
#[derive(Clone, Debug)]
pub struct Dependant {
    table: &'static str,
    column: &'static str,
    refers_to: Referred,
    on_delete: OnDelete,
}

impl Dependant {
    /// `column` of `table` refers to the key of `refers_to`.
    #[must_use]
    pub const fn new(
        table: &'static str,
        column: &'static str,
        refers_to: Referred,
        on_delete: OnDelete,
    ) -> Self {
        Self {
            table,
            column,
            refers_to,
            on_delete,
        }
    }

    /// The table's name, unquoted.
    #[must_use]
    pub const fn table(&self) -> &'static str {
        self.table
    }

    /// The column's name, unquoted.
    #[must_use]
    pub const fn column(&self) -> &'static str {
        self.column
    }

    /// What it refers to.
    #[must_use]
    pub const fn refers_to(&self) -> Referred {
        self.refers_to
    }

    /// What a delete does to it.
    #[must_use]
    pub const fn on_delete(&self) -> OnDelete {
        self.on_delete
    }
}

/// What was registered when the [`Auth`] was built.
#[derive(Debug, Default)]
pub struct Apps {
    pub(crate) models: Vec<ModelMeta>,
    pub(crate) dependants: Vec<Dependant>,
    pub(crate) other_tables: bool,
    admin_log: AtomicBool,
}

impl Apps {
    /// The application's models; they get content types and permissions when migrated.
    #[must_use]
    pub fn models(&self) -> &[ModelMeta] {
        &self.models
    }

    /// Tables that refer to ours, in the order registered: earlier ones are emptied first.
    #[must_use]
    pub fn dependants(&self) -> &[Dependant] {
        &self.dependants
    }

    pub(crate) fn admin_log_seen(&self) -> bool {
        self.admin_log.load(Ordering::Relaxed)
    }

    pub(crate) fn see_admin_log(&self) {
        self.admin_log.store(true, Ordering::Relaxed);
    }
}

/// Connects the built-in receivers, Django's `AuthConfig.ready`.
pub(crate) fn ready<U: BaseUser>(auth: &Auth<U>) {
    auth.signals().user_logged_in.connect_as(
        "update_last_login",
        async |event: UserLoggedIn<U>| -> Result<(), Error> {
            update_last_login(&event.auth, &event.user).await
        },
    );
    access_log::connect(auth);
}
