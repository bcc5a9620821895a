//! The list of backends, in the order in which they are asked.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;

use super::{Backend, BackendResult, Context, Credentials, Object, RowRule, WithPerm};
use crate::base_user::BaseUser;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The form of [`Backend`] that a list can hold.
pub(crate) trait DynBackend<U: BaseUser>: Send + Sync {
    fn path(&self) -> &str;
    fn accepts(&self, credentials: &Credentials) -> bool;
    fn row_rule(&self) -> Option<RowRule>;
    fn clean_remote_user(&self, username: &str) -> Option<String>;
    fn authenticate<'a>(
        &'a self,
        cx: Context<'a, U>,
        credentials: &'a Credentials,
    ) -> BoxFuture<'a, BackendResult<Option<U>>>;
    fn get_user<'a>(
        &'a self,
        cx: Context<'a, U>,
        id: U::Id,
    ) -> BoxFuture<'a, BackendResult<Option<U>>>;
    fn permissions<'a>(
        &'a self,
        cx: Context<'a, U>,
        user: &'a U,
        kind: PermissionKind,
        obj: Option<&'a Object>,
    ) -> BoxFuture<'a, BackendResult<HashSet<String>>>;
    fn anonymous_permissions<'a>(
        &'a self,
        cx: Context<'a, U>,
        obj: Option<&'a Object>,
    ) -> BoxFuture<'a, BackendResult<HashSet<String>>>;
    fn has_perm<'a>(
        &'a self,
        cx: Context<'a, U>,
        user: &'a U,
        perm: &'a str,
        obj: Option<&'a Object>,
    ) -> BoxFuture<'a, BackendResult<bool>>;
    fn has_module_perms<'a>(
        &'a self,
        cx: Context<'a, U>,
        user: &'a U,
        app_label: &'a str,
    ) -> BoxFuture<'a, BackendResult<bool>>;
    fn with_perm<'a>(
        &'a self,
        cx: Context<'a, U>,
        asked: WithPerm<'a>,
    ) -> BoxFuture<'a, BackendResult<Vec<U>>>;
    fn with_perm_each<'a>(
        &'a self,
        cx: Context<'a, U>,
        asked: WithPerm<'a>,
        each: &'a mut (dyn FnMut(U) + Send),
    ) -> BoxFuture<'a, BackendResult<()>>;
}

/// Which of a user's permissions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PermissionKind {
    User,
    Group,
    All,
}

impl<U: BaseUser, B: Backend<U>> DynBackend<U> for B {
    fn path(&self) -> &str {
        Backend::path(self)
    }
    fn accepts(&self, credentials: &Credentials) -> bool {
        Backend::accepts(self, credentials)
    }
    fn row_rule(&self) -> Option<RowRule> {
        Backend::row_rule(self)
    }
    fn clean_remote_user(&self, username: &str) -> Option<String> {
        Backend::clean_remote_user(self, username)
    }
    fn authenticate<'a>(
        &'a self,
        cx: Context<'a, U>,
        credentials: &'a Credentials,
    ) -> BoxFuture<'a, BackendResult<Option<U>>> {
        Box::pin(Backend::authenticate(self, cx, credentials))
    }
    fn get_user<'a>(
        &'a self,
        cx: Context<'a, U>,
        id: U::Id,
    ) -> BoxFuture<'a, BackendResult<Option<U>>> {
        Box::pin(Backend::get_user(self, cx, id))
    }
    fn permissions<'a>(
        &'a self,
        cx: Context<'a, U>,
        user: &'a U,
        kind: PermissionKind,
        obj: Option<&'a Object>,
    ) -> BoxFuture<'a, BackendResult<HashSet<String>>> {
        match kind {
            PermissionKind::User => Box::pin(self.get_user_permissions(cx, user, obj)),
            PermissionKind::Group => Box::pin(self.get_group_permissions(cx, user, obj)),
            PermissionKind::All => Box::pin(self.get_all_permissions(cx, user, obj)),
        }
    }
    fn anonymous_permissions<'a>(
        &'a self,
        cx: Context<'a, U>,
        obj: Option<&'a Object>,
    ) -> BoxFuture<'a, BackendResult<HashSet<String>>> {
        Box::pin(self.get_anonymous_permissions(cx, obj))
    }
    fn has_perm<'a>(
        &'a self,
        cx: Context<'a, U>,
        user: &'a U,
        perm: &'a str,
        obj: Option<&'a Object>,
    ) -> BoxFuture<'a, BackendResult<bool>> {
        Box::pin(Backend::has_perm(self, cx, user, perm, obj))
    }
    fn has_module_perms<'a>(
        &'a self,
        cx: Context<'a, U>,
        user: &'a U,
        app_label: &'a str,
    ) -> BoxFuture<'a, BackendResult<bool>> {
        Box::pin(Backend::has_module_perms(self, cx, user, app_label))
    }
    fn with_perm<'a>(
        &'a self,
        cx: Context<'a, U>,
        asked: WithPerm<'a>,
    ) -> BoxFuture<'a, BackendResult<Vec<U>>> {
        Box::pin(Backend::with_perm(self, cx, asked))
    }
    fn with_perm_each<'a>(
        &'a self,
        cx: Context<'a, U>,
        asked: WithPerm<'a>,
        each: &'a mut (dyn FnMut(U) + Send),
    ) -> BoxFuture<'a, BackendResult<()>> {
        Box::pin(Backend::with_perm_each(self, cx, asked, each))
    }
}

/// `AUTHENTICATION_BACKENDS`.
pub(crate) struct Backends<U: BaseUser>(Vec<Arc<dyn DynBackend<U>>>);

impl<U: BaseUser> Backends<U> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn push(&mut self, backend: impl Backend<U>) {
        self.0.push(Arc::new(backend));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn DynBackend<U>> {
        self.0.iter().map(AsRef::as_ref)
    }

    pub(crate) fn by_path(&self, path: &str) -> Option<&dyn DynBackend<U>> {
        self.iter().find(|backend| backend.path() == path)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one backend, if there is exactly one.
    pub(crate) fn only(&self) -> Option<&dyn DynBackend<U>> {
        match self.0.as_slice() {
            [only] => Some(only.as_ref()),
            _ => None,
        }
    }

    /// Whether every answer about permissions comes from rows.
    pub(crate) fn all_rows(&self) -> bool {
        !self.is_empty() && self.iter().all(|backend| backend.row_rule().is_some())
    }
}
