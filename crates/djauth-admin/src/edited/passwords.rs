//! The passwords of users.

use djauth::backends::Context;
use djauth::forms::{AdminPasswordChangeForm, Form, Standard};
use djauth::{BaseUser, Error, ErrorKind};
use djauth_db::Executor;

use super::Users;
use crate::model::{Editing, Object, PasswordSet};
use crate::models::{ActionFlag, ChangeMessage};

impl<U: BaseUser> Users<U> {
    pub(super) fn password_form_of(&self, user: U) -> (Form, Object) {
        let object = self.object(&user);
        let form = AdminPasswordChangeForm::new(&self.auth, user, None);
        (form.form().clone(), object)
    }

    /// Hashes before the transaction that writes; afterwards the session of who acts goes on.
    pub(super) async fn set_password_of(
        &self,
        cx: &Editing<'_>,
        key: &str,
    ) -> Result<PasswordSet, Error> {
        let Some(user) = self.user(key).await? else {
            return Ok(PasswordSet::Gone);
        };
        let object = self.object(&user);
        let mut form = AdminPasswordChangeForm::new(&self.auth, user, cx.data);
        let context = Context::new(&self.auth, Some(cx.request.request()));
        if !form.clean_with(&context, &Standard).await? {
            let found = Box::new((form.form().clone(), object));
            return Ok(PasswordSet::Invalid(found));
        }
        let usable = form.is_usable();
        if !usable && !cx.request.data().contains("unset-password") {
            return Ok(PasswordSet::Contradiction);
        }
        let changed = form.changed_data().iter().map(|name| (*name).to_owned());
        let message = ChangeMessage::Changed(changed.collect());
        let user = form.build(&self.auth).await?;
        match self.save_password(cx, &user, message).await {
            Err(error) if *error.kind() == ErrorKind::DoesNotExist => return Ok(PasswordSet::Gone),
            saved => saved?,
        }
        let handle = cx.request.request();
        self.auth.update_session_auth_hash(handle, &user).await?;
        Ok(PasswordSet::Done(usable))
    }

    async fn save_password(
        &self,
        cx: &Editing<'_>,
        user: &U,
        message: ChangeMessage,
    ) -> Result<(), Error> {
        let tx = self.auth.db().begin().await?;
        let users = self.auth.users().using(&tx);
        users.save_fields(user, &["password"]).await?;
        let entry = [(user.id().to_string(), user.to_string())];
        self.write(&tx, cx, &entry, (ActionFlag::Change, message))
            .await?;
        Ok(tx.commit().await?)
    }
}
