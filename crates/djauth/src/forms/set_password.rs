use super::field::{Field, FieldKind};
use super::form::{Form, has_form};
use super::set_password_mixin::SetPasswordMixin;
use super::steps::{Standard, Steps};
use super::text::Text;
use crate::backends::Context;
use crate::base_user::BaseUser;
use crate::hashing::Client;
use crate::http::{QueryDict, Request};
use crate::validators::ValidationError;
use crate::{Auth, Error};

const NEW: SetPasswordMixin = SetPasswordMixin::NEW_PASSWORD;

/// Sets a password without asking for the old one: `new_password1`, `new_password2`; mirrors
/// `SetPasswordForm`.
#[derive(Clone, Debug)]
pub struct SetPasswordForm<U: BaseUser> {
    form: Form,
    user: U,
}

impl<U: BaseUser> SetPasswordForm<U> {
    /// The form for a user, with what was sent or to be shown.
    pub fn new(auth: &Auth<U>, user: U, data: Option<&QueryDict>) -> Self {
        let labels = ["form.new_password", "form.new_password_again"].map(Text::Key);
        let fields = NEW.create_password_fields(auth, labels);
        let form = Form::new(fields, data);
        Self { form, user }
    }

    has_form!(form);

    /// Whose password it is.
    pub fn user(&self) -> &U {
        &self.user
    }

    /// Whether what was sent is right; otherwise the form says what is wrong.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: the rules for passwords cannot be read.
    pub async fn is_valid(&mut self, auth: &Auth<U>) -> Result<bool, Error> {
        self.clean_with(&Context::without_request(auth), &Standard)
            .await
    }

    /// [`is_valid`](Self::is_valid) with steps of the application's own.
    ///
    /// # Errors
    /// As [`is_valid`](Self::is_valid), and those of the steps.
    pub async fn clean_with<S: Steps<U>>(
        &mut self,
        context: &Context<'_, U>,
        steps: &S,
    ) -> Result<bool, Error> {
        self.form.clean_fields_with(context, steps).await?;
        self.clean(context, steps).await
    }

    async fn clean<S: Steps<U>>(
        &mut self,
        context: &Context<'_, U>,
        steps: &S,
    ) -> Result<bool, Error> {
        NEW.validate_passwords(&mut self.form);
        NEW.validate_password_for_user(&mut self.form, context.auth, &self.user)
            .await?;
        self.form.clean_with(context, steps).await?;
        Ok(self.form.is_valid())
    }

    /// Gives the user the new password and writes it. Their other sessions end by it.
    ///
    /// # Errors
    /// `Value`: the form is not valid. `DoesNotExist`: the user is gone. `Busy`: too many hashes wait.
    pub async fn save(mut self, auth: &Auth<U>) -> Result<U, Error> {
        NEW.set_password(&self.form, auth, &mut self.user).await?;
        auth.save_password(&self.user).await?;
        Ok(self.user)
    }

    /// [`save`](Self::save), unless somebody has set another password since the user was read: then
    /// nothing is written, and the answer is `None`. So what permitted this change, a link or the old
    /// password, permits one change only.
    ///
    /// # Errors
    /// `Value`: the form is not valid. `Busy`: too many hashes wait.
    pub async fn save_unless_changed(mut self, auth: &Auth<U>) -> Result<Option<U>, Error> {
        let known = self.user.base().password.clone();
        NEW.set_password(&self.form, auth, &mut self.user).await?;
        let saved = auth.save_password_if(&self.user, &known).await?;
        Ok(saved.then_some(self.user))
    }
}

/// Sets another password: `old_password`, `new_password1`, `new_password2`; mirrors
/// `PasswordChangeForm`.
#[derive(Clone, Debug)]
pub struct PasswordChangeForm<U: BaseUser>(SetPasswordForm<U>);

impl<U: BaseUser> PasswordChangeForm<U> {
    /// The form for a user, with what was sent or to be shown.
    pub fn new(auth: &Auth<U>, user: U, data: Option<&QueryDict>) -> Self {
        let mut inner = SetPasswordForm::new(auth, user, data);
        let old = Field::new("old_password", FieldKind::Password)
            .label(Text::Key("form.old_password"))
            .autocomplete("current-password")
            .autofocus();
        inner.form.insert_field(0, old);
        Self(inner)
    }

    has_form!(0, form);

    /// Whose password it is.
    pub fn user(&self) -> &U {
        &self.0.user
    }

    /// Whether what was sent is right; otherwise the form says what is wrong.
    ///
    /// # Errors
    /// As [`SetPasswordForm::is_valid`]; `Busy`: too many hashes wait. `TooManyAttempts`: the old
    /// password was guessed at too often.
    pub async fn is_valid(&mut self, auth: &Auth<U>) -> Result<bool, Error> {
        self.clean_with(&Context::without_request(auth), &Standard)
            .await
    }

    /// [`is_valid`](Self::is_valid) with steps of the application's own.
    ///
    /// # Errors
    /// As [`is_valid`](Self::is_valid), and those of the steps.
    pub async fn clean_with<S: Steps<U>>(
        &mut self,
        context: &Context<'_, U>,
        steps: &S,
    ) -> Result<bool, Error> {
        self.0.form.clean_fields_with(context, steps).await?;
        self.clean_old_password(context).await?;
        self.0.clean(context, steps).await
    }

    /// The old password must be right: code `password_incorrect`. The stored value is not renewed on
    /// the way, as Django would: where the form is refused, that would end this very session.
    ///
    /// Wrong ones count as failed logins do: a session that was stolen is no place to guess at will.
    async fn clean_old_password(&mut self, context: &Context<'_, U>) -> Result<(), Error> {
        let Some(old) = self.0.form.text("old_password") else {
            return Ok(());
        };
        let (auth, user) = (context.auth, &self.0.user);
        let address = context.request.and_then(Request::client_address);
        let username = user.get_username();
        let attempt = auth.login_rate_limit().count(address, Some(&username));
        let attempt = attempt.await?;
        let verified = auth.hashing().verify(old, &user.base().password);
        let client = Client::new(address, Some(&username));
        let verified = client.scope(verified).await;
        if verified.as_ref().map_or(true, |verified| verified.correct) {
            attempt.take_back().await;
        }
        if !verified?.correct {
            let error = ValidationError::of("password_incorrect");
            self.0.form.add_error(Some("old_password"), error);
        }
        Ok(())
    }

    /// Gives the user the new password and writes it. Their other sessions end by it;
    /// [`Auth::update_session_auth_hash`] keeps this one.
    ///
    /// # Errors
    /// As [`SetPasswordForm::save`].
    pub async fn save(self, auth: &Auth<U>) -> Result<U, Error> {
        self.0.save(auth).await
    }

    /// As [`SetPasswordForm::save_unless_changed`].
    ///
    /// # Errors
    /// As there.
    pub async fn save_unless_changed(self, auth: &Auth<U>) -> Result<Option<U>, Error> {
        self.0.save_unless_changed(auth).await
    }
}
