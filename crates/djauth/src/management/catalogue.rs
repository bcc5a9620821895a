//! What is in the database: its tables, their columns and the migrations that are recorded.

use std::collections::BTreeMap;

use djauth_db::{Dialect, Executor, Row, Sql};

use crate::Error;

/// A column as the database describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// In the database's own words.
    pub(super) sql_type: String,
    /// Not null and without a default: an INSERT must name it.
    pub(super) required: bool,
}

/// Tables, columns and recorded migrations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Catalogue {
    pub(super) tables: BTreeMap<String, Vec<Column>>,
    /// App and name of each row of `django_migrations`, oldest first.
    pub(super) applied: Vec<(String, String)>,
}

/// `django_migrations`.
pub(super) const RECORDER: &str = "django_migrations";

impl Catalogue {
    pub(super) async fn read(ex: &impl Executor) -> Result<Self, Error> {
        let mut found = Catalogue {
            tables: tables(ex).await?,
            applied: Vec::new(),
        };
        if found.has(RECORDER) {
            found.applied = ex
                .fetch(&APPLIED, &[], |row| Ok((row.get(0)?, row.get(1)?)))
                .await?;
        }
        Ok(found)
    }

    pub(super) fn has(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    pub(super) fn column(&self, table: &str, column: &str) -> Option<&Column> {
        self.tables
            .get(table)?
            .iter()
            .find(|found| found.name == column)
    }

    /// The recorded migrations of one app, oldest first.
    pub(super) fn applied_of<'a>(&'a self, app: &'a str) -> impl Iterator<Item = &'a str> {
        self.applied
            .iter()
            .filter(move |(label, _)| label == app)
            .map(|(_, name)| name.as_str())
    }
}

async fn tables(ex: &impl Executor) -> Result<BTreeMap<String, Vec<Column>>, Error> {
    let columns = match ex.dialect() {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
        Dialect::Mysql => &MARIADB,
    };
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for (table, column) in ex.fetch(columns, &[], read).await? {
        let found = tables.entry(table).or_default();
        found.extend(column);
    }
    Ok(tables)
}

/// A table with one of its columns, or with none when it has none.
fn read(row: &Row<'_>) -> djauth_db::Result<(String, Option<Column>)> {
    let name: Option<String> = row.get(1)?;
    let Some(name) = name else {
        return Ok((row.get(0)?, None));
    };
    let required = row.get::<i64>(3)? != 0;
    Ok((
        row.get(0)?,
        Some(Column {
            name,
            sql_type: row.get(2)?,
            required,
        }),
    ))
}

static APPLIED: Sql = Sql::new("SELECT app, name FROM django_migrations ORDER BY id");

/// SQLite's own tables stay out of it. Views and virtual tables are named without their columns, which could not be
/// read when what they are made of is gone.
static SQLITE: Sql = Sql::new(
    r"SELECT t.name, c.name, c.type, c.[notnull] AND c.dflt_value IS NULL AND NOT c.pk
        FROM sqlite_master t
        LEFT JOIN pragma_table_info(
              CASE WHEN t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL%' THEN t.name END) c
       WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'
       ORDER BY t.name, c.cid",
);

/// Every relation that an unqualified name would find, or that a new table would meet; not those that an extension
/// brought along.
static POSTGRES: Sql = Sql::new(
    "SELECT t.relname::text, c.attname::text, format_type(c.atttypid, c.atttypmod),
            CAST(CAST(c.attnotnull AND NOT c.atthasdef AND c.attidentity = '' AS integer) AS bigint)
       FROM pg_class t
       JOIN pg_namespace n ON n.oid = t.relnamespace
       LEFT JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
      WHERE t.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_table_is_visible(t.oid)
        AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
        AND NOT EXISTS (SELECT 1 FROM pg_depend d
                         WHERE d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e')
      ORDER BY t.relname, c.attnum",
);

static MARIADB: Sql = Sql::new(
    "SELECT CAST(c.table_name AS CHAR), CAST(c.column_name AS CHAR), CAST(c.column_type AS CHAR),
            c.is_nullable = 'NO' AND c.column_default IS NULL AND c.extra = ''
       FROM information_schema.columns c WHERE c.table_schema = DATABASE()
      ORDER BY c.table_name, c.ordinal_position",
);
