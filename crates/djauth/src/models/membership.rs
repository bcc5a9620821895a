//! One side of a many-to-many field: `user.groups`, `user.user_permissions`, `group.permissions`.

use std::fmt;
use std::marker::PhantomData;

use super::link::Link;
use super::query::{Q, QuerySet};
use super::table::{Entity, Table};
use super::{Group, Permission, Rows};
use crate::base_user::BaseUser;
use crate::db::{Executor, Field};
use crate::{Auth, Error};

/// What one object is linked to, Django's related manager.
///
/// Permission sets already read for a user object do not change with it: fetch the user again, or call
/// [`forget_permissions`](crate::PermissionsMixin::forget_permissions).
pub struct Related<'a, U: BaseUser, O: Rows, T: Target, E: Executor> {
    auth: &'a Auth<U>,
    ex: &'a E,
    link: &'a Link,
    owner: O::Id,
    of: PhantomData<fn() -> T>,
}

/// What may be linked to: [`Group`] or [`Permission`]. Sealed.
#[allow(private_bounds, reason = "the bound seals the trait")]
pub trait Target: Entity<Id = i32> + TableOf {}
impl Target for Group {}
impl Target for Permission {}

pub(crate) trait TableOf: Entity {
    fn table_of<U: BaseUser>(auth: &Auth<U>) -> &Table<Self>;
}

impl TableOf for Group {
    fn table_of<U: BaseUser>(auth: &Auth<U>) -> &Table<Self> {
        &auth.model().groups
    }
}

impl TableOf for Permission {
    fn table_of<U: BaseUser>(auth: &Auth<U>) -> &Table<Self> {
        &auth.model().permissions
    }
}

impl<U: BaseUser, O: Rows, T: Target, E: Executor> fmt::Debug for Related<'_, U, O, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Related")
            .field("table", &self.link.table)
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

impl<'a, U: BaseUser, O: Rows, T: Target, E: Executor> Related<'a, U, O, T, E> {
    pub(super) fn new(auth: &'a Auth<U>, ex: &'a E, link: &'a Link, owner: O::Id) -> Self {
        Self {
            auth,
            ex,
            link,
            owner,
            of: PhantomData,
        }
    }

    /// The keys of what is linked, in order.
    ///
    /// # Errors
    /// The database's.
    pub async fn ids(&self) -> Result<Vec<i32>, Error> {
        self.link.targets(self.ex, &self.owner).await
    }

    /// What is linked.
    ///
    /// # Errors
    /// The database's.
    pub async fn all(&self) -> Result<Vec<T>, Error> {
        let ids = self.ids().await?;
        let rows = QuerySet::new(T::table_of(self.auth), self.ex);
        rows.filter(Q::in_("pk", ids)).all().await
    }

    /// Links these; what is linked already stays.
    ///
    /// # Errors
    /// `Integrity`: one of them, or the owner, does not exist.
    pub async fn add(&self, ids: &[i32]) -> Result<(), Error> {
        self.check_saved(ids)?;
        self.link.add(self.ex, &self.owner, ids).await
    }

    /// Takes these links away; others do not matter.
    ///
    /// # Errors
    /// The database's.
    pub async fn remove(&self, ids: &[i32]) -> Result<(), Error> {
        self.link.remove(self.ex, &self.owner, ids).await
    }

    /// Links exactly these.
    ///
    /// # Errors
    /// As [`Related::add`].
    pub async fn set(&self, ids: &[i32]) -> Result<(), Error> {
        self.check_saved(ids)?;
        self.link.set(self.ex, &self.owner, ids).await
    }

    /// Takes every link away.
    ///
    /// # Errors
    /// The database's.
    pub async fn clear(&self) -> Result<(), Error> {
        self.link.clear(self.ex, &self.owner).await
    }

    fn check_saved(&self, ids: &[i32]) -> Result<(), Error> {
        let unsaved = ids.contains(&0) || self.owner.to_value() == 0_i32.to_value();
        if unsaved {
            return Err(Error::value("save both sides before linking them"));
        }
        Ok(())
    }
}
