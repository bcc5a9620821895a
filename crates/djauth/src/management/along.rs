//! Apps that are not Django's own, and whose tables are made along in the databases that we make, in the layout that
//! Django sites know them by: whoever adds the app to a Django site later finds its migrations applied.
//!
//! In a database that Django made they are never made; there they are used if they are there.

use djauth_db::Dialect;

use super::apps::Migration;
use super::catalogue::Catalogue;
use super::plan::{LOGIN_ATTEMPTS, is_marked};
use super::tables::{self, Table};

/// An app with its migrations, oldest first, and its tables.
pub(super) struct Along {
    label: &'static str,
    migrations: &'static [&'static str],
    tables: fn(Dialect) -> &'static [Table],
}

/// django-axes: the log of logins and of failures.
const AXES: Along = Along {
    label: "axes",
    migrations: &[
        "0001_initial",
        "0002_auto_20151217_2044",
        "0003_auto_20160322_0929",
        "0004_auto_20181024_1538",
        "0005_remove_accessattempt_trusted",
        "0006_remove_accesslog_trusted",
        "0007_alter_accessattempt_unique_together",
        "0008_accessfailurelog",
        "0009_add_session_hash",
        "0010_accessattemptexpiration",
    ],
    tables: tables::axes,
};

const ALL: [Along; 1] = [AXES];

impl Along {
    /// As `django_migrations` names them.
    pub(super) fn migrations(&self) -> impl Iterator<Item = Migration> {
        let label = self.label;
        self.migrations.iter().map(move |name| (label, *name))
    }

    pub(super) fn tables(&self, dialect: Dialect) -> &'static [Table] {
        (self.tables)(dialect)
    }

    /// Whether nothing of it is there but what an interrupted run of ours has left.
    fn is_missing(&self, found: &Catalogue, dialect: Dialect) -> bool {
        let free = |table: &Table| !found.has(table.name) || is_marked(found, table.name);
        found.applied_of(self.label).next().is_none() && self.tables(dialect).iter().all(free)
    }
}

/// Those that are to be made. `new`: the database is being made by us. One that has our own table we made earlier.
pub(super) fn missing(
    found: &Catalogue,
    new: bool,
    dialect: Dialect,
) -> impl Iterator<Item = &'static Along> {
    let ours = new || found.has(LOGIN_ATTEMPTS);
    ALL.iter()
        .filter(move |app| ours && app.is_missing(found, dialect))
}
