//! Deletes that cascade as Django's do: in the application, in one transaction, children first.

use std::collections::BTreeMap;

use super::link::Link;
use super::query::key_values;
use super::table::{Entity, Table};
use crate::apps::{Dependant, OnDelete, Referred};
use crate::base_user::{BaseUser, UserId};
use crate::db::{Dialect, Executor, Field, Sql, Transaction, Value, quote_name};
use crate::{Auth, Error, usersessions};

/// Keys in one statement.
const CHUNK: usize = 400;

/// What a delete took away, row for row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// Rows of all tables together.
    pub total: u64,
    /// Rows of each table that lost any.
    pub tables: BTreeMap<String, u64>,
}

impl Deleted {
    fn count(&mut self, table: &str, rows: u64) {
        if rows > 0 {
            self.total += rows;
            *self.tables.entry(table.to_owned()).or_default() += rows;
        }
    }
}

/// What a deletion would do, before it is done: Django's `Collector`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Going {
    /// Rows of other tables that would go along.
    pub rows: Deleted,
    /// Rows of tables that nobody registered and that refer to what is deleted: only Django knows what
    /// becomes of them, so the database would refuse.
    pub blocking: Deleted,
}

/// What must go, or be emptied, with rows of one table.
struct Reference {
    table: String,
    /// The table, quoted.
    name: String,
    /// Quoted.
    column: String,
    on_delete: OnDelete,
}

impl Reference {
    fn new(table: &str, column: &str, on_delete: OnDelete) -> Self {
        Self {
            table: table.to_owned(),
            name: quote_name(table).into_owned(),
            column: quote_name(column).into_owned(),
            on_delete,
        }
    }

    fn cascade(table: &str, column: &str) -> Self {
        Self::new(table, column, OnDelete::Cascade)
    }

    /// The rows of a link that belong to the one who is deleted.
    fn owner(link: &Link) -> Self {
        Self {
            column: link.owner.clone(),
            ..Self::target(link)
        }
    }

    /// The rows of a link that point at what is deleted.
    fn target(link: &Link) -> Self {
        Self {
            table: link.name.clone(),
            name: link.table.clone(),
            column: link.target.clone(),
            on_delete: OnDelete::Cascade,
        }
    }

    fn from_dependant(dependant: &Dependant) -> Self {
        Self::new(dependant.table(), dependant.column(), dependant.on_delete())
    }

    fn statement(&self, keys: usize) -> Sql {
        let (table, column) = (&self.name, &self.column);
        let marks = vec!["?"; keys].join(", ");
        let verb = match self.on_delete {
            OnDelete::Cascade => format!("DELETE FROM {table}"),
            OnDelete::SetNull => format!("UPDATE {table} SET {column} = NULL"),
        };
        Sql::generated(format!("{verb} WHERE {column} IN ({marks})"), None)
    }

    /// How many rows it would take.
    async fn count<I: Field>(&self, ex: &impl Executor, ids: &[I]) -> Result<u64, Error> {
        let (table, column) = (&self.name, &self.column);
        let mut found = 0;
        for chunk in ids.chunks(CHUNK) {
            let marks = vec!["?"; chunk.len()].join(", ");
            let text = format!("SELECT COUNT(*) FROM {table} WHERE {column} IN ({marks})");
            let sql = Sql::generated(text, None);
            let params = key_values(chunk);
            let rows = ex.fetch_optional(&sql, &params, |row| row.get::<i64>(0));
            found += u64::try_from(rows.await?.unwrap_or_default()).unwrap_or_default();
        }
        Ok(found)
    }

    async fn apply<I: Field>(
        &self,
        tx: &Transaction,
        ids: &[I],
        deleted: &mut Deleted,
    ) -> Result<(), Error> {
        for chunk in ids.chunks(CHUNK) {
            let rows = tx
                .execute(&self.statement(chunk.len()), key_values(chunk))
                .await?;
            if self.on_delete == OnDelete::Cascade {
                deleted.count(&self.table, rows);
            }
        }
        Ok(())
    }
}

/// Deletes users with their links, their log entries and the rows of registered tables.
pub(crate) async fn users<U: BaseUser>(
    auth: &Auth<U>,
    ex: &impl Executor,
    ids: &[U::Id],
) -> Result<Deleted, Error> {
    let tx = ex.begin().await?;
    let references = of_users(auth, &tx).await?;
    finish(&auth.model().users, tx, references, ids).await
}

async fn of_users<U: BaseUser>(
    auth: &Auth<U>,
    ex: &impl Executor,
) -> Result<Vec<Reference>, Error> {
    let mut references = registered(auth, Referred::User);
    if let Some(links) = &auth.model().links {
        references.push(Reference::owner(&links.groups));
        references.push(Reference::owner(&links.user_permissions));
    }
    if has_admin_log(auth, ex).await? {
        references.push(Reference::cascade("django_admin_log", "user_id"));
    }
    let registered = references
        .iter()
        .any(|known| known.table == usersessions::TABLE);
    if !registered && has_table(ex, usersessions::TABLE).await? {
        references.push(Reference::cascade(usersessions::TABLE, "user_id"));
    }
    Ok(references)
}

/// Deletes groups with their links.
pub(crate) async fn groups<U: BaseUser>(
    auth: &Auth<U>,
    ex: &impl Executor,
    ids: &[i32],
) -> Result<Deleted, Error> {
    let tx = ex.begin().await?;
    finish(&auth.model().groups, tx, of_groups(auth), ids).await
}

fn of_groups<U: BaseUser>(auth: &Auth<U>) -> Vec<Reference> {
    let mut references = registered(auth, Referred::Group);
    references.push(Reference::cascade("auth_group_permissions", "group_id"));
    if let Some(links) = &auth.model().links {
        references.push(Reference::target(&links.groups));
    }
    references
}

/// What would go with users, and what forbids it.
pub(crate) async fn going_users<U: BaseUser>(
    auth: &Auth<U>,
    ex: &impl Executor,
    ids: &[U::Id],
) -> Result<Going, Error> {
    let references = of_users(auth, ex).await?;
    going(&auth.model().users.table, ex, &references, ids).await
}

/// What would go with groups, and what forbids it.
pub(crate) async fn going_groups<U: BaseUser>(
    auth: &Auth<U>,
    ex: &impl Executor,
    ids: &[i32],
) -> Result<Going, Error> {
    going(&auth.model().groups.table, ex, &of_groups(auth), ids).await
}

async fn going<I: Field>(
    table: &str,
    ex: &impl Executor,
    references: &[Reference],
    ids: &[I],
) -> Result<Going, Error> {
    let mut going = Going::default();
    for reference in references {
        let rows = reference.count(ex, ids).await?;
        if reference.on_delete == OnDelete::Cascade {
            going.rows.count(&reference.table, rows);
        }
    }
    for (table, column) in foreign_keys(ex, table).await? {
        let key = Reference::cascade(&table, &column);
        let explained = |known: &Reference| known.name == key.name && known.column == key.column;
        if !references.iter().any(explained) {
            going.blocking.count(&table, key.count(ex, ids).await?);
        }
    }
    Ok(going)
}

/// Tables and columns with a foreign key to a table, as the database knows them.
async fn foreign_keys(ex: &impl Executor, table: &str) -> Result<Vec<(String, String)>, Error> {
    static SQLITE: Sql = Sql::new(
        "SELECT m.name, k.\"from\" FROM sqlite_master m, pragma_foreign_key_list(m.name) k \
         WHERE m.type = 'table' AND lower(k.\"table\") = lower(?)",
    );
    static POSTGRES: Sql = Sql::new(
        "SELECT CAST(r.relname AS text), CAST(a.attname AS text) FROM pg_constraint c \
         INNER JOIN pg_class f ON f.oid = c.confrelid \
         INNER JOIN pg_class r ON r.oid = c.conrelid \
         INNER JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
         WHERE c.contype = 'f' AND f.relname = CAST(? AS text) AND pg_table_is_visible(f.oid) \
         AND pg_table_is_visible(r.oid)",
    );
    static MYSQL: Sql = Sql::new(
        "SELECT table_name, column_name FROM information_schema.key_column_usage \
         WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE() \
         AND referenced_table_name = ?",
    );
    let sql = match ex.dialect() {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
        _ => &MYSQL,
    };
    let read = |row: &crate::db::Row<'_>| Ok((row.get::<String>(0)?, row.get::<String>(1)?));
    Ok(ex.fetch(sql, &[table.into()], read).await?)
}

/// Deletes permissions with their links.
pub(crate) async fn permissions<U: BaseUser>(
    auth: &Auth<U>,
    ex: &impl Executor,
    ids: &[i32],
) -> Result<Deleted, Error> {
    let references = of_permissions(auth);
    finish(
        &auth.model().permissions,
        ex.begin().await?,
        references,
        ids,
    )
    .await
}

/// Deletes content types with their permissions; log entries stay and forget theirs.
pub(crate) async fn content_types<U: BaseUser>(
    auth: &Auth<U>,
    ex: &impl Executor,
    ids: &[i32],
) -> Result<Deleted, Error> {
    let tx = ex.begin().await?;
    let mut deleted = Deleted::default();
    let permissions = permissions_of(&tx, ids).await?;
    for reference in of_permissions(auth) {
        reference.apply(&tx, &permissions, &mut deleted).await?;
    }
    Reference::cascade("auth_permission", "id")
        .apply(&tx, &permissions, &mut deleted)
        .await?;
    let mut references = registered(auth, Referred::ContentType);
    if has_admin_log(auth, &tx).await? {
        references.push(Reference::new(
            "django_admin_log",
            "content_type_id",
            OnDelete::SetNull,
        ));
    }
    references.push(Reference::cascade("django_content_type", "id"));
    for reference in references {
        reference.apply(&tx, ids, &mut deleted).await?;
    }
    tx.commit().await?;
    Ok(deleted)
}

fn of_permissions<U: BaseUser>(auth: &Auth<U>) -> Vec<Reference> {
    let mut references = registered(auth, Referred::Permission);
    references.push(Reference::cascade(
        "auth_group_permissions",
        "permission_id",
    ));
    if let Some(links) = &auth.model().links {
        references.push(Reference::target(&links.user_permissions));
    }
    references
}

async fn permissions_of(tx: &Transaction, content_types: &[i32]) -> Result<Vec<i32>, Error> {
    let mut found = Vec::new();
    for chunk in content_types.chunks(CHUNK) {
        let marks = vec!["?"; chunk.len()].join(", ");
        let text = format!("SELECT id FROM auth_permission WHERE content_type_id IN ({marks})");
        let sql = Sql::generated(text, None);
        found.extend(
            tx.fetch(&sql, &key_values(chunk), |row| row.get::<i32>(0))
                .await?,
        );
    }
    Ok(found)
}

async fn finish<T: Entity>(
    table: &Table<T>,
    tx: Transaction,
    mut references: Vec<Reference>,
    ids: &[T::Id],
) -> Result<Deleted, Error> {
    references.push(Reference {
        table: table.table.clone(),
        name: table.name.clone(),
        column: table.id_column(),
        on_delete: OnDelete::Cascade,
    });
    let mut deleted = Deleted::default();
    for reference in references {
        reference.apply(&tx, ids, &mut deleted).await?;
    }
    tx.commit().await?;
    Ok(deleted)
}

fn registered<U: BaseUser>(auth: &Auth<U>, to: Referred) -> Vec<Reference> {
    let dependants = auth.apps().dependants();
    let of_this = dependants
        .iter()
        .filter(|dependant| dependant.refers_to() == to);
    of_this.map(Reference::from_dependant).collect()
}

/// Whether the admin's log is in this database; once seen it is not asked for again.
/// Whether the table of the admin's log is there. Once seen it is not looked for again.
pub(crate) async fn has_admin_log<U: BaseUser>(
    auth: &Auth<U>,
    tx: &impl Executor,
) -> Result<bool, Error> {
    if auth.apps().admin_log_seen() {
        return Ok(true);
    }
    let found = has_table(tx, "django_admin_log").await?;
    if found {
        auth.apps().see_admin_log();
    }
    Ok(found)
}

/// Whether the database has this table.
pub(crate) async fn has_table(ex: &impl Executor, table: &str) -> Result<bool, Error> {
    static SQLITE: Sql =
        Sql::new("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?");
    static POSTGRES: Sql =
        Sql::new("SELECT CASE WHEN to_regclass(CAST(? AS text)) IS NULL THEN 0 ELSE 1 END");
    static MYSQL: Sql = Sql::new(
        "SELECT COUNT(*) FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name = ?",
    );
    let sql = match ex.dialect() {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
        _ => &MYSQL,
    };
    let name = [Value::from(table)];
    let found = ex
        .fetch_optional(sql, &name, |row| row.get::<i64>(0))
        .await?;
    Ok(found.is_some_and(|count| count > 0))
}

/// Deletes of keys that do not fit are no deletes: used by managers.
pub(crate) fn saved<I: UserId>(id: I) -> Option<I> {
    (!I::AUTO || id != I::from_auto(0)).then_some(id)
}
