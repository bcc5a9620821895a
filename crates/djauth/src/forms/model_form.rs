//! Forms over the fields of a user model: the slice of `django.forms.models` that users need.

use super::field::{Cleaned, Field, FieldKind};
use super::form::Form;
use super::text::Text;
use crate::base_user::{BaseUser, FieldInfo, FieldKind as Column, UserMeta, normalize_email};
use crate::db::{Field as _, Value};
use crate::models::{FieldValues, Q};
use crate::validators::{UnicodeUsernameValidator, ValidationError};
use crate::{Auth, Error};

/// The form field of a model's field: Django's `formfield()`.
pub fn form_field(meta: &UserMeta, info: &FieldInfo) -> Field {
    let name = &*info.name;
    let mut field = Field::new(name, kind(meta, info)).label(Text::field(meta, name));
    field.max_length = info.max_length.map(|limit| limit as usize);
    field.required = !info.blank && !info.null && info.kind != Column::Bool;
    if field.kind == FieldKind::Username {
        field.autocomplete = Some("username");
    }
    field
}

fn kind(meta: &UserMeta, info: &FieldInfo) -> FieldKind {
    match info.kind {
        Column::Bool => FieldKind::Checkbox,
        Column::DateTime => FieldKind::DateTime,
        Column::Text if info.name == "username" => FieldKind::Username,
        Column::Text if *info.name == *meta.email_field => FieldKind::Email,
        _ => FieldKind::Text,
    }
}

/// What the cleaned fields of a form mean for the user model, by the names of its fields. A text that a
/// field cannot hold is an error of it.
pub fn model_values(form: &mut Form, meta: &UserMeta) -> FieldValues {
    let mut values = FieldValues::new();
    for info in &meta.fields {
        let Some(cleaned) = form.cleaned(&info.name) else {
            continue;
        };
        match value(info, cleaned) {
            Some(value) => drop(values.insert(info.name.to_string(), value)),
            None => form.add_error(Some(&info.name), ValidationError::of("invalid")),
        }
    }
    if let Some(Value::Text(email)) = values.get_mut(&meta.email_field) {
        *email = normalize_email(email).into();
    }
    values
}

fn value(info: &FieldInfo, cleaned: &Cleaned) -> Option<Value<'static>> {
    match cleaned {
        Cleaned::Text(text) if text.is_empty() && info.null => Some(Value::Null),
        Cleaned::Text(text) if info.kind == Column::Text => Some(text.to_string().into()),
        Cleaned::Text(text) => info.parse(text),
        Cleaned::Bool(ticked) => Some((*ticked).into()),
        Cleaned::DateTime(Some(moment)) => Some((*moment).into()),
        Cleaned::DateTime(None) => Some(Value::Null),
        Cleaned::Many(_) => None,
    }
}

/// The model's own rules: of the username, and what must be unique. `own` is the key of the row that
/// is changed.
pub(super) async fn validate<U: BaseUser>(
    form: &mut Form,
    auth: &Auth<U>,
    values: &FieldValues,
    own: Option<U::Id>,
) -> Result<(), Error> {
    let meta = auth.user_meta();
    if let Some(Value::Text(name)) = values.get(&meta.username_field).filter(|_| meta.is_stock())
        && let Err(error) = UnicodeUsernameValidator.validate(name)
    {
        form.add_error(Some(&meta.username_field), error);
    }
    for info in meta.fields.iter().filter(|info| info.unique) {
        let name = &*info.name;
        let good = values.get(name).filter(|_| form.errors(name).is_empty());
        if let Some(value) = good.filter(|value| **value != Value::Null) {
            let same = Q::eq(name, value.clone());
            if is_taken(auth, same, own).await? {
                form.add_error(Some(name), ValidationError::of("unique"));
            }
        }
    }
    Ok(())
}

/// Whether another row meets the condition.
pub(super) async fn is_taken<U: BaseUser>(
    auth: &Auth<U>,
    same: Q,
    own: Option<U::Id>,
) -> Result<bool, Error> {
    let users = auth.users().filter(same);
    match own {
        Some(id) => {
            users
                .exclude(Q::eq("pk", id.to_value().into_owned()))
                .exists()
                .await
        }
        None => users.exists().await,
    }
}
