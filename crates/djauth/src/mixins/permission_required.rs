//! `PermissionRequiredMixin`.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::{CurrentUser, MaybeUser, Refusal, Rejection};
use crate::base_user::BaseUser;
use crate::models::User;

/// A permission, or several, as a type, made by [`permission!`](crate::permission).
pub trait Permission: Send + Sync + 'static {
    /// `app_label.codename` of each.
    const NAMES: &'static [&'static str];
}

/// Names a permission, so that a handler can ask for it in its signature:
///
/// ```
/// use djauth::mixins::PermissionRequired;
///
/// djauth::permission!(pub ViewReport = "reports.view_report");
///
/// async fn report(user: PermissionRequired<ViewReport>) -> String {
///     format!("{user} may see this")
/// }
/// ```
///
/// Several are asked for together: `permission!(pub Edit = ["reports.view_report", "reports.change_report"])`.
///
/// A name that is not `app_label.codename` does not compile:
///
/// ```compile_fail
/// djauth::permission!(ViewReport = "view_report");
/// ```
#[macro_export]
macro_rules! permission {
    ($(#[$attribute:meta])* $visibility:vis $name:ident = $permission:literal) => {
        $crate::permission!($(#[$attribute])* $visibility $name = [$permission]);
    };
    ($(#[$attribute:meta])* $visibility:vis $name:ident = [$($permission:literal),+ $(,)?]) => {
        $(const _: () = assert!(
            $crate::mixins::is_permission_name($permission),
            "a permission is named app_label.codename"
        );)+
        $(#[$attribute])*
        #[doc = concat!("Permission:", $(" `", $permission, "`"),+, ".")]
        $visibility struct $name;
        impl $crate::mixins::Permission for $name {
            const NAMES: &'static [&'static str] = &[$($permission),+];
        }
    };
}

/// Whether a text is `app_label.codename`: something before the first dot and something after it.
pub const fn is_permission_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != b'.' {
        at += 1;
    }
    at > 0 && at + 1 < bytes.len()
}

/// Lets in whoever has the permission `P`, or every one of them. Whoever is not logged in is sent to the login page; whoever
/// is logged in without the permission gets 403.
pub struct PermissionRequired<P, U: BaseUser = User>(pub CurrentUser<U>, PhantomData<P>);

impl<P, U: BaseUser> Deref for PermissionRequired<P, U> {
    type Target = CurrentUser<U>;

    fn deref(&self) -> &CurrentUser<U> {
        &self.0
    }
}

impl<P, U: BaseUser> fmt::Display for PermissionRequired<P, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<P, U: BaseUser> fmt::Debug for PermissionRequired<P, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PermissionRequired").field(&self.0).finish()
    }
}

impl<S: Sync, P: Permission, U: BaseUser> FromRequestParts<S> for PermissionRequired<P, U> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let maybe = MaybeUser::<U>::of(parts, "PermissionRequired")?;
        let user = maybe.get().await?;
        let user = user.ok_or_else(|| Refusal::of(parts).login(maybe.request()))?;
        if user.has_perms(P::NAMES).await? {
            Ok(PermissionRequired(user, PhantomData))
        } else {
            Err(Refusal::of(parts).denied(maybe.request()))
        }
    }
}
