//! `UserManager`: users made, found, saved and deleted.

use std::fmt;

use super::query::{Q, QuerySet};
use super::{Deleted, FieldValues, Going, Group, Permission, Related, deletion, new_user};
use crate::backends::{BackendError, Context, DynBackend, WithPerm};
use crate::base_user::{BaseUser, Changes};
use crate::db::{Database, Executor, Transaction};
use crate::{Auth, Error, ErrorKind};

/// The longest username that is looked up, in bytes. No column that people log in with is longer.
const LONGEST_USERNAME: usize = 4096;

/// Users of an [`Auth`], Django's `User.objects`. Made by [`Auth::users`].
pub struct UserManager<'a, U: BaseUser, E: Executor = Database> {
    pub(super) auth: &'a Auth<U>,
    pub(super) ex: &'a E,
}

impl<U: BaseUser, E: Executor> Clone for UserManager<'_, U, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U: BaseUser, E: Executor> Copy for UserManager<'_, U, E> {}

impl<U: BaseUser, E: Executor> fmt::Debug for UserManager<'_, U, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserManager").finish_non_exhaustive()
    }
}

impl<'a, U: BaseUser> UserManager<'a, U> {
    pub(crate) fn new(auth: &'a Auth<U>) -> Self {
        Self {
            auth,
            ex: auth.db(),
        }
    }

    /// The same inside a transaction.
    #[must_use]
    pub fn using(self, tx: &'a Transaction) -> UserManager<'a, U, Transaction> {
        UserManager {
            auth: self.auth,
            ex: tx,
        }
    }
}

impl<'a, U: BaseUser, E: Executor> UserManager<'a, U, E> {
    /// Every user, unordered.
    pub fn all(self) -> QuerySet<'a, U, E> {
        QuerySet::new(&self.auth.model().users, self.ex)
    }

    /// Users that meet a condition.
    pub fn filter(self, condition: Q) -> QuerySet<'a, U, E> {
        self.all().filter(condition)
    }

    /// Users that do not meet a condition.
    pub fn exclude(self, condition: Q) -> QuerySet<'a, U, E> {
        self.all().exclude(condition)
    }

    /// The user of this key.
    ///
    /// # Errors
    /// The database's.
    pub async fn get(self, id: U::Id) -> Result<Option<U>, Error> {
        if !self.auth.user_meta().key_fits(&id) {
            return Ok(None);
        }
        self.auth.model().users.find(self.ex, id).await
    }

    /// The user of this login name, compared as the database compares. A name that no row can hold
    /// (with a NUL, or beyond 4,096 bytes) is not asked for.
    ///
    /// # Errors
    /// `MultipleObjectsReturned` where the column is not unique; otherwise the database's.
    pub async fn get_by_natural_key(self, username: &str) -> Result<Option<U>, Error> {
        if username.contains('\0') || username.len() > LONGEST_USERNAME {
            return Ok(None);
        }
        let model = self.auth.model();
        let read = |row: &crate::db::Row<'_>| model.users.read(row, 0);
        let params = [username.into()];
        let rows = self.ex.fetch(&model.by_username, &params, read).await?;
        let mut rows = rows.into_iter();
        match (rows.next(), rows.next()) {
            (_, Some(_)) => Err(Error::new(
                ErrorKind::MultipleObjectsReturned,
                format!("{} is not unique", self.auth.user_meta().username_field),
            )),
            (found, None) => Ok(found),
        }
    }

    /// An unsaved user with the model's defaults.
    ///
    /// # Errors
    /// `Value`: a default does not fit its field.
    pub fn blank(self) -> Result<U, Error> {
        self.auth.model().users.blank()
    }

    /// Makes a user: e-mail and username normalised, the password hashed (`None`: unusable), written.
    /// Nothing is validated and no password validator runs, as in Django.
    ///
    /// Hashing takes long: in a transaction make the user first and save it later.
    ///
    /// # Errors
    /// `Value`: no username. `Integrity`: taken. `Busy`: too many hashes wait.
    pub async fn create_user(
        self,
        username: &str,
        email: &str,
        password: Option<&str>,
    ) -> Result<U, Error> {
        self.create_user_with(username, email, password, |_| {})
            .await
    }

    /// The same with more fields set (Django's `**extra_fields`).
    ///
    /// # Errors
    /// As [`UserManager::create_user`].
    pub async fn create_user_with(
        self,
        username: &str,
        email: &str,
        password: Option<&str>,
        extra: impl FnOnce(&mut U),
    ) -> Result<U, Error> {
        let mut user = new_user::build(self.auth, username, email, false, FieldValues::new())?;
        extra(&mut user);
        self.finish(user, password).await
    }

    /// Makes a superuser who may enter the admin.
    ///
    /// # Errors
    /// As [`UserManager::create_user`].
    pub async fn create_superuser(
        self,
        username: &str,
        email: &str,
        password: Option<&str>,
    ) -> Result<U, Error> {
        self.create_superuser_with(username, email, password, |_| {})
            .await
    }

    /// The same with more fields set.
    ///
    /// # Errors
    /// As [`UserManager::create_user`]; `Value` too when `extra` turns a superuser's flags off.
    pub async fn create_superuser_with(
        self,
        username: &str,
        email: &str,
        password: Option<&str>,
        extra: impl FnOnce(&mut U),
    ) -> Result<U, Error> {
        let mut user = new_user::build(self.auth, username, email, true, FieldValues::new())?;
        extra(&mut user);
        new_user::check_superuser(self.auth, &user)?;
        self.finish(user, password).await
    }

    /// The same with more fields set by their names: for code that does not know the model.
    ///
    /// # Errors
    /// As [`UserManager::create_superuser`]; a database error of the kind `Decode` for a value that its
    /// field cannot hold.
    pub async fn create_superuser_from(
        self,
        username: &str,
        email: &str,
        password: Option<&str>,
        fields: FieldValues,
    ) -> Result<U, Error> {
        let user = new_user::build(self.auth, username, email, true, fields)?;
        new_user::check_superuser(self.auth, &user)?;
        self.finish(user, password).await
    }

    /// An unsaved user with these values, and the model's defaults for the rest.
    ///
    /// # Errors
    /// A value that its field cannot hold.
    pub fn of_values(self, fields: &FieldValues) -> Result<U, Error> {
        self.auth.model().users.of_values(fields)
    }

    /// Every column of a user by its field's name, also the password's.
    #[must_use]
    pub fn values(self, user: &U) -> FieldValues {
        let mut changes = Changes::all();
        user.write(&mut changes);
        let columns = changes.into_columns().into_iter();
        columns
            .map(|(name, value)| (name.to_string(), value.into_owned()))
            .collect()
    }

    async fn finish(self, mut user: U, password: Option<&str>) -> Result<U, Error> {
        user.base_mut().password = self.auth.make_password(password).await?;
        self.auth.model().users.insert(self.ex, &mut user).await?;
        Ok(user)
    }

    /// The user of this login name, made with an unusable password where there is none; whether it was
    /// made. Two processes that ask at once get the same user.
    ///
    /// # Errors
    /// As [`UserManager::create_user`].
    pub async fn get_or_create(
        self,
        username: &str,
        defaults: impl FnOnce(&mut U),
    ) -> Result<(U, bool), Error> {
        if let Some(user) = self.get_by_natural_key(username).await? {
            return Ok((user, false));
        }
        let mut user = new_user::build(self.auth, username, "", false, FieldValues::new())?;
        defaults(&mut user);
        self.create_unless_found(username, user).await
    }

    /// The same with the name as it is: neither normalised when it is written, nor taken for another
    /// that the database calls equal. `None`: the database has such another.
    pub(crate) async fn get_or_create_exact(
        self,
        username: &str,
    ) -> Result<Option<(U, bool)>, Error> {
        let found = match self.get_by_natural_key(username).await? {
            Some(user) => (user, false),
            None => {
                let user = new_user::build_exact(
                    self.auth,
                    username.to_owned(),
                    "",
                    false,
                    FieldValues::new(),
                )?;
                self.create_unless_found(username, user).await?
            }
        };
        Ok(Some(found).filter(|(user, _)| user.get_username() == username))
    }

    /// Writes a new user; the one that somebody else wrote meanwhile, if that fails.
    async fn create_unless_found(self, username: &str, user: U) -> Result<(U, bool), Error> {
        match self.create_in_savepoint(user).await {
            Err(error) if matches!(error.kind(), ErrorKind::Integrity { .. }) => {
                let found = self.get_by_natural_key(username).await?;
                found.map(|user| (user, false)).ok_or(error)
            }
            made => made.map(|user| (user, true)),
        }
    }

    async fn create_in_savepoint(self, mut user: U) -> Result<U, Error> {
        if user.base().password.is_empty() {
            user.base_mut().password = self.auth.make_password(None).await?;
        }
        let tx = self.ex.begin().await?;
        self.auth.model().users.insert(&tx, &mut user).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Writes every column: an existing row is changed, otherwise one is made (Django's `save()`).
    ///
    /// # Errors
    /// `Integrity`: a value is taken. Otherwise the database's.
    pub async fn save(self, user: &mut U) -> Result<(), Error> {
        self.auth.model().users.save(self.ex, user).await?;
        self.auth.password_saved(user);
        Ok(())
    }

    /// Writes these columns only (Django's `save(update_fields=…)`).
    ///
    /// # Errors
    /// `Value`: no such column. `DoesNotExist`: the row is gone.
    pub async fn save_fields(self, user: &U, fields: &[&str]) -> Result<(), Error> {
        let users = &self.auth.model().users;
        users.save_only(self.ex, user, fields).await?;
        self.auth.password_saved(user);
        Ok(())
    }

    /// Reads the row again.
    ///
    /// # Errors
    /// `DoesNotExist`: the row is gone.
    pub async fn refresh(self, user: &mut U) -> Result<(), Error> {
        let backend = user.base().backend.clone();
        *user = self.get(user.id()).await?.ok_or_else(|| {
            Error::new(ErrorKind::DoesNotExist, "the user does not exist any more")
        })?;
        user.base_mut().backend = backend;
        Ok(())
    }

    /// Deletes the user with link rows, admin log entries and the rows of registered
    /// [`Dependant`](crate::apps::Dependant)s.
    ///
    /// # Errors
    /// `Value`: never saved. `Integrity`: a table that nobody registered refers to the user.
    pub async fn delete(self, user: &U) -> Result<Deleted, Error> {
        match user.pk() {
            Some(id) => deletion::users(self.auth, self.ex, &[id]).await,
            None => Err(Error::value(
                "a user that was never saved cannot be deleted",
            )),
        }
    }

    /// Deletes every user of a query, as [`UserManager::delete`] does.
    ///
    /// # Errors
    /// As [`UserManager::delete`].
    pub async fn delete_all(self, users: QuerySet<'_, U, E>) -> Result<Deleted, Error> {
        deletion::users(self.auth, self.ex, &users.ids().await?).await
    }

    /// What [`delete_all`](UserManager::delete_all) would take along, and what forbids it.
    ///
    /// # Errors
    /// The database's.
    pub async fn going(self, ids: &[U::Id]) -> Result<Going, Error> {
        deletion::going_users(self.auth, self.ex, ids).await
    }

    /// The groups that a user is in.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: the model has no groups.
    pub fn groups(self, user: &U) -> Result<Related<'a, U, U, Group, E>, Error> {
        let links = self.auth.model().links()?;
        Ok(Related::new(self.auth, self.ex, &links.groups, user.id()))
    }

    /// The permissions that a user has directly.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: the model has no permissions.
    pub fn user_permissions(self, user: &U) -> Result<Related<'a, U, U, Permission, E>, Error> {
        let links = self.auth.model().links()?;
        Ok(Related::new(
            self.auth,
            self.ex,
            &links.user_permissions,
            user.id(),
        ))
    }

    /// The users who have a permission, as one backend sees it. `backend` names it; it may be left out
    /// where there is only one.
    ///
    /// # Errors
    /// `Value`: not `app_label.codename`, no such backend, or several and none named.
    pub async fn with_perm(
        self,
        asked: WithPerm<'_>,
        backend: Option<&str>,
    ) -> Result<Vec<U>, Error> {
        asked.check()?;
        let backend = self.backend(backend)?;
        let context = Context::without_request(self.auth);
        match backend.with_perm(context, asked).await {
            Ok(users) => Ok(users),
            Err(BackendError::PermissionDenied) => Ok(Vec::new()),
            Err(BackendError::Failed(error)) => Err(error),
        }
    }

    /// The same users, one after another as the database gives them: Django's
    /// `with_perm(…).iterator()`. The memory does not grow with their number.
    ///
    /// ```
    /// # async fn example(auth: djauth::Auth) -> Result<(), djauth::Error> {
    /// use djauth::backends::WithPerm;
    ///
    /// let mut addresses = Vec::new();
    /// let asked = WithPerm::named("blog.publish_post");
    /// auth.users()
    ///     .with_perm_each(asked, None, |user| addresses.push(user.email))
    ///     .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`with_perm`](UserManager::with_perm); some users may have been given before the database fails.
    pub async fn with_perm_each(
        self,
        asked: WithPerm<'_>,
        backend: Option<&str>,
        mut each: impl FnMut(U) + Send,
    ) -> Result<(), Error> {
        asked.check()?;
        let backend = self.backend(backend)?;
        let context = Context::without_request(self.auth);
        match backend.with_perm_each(context, asked, &mut each).await {
            Ok(()) | Err(BackendError::PermissionDenied) => Ok(()),
            Err(BackendError::Failed(error)) => Err(error),
        }
    }

    /// The one of this path, or the only one.
    fn backend(&self, path: Option<&str>) -> Result<&'a dyn DynBackend<U>, Error> {
        let backends = self.auth.backends();
        match path {
            Some(path) => backends
                .by_path(path)
                .ok_or_else(|| Error::value(format!("no backend {path:?} is configured"))),
            None => backends
                .only()
                .ok_or_else(|| Error::value("several backends are configured: name one")),
        }
    }
}
