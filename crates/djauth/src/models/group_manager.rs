//! `GroupManager`.

use std::fmt;

use super::query::{Q, QuerySet};
use super::{Deleted, Going, Group, Permission, Related, deletion};
use crate::base_user::BaseUser;
use crate::db::{Database, Executor, Transaction};
use crate::{Auth, Error, ErrorKind};

/// Groups of an [`Auth`], Django's `Group.objects`. Made by [`Auth::groups`].
pub struct GroupManager<'a, U: BaseUser, E: Executor = Database> {
    pub(super) auth: &'a Auth<U>,
    pub(super) ex: &'a E,
}

impl<U: BaseUser, E: Executor> Clone for GroupManager<'_, U, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U: BaseUser, E: Executor> Copy for GroupManager<'_, U, E> {}

impl<U: BaseUser, E: Executor> fmt::Debug for GroupManager<'_, U, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupManager").finish_non_exhaustive()
    }
}

impl<'a, U: BaseUser> GroupManager<'a, U> {
    pub(crate) fn new(auth: &'a Auth<U>) -> Self {
        Self {
            auth,
            ex: auth.db(),
        }
    }

    /// The same inside a transaction.
    #[must_use]
    pub fn using(self, tx: &'a Transaction) -> GroupManager<'a, U, Transaction> {
        GroupManager {
            auth: self.auth,
            ex: tx,
        }
    }
}

impl<'a, U: BaseUser, E: Executor> GroupManager<'a, U, E> {
    /// Every group, unordered.
    pub fn all(self) -> QuerySet<'a, Group, E> {
        QuerySet::new(&self.auth.model().groups, self.ex)
    }

    /// Groups that meet a condition.
    pub fn filter(self, condition: Q) -> QuerySet<'a, Group, E> {
        self.all().filter(condition)
    }

    /// Groups that do not meet a condition.
    pub fn exclude(self, condition: Q) -> QuerySet<'a, Group, E> {
        self.all().exclude(condition)
    }

    /// The group of this key.
    ///
    /// # Errors
    /// The database's.
    pub async fn get(self, id: i32) -> Result<Option<Group>, Error> {
        self.auth.model().groups.find(self.ex, id).await
    }

    /// The group of this name.
    ///
    /// # Errors
    /// The database's.
    pub async fn get_by_natural_key(self, name: &str) -> Result<Option<Group>, Error> {
        if name.contains('\0') {
            return Ok(None);
        }
        let model = self.auth.model();
        let read = |row: &crate::db::Row<'_>| model.groups.read(row, 0);
        Ok(self
            .ex
            .fetch_optional(&model.group_by_name, &[name.into()], read)
            .await?)
    }

    /// The users in a group, by key: Django's `group.user_set`.
    ///
    /// # Errors
    /// The database's; `ImproperlyConfigured`: the user model has no groups.
    pub async fn users(self, group: &Group) -> Result<Vec<U>, Error> {
        let model = self.auth.model();
        super::reverse::owners(self.ex, &model.users, &model.links()?.groups, group.id).await
    }

    /// Makes a group.
    ///
    /// # Errors
    /// `Integrity`: the name is taken.
    pub async fn create(self, name: &str) -> Result<Group, Error> {
        let mut group = Group::new(name);
        self.auth.model().groups.insert(self.ex, &mut group).await?;
        Ok(group)
    }

    /// The group of this name, made where there is none; whether it was made. Two processes that ask at
    /// once get the same group.
    ///
    /// # Errors
    /// The database's.
    pub async fn get_or_create(self, name: &str) -> Result<(Group, bool), Error> {
        if let Some(group) = self.get_by_natural_key(name).await? {
            return Ok((group, false));
        }
        match self.create_in_savepoint(name).await {
            Err(error) if matches!(error.kind(), ErrorKind::Integrity { .. }) => {
                let found = self.get_by_natural_key(name).await?;
                found.map(|group| (group, false)).ok_or(error)
            }
            made => made.map(|group| (group, true)),
        }
    }

    async fn create_in_savepoint(self, name: &str) -> Result<Group, Error> {
        let mut group = Group::new(name);
        let tx = self.ex.begin().await?;
        self.auth.model().groups.insert(&tx, &mut group).await?;
        tx.commit().await?;
        Ok(group)
    }

    /// Writes every column: an existing row is changed, otherwise one is made.
    ///
    /// # Errors
    /// `Integrity`: the name is taken.
    pub async fn save(self, group: &mut Group) -> Result<(), Error> {
        self.auth.model().groups.save(self.ex, group).await
    }

    /// Deletes the group with its link rows.
    ///
    /// # Errors
    /// `Value`: never saved. `Integrity`: a table that nobody registered refers to the group.
    pub async fn delete(self, group: &Group) -> Result<Deleted, Error> {
        match deletion::saved(group.id) {
            Some(id) => deletion::groups(self.auth, self.ex, &[id]).await,
            None => Err(Error::value(
                "a group that was never saved cannot be deleted",
            )),
        }
    }

    /// Deletes every group of a query.
    ///
    /// # Errors
    /// As [`GroupManager::delete`].
    pub async fn delete_all(self, groups: QuerySet<'_, Group, E>) -> Result<Deleted, Error> {
        deletion::groups(self.auth, self.ex, &groups.ids().await?).await
    }

    /// What [`delete_all`](GroupManager::delete_all) would take along, and what forbids it.
    ///
    /// # Errors
    /// The database's.
    pub async fn going(self, ids: &[i32]) -> Result<Going, Error> {
        deletion::going_groups(self.auth, self.ex, ids).await
    }

    /// The permissions of a group.
    #[must_use]
    pub fn permissions(self, group: &Group) -> Related<'a, U, Group, Permission, E> {
        Related::new(
            self.auth,
            self.ex,
            &self.auth.model().group_permissions,
            group.id,
        )
    }
}
