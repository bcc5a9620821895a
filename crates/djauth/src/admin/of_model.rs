//! The `UserAdmin` of a user model for which nobody wrote one.

use std::collections::HashSet;
use std::sync::LazyLock;

use parking_lot::Mutex;

use super::{Fieldset, UserAdmin};
use crate::base_user::{FieldInfo, FieldKind, UserFlag, UserMeta};

impl UserAdmin {
    /// How users of this model are shown: Django's own `UserAdmin` where it has Django's own fields,
    /// otherwise what its fields suggest.
    ///
    /// Names of models that the settings describe live as long as the program, once each.
    #[must_use]
    pub fn of(meta: &UserMeta) -> Self {
        if has_djangos_fields(meta) {
            return Self::default();
        }
        let shown = shown(meta);
        Self {
            list_display: shown.clone().chain(flag(&meta.is_staff)).collect(),
            list_filter: flags(meta).chain(link(meta, "groups")).collect(),
            search_fields: shown.filter(|name| is_text(meta, name)).collect(),
            ordering: vec![interned(&meta.username_field)],
            filter_horizontal: links(meta).collect(),
            fieldsets: fieldsets(meta),
            add_fieldsets: add_fieldsets(meta),
            readonly_fields: names(meta, |field| field.kind == FieldKind::Bytes),
            ..Self::default()
        }
    }
}

/// Whether every field is one of those that Django's user has, and none is missing.
fn has_djangos_fields(meta: &UserMeta) -> bool {
    let stock = UserMeta::declared::<crate::models::User>();
    let names = |meta: &UserMeta| -> HashSet<String> {
        let fields = meta.fields.iter().map(|field| field.name.to_string());
        fields.collect()
    };
    meta.is_stock()
        || (names(meta) == names(&stock)
            && meta.username_field == "username"
            && meta.links.is_some())
}

/// The login name, the address, and what must be given.
fn shown(meta: &UserMeta) -> impl Iterator<Item = &'static str> + Clone {
    let mut shown = vec![interned(&meta.username_field)];
    let email = Some(&meta.email_field).filter(|name| meta.field(name).is_some());
    for name in email.into_iter().chain(&meta.required_fields) {
        if !shown.contains(&name.as_str()) {
            shown.push(interned(name));
        }
    }
    shown.into_iter()
}

fn flag(flag: &UserFlag) -> Option<&'static str> {
    match flag {
        UserFlag::Field(name) => Some(interned(name)),
        UserFlag::Always(_) => None,
    }
}

fn flags(meta: &UserMeta) -> impl Iterator<Item = &'static str> {
    let flags = [&meta.is_active, &meta.is_staff, &meta.is_superuser];
    flags.into_iter().filter_map(flag)
}

fn link(meta: &UserMeta, name: &'static str) -> Option<&'static str> {
    meta.links.as_ref().map(|_| name)
}

fn links(meta: &UserMeta) -> impl Iterator<Item = &'static str> {
    ["groups", "user_permissions"]
        .into_iter()
        .filter_map(|name| link(meta, name))
}

fn is_text(meta: &UserMeta, name: &str) -> bool {
    meta.field(name)
        .is_none_or(|field| field.kind == FieldKind::Text)
}

fn names(meta: &UserMeta, wanted: impl Fn(&FieldInfo) -> bool) -> Vec<&'static str> {
    let fields = meta.fields.iter().filter(|field| wanted(field));
    fields.map(|field| interned(&field.name)).collect()
}

fn fieldsets(meta: &UserMeta) -> Vec<Fieldset> {
    let flags: Vec<_> = flags(meta).collect();
    let is_moment = |field: &FieldInfo| field.kind == FieldKind::DateTime;
    let is_personal = |field: &FieldInfo| {
        let name = &*field.name;
        let elsewhere = [&*meta.username_field, "password", &*meta.pk].contains(&name);
        !elsewhere && !is_moment(field) && !flags.contains(&name)
    };
    let rights = flags.iter().copied().chain(links(meta)).collect();
    let sets = [
        (None, vec![interned(&meta.username_field), "password"]),
        (Some("personal_info"), names(meta, is_personal)),
        (Some("permissions"), rights),
        (Some("important_dates"), names(meta, is_moment)),
    ];
    let sets = sets.into_iter().filter(|(_, fields)| !fields.is_empty());
    sets.map(|(name, fields)| Fieldset::new(name, &fields))
        .collect()
}

fn add_fieldsets(meta: &UserMeta) -> Vec<Fieldset> {
    let required = meta.required_fields.iter().map(|name| interned(name));
    let asked = std::iter::once(interned(&meta.username_field)).chain(required);
    let fields: Vec<_> = asked
        .chain(["usable_password", "password1", "password2"])
        .collect();
    vec![Fieldset {
        classes: vec!["wide"],
        ..Fieldset::new(None, &fields)
    }]
}

/// The name for as long as the program runs; each is kept once, so that no more is kept than the models
/// have fields.
fn interned(name: &str) -> &'static str {
    static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut names = NAMES.lock();
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::User;

    #[test]
    fn djangos_user_is_shown_as_django_shows_it() {
        assert_eq!(
            UserAdmin::of(&UserMeta::declared::<User>()),
            UserAdmin::default()
        );
    }

    #[test]
    fn another_model_is_shown_by_its_fields() {
        let mut meta = UserMeta::declared::<User>();
        meta.app_label = "clubs".to_owned();
        meta.fields.retain(|field| {
            !["first_name", "last_name", "username", "is_staff"].contains(&&*field.name)
        });
        meta.fields.push(FieldInfo::new("badge", FieldKind::Bytes));
        meta.username_field = "email".to_owned();
        meta.is_staff = UserFlag::Always(false);
        meta.links = None;
        let admin = UserAdmin::of(&meta);
        assert_eq!(admin.list_display, ["email"]);
        assert_eq!(admin.list_filter, ["is_active", "is_superuser"]);
        assert_eq!(admin.search_fields, ["email"]);
        assert_eq!(admin.fieldsets[0].fields, ["email", "password"]);
        assert_eq!(admin.fieldsets[1].fields, ["badge"]);
        assert_eq!(admin.readonly_fields, ["badge"]);
        assert!(admin.filter_horizontal.is_empty());
        assert_eq!(admin.fieldsets.len(), 4);
    }

    #[test]
    fn names_are_kept_once() {
        let first = interned(&String::from("nickname"));
        assert!(std::ptr::eq(first, interned(&String::from("nickname"))));
    }
}
