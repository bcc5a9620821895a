//! What a migration would do: a pure function of what the database holds.

use std::fmt;

use djauth_db::Dialect;

use super::along;
use super::apps::{self, Migration};
use super::catalogue::{Catalogue, RECORDER};
use super::schema::{self, RECORDER_COLUMNS, SchemaProblem};
use super::tables::{self, Made, Table, UserReference};
use super::{App, UserTable};

/// Migrations that are not applied yet, in the order in which Django would apply them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    migrations: Vec<Migration>,
    tables: Vec<String>,
}

impl Plan {
    pub(super) fn new(work: Work) -> Self {
        Plan {
            migrations: [work.migrations, work.along].concat(),
            tables: work.own,
        }
    }

    /// The tables of an own user model that no migration makes.
    pub fn tables(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tables.iter().map(String::as_str)
    }

    /// App label and name of each migration.
    pub fn migrations(&self) -> impl ExactSizeIterator<Item = (&'static str, &'static str)> + '_ {
        self.migrations.iter().copied()
    }

    /// Whether there is nothing to do: `migrate --check` passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.migrations.is_empty() && self.tables.is_empty()
    }
}

/// One line for each migration: `auth.0001_initial`.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (app, name)) in self.migrations.iter().enumerate() {
            let line_break = if number == 0 { "" } else { "\n" };
            write!(f, "{line_break}{app}.{name}")?;
        }
        Ok(())
    }
}

/// What is wanted of the database.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) apps: Vec<App>,
    pub(super) user: UserTable,
    pub(super) allow_other_tables: bool,
}

/// What has to be done.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Whether `django_migrations` itself is missing.
    pub(super) recorder: bool,
    /// Apps that become part of the database.
    pub(super) new: Vec<App>,
    /// Apps that are part of it in the end.
    pub(super) installed: Vec<App>,
    /// Tables of the new apps; those that an interrupted run has made are among them.
    pub(super) tables: Vec<Made>,
    /// Which of them are those of the user model.
    pub(super) own: Vec<String>,
    pub(super) migrations: Vec<Migration>,
    /// Those of apps that are not Django's own.
    pub(super) along: Vec<Migration>,
}

/// The table of the login rate limit.
pub(super) const LOGIN_ATTEMPTS: &str = "djauth_login_attempts";

/// The table of users' sessions, which is django-allauth's.
pub(super) const USER_SESSIONS: &str = "usersessions_usersession";

/// The migration of django-allauth that makes it.
const USER_SESSIONS_MIGRATION: Migration = ("usersessions", "0001_initial");

/// The label under which an interrupted run on MariaDB left the names of the tables that it was about to make.
pub(super) const MARK: &str = "djauth";

/// Decides, or says what is in the way.
pub(super) fn work(
    found: &Catalogue,
    wanted: &Wanted,
    dialect: Dialect,
) -> Result<Work, Vec<SchemaProblem>> {
    if let Some(problem) = foreign(found, wanted) {
        return Err(vec![problem]);
    }
    let apps = with_dependencies(found, &wanted.apps);
    let mut work = Work {
        recorder: !found.has(RECORDER),
        installed: apps.clone(),
        ..Work::default()
    };
    let mut problems = Vec::new();
    for app in apps {
        match schema::recorded(found, app) {
            Err(problem) => problems.push(problem),
            Ok(true) => problems.extend(schema::missing(found, app, &wanted.user)),
            Ok(false) => {
                problems.extend(clashes(found, app, wanted.user.swapped));
                work.new.push(app);
            }
        }
    }
    let mut keep = |problem| problems.push(problem);
    let own = own_tables(found, wanted, &work, dialect);
    let own = own.map_err(&mut keep).unwrap_or_default();
    work.own = own.iter().map(|table| table.name.clone()).collect();
    let reference = user_reference(found, &wanted.user, &work.own, dialect);
    // Where users are not kept yet, their sessions are not either: a later run makes that table.
    let sessions = wants_user_sessions(found, &work) && reference.is_ok();
    let mut user = None;
    if work.new.contains(&App::Admin) || sessions {
        user = reference.map_err(&mut keep).ok();
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let made = |table: &'static Table| Made::of(table, dialect, user.as_ref());
    let new_tables = |app: &App| tables::of(*app, dialect, wanted.user.swapped);
    let new = by_dependency(&work.new);
    // The log of the admin points at the user's table.
    let (first, last): (Vec<_>, Vec<_>) = new.into_iter().partition(|app| *app != App::Admin);
    let first = first.iter().flat_map(new_tables).map(made);
    let last = last.iter().flat_map(new_tables).map(made);
    work.tables = first.chain(own).chain(last).collect();
    let ours = wants_login_attempts(found, &work);
    if ours {
        work.tables.push(made(tables::login_attempts(dialect)));
    }
    for app in along::missing(found, ours, dialect) {
        work.tables.extend(app.tables(dialect).iter().map(made));
        work.along.extend(app.migrations());
    }
    work.migrations = apps::in_django_order(&work.new, wanted.user.swapped);
    if sessions {
        work.tables.push(made(tables::user_sessions(dialect)));
        work.migrations.push(USER_SESSIONS_MIGRATION);
    }
    Ok(work)
}

/// Our own table comes into databases that we make, and into no other.
fn wants_login_attempts(found: &Catalogue, work: &Work) -> bool {
    let users = work.new.contains(&App::Auth);
    users && (found.applied.is_empty() || is_marked(found, LOGIN_ATTEMPTS))
}

/// The table of users' sessions comes where ours does, also if that was made by a version that did not
/// know the other one. Beside a Django that has it, it is that Django's.
fn wants_user_sessions(found: &Catalogue, work: &Work) -> bool {
    if is_marked(found, USER_SESSIONS) {
        return true;
    }
    let (app, _) = USER_SESSIONS_MIGRATION;
    let new = !found.has(USER_SESSIONS) && found.applied_of(app).next().is_none();
    let own = wants_login_attempts(found, work) || found.has(LOGIN_ATTEMPTS);
    new && own && work.installed.contains(&App::Auth)
}

/// The apps asked for, those that they need, and those that an interrupted run had begun; in Django's order.
fn with_dependencies(found: &Catalogue, asked: &[App]) -> Vec<App> {
    let begun =
        |app: &App| schema::tables_of(*app, false).any(|(table, _)| is_marked(found, table));
    let roots: Vec<App> = App::ALL
        .into_iter()
        .filter(|app| asked.contains(app) || begun(app))
        .collect();
    let needed = |app: &App| {
        roots
            .iter()
            .any(|root| root == app || root.dependencies().contains(app))
    };
    App::ALL.into_iter().filter(needed).collect()
}

/// The order in which the apps' tables can be made.
fn by_dependency(apps: &[App]) -> Vec<App> {
    let mut apps = apps.to_vec();
    apps.sort_by_key(|app| app.dependencies().len());
    apps
}

/// Whether this is somebody else's database: tables, but no sign of Django or of us.
fn foreign(found: &Catalogue, wanted: &Wanted) -> Option<SchemaProblem> {
    let (recorder, columns) = RECORDER_COLUMNS;
    if found.has(recorder)
        && columns
            .iter()
            .any(|column| found.column(recorder, column).is_none())
    {
        return Some(SchemaProblem::NotDjango {
            tables: vec![recorder.to_owned()],
        });
    }
    let expected = |table: &str| wanted.user.swapped && is_users(&wanted.user, table);
    let others: Vec<String> = found
        .tables
        .keys()
        .filter(|table| *table != recorder && !expected(table))
        .cloned()
        .collect();
    let ours = |table: &String| {
        App::ALL
            .into_iter()
            .flat_map(|app| schema::tables_of(app, false))
            .any(|(t, _)| t == table)
    };
    let tolerated = wanted.allow_other_tables && !others.iter().any(ours);
    if !found.applied.is_empty() || others.is_empty() || tolerated {
        return None;
    }
    Some(SchemaProblem::NotDjango {
        tables: others.into_iter().take(10).collect(),
    })
}

fn is_users(user: &UserTable, table: &str) -> bool {
    [
        Some(&user.table),
        user.groups_table.as_ref(),
        user.permissions_table.as_ref(),
    ]
    .into_iter()
    .flatten()
    .any(|own| own == table)
}

/// Tables of an app that is not recorded, which are there all the same and not by our own doing.
fn clashes(found: &Catalogue, app: App, swapped: bool) -> Vec<SchemaProblem> {
    schema::tables_of(app, swapped)
        .filter(|(table, _)| found.has(table) && !is_marked(found, table))
        .map(|(table, _)| SchemaProblem::Clash {
            app,
            table: table.to_owned(),
        })
        .collect()
}

/// Whether an interrupted run left word that it makes this table.
pub(super) fn is_marked(found: &Catalogue, table: &str) -> bool {
    found.applied_of(MARK).any(|name| name == table)
}

/// The tables of an own user model that are to be made: all of them where the user's is missing or was begun.
/// None where nothing is known of its fields, or where its own migrations are recorded.
fn own_tables(
    found: &Catalogue,
    wanted: &Wanted,
    work: &Work,
    dialect: Dialect,
) -> Result<Vec<Made>, SchemaProblem> {
    let user = &wanted.user;
    let wants = user.swapped && !user.fields.is_empty() && work.installed.contains(&App::Auth);
    let missing = !found.has(&user.table) || is_marked(found, &user.table);
    let by_django = found.applied_of(&user.app_label).next().is_some();
    if !wants || !missing || by_django {
        return Ok(Vec::new());
    }
    tables::own::tables(user, dialect).map_err(|field| SchemaProblem::UnknownFieldType {
        table: user.table.clone(),
        field,
    })
}

/// What the log of the admin will point at: the stock user that is made along, or the table that is there.
fn user_reference(
    found: &Catalogue,
    user: &UserTable,
    own: &[String],
    dialect: Dialect,
) -> Result<UserReference, SchemaProblem> {
    let key_type = match found.column(&user.table, &user.key) {
        // SQLite answers the usual types in capitals, whatever was written.
        Some(column) if dialect == Dialect::Sqlite => column.sql_type.to_lowercase(),
        Some(column) => column.sql_type.clone(),
        None if !user.swapped => "integer".to_owned(),
        None if own.contains(&user.table) => {
            let missing = |_| SchemaProblem::MissingUserTable(user.table.clone());
            tables::own::key_type(user, dialect).map_err(missing)?
        }
        None if !found.has(&user.table) => {
            return Err(SchemaProblem::MissingUserTable(user.table.clone()));
        }
        None => {
            return Err(SchemaProblem::MissingColumn {
                table: user.table.clone(),
                column: user.key.clone(),
            });
        }
    };
    Ok(UserReference {
        table: user.table.clone(),
        key: user.key.clone(),
        key_type,
    })
}

#[cfg(test)]
mod tests;
