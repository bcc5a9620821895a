//! Passwords: set, check with upgrade, and checks that take the same time for everybody.

use std::sync::Arc;

use super::Auth;
use crate::base_user::{BaseUser, RawPassword};
use crate::db::{Executor, Field, Value};
use crate::{Error, ErrorKind};

impl<U: BaseUser> Auth<U> {
    /// A value to store for a password, made by the preferred hasher on the hashing threads; `None`
    /// gives a value that no password fits.
    ///
    /// # Errors
    /// `Busy`: too many hashes wait. `Value`: the password is too long to be hashed.
    pub async fn make_password(&self, raw: Option<&str>) -> Result<String, Error> {
        self.hashing().make_password(raw).await
    }

    /// Sets the user's password; save the user to keep it (`password` alone is enough). When it is saved,
    /// the rules for passwords hear of it
    /// ([`PasswordValidator::password_changed`](crate::password_validation::PasswordValidator::password_changed)).
    ///
    /// # Errors
    /// As [`Auth::make_password`].
    pub async fn set_password(&self, user: &mut U, raw: &str) -> Result<(), Error> {
        user.base_mut().password = self.make_password(Some(raw)).await?;
        user.base_mut().raw = RawPassword::new(raw);
        Ok(())
    }

    /// Gives the user a password that nothing fits; save the user to keep it.
    ///
    /// # Errors
    /// The operating system has no random bytes.
    pub async fn set_unusable_password(&self, user: &mut U) -> Result<(), Error> {
        user.base_mut().password = self.make_password(None).await?;
        user.base_mut().raw = RawPassword::default();
        Ok(())
    }

    /// Whether this is the user's password. A correct one whose stored value is outdated is stored
    /// anew: only that column, and only where the row still holds the value that was checked. Where it
    /// does not, somebody changed it meanwhile, and the password is checked against the new value.
    ///
    /// # Errors
    /// `Busy`: too many hashes wait. Otherwise the database's.
    pub async fn check_password(&self, user: &mut U, raw: &str) -> Result<bool, Error> {
        self.check_password_for(user, raw, true).await
    }

    /// The same for an attempt that fails anyway where the user may not log in: it then takes the time of
    /// a wrong password, and nothing is stored.
    async fn check_password_for(
        &self,
        user: &mut U,
        raw: &str,
        may_log_in: bool,
    ) -> Result<bool, Error> {
        // The second round is for a concurrent change; a third change within one login is no login.
        for _ in 0..2 {
            let stored = &user.base().password;
            let attempt = self.hashing().attempt(raw, stored, may_log_in, true);
            let checked = attempt.await?;
            if let Some(problem) = checked.verified.problem {
                tracing::warn!(
                    target: "django.security.auth", user = %user.id(), ?problem,
                    "the stored password cannot be judged: nobody can log in with it"
                );
            }
            if !checked.verified.correct {
                return Ok(false);
            }
            let Some(new) = checked.upgraded else {
                return Ok(true);
            };
            if self.upgrade_password(user, new).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stores the password anew; false when the row does not hold the checked value any more, which is
    /// then read into the user.
    async fn upgrade_password(&self, user: &mut U, new: String) -> Result<bool, Error> {
        let id = user.id();
        let params = vec![
            new.as_str().into(),
            id.to_value(),
            (&user.base().password).into(),
        ];
        let found = self
            .db()
            .execute(&self.model().set_password_if, params)
            .await?;
        if found > 0 {
            user.base_mut().password = new;
            // The password is the same, so nobody is told of it.
            user.base_mut().raw = RawPassword::default();
            return Ok(true);
        }
        let now = self.users().get(id).await?;
        let stored = now.map(|now| now.base().password.clone());
        // A row that is gone has no password that could be right.
        user.base_mut().password = stored.unwrap_or_default();
        Ok(false)
    }

    /// Writes the `password` column of a user whose password was set.
    ///
    /// # Errors
    /// `DoesNotExist`: the row is gone.
    pub async fn save_password(&self, user: &U) -> Result<(), Error> {
        let id = user.id();
        let params = vec![Value::from(&user.base().password), id.to_value()];
        match self
            .db()
            .execute(&self.model().set_password, params)
            .await?
        {
            0 => Err(Error::new(
                ErrorKind::DoesNotExist,
                "the user does not exist any more",
            )),
            _ => {
                self.password_saved(user);
                Ok(())
            }
        }
    }

    /// Writes the `password` column, unless it has another value than `known` by now; whether it was
    /// written. A row that is gone has another value too.
    ///
    /// # Errors
    /// The database's.
    pub async fn save_password_if(&self, user: &U, known: &str) -> Result<bool, Error> {
        let (id, password) = (user.id(), &user.base().password);
        let params = vec![password.into(), id.to_value(), known.into()];
        let statement = &self.model().set_password_if;
        let written = self.db().execute(statement, params).await? > 0;
        if written {
            self.password_saved(user);
        }
        Ok(written)
    }

    /// The user, if this is the password; for nobody as much is hashed, so that an unknown name takes as
    /// long as a known one.
    ///
    /// # Errors
    /// As [`Auth::check_password`].
    pub async fn check_password_with_timing_attack_mitigation(
        &self,
        user: Option<U>,
        raw: &str,
    ) -> Result<Option<U>, Error> {
        self.user_with_password(user, raw, |_| true).await
    }

    /// The same, if the user may log in; whoever may not takes the time of a wrong password too.
    pub(crate) async fn user_with_password(
        &self,
        user: Option<U>,
        raw: &str,
        may_log_in: impl Fn(&U) -> bool,
    ) -> Result<Option<U>, Error> {
        let Some(mut user) = user else {
            self.hashing().harden_runtime().await?;
            return Ok(None);
        };
        let allowed = may_log_in(&user);
        let correct = self.check_password_for(&mut user, raw, allowed).await?;
        Ok((correct && allowed).then_some(user))
    }

    pub(super) fn mark_backend(user: &mut U, path: &str) {
        user.base_mut().backend = Some(Arc::from(path));
    }
}
