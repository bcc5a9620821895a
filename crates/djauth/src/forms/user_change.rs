//! The form that changes a user's fields.

use chrono_tz::Tz;

use super::field::{Cleaned, Field, FieldKind};
use super::form::{Form, has_form};
use super::model_form;
use super::read_only_password_hash::ReadOnlyPasswordHashField;
use super::set_password_mixin::invalid_form;
use super::steps::{Standard, Steps};
use super::text::Text;
use crate::backends::Context;
use crate::base_user::BaseUser;
use crate::db::Value;
use crate::http::QueryDict;
use crate::{Auth, Error};

const PASSWORD: &str = "password";
const GROUPS: &str = "groups";
const USER_PERMISSIONS: &str = "user_permissions";

/// Every field of a user, the password only to look at; mirrors `UserChangeForm`.
///
/// What is sent as `password` is ignored. Groups and permissions are offered with all that exist.
#[derive(Clone, Debug)]
pub struct UserChangeForm<U: BaseUser> {
    form: Form,
    user: U,
}

impl<U: BaseUser> UserChangeForm<U> {
    /// The form for a user, with what was sent or to be shown.
    ///
    /// # Errors
    /// The database's.
    pub async fn new(auth: &Auth<U>, user: U, data: Option<&QueryDict>) -> Result<Self, Error> {
        let usable = user.base().has_usable_password();
        let mut fields = vec![ReadOnlyPasswordHashField::new(PASSWORD, usable)];
        let (meta, zone) = (auth.user_meta(), auth.settings().time_zone);
        let present = auth.users().values(&user);
        let own =
            |info: &&crate::base_user::FieldInfo| info.name != PASSWORD && *info.name != *meta.pk;
        for info in meta.fields.iter().filter(own) {
            let mut field = model_form::form_field(meta, info).time_zone(zone);
            field.initial.extend(
                present
                    .get(&*info.name)
                    .and_then(|value| shown(value, zone)),
            );
            fields.push(field);
            if info.name == "is_superuser" && meta.links.is_some() {
                fields.push(groups(auth, &user).await?);
                fields.push(permissions(auth, &user).await?);
            }
        }
        let form = Form::new(fields, data);
        Ok(Self { form, user })
    }

    has_form!(form);

    /// The user as it is in the database.
    pub fn user(&self) -> &U {
        &self.user
    }

    /// Whether what was sent is right; otherwise the form says what is wrong.
    ///
    /// # Errors
    /// The database's.
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
        let auth = context.auth;
        self.form.clean_fields_with(context, steps).await?;
        self.form.clean_with(context, steps).await?;
        let values = model_form::model_values(&mut self.form, auth.user_meta());
        model_form::validate(&mut self.form, auth, &values, self.user.pk()).await?;
        Ok(self.form.is_valid())
    }

    /// Writes the fields, groups and permissions, all or none.
    ///
    /// # Errors
    /// `Value`: the form is not valid. `Integrity`: a value was taken meanwhile.
    pub async fn save(mut self, auth: &Auth<U>) -> Result<U, Error> {
        if !self.form.is_valid() {
            return Err(invalid_form());
        }
        let mut values = auth.users().values(&self.user);
        values.extend(model_form::model_values(&mut self.form, auth.user_meta()));
        let mut user: U = auth.users().of_values(&values)?;
        let tx = crate::db::Executor::begin(auth.db()).await?;
        let users = auth.users().using(&tx);
        users.save(&mut user).await?;
        if let Some(ids) = self.chosen(GROUPS) {
            users.groups(&user)?.set(&ids).await?;
        }
        if let Some(ids) = self.chosen(USER_PERMISSIONS) {
            users.user_permissions(&user)?.set(&ids).await?;
        }
        tx.commit().await?;
        Ok(user)
    }

    fn chosen(&self, name: &str) -> Option<Vec<i32>> {
        match self.form.cleaned(name)? {
            Cleaned::Many(ids) => Some(ids.iter().filter_map(|id| id.parse().ok()).collect()),
            _ => None,
        }
    }
}

/// A value as a form shows it.
fn shown(value: &Value<'static>, zone: Tz) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Text(text) => Some(text.to_string()),
        Value::Bool(ticked) => Some(ticked.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Uuid(uuid) => Some(uuid.to_string()),
        Value::Timestamp(moment) => Some(
            moment
                .with_timezone(&zone)
                .format("%Y-%m-%d %H:%M:%S%.f")
                .to_string(),
        ),
        _ => None,
    }
}

async fn groups<U: BaseUser>(auth: &Auth<U>, user: &U) -> Result<Field, Error> {
    let field = Field::new(GROUPS, FieldKind::SelectMultiple).label(Text::Key("form.groups"));
    let all = auth.groups().all().order_by(&["name"]).all().await?;
    let offered =
        |field: Field, group: crate::Group| field.choice(group.id.to_string(), group.name);
    let field = all.into_iter().fold(field.optional(), offered);
    let chosen = auth.users().groups(user)?.ids().await?;
    Ok(chosen
        .iter()
        .fold(field, |field, id| field.initial(id.to_string())))
}

async fn permissions<U: BaseUser>(auth: &Auth<U>, user: &U) -> Result<Field, Error> {
    let field = Field::new(USER_PERMISSIONS, FieldKind::SelectMultiple);
    let field = field.label(Text::Key("form.user_permissions")).optional();
    let all = auth.permissions().all().all().await?;
    let offered = |field: Field, permission: crate::Permission| {
        field.choice(permission.id.to_string(), permission.to_string())
    };
    let field = all.into_iter().fold(field, offered);
    let chosen = auth.users().user_permissions(user)?.ids().await?;
    Ok(chosen
        .iter()
        .fold(field, |field, id| field.initial(id.to_string())))
}
