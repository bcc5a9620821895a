//! Django's four apps that authentication needs: their migrations, tables and models.

use super::ModelMeta;

/// One of Django's own apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum App {
    /// `django.contrib.admin`: the log of changes.
    Admin,
    /// `django.contrib.auth`: users, groups and permissions.
    Auth,
    /// `django.contrib.contenttypes`: the names of models.
    ContentTypes,
    /// `django.contrib.sessions`: sessions kept in the database.
    Sessions,
}

/// A migration as `django_migrations` names it: app label and name.
pub(super) type Migration = (&'static str, &'static str);

/// Django's order when the four apps are migrated together. The log of the admin points at the stock user,
/// so its migrations follow the first one of auth.
const TOGETHER: [Migration; 18] = [
    ("contenttypes", "0001_initial"),
    ("auth", "0001_initial"),
    ("admin", "0001_initial"),
    ("admin", "0002_logentry_remove_auto_add"),
    ("admin", "0003_logentry_add_action_flag_choices"),
    ("contenttypes", "0002_remove_content_type_name"),
    ("auth", "0002_alter_permission_name_max_length"),
    ("auth", "0003_alter_user_email_max_length"),
    ("auth", "0004_alter_user_username_opts"),
    ("auth", "0005_alter_user_last_login_null"),
    ("auth", "0006_require_contenttypes_0002"),
    ("auth", "0007_alter_validators_add_error_messages"),
    ("auth", "0008_alter_user_username_max_length"),
    ("auth", "0009_alter_user_last_name_max_length"),
    ("auth", "0010_alter_group_name_max_length"),
    ("auth", "0011_update_proxy_permissions"),
    ("auth", "0012_alter_user_first_name_max_length"),
    ("sessions", "0001_initial"),
];

impl App {
    /// All four, in the order of `INSTALLED_APPS` that Django's `startproject` writes.
    pub const ALL: [App; 4] = [App::Admin, App::Auth, App::ContentTypes, App::Sessions];

    /// Django's label: `admin`, `auth`, `contenttypes` or `sessions`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            App::Admin => "admin",
            App::Auth => "auth",
            App::ContentTypes => "contenttypes",
            App::Sessions => "sessions",
        }
    }

    /// The names of the app's migrations, oldest first, up to Django 6.1.
    pub fn migrations(self) -> impl Iterator<Item = &'static str> {
        TOGETHER
            .into_iter()
            .filter(move |(app, _)| *app == self.label())
            .map(|(_, name)| name)
    }

    /// The last migration of Django 4.2, which is still the last one of 6.1.
    #[must_use]
    pub fn last_migration(self) -> &'static str {
        self.migrations().last().unwrap_or_default()
    }

    /// The apps that must be there first.
    #[must_use]
    pub const fn dependencies(self) -> &'static [App] {
        match self {
            App::Admin => &[App::ContentTypes, App::Auth],
            App::Auth => &[App::ContentTypes],
            App::ContentTypes | App::Sessions => &[],
        }
    }

    /// The app's models in the order in which Django declares them. A swapped user model is left out, as in Django.
    #[must_use]
    pub fn models(self, swapped: bool) -> Vec<ModelMeta> {
        let names: &[&str] = match self {
            App::Admin => &["LogEntry"],
            App::Auth if swapped => &["Permission", "Group"],
            App::Auth => &["Permission", "Group", "User"],
            App::ContentTypes => &["ContentType"],
            App::Sessions => &["Session"],
        };
        names
            .iter()
            .map(|name| ModelMeta::new(self.label(), name))
            .collect()
    }
}

/// The migrations of `new` apps in the order in which Django would record them.
pub(super) fn in_django_order(new: &[App], swapped: bool) -> Vec<Migration> {
    let together = new.contains(&App::Admin) && !swapped;
    let mut names: Vec<Migration> = TOGETHER
        .into_iter()
        .filter(|(label, _)| new.iter().any(|app| app.label() == *label))
        .collect();
    if !together {
        names.sort_by_key(|(label, _)| match *label {
            "contenttypes" => 0,
            "auth" => 1,
            "admin" => 2,
            _ => 3,
        });
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_app_ends_where_django_does() {
        let last = App::ALL.map(|app| format!("{}.{}", app.label(), app.last_migration()));
        assert_eq!(
            last,
            [
                "admin.0003_logentry_add_action_flag_choices",
                "auth.0012_alter_user_first_name_max_length",
                "contenttypes.0002_remove_content_type_name",
                "sessions.0001_initial",
            ]
        );
        assert_eq!(App::Auth.migrations().count(), 12);
    }

    #[test]
    fn the_admin_joins_in_early_only_with_the_stock_user() {
        let position = |names: &[Migration], label| names.iter().position(|(app, _)| *app == label);
        let stock = in_django_order(&App::ALL, false);
        assert_eq!(stock.len(), 18);
        assert_eq!(position(&stock, "admin"), Some(2));
        let own = in_django_order(&App::ALL, true);
        assert_eq!(own.len(), 18);
        assert_eq!(position(&own, "admin"), Some(14));
        assert_eq!(
            in_django_order(&[App::Sessions], false),
            [("sessions", "0001_initial")]
        );
    }
}
