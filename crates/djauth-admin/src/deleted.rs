//! What a deletion takes along: `get_deleted_objects` of `django/contrib/admin/utils.py`.

use std::collections::{BTreeMap, HashMap};

use djauth::base_user::UserLinkTables;
use djauth::i18n::{Language, gettext};
use djauth::models::LinkedTo;
use minijinja::{Value, context};

use crate::model::{Actor, ModelId, Object, Registered};
use crate::models::LogEntry;
use crate::request::Route;
use crate::sites::SiteInfo;

/// Objects whose links are named.
pub(crate) const CHUNK: usize = 100;
/// Rows of one link table that are named.
pub(crate) const LINES_SHOWN: u64 = 50;

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
    /// The other ends of link rows that go along, as far as they are shown, by the objects' keys.
    links: HashMap<String, Vec<LinkedTo>>,
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
            links: HashMap::new(),
        }
    }

    /// A link row that goes with the object of this key.
    pub(crate) fn link(&mut self, key: String, end: LinkedTo) {
        self.links.entry(key).or_default().push(end);
    }

    /// Names only what who deletes objects of a model may see; the rest is counted. Names of groups and
    /// permissions stand on the page that shows the object too.
    pub(crate) fn seen_by(mut self, actor: &Actor, model: ModelId) -> Self {
        let shown = actor.rights(model).view;
        let permissions = shown || actor.may("auth.view_permission");
        let groups = shown || actor.rights(ModelId::Groups).view;
        let members = actor.rights(ModelId::Users).view;
        let is_seen = |end: &LinkedTo| match end {
            LinkedTo::Group(_) => groups,
            LinkedTo::Member(_) => members,
            LinkedTo::Permission(_) => permissions,
            _ => false,
        };
        for ends in self.links.values_mut() {
            ends.retain(is_seen);
        }
        self
    }

    /// What goes with one object, a line for each link.
    pub(crate) fn lines(&self, key: &str, language: Language) -> Value {
        let ends = self.links.get(key).into_iter().flatten();
        ends.map(|end| line(end, language)).collect()
    }

    /// How many link rows are only counted.
    fn unnamed(&self) -> u64 {
        let is_link = |kind: &Kind| matches!(kind, Kind::Memberships | Kind::Permissions);
        let links = self.rows.iter().filter(|(kind, _)| is_link(kind));
        let named = self.links.values().map(Vec::len).sum::<usize>() as u64;
        let all: u64 = links.map(|(_, count)| count).sum();
        all.saturating_sub(named)
    }

    pub(crate) fn with_entries(mut self, entries: Vec<LogEntry>) -> Self {
        self.entries = entries;
        self
    }

    /// Whether something forbids the deletion.
    pub(crate) fn is_blocked(&self) -> bool {
        !self.blocking.is_empty()
    }

    /// For `includes/object_delete_summary.html`: `objects` (each `repr`, `url`, `lines`), `more`,
    /// `more_lines`, `summary` and `protected` (each `label`, `count`), `entries`.
    pub(crate) fn value(&self, info: &SiteInfo, model: &Registered, language: Language) -> Value {
        let most = usize::try_from(model.options.delete_confirmation_max_display);
        let most = most.unwrap_or(usize::MAX);
        let object = |(key, repr): &(String, String)| {
            let url = info.url(&Route::Change(model.id, key.clone()));
            context! { repr, url, lines => self.lines(key, language) }
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
            more_lines => self.unnamed(),
            summary => std::iter::once(own).chain(self.rows.iter().map(row)).collect::<Value>(),
            protected => protected.map(|(label, count)| context! { label, count }).collect::<Value>(),
            entries => entries.map(Value::from).collect::<Value>(),
        }
    }
}

fn line(end: &LinkedTo, language: Language) -> String {
    let (key, name) = match end {
        LinkedTo::Group(name) => ("admin_form.line_group", name),
        LinkedTo::Member(name) => ("admin_form.line_member", name),
        LinkedTo::Permission(name) => ("admin_form.line_permission", name),
        _ => return String::new(),
    };
    gettext(language, key, &[("name", name.clone())])
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
