//! What a deletion takes along: `get_deleted_objects` of `django/contrib/admin/utils.py`.

use std::collections::BTreeMap;

use djauth::base_user::UserLinkTables;
use djauth::i18n::{Language, gettext};
use minijinja::{Value, context};

use crate::model::{Object, Registered};
use crate::models::LogEntry;
use crate::request::Route;
use crate::sites::SiteInfo;

/// What goes with objects that are deleted.
#[derive(Default)]
pub(crate) struct Going {
    /// Keys and names.
    pub(crate) objects: Vec<(String, String)>,
    /// Rows of other tables, by what they are.
    pub(crate) rows: Vec<(Kind, u64)>,
    /// Rows of tables that only Django knows what to do with: they forbid the deletion.
    pub(crate) blocking: BTreeMap<String, u64>,
    /// Entries of the log that go along, as far as they are shown.
    entries: Vec<LogEntry>,
}

/// What rows are, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Memberships,
    Permissions,
    Entries,
    Sessions,
    /// Of a table that the application registered.
    Other(String),
}

impl Kind {
    fn of(table: &str, links: Option<&UserLinkTables>) -> Self {
        let is = |link: fn(&UserLinkTables) -> &str| links.is_some_and(|l| link(l) == table);
        if is(|links| &links.groups.table) || table == "auth_user_groups" {
            Kind::Memberships
        } else if is(|links| &links.user_permissions.table) || table == "auth_group_permissions" {
            Kind::Permissions
        } else if table == "django_admin_log" {
            Kind::Entries
        } else if table == "usersessions_usersession" {
            Kind::Sessions
        } else {
            Kind::Other(table.to_owned())
        }
    }

    fn label(&self, language: Language) -> String {
        match self {
            Kind::Memberships => gettext(language, "admin_form.rows_memberships", &[]),
            Kind::Permissions => gettext(language, "admin_form.rows_permissions", &[]),
            Kind::Entries => gettext(language, "admin_form.rows_entries", &[]),
            Kind::Sessions => gettext(language, "admin_form.rows_sessions", &[]),
            Kind::Other(table) => table.clone(),
        }
    }
}

impl Going {
    pub(crate) fn new(
        objects: Vec<Object>,
        going: djauth::models::Going,
        links: Option<&UserLinkTables>,
    ) -> Self {
        let rows = going.rows.tables.into_iter();
        Self {
            objects: objects.into_iter().map(|o| (o.key, o.repr)).collect(),
            rows: rows
                .map(|(table, rows)| (Kind::of(&table, links), rows))
                .collect(),
            blocking: going.blocking.tables,
            entries: Vec::new(),
        }
    }

    pub(crate) fn with_entries(mut self, entries: Vec<LogEntry>) -> Self {
        self.entries = entries;
        self
    }

    /// Whether something forbids the deletion.
    pub(crate) fn is_blocked(&self) -> bool {
        !self.blocking.is_empty()
    }

    /// For `includes/object_delete_summary.html`: `objects` (each `repr`, `url`), `more`, `summary` and
    /// `protected` (each `label`, `count`), `entries`.
    pub(crate) fn value(&self, info: &SiteInfo, model: &Registered, language: Language) -> Value {
        let most = usize::try_from(model.options.delete_confirmation_max_display);
        let most = most.unwrap_or(usize::MAX);
        let object = |(key, repr): &(String, String)| {
            context! { repr, url => info.url(&Route::Change(model.id, key.clone())) }
        };
        let row = |(kind, count): &(Kind, u64)| {
            context! { label => kind.label(language), count }
        };
        let own = context! {
            label => model.info.verbose_name_plural.in_language(language),
            count => self.objects.len(),
        };
        let protected = self.blocking.iter();
        let entries = self.entries.iter().map(|entry| entry.object_repr.as_str());
        context! {
            objects => self.objects.iter().take(most).map(object).collect::<Value>(),
            more => self.objects.len().saturating_sub(most),
            summary => std::iter::once(own).chain(self.rows.iter().map(row)).collect::<Value>(),
            protected => protected.map(|(label, count)| context! { label, count }).collect::<Value>(),
            entries => entries.map(Value::from).collect::<Value>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_tables_are_known_by_what_they_link() {
        assert_eq!(Kind::of("auth_user_groups", None), Kind::Memberships);
        assert_eq!(Kind::of("auth_group_permissions", None), Kind::Permissions);
        assert_eq!(Kind::of("django_admin_log", None), Kind::Entries);
        assert_eq!(Kind::of("usersessions_usersession", None), Kind::Sessions);
        assert_eq!(Kind::of("pets", None), Kind::Other("pets".into()));
    }
}
