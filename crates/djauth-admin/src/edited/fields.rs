//! Fields of forms and what they hold, alike for users and groups.

use std::collections::HashMap;

use chrono_tz::Tz;
use djauth::forms::{Cleaned, Field, FieldKind, Form, Text, ValidationError};
use djauth::http::QueryDict;
use djauth::models::{GroupManager, PermissionManager};
use djauth::{BaseUser, Error};
use djauth_db::{Executor, Transaction, Value};

use crate::model::{Editing, FieldSpec, Made, ModelInfo, Object, Relation};
use crate::models::LogEntryManager;
use crate::models::listed;
use crate::options::Merged;

/// What relations offer.
#[derive(Default)]
pub(super) struct Offered {
    groups: Vec<(i32, String)>,
    /// With the model that each is about.
    permissions: Vec<(i32, String, String)>,
}

/// Reads what the relations among these fields offer.
pub(super) fn offered<'a, U: BaseUser, E: Executor>(
    groups: GroupManager<'a, U, E>,
    permissions: PermissionManager<'a, U, E>,
    info: &'a ModelInfo,
    fields: &'a [&'a str],
) -> Made<'a, Offered> {
    Box::pin(async move {
        let specs = fields.iter().filter_map(|name| info.field(name));
        let asked: Vec<_> = specs.filter_map(|spec| spec.relation).collect();
        let mut offered = Offered::default();
        if asked.contains(&Relation::Groups) {
            let each = |group: djauth::Group| offered.groups.push((group.id, group.name));
            groups.all().order_by(&["name"]).for_each(each).await?;
        }
        if asked.iter().any(|relation| *relation != Relation::Groups) {
            let all = permissions.choices().await?.into_iter();
            let choice =
                all.map(|(perm, app, model)| (perm.id, format!("{app} | {model}"), perm.name));
            offered.permissions = choice.collect();
        }
        Ok(offered)
    })
}

/// The field of a relation.
pub(super) fn relation_field(spec: &FieldSpec, relation: Relation, offered: &Offered) -> Field {
    let field = Field::new(&*spec.name, FieldKind::SelectMultiple);
    let field = field.label(spec.label.clone()).optional();
    match relation {
        Relation::Groups => {
            let choices = offered.groups.iter();
            choices.fold(field, |field, (id, name)| {
                field.choice(id.to_string(), &**name)
            })
        }
        Relation::UserPermissions | Relation::GroupPermissions => {
            let choices = offered.permissions.iter();
            choices.fold(field, |field, (id, model, name)| {
                field.choice_of(&**model, id.to_string(), &**name)
            })
        }
    }
}

/// Puts what an object holds into a field.
pub(super) fn fill(field: &mut Field, object: &Object, zone: Tz) {
    let shown = match (
        object.values.get(field.name()),
        object.related.get(field.name()),
    ) {
        (Some(value), _) => shown(value, zone).into_iter().collect(),
        (None, Some(ids)) => ids.iter().map(i32::to_string).collect(),
        (None, None) => return,
    };
    field.set_initial(shown);
}

/// What an address says in advance: `?username=ada&groups=1,2`.
pub(super) fn fill_from_query(form: &mut Form, query: &QueryDict) {
    let names: Vec<_> = form
        .fields()
        .iter()
        .map(|field| field.name().to_owned())
        .collect();
    for name in names {
        let Some(text) = query.get(&name) else {
            continue;
        };
        let Some(field) = form.field_mut(&name) else {
            continue;
        };
        match field.kind() {
            FieldKind::Password => {}
            FieldKind::SelectMultiple => {
                field.set_initial(text.split(',').map(str::to_owned).collect());
            }
            _ => field.set_initial(vec![text.to_owned()]),
        }
    }
}

/// A value as a field shows it.
fn shown(value: &Value<'_>, zone: Tz) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.to_string()),
        Value::Bool(ticked) => Some(ticked.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Real(number) => Some(number.to_string()),
        Value::Uuid(uuid) => Some(uuid.to_string()),
        Value::Timestamp(moment) => {
            let local = moment.with_timezone(&zone);
            Some(local.format("%Y-%m-%d %H:%M:%S").to_string())
        }
        Value::Null | Value::Bytes(_) => None,
    }
}

/// The keys that were chosen.
pub(super) fn chosen(form: &Form, name: &str) -> Option<Vec<i32>> {
    match form.cleaned(name)? {
        Cleaned::Many(ids) => Some(ids.iter().filter_map(|id| id.parse().ok()).collect()),
        _ => None,
    }
}

/// Says at each field that two changed what it is now, and who changed it, as far as the log knows.
pub(super) fn say_conflicts<'a, U: BaseUser>(
    log: &'a LogEntryManager<U>,
    tx: &'a Transaction,
    info: &'a ModelInfo,
    cx: &'a Editing<'a>,
    object: &'a Object,
    form: &'a mut Form,
    merged: &'a Merged,
) -> Made<'a, ()> {
    Box::pin(async move {
        for change in &merged.conflicts {
            let Some(spec) = info.field(&change.field) else {
                continue;
            };
            let by = log
                .last_change_of(tx, info, &object.key, &spec.log_label)
                .await?;
            let value = shown(&change.now, cx.request.zone).unwrap_or_default();
            let error = match by {
                Some((name, entry)) => {
                    let at = entry.action_time.with_timezone(&cx.request.zone);
                    ValidationError::keyed("conflict", "admin_form.conflict_by")
                        .param("value", value)
                        .param("name", name)
                        .param("time", at.format("%Y-%m-%d %H:%M"))
                }
                None => {
                    ValidationError::keyed("conflict", "admin_form.conflict").param("value", value)
                }
            };
            form.add_error(Some(&change.field), error);
        }
        Ok(())
    })
}

/// Tells which changes of others stayed.
pub(super) fn tell_kept(info: &ModelInfo, cx: &Editing<'_>, kept: &[String]) {
    if kept.is_empty() {
        return;
    }
    let labels = kept.iter().filter_map(|name| info.field(name));
    let language = cx.request.language;
    let labels = labels.map(|spec| spec.label.in_language(language));
    let fields = ("fields", listed(language, labels));
    let text = cx.request.t("admin_form.kept", &[fields]);
    cx.request.messages.add(crate::messages::Level::Info, text);
}

/// The first of the fields that must be unique, for an error that the database found.
pub(super) fn say_taken(info: &ModelInfo, form: &mut Form) {
    let unique = form.fields().iter().map(|field| field.name().to_owned());
    let name = unique
        .into_iter()
        .find(|name| info.field(name).is_some_and(|spec| spec.unique));
    form.add_error(name.as_deref(), ValidationError::of("unique"));
}

/// Whether a failure is that of a value which somebody took meanwhile.
pub(super) fn is_taken(error: &Error) -> bool {
    matches!(error.kind(), djauth::ErrorKind::Integrity { .. })
}

/// The label of a field of the model.
pub(super) fn label(spec: &FieldSpec) -> Text {
    spec.label.clone()
}

/// Keys with names in the order in which they were asked for: of a list, its order, in which the log has
/// them in Django too.
pub(super) fn as_asked(
    mut objects: Vec<(String, String)>,
    keys: &[String],
) -> Vec<(String, String)> {
    let places: HashMap<&str, usize> = keys.iter().map(String::as_str).zip(0..).collect();
    objects.sort_by_key(|(key, _)| places.get(key.as_str()).copied());
    objects
}
