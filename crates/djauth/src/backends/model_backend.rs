//! `ModelBackend` and `AllowAllUsersModelBackend`: users and permissions are rows of the database.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use super::{Backend, BackendResult, Context, Credentials, Object, Perm, WithPerm};
use crate::base_user::{BaseUser, PermissionSet, UserFlag};
use crate::db::{Executor, Field, Row, Sql, Value};
use crate::models::model::Model;
use crate::models::split_perm;
use crate::{Auth, Error, db};

/// Which users a row backend lets in.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowRule {
    /// Only active ones.
    Active,
    /// Every one.
    Any,
}

impl RowRule {
    pub(crate) fn allows<U: BaseUser>(self, user: &U) -> bool {
        self == Self::Any || user.is_active()
    }
}

/// Django's default backend: username and password of the user model, permissions of the user and of
/// the user's groups.
#[derive(Clone, Debug)]
pub struct ModelBackend {
    path: String,
}

impl ModelBackend {
    /// Django's path of it.
    pub const PATH: &'static str = "django.contrib.auth.backends.ModelBackend";

    /// The backend under Django's own path.
    #[must_use]
    pub fn new() -> Self {
        Self::at_path(Self::PATH)
    }

    /// The backend under another path: a Django site's own subclass that behaves the same.
    #[must_use]
    pub fn at_path(path: impl Into<String>) -> Self {
        Self { path: path.into() }
    }
}

impl Default for ModelBackend {
    fn default() -> Self {
        Self::new()
    }
}

/// The same, but inactive users may log in. They have no permissions.
#[derive(Clone, Debug)]
pub struct AllowAllUsersModelBackend {
    path: String,
}

impl AllowAllUsersModelBackend {
    /// Django's path of it.
    pub const PATH: &'static str = "django.contrib.auth.backends.AllowAllUsersModelBackend";

    /// The backend under Django's own path.
    #[must_use]
    pub fn new() -> Self {
        Self::at_path(Self::PATH)
    }

    /// The backend under another path.
    #[must_use]
    pub fn at_path(path: impl Into<String>) -> Self {
        Self { path: path.into() }
    }
}

impl Default for AllowAllUsersModelBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl ModelBackend {
    const fn rule(&self) -> RowRule {
        RowRule::Active
    }
}

impl AllowAllUsersModelBackend {
    const fn rule(&self) -> RowRule {
        RowRule::Any
    }
}

/// What every backend has whose users and permissions are rows: all but the path and `authenticate`.
macro_rules! row_methods {
    () => {
        async fn get_user(&self, cx: Context<'_, U>, id: U::Id) -> BackendResult<Option<U>> {
            let user = cx.auth.users().get(id).await?;
            Ok(user.filter(|user| self.rule().allows(user)))
        }
        async fn get_user_permissions(
            &self,
            cx: Context<'_, U>,
            user: &U,
            obj: Option<&Object>,
        ) -> BackendResult<HashSet<String>> {
            let set = $crate::backends::model_backend::user_permissions(cx.auth, user, obj).await?;
            Ok(set
                .map($crate::backends::model_backend::copied)
                .unwrap_or_default())
        }
        async fn get_group_permissions(
            &self,
            cx: Context<'_, U>,
            user: &U,
            obj: Option<&Object>,
        ) -> BackendResult<HashSet<String>> {
            let set =
                $crate::backends::model_backend::group_permissions(cx.auth, user, obj).await?;
            Ok(set
                .map($crate::backends::model_backend::copied)
                .unwrap_or_default())
        }
        async fn get_all_permissions(
            &self,
            cx: Context<'_, U>,
            user: &U,
            obj: Option<&Object>,
        ) -> BackendResult<HashSet<String>> {
            let set = $crate::backends::model_backend::all_permissions(cx.auth, user, obj).await?;
            Ok(set
                .map($crate::backends::model_backend::copied)
                .unwrap_or_default())
        }
        async fn has_perm(
            &self,
            cx: Context<'_, U>,
            user: &U,
            perm: &str,
            obj: Option<&Object>,
        ) -> BackendResult<bool> {
            let set = $crate::backends::model_backend::all_permissions(cx.auth, user, obj).await?;
            Ok(set.is_some_and(|set| set.contains(perm)))
        }
        async fn has_module_perms(
            &self,
            cx: Context<'_, U>,
            user: &U,
            app_label: &str,
        ) -> BackendResult<bool> {
            let set = $crate::backends::model_backend::all_permissions(cx.auth, user, None).await?;
            Ok(set.is_some_and(|set| {
                set.iter()
                    .any(|perm| $crate::backends::model_backend::app_of(perm) == app_label)
            }))
        }
        async fn with_perm(
            &self,
            cx: Context<'_, U>,
            asked: WithPerm<'_>,
        ) -> BackendResult<Vec<U>> {
            $crate::backends::model_backend::with_perm(cx.auth, asked).await
        }
        async fn with_perm_each(
            &self,
            cx: Context<'_, U>,
            asked: WithPerm<'_>,
            each: &mut (dyn FnMut(U) + Send),
        ) -> BackendResult<()> {
            $crate::backends::model_backend::with_perm_each(cx.auth, asked, each).await
        }
        fn row_rule(&self) -> Option<RowRule> {
            Some(self.rule())
        }
    };
}

pub(super) use row_methods;

macro_rules! row_backend {
    ($backend:ident) => {
        impl<U: BaseUser> Backend<U> for $backend {
            fn path(&self) -> &str {
                &self.path
            }
            async fn authenticate(
                &self,
                cx: Context<'_, U>,
                credentials: &Credentials,
            ) -> BackendResult<Option<U>> {
                authenticate(cx, credentials, self.rule()).await
            }
            row_methods!();
        }
    };
}

row_backend!(ModelBackend);
row_backend!(AllowAllUsersModelBackend);

/// Without a username or a password: no query and no hashing. Otherwise the same work whether the user
/// exists, is active, may enter and has a usable password or not.
async fn authenticate<U: BaseUser>(
    cx: Context<'_, U>,
    credentials: &Credentials,
    rule: RowRule,
) -> BackendResult<Option<U>> {
    let auth = cx.auth;
    let username = credentials.get("username");
    let username = username.or_else(|| credentials.get(&auth.user_meta().username_field));
    let (Some(username), Some(password)) = (username, credentials.get("password")) else {
        return Ok(None);
    };
    let user = auth.users().get_by_natural_key(username).await?;
    // A database may find names that are spelled in ways which are counted apart.
    let limit = auth.login_rate_limit();
    let user = user.filter(|user| limit.counts_together(username, &user.get_username()));
    let may_log_in = |user: &U| rule.allows(user) && cx.may_enter(user);
    let user = auth.user_with_password(user, password, may_log_in);
    Ok(user.await?)
}

pub(super) fn copied(set: PermissionSet) -> HashSet<String> {
    Arc::unwrap_or_clone(set)
}

pub(super) fn app_of(perm: &str) -> &str {
    perm.split('.').next().unwrap_or_default()
}

/// Nothing for inactive users and for any object: these backends know no permissions of single objects.
fn may_have_any<U: BaseUser>(user: &U, obj: Option<&Object>) -> bool {
    user.is_active() && obj.is_none()
}

pub(super) async fn user_permissions<U: BaseUser>(
    auth: &Auth<U>,
    user: &U,
    obj: Option<&Object>,
) -> Result<Option<PermissionSet>, Error> {
    let Some(mixin) = user.permissions().filter(|_| may_have_any(user, obj)) else {
        return Ok(None);
    };
    let links = auth.model().links()?;
    remembered(auth, user, &mixin.cache.user, &links.user_perms)
        .await
        .map(Some)
}

pub(super) async fn group_permissions<U: BaseUser>(
    auth: &Auth<U>,
    user: &U,
    obj: Option<&Object>,
) -> Result<Option<PermissionSet>, Error> {
    let Some(mixin) = user.permissions().filter(|_| may_have_any(user, obj)) else {
        return Ok(None);
    };
    let links = auth.model().links()?;
    remembered(auth, user, &mixin.cache.group, &links.group_perms)
        .await
        .map(Some)
}

pub(super) async fn all_permissions<U: BaseUser>(
    auth: &Auth<U>,
    user: &U,
    obj: Option<&Object>,
) -> Result<Option<PermissionSet>, Error> {
    let Some(mixin) = user.permissions().filter(|_| may_have_any(user, obj)) else {
        return Ok(None);
    };
    if let Some(set) = mixin.cache.all.get() {
        return Ok(Some(set.clone()));
    }
    let mut all = user_permissions(auth, user, obj)
        .await?
        .map(copied)
        .unwrap_or_default();
    if let Some(group) = group_permissions(auth, user, obj).await? {
        all.extend(group.iter().cloned());
    }
    Ok(Some(mixin.cache.all.get_or_init(|| Arc::new(all)).clone()))
}

/// The set remembered on the user object, read first where it is not.
async fn remembered<U: BaseUser>(
    auth: &Auth<U>,
    user: &U,
    slot: &OnceLock<PermissionSet>,
    sql: &Sql,
) -> Result<PermissionSet, Error> {
    if let Some(set) = slot.get() {
        return Ok(set.clone());
    }
    let set = if user.is_superuser() {
        names(auth, &auth.model().every_permission, &[]).await?
    } else {
        let id = user.id();
        names(auth, sql, &[id.to_value()]).await?
    };
    Ok(slot.get_or_init(|| Arc::new(set)).clone())
}

async fn names<U: BaseUser>(
    auth: &Auth<U>,
    sql: &Sql,
    params: &[Value<'_>],
) -> Result<HashSet<String>, Error> {
    let rows = auth.db().fetch(sql, params, |row| perm_name(row, 0));
    Ok(rows.await?.into_iter().collect())
}

/// Application and codename, from column `offset` on, as one name.
fn perm_name(row: &Row<'_>, offset: usize) -> db::Result<String> {
    let (app_label, codename): (String, String) = (row.get(offset)?, row.get(offset + 1)?);
    Ok(format!("{app_label}.{codename}"))
}

pub(super) async fn with_perm<U: BaseUser>(
    auth: &Auth<U>,
    asked: WithPerm<'_>,
) -> BackendResult<Vec<U>> {
    let mut users = Vec::new();
    with_perm_each(auth, asked, &mut |user| users.push(user)).await?;
    Ok(users)
}

/// As the rows arrive.
pub(super) async fn with_perm_each<U: BaseUser>(
    auth: &Auth<U>,
    asked: WithPerm<'_>,
    each: &mut (dyn FnMut(U) + Send),
) -> BackendResult<()> {
    asked.check()?;
    if asked.obj.is_some() {
        return Ok(());
    }
    let model = auth.model();
    let (sql, params) = with_perm_statement(model, asked)?;
    let rows = auth.db().fetch_each(&sql, &params, |row| {
        each(model.users.read(row, 0)?);
        Ok(())
    });
    rows.await?;
    Ok(())
}

fn with_perm_statement<'a, U: BaseUser>(
    model: &Model<U>,
    asked: WithPerm<'a>,
) -> Result<(Sql, Vec<Value<'a>>), Error> {
    let links = model.links()?;
    let users = &model.users.name;
    let id = format!("{users}.{}", model.users.id_column());
    let (which, one): (_, Vec<Value<'a>>) = match asked.perm {
        Perm::Row(row) => ("\"auth_permission\".\"id\" = ?", vec![row.into()]),
        // No row holds a NUL, and PostgreSQL refuses to look for one.
        Perm::Name(name) if name.contains('\0') => ("1 = 0", Vec::new()),
        Perm::Name(name) => {
            let (app_label, codename) = split_perm(name).unwrap_or_default();
            (
                "\"django_content_type\".\"app_label\" = ? AND \"auth_permission\".\"codename\" = ?",
                vec![app_label.into(), codename.into()],
            )
        }
    };
    let exists = |of: &str| {
        // The link is tied to the user's row instead of a bound key.
        let tied = of.replacen("= ?", &format!("= {id}"), 1);
        let inner = crate::models::model::PERMISSION_NAMES;
        format!("EXISTS ({inner}{tied} AND {which})")
    };
    let direct = exists(&links.user_permissions.of_user());
    let through_groups = exists(&links.groups.of_groups());
    let mut text = format!(
        "SELECT {} FROM {users} WHERE ({direct} OR {through_groups}",
        model.users.list
    );
    let mut params = one.clone();
    params.extend(one);
    if let Some(column) = flag_column(model, &model.meta.is_superuser)
        && asked.include_superusers
    {
        text.push_str(&format!(" OR {column}"));
    }
    text.push(')');
    match (asked.is_active, flag_column(model, &model.meta.is_active)) {
        (Some(active), Some(column)) => {
            text.push_str(&format!(" AND {column} = ?"));
            params.push(active.into());
        }
        (Some(active), None) if model.meta.is_active != UserFlag::Always(active) => {
            text.push_str(" AND 1 = 0");
        }
        _ => {}
    }
    Ok((Sql::generated(text, None), params))
}

/// The qualified column of a flag, if it is one.
fn flag_column<U: BaseUser>(model: &Model<U>, flag: &UserFlag) -> Option<String> {
    let UserFlag::Field(name) = flag else {
        return None;
    };
    let column = model.users.column(name)?;
    Some(format!("{}.{column}", model.users.name))
}
