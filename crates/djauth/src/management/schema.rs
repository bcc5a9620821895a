//! What the database must hold, what is wrong with it, and the check at start-up.

use std::fmt;

use djauth_db::Executor;

use super::catalogue::{Catalogue, RECORDER};
use super::{App, UserTable};
use crate::{Error, ErrorKind};

/// Something about the database's tables that keeps us from using or from migrating them.
///
/// `Display` says what it is and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaProblem {
    /// The app has neither tables nor recorded migrations.
    NotMigrated(App),
    /// The app's migrations stop before Django 4.2's last one.
    Outdated {
        /// The app.
        app: App,
        /// The first migration that is not recorded.
        missing: &'static str,
    },
    /// A migration is recorded that Django 6.1 does not have.
    UnknownMigration {
        /// The app.
        app: App,
        /// The recorded name.
        name: String,
    },
    /// The database holds tables, and Django did not make it.
    NotDjango {
        /// Some of the tables that are there.
        tables: Vec<String>,
    },
    /// A table is there although no migration is recorded that would have made it.
    Clash {
        /// The app that wants to make it.
        app: App,
        /// The table.
        table: String,
    },
    /// A table is missing.
    MissingTable(String),
    /// The table of a user model of the project's own is missing.
    MissingUserTable(String),
    /// The table of users is missing, and is not made here because of the type of a field.
    UnknownFieldType {
        /// The table.
        table: String,
        /// The field.
        field: String,
    },
    /// A column is missing.
    MissingColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A column that we do not know must be given a value in each new row.
    UnknownRequiredColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
}

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMigrated(app) => {
                write!(f, "the app {} is not migrated: run migrate", app.label())
            }
            Self::Outdated { app, missing } => write!(
                f,
                "the schema is older than Django 4.2: migration {}.{missing} is not applied; \
                 run Django's own migrate (4.2 or newer) first",
                app.label()
            ),
            Self::UnknownMigration { app, name } => write!(
                f,
                "unknown schema: migration {}.{name} is newer than Django 6.1 or not Django's own; \
                 use Django's own migrate with this database",
                app.label()
            ),
            Self::NotDjango { tables } => write!(
                f,
                "unknown schema: there are tables ({}) but no migration of Django is recorded; use an empty \
                 database, or, if these are your application's own, say so with Builder::allow_other_tables \
                 (Migrate::allow_other_tables)",
                tables.join(", ")
            ),
            Self::Clash { app, table } => write!(
                f,
                "table {table} exists, but no migration of the app {} is recorded; rename the table, or, if Django \
                 made it, record that with Django's own `migrate --fake-initial`",
                app.label()
            ),
            Self::MissingUserTable(table) => write!(
                f,
                "the table of users {table} is missing: make it first, with your own migrations, after the app auth \
                 (Migrate::new().apps([App::Auth]) makes that alone) and before the app admin, whose log points at it; \
                 then migrate again"
            ),
            Self::UnknownFieldType { table, field } => write!(
                f,
                "the table of users {table} is missing, and the type of its field {field} is not one that is made \
                 here: make the table first"
            ),
            Self::MissingTable(table) => write!(f, "unknown schema: table {table} is missing"),
            Self::MissingColumn { table, column } => {
                write!(f, "unknown schema: column {table}.{column} is missing")
            }
            Self::UnknownRequiredColumn { table, column } => write!(
                f,
                "unknown schema: column {table}.{column} is unknown, must not be null and has no default, so no row \
                 could be added; give it a default or describe it in the user model"
            ),
        }
    }
}

impl std::error::Error for SchemaProblem {}

/// One error that names every problem.
pub(super) fn refuse(problems: &[SchemaProblem]) -> Error {
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Error::new(ErrorKind::Schema, text.join("; "))
}

/// Looks whether everything that `apps` need is there, and answers what is not, by name. Only reads.
///
/// Apps: what the caller uses. Without the log of the admin, say, leave [`App::Admin`] out. A database whose
/// `django_migrations` nobody keeps (other tools made the tables) passes if the tables and columns are right.
///
/// # Errors
/// Only when the database cannot be read.
pub async fn check_schema(
    ex: &impl Executor,
    apps: &[App],
    user: &UserTable,
) -> Result<Vec<SchemaProblem>, Error> {
    let user = user.clone().for_dialect(ex.dialect());
    Ok(problems(&Catalogue::read(ex).await?, apps, &user))
}

fn problems(found: &Catalogue, apps: &[App], user: &UserTable) -> Vec<SchemaProblem> {
    let mut problems = Vec::new();
    for app in apps {
        match recorded(found, *app) {
            Err(problem) => problems.push(problem),
            Ok(false) if !tables_of(*app, user.swapped).any(|(table, _)| found.has(table)) => {
                problems.push(SchemaProblem::NotMigrated(*app));
            }
            Ok(_) => problems.extend(missing(found, *app, user)),
        }
    }
    if apps.contains(&App::Auth) && user.swapped {
        problems.extend(missing_user(found, user));
    }
    if apps.contains(&App::Auth) {
        problems.extend(unknown_required(found, user));
    }
    problems
}

/// Whether the app's migrations are recorded: all or none. Anything else is a problem.
pub(super) fn recorded(found: &Catalogue, app: App) -> Result<bool, SchemaProblem> {
    let known = || app.migrations();
    if let Some(name) = found
        .applied_of(app.label())
        .find(|name| !known().any(|k| k == *name))
    {
        return Err(SchemaProblem::UnknownMigration {
            app,
            name: name.to_owned(),
        });
    }
    let is_applied = |name: &str| found.applied_of(app.label()).any(|applied| applied == name);
    if !known().any(is_applied) {
        return Ok(false);
    }
    match known().find(|name| !is_applied(name)) {
        Some(missing) => Err(SchemaProblem::Outdated { app, missing }),
        None => Ok(true),
    }
}

/// Tables and columns of an app that are missing.
pub(super) fn missing<'a>(
    found: &'a Catalogue,
    app: App,
    user: &UserTable,
) -> impl Iterator<Item = SchemaProblem> + use<'a> {
    tables_of(app, user.swapped).flat_map(|(table, columns)| missing_in(found, table, columns))
}

/// Tables and columns of a user model of the project's own that are missing.
fn missing_user(found: &Catalogue, user: &UserTable) -> Vec<SchemaProblem> {
    if !found.has(&user.table) {
        return vec![SchemaProblem::MissingUserTable(user.table.clone())];
    }
    let mut columns: Vec<&str> = user.columns.iter().map(String::as_str).collect();
    columns.push(&user.key);
    let mut problems = missing_in(found, &user.table, &columns);
    for (table, [owner, other]) in [
        (&user.groups_table, &user.groups_columns),
        (&user.permissions_table, &user.permissions_columns),
    ] {
        if let Some(table) = table {
            problems.extend(missing_in(found, table, &[owner, other]));
        }
    }
    problems
}

fn missing_in(found: &Catalogue, table: &str, columns: &[&str]) -> Vec<SchemaProblem> {
    if !found.has(table) {
        return vec![SchemaProblem::MissingTable(table.to_owned())];
    }
    let missing = columns
        .iter()
        .filter(|column| found.column(table, column).is_none());
    let named = |column: &&str| SchemaProblem::MissingColumn {
        table: table.to_owned(),
        column: (*column).to_owned(),
    };
    missing.map(named).collect()
}

/// Columns of the user's table that would make every INSERT fail.
fn unknown_required(found: &Catalogue, user: &UserTable) -> Vec<SchemaProblem> {
    let columns = found
        .tables
        .get(&user.table)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let known = |name: &str| name == user.key || user.columns.iter().any(|column| column == name);
    let unknown = columns
        .iter()
        .filter(|column| column.required && !known(&column.name));
    let named = |column: &super::catalogue::Column| SchemaProblem::UnknownRequiredColumn {
        table: user.table.clone(),
        column: column.name.clone(),
    };
    unknown.map(named).collect()
}

type Expected = (&'static str, &'static [&'static str]);

/// The tables of an app with their columns.
pub(super) fn tables_of(app: App, swapped: bool) -> impl Iterator<Item = Expected> {
    let tables: &'static [Expected] = match app {
        App::Admin => &ADMIN,
        App::Auth if swapped => &AUTH[..3],
        App::Auth => &AUTH,
        App::ContentTypes => &[("django_content_type", &["id", "app_label", "model"])],
        App::Sessions => &[(
            "django_session",
            &["session_key", "session_data", "expire_date"],
        )],
    };
    tables.iter().copied()
}

/// The columns of `django_migrations`.
pub(super) const RECORDER_COLUMNS: Expected = (RECORDER, &["id", "app", "name", "applied"]);

const ADMIN: [Expected; 1] = [(
    "django_admin_log",
    &[
        "id",
        "action_time",
        "user_id",
        "content_type_id",
        "object_id",
        "object_repr",
        "action_flag",
        "change_message",
    ],
)];

/// The last three are there only while the user model is Django's own.
const AUTH: [Expected; 6] = [
    (
        "auth_permission",
        &["id", "name", "content_type_id", "codename"],
    ),
    ("auth_group", &["id", "name"]),
    (
        "auth_group_permissions",
        &["id", "group_id", "permission_id"],
    ),
    (
        "auth_user",
        &[
            "id",
            "password",
            "last_login",
            "is_superuser",
            "username",
            "first_name",
            "last_name",
            "email",
            "is_staff",
            "is_active",
            "date_joined",
        ],
    ),
    ("auth_user_groups", &["id", "user_id", "group_id"]),
    (
        "auth_user_user_permissions",
        &["id", "user_id", "permission_id"],
    ),
];
