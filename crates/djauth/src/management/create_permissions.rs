//! Content types and permissions of models: Django's `create_contenttypes` and `create_permissions`.

use std::collections::{BTreeSet, HashMap, HashSet};

use djauth_db::{Dialect, Executor, Sql, Value};

use super::ModelMeta;
use crate::Error;

/// What [`create_permissions`] added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Created {
    /// App label and model name of each new content type.
    pub content_types: Vec<(String, String)>,
    /// App label, codename and name of each new permission.
    pub permissions: Vec<(String, String, String)>,
}

impl Created {
    /// Whether nothing was missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.content_types.is_empty() && self.permissions.is_empty()
    }
}

/// Adds the content types and permissions of `models` that are not there yet, as Django does after each `migrate`.
///
/// App by app: first the content types in alphabetical order, then the permissions of each model in the order of the
/// list, `default_permissions` before the model's own. What is there is left as it is, with its name; nothing is
/// deleted. Two processes that do it at once add each row once. Give a transaction to add all or nothing.
///
/// # Errors
/// Kind `ImproperlyConfigured` when a model's names are too long for the columns or a permission is declared twice
/// (nothing is added then), and when the database fails.
pub async fn create_permissions(
    ex: &impl Executor,
    models: &[ModelMeta],
) -> Result<Created, Error> {
    check(models)?;
    let content_types = create_contenttypes(ex, models).await?;
    let ids = if content_types.is_empty() {
        content_type_ids(ex).await?
    } else {
        current_ids(ex).await?
    };
    let missing = missing_permissions(&ids, &existing_permissions(ex).await?, models);
    let rows: Vec<[Value<'_>; 3]> = missing
        .iter()
        .map(|new| {
            [
                new.name.as_str().into(),
                new.content_type.into(),
                new.codename.as_str().into(),
            ]
        })
        .collect();
    insert_missing(
        ex,
        "auth_permission",
        ["name", "content_type_id", "codename"],
        &rows,
    )
    .await?;
    let permissions = missing
        .into_iter()
        .map(|new| (new.app_label.to_owned(), new.codename, new.name));
    Ok(Created {
        content_types,
        permissions: permissions.collect(),
    })
}

/// Adds the content types of `models` that are not there yet, and answers them as (app label, model name).
///
/// # Errors
/// When the database fails.
pub async fn create_contenttypes(
    ex: &impl Executor,
    models: &[ModelMeta],
) -> Result<Vec<(String, String)>, Error> {
    let missing = missing_content_types(&content_type_ids(ex).await?, models);
    let rows: Vec<[Value<'_>; 2]> = missing
        .iter()
        .map(|(app, model)| [app.as_str().into(), model.as_str().into()])
        .collect();
    insert_missing(ex, "django_content_type", ["app_label", "model"], &rows).await?;
    Ok(missing)
}

/// What [`create_permissions`] would add.
pub(super) async fn missing(ex: &impl Executor, models: &[ModelMeta]) -> Result<Created, Error> {
    let ids = content_type_ids(ex).await?;
    let content_types = missing_content_types(&ids, models);
    let permissions = missing_permissions(&ids, &existing_permissions(ex).await?, models);
    let permissions = permissions
        .into_iter()
        .map(|new| (new.app_label.to_owned(), new.codename, new.name));
    Ok(Created {
        content_types,
        permissions: permissions.collect(),
    })
}

/// What [`create_contenttypes`] would add.
pub(super) async fn missing_contenttypes(
    ex: &impl Executor,
    models: &[ModelMeta],
) -> Result<Created, Error> {
    let content_types = missing_content_types(&content_type_ids(ex).await?, models);
    Ok(Created {
        content_types,
        ..Created::default()
    })
}

/// Refuses models that cannot be stored.
pub(super) fn check(models: &[ModelMeta]) -> Result<(), Error> {
    match models.iter().find_map(ModelMeta::problem) {
        Some(problem) => Err(Error::improperly_configured(problem)),
        None => Ok(()),
    }
}

type Ids = HashMap<(String, String), i64>;

static CONTENT_TYPES: Sql = Sql::new("SELECT id, app_label, model FROM django_content_type");
static PERMISSIONS: Sql = Sql::new("SELECT content_type_id, codename FROM auth_permission");

async fn content_type_ids(ex: &impl Executor) -> Result<Ids, Error> {
    let rows = ex
        .fetch(&CONTENT_TYPES, &[], |row| {
            Ok(((row.get(1)?, row.get(2)?), row.get(0)?))
        })
        .await?;
    Ok(rows.into_iter().collect())
}

/// The same after rows were added. A transaction of MariaDB reads from the moment of its first read and would not see
/// rows that somebody else added since; a locking read sees them.
async fn current_ids(ex: &impl Executor) -> Result<Ids, Error> {
    static LOCKING: Sql = Sql::with_mysql(
        "SELECT id, app_label, model FROM django_content_type",
        "SELECT id, app_label, model FROM django_content_type LOCK IN SHARE MODE",
    );
    let rows = ex
        .fetch(&LOCKING, &[], |row| {
            Ok(((row.get(1)?, row.get(2)?), row.get(0)?))
        })
        .await?;
    Ok(rows.into_iter().collect())
}

async fn existing_permissions(ex: &impl Executor) -> Result<HashSet<(i64, String)>, Error> {
    let rows = ex
        .fetch(&PERMISSIONS, &[], |row| Ok((row.get(0)?, row.get(1)?)))
        .await?;
    Ok(rows.into_iter().collect())
}

/// App labels in the order in which they first appear.
fn labels(models: &[ModelMeta]) -> Vec<&str> {
    let mut seen = HashSet::new();
    models
        .iter()
        .map(|model| model.app_label.as_ref())
        .filter(|label| seen.insert(*label))
        .collect()
}

/// The models by app, in the order of [`labels`].
fn by_app(models: &[ModelMeta]) -> Vec<(&str, Vec<&ModelMeta>)> {
    let mut groups: HashMap<&str, Vec<&ModelMeta>> = HashMap::new();
    for model in models {
        groups
            .entry(model.app_label.as_ref())
            .or_default()
            .push(model);
    }
    labels(models)
        .into_iter()
        .map(|label| (label, groups.remove(label).unwrap_or_default()))
        .collect()
}

fn missing_content_types(ids: &Ids, models: &[ModelMeta]) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    for (label, models) in by_app(models) {
        let names: BTreeSet<&str> = models
            .iter()
            .map(|model| model.model_name.as_str())
            .collect();
        let keys = names
            .into_iter()
            .map(|name| (label.to_owned(), name.to_owned()));
        missing.extend(keys.filter(|key| !ids.contains_key(key)));
    }
    missing
}

struct NewPermission<'a> {
    app_label: &'a str,
    content_type: i64,
    codename: String,
    name: String,
}

/// Permissions whose content type is not there yet are missing too, with a content type of 0.
fn missing_permissions<'a>(
    ids: &Ids,
    existing: &HashSet<(i64, String)>,
    models: &'a [ModelMeta],
) -> Vec<NewPermission<'a>> {
    let mut missing = Vec::new();
    for model in by_app(models).into_iter().flat_map(|(_, models)| models) {
        let key = (model.app_label.to_string(), model.model_name.clone());
        let content_type = ids.get(&key).copied().unwrap_or(0);
        for (codename, name) in model.all_permissions() {
            if !existing.contains(&(content_type, codename.clone())) {
                missing.push(NewPermission {
                    app_label: &model.app_label,
                    content_type,
                    codename,
                    name,
                });
            }
        }
    }
    missing
}

/// Rows that one statement adds.
const ROWS_AT_ONCE: usize = 100;

/// Adds rows, leaving alone those that somebody else has added meanwhile.
async fn insert_missing<const N: usize>(
    ex: &impl Executor,
    table: &str,
    columns: [&str; N],
    rows: &[[Value<'_>; N]],
) -> Result<(), Error> {
    let otherwise = match ex.dialect() {
        // Not INSERT IGNORE, which would cut off values that are too long.
        Dialect::Mysql => "ON DUPLICATE KEY UPDATE id = id",
        Dialect::Sqlite | Dialect::Postgres => "ON CONFLICT DO NOTHING",
    };
    let marks = format!("({})", ["?"; N].join(", "));
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let values = vec![marks.as_str(); rows.len()].join(", ");
        let text = format!(
            "INSERT INTO {table} ({}) VALUES {values} {otherwise}",
            columns.join(", ")
        );
        let values = rows.iter().flatten().map(Value::borrowed).collect();
        ex.execute(&Sql::generated(text, None), values).await?;
    }
    Ok(())
}
