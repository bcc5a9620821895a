//! The forms that make users.

use std::ops::{Deref, DerefMut};

use super::form::{Form, has_form};
use super::model_form;
use super::set_password_mixin::{SetPasswordMixin, invalid_form};
use super::set_unusable_password_mixin::SetUnusablePasswordMixin;
use super::steps::{Standard, Steps};
use super::text::Text;
use crate::backends::Context;
use crate::base_user::BaseUser;
use crate::http::QueryDict;
use crate::models::Q;
use crate::validators::ValidationError;
use crate::{Auth, Error};

const PASSWORDS: SetPasswordMixin = SetPasswordMixin::NEW_USER;
const UNUSABLE: SetUnusablePasswordMixin = SetUnusablePasswordMixin(PASSWORDS);

/// Makes a user: the login field, `password1`, `password2`; mirrors `BaseUserCreationForm`.
///
/// ```
/// use djauth::forms::BaseUserCreationForm;
/// use djauth::http::QueryDict;
/// use djauth::{Auth, Error, User};
///
/// # async fn sign_up(auth: &Auth, data: &QueryDict) -> Result<Option<User>, Error> {
/// // Django's `Meta.fields`.
/// let mut form = BaseUserCreationForm::with_fields(auth, &["username", "email"], Some(data))?;
/// Ok(match form.is_valid(auth).await? {
///     true => Some(form.save(auth).await?),
///     false => None,
/// })
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BaseUserCreationForm<U: BaseUser> {
    form: Form,
    unique_whatever_case: bool,
    may_be_unusable: bool,
    user: Option<U>,
}

impl<U: BaseUser> BaseUserCreationForm<U> {
    /// The form with what was sent, or to be shown.
    ///
    /// # Errors
    /// `Value`: the model has no field of the name that it gives as its `USERNAME_FIELD`.
    pub fn new(auth: &Auth<U>, data: Option<&QueryDict>) -> Result<Self, Error> {
        let username = auth.user_meta().username_field.clone();
        Self::with_fields(auth, &[&username], data)
    }

    /// The form with these fields of the model, Django's `Meta.fields`.
    ///
    /// # Errors
    /// `Value`: the model has no such field.
    pub fn with_fields(
        auth: &Auth<U>,
        names: &[&str],
        data: Option<&QueryDict>,
    ) -> Result<Self, Error> {
        let meta = auth.user_meta();
        let mut fields = Vec::new();
        for name in names {
            let info = meta.field(name);
            let info = info.ok_or_else(|| Error::value(format!("a user has no field {name:?}")))?;
            let mut field = model_form::form_field(meta, info);
            field.autofocus = *name == meta.username_field;
            fields.push(field);
        }
        let labels = [
            Text::Field("password".into()),
            Text::Key("form.password_again_label"),
        ];
        fields.extend(PASSWORDS.create_password_fields(auth, labels));
        Ok(Self {
            form: Form::new(fields, data),
            unique_whatever_case: false,
            may_be_unusable: false,
            user: None,
        })
    }

    has_form!(form);

    /// The user that the form describes, not saved yet; once it was cleaned.
    pub fn user(&self) -> Option<&U> {
        self.user.as_ref()
    }

    /// Whether what was sent is right; otherwise the form says what is wrong.
    ///
    /// # Errors
    /// The database's; `ImproperlyConfigured`: the rules for passwords cannot be read.
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
        self.form.clean_fields_with(context, steps).await?;
        if self.unique_whatever_case {
            self.clean_username(context.auth).await?;
        }
        if self.may_be_unusable {
            UNUSABLE.validate_passwords(&mut self.form);
        } else {
            PASSWORDS.validate_passwords(&mut self.form);
        }
        self.form.clean_with(context, steps).await?;
        self.post_clean(context.auth).await?;
        Ok(self.form.is_valid())
    }

    /// No other name may differ in case alone: code `unique`.
    async fn clean_username(&mut self, auth: &Auth<U>) -> Result<(), Error> {
        let name = &auth.user_meta().username_field;
        let Some(username) = self.form.text(name).filter(|text| !text.is_empty()) else {
            return Ok(());
        };
        if model_form::is_taken(auth, Q::iexact(&**name, username), None).await? {
            let error = ValidationError::of("unique");
            self.form.add_error(Some(name), error);
        }
        Ok(())
    }

    /// The model's rules, and those for passwords, which may look at the whole user.
    async fn post_clean(&mut self, auth: &Auth<U>) -> Result<(), Error> {
        let mut values = model_form::model_values(&mut self.form, auth.user_meta());
        model_form::validate(&mut self.form, auth, &values, None).await?;
        if auth.user_meta().field("date_joined").is_some() {
            values
                .entry("date_joined".to_owned())
                .or_insert(auth.now().into());
        }
        let user = auth.users().of_values(&values)?;
        let form = &mut self.form;
        if self.may_be_unusable {
            UNUSABLE
                .validate_password_for_user(form, auth, &user)
                .await?;
        } else {
            PASSWORDS
                .validate_password_for_user(form, auth, &user)
                .await?;
        }
        self.user = Some(user);
        Ok(())
    }

    /// The user with the password, not saved: Django's `save(commit=False)`.
    ///
    /// # Errors
    /// `Value`: the form is not valid. `Busy`: too many hashes wait.
    pub async fn build(&self, auth: &Auth<U>) -> Result<U, Error> {
        let user = self.user.clone().filter(|_| self.form.is_valid());
        let mut user = user.ok_or_else(invalid_form)?;
        if self.may_be_unusable {
            UNUSABLE.set_password(&self.form, auth, &mut user).await?;
        } else {
            PASSWORDS.set_password(&self.form, auth, &mut user).await?;
        }
        Ok(user)
    }

    /// Makes the user.
    ///
    /// # Errors
    /// As [`build`](Self::build); `Integrity`: somebody took the name meanwhile.
    pub async fn save(&self, auth: &Auth<U>) -> Result<U, Error> {
        let mut user = self.build(auth).await?;
        auth.users().save(&mut user).await?;
        Ok(user)
    }
}

/// [`BaseUserCreationForm`], which also refuses names that differ from others in case alone; mirrors
/// `UserCreationForm`. Here that holds for every login field, whatever its name.
#[derive(Clone, Debug)]
pub struct UserCreationForm<U: BaseUser>(BaseUserCreationForm<U>);

impl<U: BaseUser> UserCreationForm<U> {
    /// The form with what was sent, or to be shown.
    ///
    /// # Errors
    /// As [`BaseUserCreationForm::new`].
    pub fn new(auth: &Auth<U>, data: Option<&QueryDict>) -> Result<Self, Error> {
        let mut inner = BaseUserCreationForm::new(auth, data)?;
        inner.unique_whatever_case = true;
        Ok(Self(inner))
    }

    /// The form with these fields of the model.
    ///
    /// # Errors
    /// As [`BaseUserCreationForm::with_fields`].
    pub fn with_fields(
        auth: &Auth<U>,
        names: &[&str],
        data: Option<&QueryDict>,
    ) -> Result<Self, Error> {
        let mut inner = BaseUserCreationForm::with_fields(auth, names, data)?;
        inner.unique_whatever_case = true;
        Ok(Self(inner))
    }
}

impl<U: BaseUser> Deref for UserCreationForm<U> {
    type Target = BaseUserCreationForm<U>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<U: BaseUser> DerefMut for UserCreationForm<U> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// [`UserCreationForm`] with the field `usable_password`, by which the user gets no password that
/// works; mirrors `AdminUserCreationForm`.
#[derive(Clone, Debug)]
pub struct AdminUserCreationForm<U: BaseUser>(UserCreationForm<U>);

impl<U: BaseUser> AdminUserCreationForm<U> {
    /// The form with what was sent, or to be shown.
    ///
    /// # Errors
    /// As [`BaseUserCreationForm::new`].
    pub fn new(auth: &Auth<U>, data: Option<&QueryDict>) -> Result<Self, Error> {
        let username = auth.user_meta().username_field.clone();
        Self::with_fields(auth, &[&username], data)
    }

    /// The form with these fields of the model.
    ///
    /// # Errors
    /// As [`BaseUserCreationForm::with_fields`].
    pub fn with_fields(
        auth: &Auth<U>,
        names: &[&str],
        data: Option<&QueryDict>,
    ) -> Result<Self, Error> {
        let mut inner = UserCreationForm::with_fields(auth, names, data)?;
        inner.may_be_unusable = true;
        for name in [PASSWORDS.password1, PASSWORDS.password2] {
            if let Some(field) = inner.form.field_mut(name) {
                field.required = false;
            }
        }
        let choice = SetUnusablePasswordMixin::create_usable_password_field();
        inner.form.add_field(choice);
        Ok(Self(inner))
    }
}

impl<U: BaseUser> Deref for AdminUserCreationForm<U> {
    type Target = UserCreationForm<U>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<U: BaseUser> DerefMut for AdminUserCreationForm<U> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
