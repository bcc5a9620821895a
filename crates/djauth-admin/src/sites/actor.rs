//! Who asks, and what they may do.

use std::collections::HashSet;
use std::sync::Arc;

use djauth::{Auth, BaseUser, Error, Request};
use djauth_db::Field;

use super::SiteInner;
use crate::model::{Actor, EXTRA_PERMISSIONS, Made, ModelInfo, Rights};

/// Django's `AdminSite.has_permission`: active staff.
pub(super) fn has_permission<U: BaseUser>(user: &U) -> bool {
    user.is_active() && user.is_staff()
}

/// Who is logged in, whether they may enter or not.
pub(super) fn visitor<'a, U: BaseUser>(
    auth: &'a Auth<U>,
    handle: &'a Request,
) -> Made<'a, Option<Arc<U>>> {
    Box::pin(auth.user(handle))
}

/// A user with their rights on everything that is registered. Of a superuser nothing is read; of others
/// the first question reads the permissions, and the user keeps them.
pub(super) fn actor<'a, U: BaseUser>(
    auth: &'a Auth<U>,
    site: &'a SiteInner,
    user: &'a U,
) -> Made<'a, Actor> {
    Box::pin(async move {
        let mut rights = Vec::new();
        for model in &site.models {
            rights.push((model.id, rights_on(auth, &model.info, user).await?));
        }
        Ok(Actor {
            key: user.id().to_value().into_owned(),
            key_text: user.id().to_string(),
            name: user.get_username(),
            has_usable_password: user.base().has_usable_password(),
            rights,
            extra: extra(auth, user).await?,
            apps: apps(auth, site, user).await?,
        })
    })
}

async fn rights_on<U: BaseUser>(
    auth: &Auth<U>,
    info: &ModelInfo,
    user: &U,
) -> Result<Rights, Error> {
    let change = auth.has_perm(user, &info.perm("change"), None).await?;
    let view = change || auth.has_perm(user, &info.perm("view"), None).await?;
    Ok(Rights {
        add: auth.has_perm(user, &info.perm("add"), None).await?,
        change,
        delete: auth.has_perm(user, &info.perm("delete"), None).await?,
        view,
    })
}

async fn extra<U: BaseUser>(auth: &Auth<U>, user: &U) -> Result<HashSet<String>, Error> {
    let mut held = HashSet::new();
    for perm in EXTRA_PERMISSIONS {
        if auth.has_perm(user, perm, None).await? {
            held.insert(perm.to_owned());
        }
    }
    Ok(held)
}

async fn apps<U: BaseUser>(
    auth: &Auth<U>,
    site: &SiteInner,
    user: &U,
) -> Result<HashSet<String>, Error> {
    let mut seen = HashSet::new();
    for model in &site.models {
        let label = &model.info.app_label;
        if !seen.contains(label) && auth.has_module_perms(user, label).await? {
            seen.insert(label.clone());
        }
    }
    Ok(seen)
}
