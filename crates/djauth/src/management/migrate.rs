//! Making the tables: `manage.py migrate` for Django's four apps.

use chrono::{DateTime, Utc};
use djauth_db::{Database, Dialect, Executor, Sql, Transaction, Value};

use super::catalogue::{Catalogue, RECORDER};
use super::lock::{self, Lock};
use super::plan::{self, MARK, Wanted, Work};
use super::tables::{self, Made};
use super::{App, Created, ModelMeta, Plan, UserTable, create_permissions, schema};
use crate::Error;

/// Brings a database to the state in which Django 6.1's own `migrate` would leave it, and no further: what Django
/// made it does not touch.
///
/// An empty database gets the tables, names, indexes and constraints of Django's four apps, and their eighteen
/// migrations are recorded as applied, so that Django 4.2, 5.2 or 6.1 finds nothing to do. Along come tables that are
/// not Django's: that of the login rate limit, django-allauth's of users' sessions
/// ([`usersessions`](crate::usersessions)), and those of django-axes for the [log of logins](crate::access_log), the
/// latter two recorded as their migrations. In a Django database the apps that are missing are added, and nothing
/// else. A schema that is older than Django 4.2's final one, newer than 6.1's or not
/// Django's at all is refused by name and left alone. Content types and permissions that are missing are added at the
/// end, as after each `migrate` of Django.
///
/// On SQLite and PostgreSQL all of it is one transaction. MariaDB commits each statement by itself: there the tables
/// about to be made are noted in `django_migrations` first (under the label `djauth`, which Django ignores), so that
/// a run that was cut off at any point is completed by the next one. Several processes may start at once; one does
/// the work, the others wait and find it done.
///
/// ```no_run
/// # async fn run(db: djauth_db::Database) -> Result<(), djauth::Error> {
/// use djauth::management::{Migrate, ModelMeta};
///
/// let models = [ModelMeta::new("reports", "Report").permission("publish_report", "Can publish a report")];
/// Migrate::new().models(models).run(&db).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Migrate {
    wanted: Wanted,
    models: Vec<ModelMeta>,
    now: Option<DateTime<Utc>>,
}

impl Migrate {
    /// All four apps with Django's own user.
    #[must_use]
    pub fn new() -> Self {
        let wanted = Wanted {
            apps: App::ALL.into(),
            user: UserTable::stock(),
            allow_other_tables: false,
        };
        Migrate {
            wanted,
            models: Vec::new(),
            now: None,
        }
    }

    /// Only these apps, and those that they need.
    #[must_use]
    pub fn apps(mut self, apps: impl IntoIterator<Item = App>) -> Self {
        self.wanted.apps = apps.into_iter().collect();
        self
    }

    /// Where users are kept. A table of the project's own must be there before the log of the admin
    /// ([`App::Admin`]), which points at it, can be made.
    #[must_use]
    pub fn user(mut self, user: UserTable) -> Self {
        self.wanted.user = user;
        self
    }

    /// Models of the application, which get content types and permissions after those of Django's apps.
    #[must_use]
    pub fn models(mut self, models: impl IntoIterator<Item = ModelMeta>) -> Self {
        self.models.extend(models);
        self
    }

    /// Whether tables that are not Django's may be there already when the first migration is recorded: those of an
    /// application that keeps its own data in the same database. Off unless set, because it is more often the wrong
    /// database.
    #[must_use]
    pub fn allow_other_tables(mut self, allow: bool) -> Self {
        self.wanted.allow_other_tables = allow;
        self
    }

    /// The time that is recorded with each migration, instead of now.
    #[must_use]
    pub fn applied_at(mut self, time: DateTime<Utc>) -> Self {
        self.now = Some(time);
        self
    }

    /// What [`run`](Self::run) would apply: `migrate --check`, where anything left to do is a failure. Only reads.
    ///
    /// # Errors
    /// Kind `Schema` when the database is one that we do not touch; and when it cannot be read.
    pub async fn plan(&self, ex: &impl Executor) -> Result<Plan, Error> {
        Ok(Plan::new(self.work(ex).await?))
    }

    /// Does it, and answers what was applied; on a database that is complete, nothing.
    ///
    /// # Errors
    /// Kind `Schema` when the database is one that we do not touch; kind `Busy` when another process migrates for
    /// too long; and when the database fails. Nothing is changed then, but for MariaDB, where the next run goes on.
    pub async fn run(&self, db: &Database) -> Result<Plan, Error> {
        create_permissions::check(&self.models)?;
        let work = self.work(db).await?;
        let nothing = work.migrations.is_empty() && work.own.is_empty() && work.along.is_empty();
        if nothing && !self.lacks_rows(db, &work).await? {
            return Ok(Plan::default());
        }
        match db.dialect() {
            Dialect::Mysql => self.in_steps(db, |_| Ok(())).await,
            Dialect::Sqlite | Dialect::Postgres => self.at_once(db).await,
        }
    }

    /// The content types and permissions that [`run`](Self::run) would add to tables that are there. Only reads.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub async fn missing_rows(&self, ex: &impl Executor) -> Result<Created, Error> {
        create_permissions::check(&self.models)?;
        let mut work = self.work(ex).await?;
        work.installed.retain(|app| !work.new.contains(app));
        self.missing(ex, &work).await
    }

    async fn work(&self, ex: &impl Executor) -> Result<Work, Error> {
        self.work_on(&Catalogue::read(ex).await?, ex.dialect())
    }

    fn work_on(&self, found: &Catalogue, dialect: Dialect) -> Result<Work, Error> {
        let user = self.wanted.user.clone().for_dialect(dialect);
        let wanted = Wanted {
            user,
            ..self.wanted.clone()
        };
        plan::work(found, &wanted, dialect).map_err(|problems| schema::refuse(&problems))
    }

    /// All models that get content types and permissions.
    fn models_of(&self, work: &Work) -> Vec<ModelMeta> {
        let swapped = self.wanted.user.swapped;
        work.installed
            .iter()
            .flat_map(|app| app.models(swapped))
            .chain(self.models.iter().cloned())
            .collect()
    }

    async fn at_once(&self, db: &Database) -> Result<Plan, Error> {
        let transaction = db.begin().await?;
        lock::in_transaction(&transaction).await?;
        let work = self.work(&transaction).await?;
        if work.recorder {
            create(&transaction, &recorder(db.dialect())).await?;
        }
        for table in &work.tables {
            create(&transaction, table).await?;
        }
        self.finish(&transaction, &work).await?;
        transaction.commit().await?;
        Ok(Plan::new(work))
    }

    /// `after` is called with the number of each step that is done; a failure of it ends the run there.
    pub(super) async fn in_steps(
        &self,
        db: &Database,
        after: impl FnMut(usize) -> Result<(), Error>,
    ) -> Result<Plan, Error> {
        let lock = Lock::acquire(db).await?;
        let result = self.locked_steps(lock.connection(), after).await;
        lock.release(result.is_ok()).await?;
        result
    }

    async fn locked_steps(
        &self,
        connection: &Transaction,
        mut after: impl FnMut(usize) -> Result<(), Error>,
    ) -> Result<Plan, Error> {
        let found = Catalogue::read(connection).await?;
        let work = self.work_on(&found, connection.dialect())?;
        let mut steps = 0..;
        let mut step = || steps.next().map_or(Ok(()), &mut after);
        if work.recorder {
            create(connection, &recorder(connection.dialect())).await?;
            step()?;
        }
        mark(connection, &found, &work, self.now()).await?;
        step()?;
        for table in work.tables.iter().filter(|table| !found.has(&table.name)) {
            create(connection, table).await?;
            step()?;
        }
        count_from_the_start(connection, &found).await?;
        // The transaction that came with the connection ended with the first statement of DDL.
        connection.execute_script("START TRANSACTION").await?;
        self.finish(connection, &work).await?;
        connection.execute(&UNMARK, vec![MARK.into()]).await?;
        connection.execute_script("COMMIT").await?;
        step()?;
        Ok(Plan::new(work))
    }

    /// The rows: names of the migrations, content types, permissions.
    async fn finish(&self, transaction: &Transaction, work: &Work) -> Result<(), Error> {
        let now = self.now();
        for (app, name) in work.migrations.iter().chain(&work.along) {
            transaction
                .execute(&RECORD, vec![(*app).into(), (*name).into(), now.into()])
                .await?;
        }
        let models = self.models_of(work);
        if work.installed.contains(&App::Auth) {
            create_permissions(transaction, &models).await?;
        } else if work.installed.contains(&App::ContentTypes) {
            create_permissions::create_contenttypes(transaction, &models).await?;
        }
        Ok(())
    }

    /// Whether content types or permissions are missing.
    async fn lacks_rows(&self, db: &Database, work: &Work) -> Result<bool, Error> {
        Ok(!self.missing(db, work).await?.is_empty())
    }

    async fn missing(&self, ex: &impl Executor, work: &Work) -> Result<Created, Error> {
        let models = self.models_of(work);
        if work.installed.contains(&App::Auth) {
            create_permissions::missing(ex, &models).await
        } else if work.installed.contains(&App::ContentTypes) {
            create_permissions::missing_contenttypes(ex, &models).await
        } else {
            Ok(Created::default())
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.now.unwrap_or_else(Utc::now)
    }
}

impl Default for Migrate {
    fn default() -> Self {
        Migrate::new()
    }
}

static RECORD: Sql =
    Sql::new("INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)");
const MARK_TABLE: &str = "INSERT INTO django_migrations (id, app, name, applied) VALUES ";
static UNMARK: Sql = Sql::new("DELETE FROM django_migrations WHERE app = ?");
static LOWEST: Sql = Sql::new("SELECT COALESCE(MIN(id), 0) FROM django_migrations WHERE id < 0");

async fn create(transaction: &Transaction, table: &Made) -> Result<(), Error> {
    for statement in &table.statements {
        transaction.execute_script(statement).await?;
    }
    Ok(())
}

fn recorder(dialect: Dialect) -> Made {
    Made::of(tables::recorder(dialect), dialect, None)
}

/// MariaDB does not give numbers back when rows are rolled back. After a run that was cut off while it added rows,
/// this makes them begin where Django's do. A counter is never set below a row that is there.
async fn count_from_the_start(connection: &Transaction, found: &Catalogue) -> Result<(), Error> {
    if found.applied_of(MARK).next().is_none() {
        return Ok(());
    }
    for table in [RECORDER, "django_content_type", "auth_permission"] {
        if table == RECORDER || (found.has(table) && plan::is_marked(found, table)) {
            connection
                .execute_script(&format!("ALTER TABLE {table} AUTO_INCREMENT = 1"))
                .await?;
        }
    }
    Ok(())
}

/// Notes which tables are about to be made. The rows have negative ids, so that Django's start at 1.
async fn mark(
    connection: &Transaction,
    found: &Catalogue,
    work: &Work,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let unmarked: Vec<&str> = work
        .tables
        .iter()
        .map(|table| table.name.as_str())
        .filter(|name| !plan::is_marked(found, name))
        .collect();
    if unmarked.is_empty() {
        return Ok(());
    }
    let lowest: i64 = connection
        .fetch_optional(&LOWEST, &[], |row| row.get(0))
        .await?
        .unwrap_or_default();
    let rows = vec!["(?, ?, ?, ?)"; unmarked.len()].join(", ");
    let ids = (1..).map(|n| lowest - n);
    let values = unmarked.iter().zip(ids);
    let values = values.flat_map(|(name, id)| [id.into(), MARK.into(), (*name).into(), now.into()]);
    let values: Vec<Value<'_>> = values.collect();
    connection
        .execute(&Sql::generated(format!("{MARK_TABLE}{rows}"), None), values)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
