//! The permission methods of `PermissionsMixin`: they ask the backends.

use std::collections::HashSet;

use super::Auth;
use crate::Error;
use crate::backends::{BackendError, BackendResult, Context, Object, PermissionKind};
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

/// What one backend's answer means for the whole: `None` = ask the next one.
pub(crate) fn yes(answer: BackendResult<bool>) -> Result<Option<bool>, Error> {
    match answer {
        Ok(true) => Ok(Some(true)),
        Ok(false) => Ok(None),
        Err(BackendError::PermissionDenied) => Ok(Some(false)),
        Err(BackendError::Failed(error)) => Err(error),
    }
}
