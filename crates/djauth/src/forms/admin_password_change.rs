use super::form::{Form, has_form};
use super::set_password_mixin::SetPasswordMixin;
use super::set_unusable_password_mixin::SetUnusablePasswordMixin;
use super::steps::{Standard, Steps};
use super::text::Text;
use crate::backends::Context;
use crate::base_user::BaseUser;
use crate::http::QueryDict;
use crate::{Auth, Error};

const PASSWORDS: SetPasswordMixin = SetPasswordMixin::NEW_USER;
const UNUSABLE: SetUnusablePasswordMixin = SetUnusablePasswordMixin(PASSWORDS);

/// Sets a user's password, or turns it off: `password1`, `password2`, and `usable_password` if the user
/// has a password; mirrors `AdminPasswordChangeForm`.
#[derive(Clone, Debug)]
pub struct AdminPasswordChangeForm<U: BaseUser> {
    form: Form,
    user: U,
}

impl<U: BaseUser> AdminPasswordChangeForm<U> {
    /// The form for a user, with what was sent or to be shown.
    pub fn new(auth: &Auth<U>, user: U, data: Option<&QueryDict>) -> Self {
        let labels = [
            Text::Field("password".into()),
            Text::Key("form.password_again_label"),
        ];
        let mut fields = Vec::from(PASSWORDS.create_password_fields(auth, labels));
        fields[0].autofocus = true;
        if user.base().has_usable_password() {
            for field in &mut fields {
                field.required = false;
            }
            let choice = SetUnusablePasswordMixin::create_usable_password_field();
            fields.push(choice.help_text(Text::Key("form.unusable_warning")));
        }
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
        if !self.form.is_bound() {
            return Ok(false);
        }
        let form = &mut self.form;
        form.clean_fields_with(context, steps).await?;
        UNUSABLE.validate_passwords(form);
        UNUSABLE
            .validate_password_for_user(form, context.auth, &self.user)
            .await?;
        form.clean_with(context, steps).await?;
        Ok(form.is_valid())
    }

    /// `password` when both passwords were filled in, else nothing: what the admin's log says.
    pub fn changed_data(&self) -> &'static [&'static str] {
        let filled = |name| {
            self.form
                .sent(name)
                .last()
                .is_some_and(|text| !text.is_empty())
        };
        if filled(PASSWORDS.password1) && filled(PASSWORDS.password2) {
            &["password"]
        } else {
            &[]
        }
    }

    /// Whether the form says that the user is to have a password; once it was cleaned.
    pub fn is_usable(&self) -> bool {
        UNUSABLE.is_usable(&self.form)
    }

    /// The user with the new password, or with one that nothing fits, not saved: Django's
    /// `save(commit=False)`.
    ///
    /// # Errors
    /// `Value`: the form is not valid. `Busy`: too many hashes wait.
    pub async fn build(mut self, auth: &Auth<U>) -> Result<U, Error> {
        UNUSABLE
            .set_password(&self.form, auth, &mut self.user)
            .await?;
        Ok(self.user)
    }

    /// Writes the new password, or one that nothing fits. The user's sessions end by it.
    ///
    /// # Errors
    /// `Value`: the form is not valid. `DoesNotExist`: the user is gone. `Busy`: too many hashes wait.
    pub async fn save(self, auth: &Auth<U>) -> Result<U, Error> {
        let user = self.build(auth).await?;
        auth.save_password(&user).await?;
        Ok(user)
    }
}
