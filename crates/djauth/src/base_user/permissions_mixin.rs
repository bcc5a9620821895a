//! The embedded half of `PermissionsMixin`, and the permission sets remembered on a user object.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::{Changes, Columns, Embed, FieldInfo, FieldKind};
use crate::db;

/// A set of permissions in the form `<app_label>.<codename>`, shared without copying.
pub(crate) type PermissionSet = Arc<HashSet<String>>;

/// The column `is_superuser`, embedded as the field `permissions`; with it come the two link tables
/// to groups and permissions.
///
/// As Django's user objects do, it remembers the permission sets that `ModelBackend` read for this
/// object: fetch the user again to see changes. A clone shares what was read before it was cloned.
#[derive(Clone, Default)]
pub struct PermissionsMixin {
    /// Has every permission while active.
    pub is_superuser: bool,
    pub(crate) cache: PermissionCache,
}

impl PermissionsMixin {
    /// Forgets the permission sets remembered on this object.
    pub fn forget_permissions(&mut self) {
        self.cache = PermissionCache::default();
    }
}

/// Django's `_user_perm_cache`, `_group_perm_cache` and `_perm_cache`.
#[derive(Clone, Default)]
pub(crate) struct PermissionCache {
    pub(crate) user: OnceLock<PermissionSet>,
    pub(crate) group: OnceLock<PermissionSet>,
    pub(crate) all: OnceLock<PermissionSet>,
}

impl fmt::Debug for PermissionsMixin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermissionsMixin")
            .field("is_superuser", &self.is_superuser)
            .finish_non_exhaustive()
    }
}

impl Embed for PermissionsMixin {
    const FIELDS: &'static [FieldInfo] = &[FieldInfo::new("is_superuser", FieldKind::Bool)];

    fn read(row: &mut Columns<'_>) -> db::Result<Self> {
        Ok(Self {
            is_superuser: row.get("is_superuser")?,
            cache: PermissionCache::default(),
        })
    }

    fn write<'a>(&'a self, row: &mut Changes<'a>) {
        row.set("is_superuser", &self.is_superuser);
    }
}
