//! Nobody.

use std::collections::HashSet;
use std::fmt;

use crate::auth::yes;
use crate::backends::{BackendError, Context, Object};
use crate::base_user::BaseUser;
use crate::{Auth, Error};

/// Who is there when nobody is logged in. Equal to every other one. It has no key, no username, no
/// groups; it cannot be saved. Where Django hands it to the backends, they are asked for
/// [`get_anonymous_permissions`](crate::backends::Backend::get_anonymous_permissions).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AnonymousUser;

impl AnonymousUser {
    /// Every permission that a backend grants to everybody.
    ///
    /// # Errors
    /// A backend failed.
    pub async fn get_all_permissions<U: BaseUser>(
        self,
        auth: &Auth<U>,
        obj: Option<&Object>,
    ) -> Result<HashSet<String>, Error> {
        let mut all = HashSet::new();
        for backend in auth.backends().iter() {
            let context = Context::without_request(auth);
            match backend.anonymous_permissions(context, obj).await {
                Ok(some) => all.extend(some),
                Err(BackendError::PermissionDenied) => {}
                Err(BackendError::Failed(error)) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Whether a backend grants this permission to everybody; `PermissionDenied` ends the search.
    ///
    /// # Errors
    /// A backend failed.
    pub async fn has_perm<U: BaseUser>(
        self,
        auth: &Auth<U>,
        perm: &str,
        obj: Option<&Object>,
    ) -> Result<bool, Error> {
        for backend in auth.backends().iter() {
            let context = Context::without_request(auth);
            let answer = backend.anonymous_permissions(context, obj).await;
            if let Some(answer) = yes(answer.map(|some| some.contains(perm)))? {
                return Ok(answer);
            }
        }
        Ok(false)
    }
}

impl fmt::Display for AnonymousUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnonymousUser")
    }
}
