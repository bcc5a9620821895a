//! `PermissionManager`.

use std::fmt;

use super::query::{Q, QuerySet};
use super::{Deleted, Group, Permission, deletion};
use crate::base_user::BaseUser;
use crate::db::{Database, Executor, Sql, Transaction};
use crate::{Auth, Error, ErrorKind};

/// Permissions of an [`Auth`], Django's `Permission.objects`. Made by [`Auth::permissions`].
pub struct PermissionManager<'a, U: BaseUser, E: Executor = Database> {
    auth: &'a Auth<U>,
    ex: &'a E,
}

impl<U: BaseUser, E: Executor> Clone for PermissionManager<'_, U, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U: BaseUser, E: Executor> Copy for PermissionManager<'_, U, E> {}

impl<U: BaseUser, E: Executor> fmt::Debug for PermissionManager<'_, U, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermissionManager").finish_non_exhaustive()
    }
}

impl<'a, U: BaseUser> PermissionManager<'a, U> {
    pub(crate) fn new(auth: &'a Auth<U>) -> Self {
        Self {
            auth,
            ex: auth.db(),
        }
    }

    /// The same inside a transaction.
    #[must_use]
    pub fn using(self, tx: &'a Transaction) -> PermissionManager<'a, U, Transaction> {
        PermissionManager {
            auth: self.auth,
            ex: tx,
        }
    }
}

impl<'a, U: BaseUser, E: Executor> PermissionManager<'a, U, E> {
    /// Every permission, ordered by application, model and codename. Conditions may name
    /// `content_type__app_label` and `content_type__model`.
    pub fn all(self) -> QuerySet<'a, Permission, E> {
        QuerySet::new(&self.auth.model().permissions, self.ex)
    }

    /// Permissions that meet a condition.
    pub fn filter(self, condition: Q) -> QuerySet<'a, Permission, E> {
        self.all().filter(condition)
    }

    /// Permissions that do not meet a condition.
    pub fn exclude(self, condition: Q) -> QuerySet<'a, Permission, E> {
        self.all().exclude(condition)
    }

    /// Every permission with application and model of its content type, in their order: what forms
    /// offer.
    ///
    /// # Errors
    /// The database's.
    pub async fn choices(self) -> Result<Vec<(Permission, String, String)>, Error> {
        static ALL: Sql = Sql::new(
            "SELECT p.id, p.name, p.content_type_id, p.codename, c.app_label, c.model \
             FROM auth_permission p INNER JOIN django_content_type c ON c.id = p.content_type_id \
             ORDER BY c.app_label, c.model, p.codename",
        );
        let mut found = Vec::new();
        let read = |row: &crate::db::Row<'_>| {
            let mut permission =
                Permission::new(row.get(2)?, row.get::<String>(3)?, row.get::<String>(1)?);
            permission.id = row.get(0)?;
            found.push((permission, row.get(4)?, row.get(5)?));
            Ok(())
        };
        self.ex.fetch_each(&ALL, &[], read).await?;
        Ok(found)
    }

    /// The permission of this key.
    ///
    /// # Errors
    /// The database's.
    pub async fn get(self, id: i32) -> Result<Option<Permission>, Error> {
        self.auth.model().permissions.find(self.ex, id).await
    }

    /// The permission of this codename on this model.
    ///
    /// # Errors
    /// The database's.
    pub async fn get_by_natural_key(
        self,
        codename: &str,
        app_label: &str,
        model: &str,
    ) -> Result<Option<Permission>, Error> {
        if [codename, app_label, model]
            .iter()
            .any(|text| text.contains('\0'))
        {
            return Ok(None);
        }
        let statements = self.auth.model();
        let read = |row: &crate::db::Row<'_>| statements.permissions.read(row, 0);
        let params = [codename.into(), app_label.into(), model.into()];
        let sql = &statements.permission_by_natural_key;
        Ok(self.ex.fetch_optional(sql, &params, read).await?)
    }

    /// The groups that have a permission, by key: Django's `permission.group_set`.
    ///
    /// # Errors
    /// The database's.
    pub async fn groups(self, permission: &Permission) -> Result<Vec<Group>, Error> {
        let model = self.auth.model();
        let link = &model.group_permissions;
        super::reverse::owners(self.ex, &model.groups, link, permission.id).await
    }

    /// The users who have a permission directly, by key: Django's `permission.user_set`. Who has it
    /// through groups too is found by [`UserManager::with_perm`](super::UserManager::with_perm).
    ///
    /// # Errors
    /// The database's; `ImproperlyConfigured`: the user model has no permissions.
    pub async fn users(self, permission: &Permission) -> Result<Vec<U>, Error> {
        let model = self.auth.model();
        let link = &model.links()?.user_permissions;
        super::reverse::owners(self.ex, &model.users, link, permission.id).await
    }

    /// The permission's name in code, `app_label.codename` (Django 6.1's `user_perm_str`).
    ///
    /// # Errors
    /// `DoesNotExist`: its content type is gone.
    pub async fn user_perm_str(self, permission: &Permission) -> Result<String, Error> {
        static APP_LABEL: Sql = Sql::new("SELECT app_label FROM django_content_type WHERE id = ?");
        let params = [permission.content_type_id.into()];
        let label = self
            .ex
            .fetch_optional(&APP_LABEL, &params, |row| row.get::<String>(0));
        match label.await? {
            Some(label) => Ok(format!("{label}.{}", permission.codename)),
            None => Err(Error::new(
                ErrorKind::DoesNotExist,
                "the permission's content type does not exist any more",
            )),
        }
    }

    /// Makes a permission.
    ///
    /// # Errors
    /// `Integrity`: the model has one of this codename, or there is no such content type.
    pub async fn create(
        self,
        content_type_id: i32,
        codename: &str,
        name: &str,
    ) -> Result<Permission, Error> {
        let mut permission = Permission::new(content_type_id, codename, name);
        self.auth
            .model()
            .permissions
            .insert(self.ex, &mut permission)
            .await?;
        Ok(permission)
    }

    /// Writes every column: an existing row is changed, otherwise one is made.
    ///
    /// # Errors
    /// `Integrity`: the model has another one of this codename.
    pub async fn save(self, permission: &mut Permission) -> Result<(), Error> {
        self.auth
            .model()
            .permissions
            .save(self.ex, permission)
            .await
    }

    /// Deletes the permission with its link rows.
    ///
    /// # Errors
    /// `Value`: never saved.
    pub async fn delete(self, permission: &Permission) -> Result<Deleted, Error> {
        match deletion::saved(permission.id) {
            Some(id) => deletion::permissions(self.auth, self.ex, &[id]).await,
            None => Err(Error::value(
                "a permission that was never saved cannot be deleted",
            )),
        }
    }

    /// Deletes every permission of a query.
    ///
    /// # Errors
    /// As [`PermissionManager::delete`].
    pub async fn delete_all(self, rows: QuerySet<'_, Permission, E>) -> Result<Deleted, Error> {
        deletion::permissions(self.auth, self.ex, &rows.ids().await?).await
    }

    /// Deletes a content type with its permissions; entries of the admin's log stay and forget it.
    ///
    /// # Errors
    /// `Integrity`: a table that nobody registered refers to it.
    pub async fn delete_content_type(self, content_type_id: i32) -> Result<Deleted, Error> {
        deletion::content_types(self.auth, self.ex, &[content_type_id]).await
    }
}
