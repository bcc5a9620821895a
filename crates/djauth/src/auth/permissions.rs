//! The permission methods of `PermissionsMixin`: they ask the backends.

use std::collections::HashSet;

use super::Auth;
use crate::Error;
use crate::backends::{BackendError, BackendResult, Context, DynBackend, Object, PermissionKind};
use crate::base_user::BaseUser;

impl<U: BaseUser> Auth<U> {
    /// Whether the user has this permission, `app_label.codename`. Active superusers have all, also
    /// those that do not exist; otherwise the backends are asked in order until one says yes, or
    /// `PermissionDenied`, which is a no.
    ///
    /// # Errors
    /// A backend failed: the answer is unknown.
    pub async fn has_perm(
        &self,
        user: &U,
        perm: &str,
        obj: Option<&Object>,
    ) -> Result<bool, Error> {
        if user.is_active() && user.is_superuser() {
            return Ok(true);
        }
        for backend in self.backends().iter() {
            let answer = backend
                .has_perm(Context::without_request(self), user, perm, obj)
                .await;
            if let Some(answer) = yes(answer)? {
                return Ok(answer);
            }
        }
        Ok(false)
    }

    /// Whether the user has every one of these permissions.
    ///
    /// # Errors
    /// A backend failed: the answer is unknown.
    pub async fn has_perms(
        &self,
        user: &U,
        perms: &[impl AsRef<str> + Sync],
        obj: Option<&Object>,
    ) -> Result<bool, Error> {
        for perm in perms {
            if !self.has_perm(user, perm.as_ref(), obj).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the user has any permission of this application.
    ///
    /// # Errors
    /// A backend failed: the answer is unknown.
    pub async fn has_module_perms(&self, user: &U, app_label: &str) -> Result<bool, Error> {
        if user.is_active() && user.is_superuser() {
            return Ok(true);
        }
        for backend in self.backends().iter() {
            let answer = backend
                .has_module_perms(Context::without_request(self), user, app_label)
                .await;
            if let Some(answer) = yes(answer)? {
                return Ok(answer);
            }
        }
        Ok(false)
    }

    /// The permissions that the user has directly, of all backends together.
    ///
    /// # Errors
    /// A backend failed. (In Django a `PermissionDenied` escapes here; it counts as nothing.)
    pub async fn get_user_permissions(
        &self,
        user: &U,
        obj: Option<&Object>,
    ) -> Result<HashSet<String>, Error> {
        self.collected(user, PermissionKind::User, obj).await
    }

    /// The permissions that the user has through groups, of all backends together.
    ///
    /// # Errors
    /// As [`Auth::get_user_permissions`].
    pub async fn get_group_permissions(
        &self,
        user: &U,
        obj: Option<&Object>,
    ) -> Result<HashSet<String>, Error> {
        self.collected(user, PermissionKind::Group, obj).await
    }

    /// All permissions of the user, of all backends together.
    ///
    /// # Errors
    /// As [`Auth::get_user_permissions`].
    pub async fn get_all_permissions(
        &self,
        user: &U,
        obj: Option<&Object>,
    ) -> Result<HashSet<String>, Error> {
        self.collected(user, PermissionKind::All, obj).await
    }

    /// All permissions of the user by each backend, in the order in which they are asked: what
    /// [`Auth::get_all_permissions`] puts together.
    ///
    /// # Errors
    /// As [`Auth::get_user_permissions`].
    pub async fn get_all_permissions_by_backend(
        &self,
        user: &U,
    ) -> Result<Vec<BackendPermissions>, Error> {
        let mut all = Vec::new();
        for backend in self.backends().iter() {
            let context = Context::without_request(self);
            let asked = backend.permissions(context, user, PermissionKind::All, None);
            let permissions = match asked.await {
                Ok(some) => some,
                Err(BackendError::PermissionDenied) => HashSet::new(),
                Err(BackendError::Failed(error)) => return Err(error),
            };
            all.push(BackendPermissions {
                path: backend.path().to_owned(),
                is_of_rows: backend.row_rule().is_some(),
                permissions,
            });
        }
        Ok(all)
    }

    /// The paths of the backends that do not read permissions from the rows of users, groups and permissions,
    /// as the built-in ones do: who has something by them is found by asking them alone.
    pub fn foreign_backends(&self) -> impl Iterator<Item = &str> {
        let backends = self.backends().iter();
        let foreign = backends.filter(|backend| backend.row_rule().is_none());
        foreign.map(DynBackend::path)
    }

    async fn collected(
        &self,
        user: &U,
        kind: PermissionKind,
        obj: Option<&Object>,
    ) -> Result<HashSet<String>, Error> {
        let mut all = HashSet::new();
        for backend in self.backends().iter() {
            match backend
                .permissions(Context::without_request(self), user, kind, obj)
                .await
            {
                Ok(some) => all.extend(some),
                Err(BackendError::PermissionDenied) => {}
                Err(BackendError::Failed(error)) => return Err(error),
            }
        }
        Ok(all)
    }
}

/// What one backend says about a user's permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackendPermissions {
    /// The path of the backend.
    pub path: String,
    /// Whether it is a built-in one: what it says comes from the rows of users, groups and permissions.
    pub is_of_rows: bool,
    /// All permissions that the user has by it, as `app_label.codename`.
    pub permissions: HashSet<String>,
}

/// What one backend's answer means for the whole: `None` = ask the next one.
pub(crate) fn yes(answer: BackendResult<bool>) -> Result<Option<bool>, Error> {
    match answer {
        Ok(true) => Ok(Some(true)),
        Ok(false) => Ok(None),
        Err(BackendError::PermissionDenied) => Ok(Some(false)),
        Err(BackendError::Failed(error)) => Err(error),
    }
}
