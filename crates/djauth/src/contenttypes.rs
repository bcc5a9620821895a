//! Content types: `django/contrib/contenttypes`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use djauth_db::{Database, Executor, Row, Sql};
use parking_lot::RwLock;

use crate::Error;
pub use crate::management::create_contenttypes;

/// A row of `django_content_type`: the name of a model, to which permissions and log entries point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContentType {
    /// Primary key.
    pub id: i32,
    /// Label of the app.
    pub app_label: String,
    /// The model's name in lower case.
    pub model: String,
}

impl ContentType {
    fn read(row: &Row<'_>) -> djauth_db::Result<Self> {
        Ok(ContentType {
            id: row.get(0)?,
            app_label: row.get(1)?,
            model: row.get(2)?,
        })
    }

    /// App label and model name, by which Django's fixtures name a content type.
    #[must_use]
    pub fn natural_key(&self) -> (&str, &str) {
        (&self.app_label, &self.model)
    }
}

/// `auth | user`, as Django shows a content type whose model is not loaded; the human names of models are not stored.
impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {}", self.app_label, self.model)
    }
}

/// Content types of one database: Django's `ContentType.objects`, with its cache.
///
/// A cheap handle; clones share the cache. Only what was read outside of transactions is kept, so nothing that is
/// rolled back later; "not there" is never kept; and an entry is asked for again after a minute, because Django may
/// rename or remove content types meanwhile.
#[derive(Clone)]
pub struct ContentTypeManager {
    db: Database,
    cache: Arc<RwLock<Cache>>,
}

/// How long an entry of the cache is believed.
const FRESH: Duration = Duration::from_secs(60);
/// Content types that are kept at most; a site has one for each model.
const KEPT: usize = 10_000;

static BY_KEY: Sql = Sql::new(
    "SELECT id, app_label, model FROM django_content_type WHERE app_label = ? AND model = ?",
);
static BY_ID: Sql = Sql::new("SELECT id, app_label, model FROM django_content_type WHERE id = ?");
static ADD: Sql = Sql::with_mysql(
    "INSERT INTO django_content_type (app_label, model) VALUES (?, ?) ON CONFLICT DO NOTHING",
    "INSERT INTO django_content_type (app_label, model) VALUES (?, ?) ON DUPLICATE KEY UPDATE id = id",
);

impl ContentTypeManager {
    /// The content types of a database, with an empty cache.
    #[must_use]
    pub fn new(db: Database) -> Self {
        ContentTypeManager {
            db,
            cache: Arc::default(),
        }
    }

    /// The content type of a model by app label and model name (lower case), if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get_by_natural_key(
        &self,
        app_label: &str,
        model: &str,
    ) -> Result<Option<ContentType>, Error> {
        if let Some(known) = self.cache.read().by_key(app_label, model) {
            return Ok(Some(known));
        }
        let found = find(&self.db, app_label, model).await?;
        Ok(self.remember(found))
    }

    /// The content type with this id, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get_for_id(&self, id: i32) -> Result<Option<ContentType>, Error> {
        if let Some(known) = self.cache.read().by_id(id) {
            return Ok(Some(known));
        }
        let found = self
            .db
            .fetch_optional(&BY_ID, &[id.into()], ContentType::read)
            .await?;
        Ok(self.remember(found))
    }

    /// The content type of a model, made if it is not there. Two processes that make it at once get the same one.
    ///
    /// While holding a transaction of SQLite, which has one writer, use [`get_or_create`](Self::get_or_create).
    ///
    /// # Errors
    /// Kind `Value` when a name has more than 100 characters, and when the database fails.
    pub async fn get_for_model(&self, app_label: &str, model: &str) -> Result<ContentType, Error> {
        if let Some(known) = self.get_by_natural_key(app_label, model).await? {
            return Ok(known);
        }
        let (made, _) = Self::get_or_create(&self.db, app_label, model).await?;
        self.cache.write().add(made.clone());
        Ok(made)
    }

    /// The content type of a model, and whether it was made just now; within a transaction, if one is given, and past
    /// the cache.
    ///
    /// # Errors
    /// Kind `Value` when a name has more than 100 characters, and when the database fails.
    pub async fn get_or_create(
        ex: &impl Executor,
        app_label: &str,
        model: &str,
    ) -> Result<(ContentType, bool), Error> {
        if let Some(found) = find(ex, app_label, model).await? {
            return Ok((found, false));
        }
        if app_label.chars().count() > 100 || model.chars().count() > 100 {
            return Err(Error::value(
                "the app label or model name is longer than 100 characters",
            ));
        }
        let added = ex
            .execute(&ADD, vec![app_label.into(), model.into()])
            .await?;
        match find_after_insert(ex, app_label, model).await? {
            // MariaDB counts the row that was there already as well.
            Some(made) => Ok((made, added == 1)),
            None => Err(Error::value(format!(
                "the content type {app_label}.{model} cannot be stored"
            ))),
        }
    }

    /// Forgets everything that was kept. Run it after content types were renamed or removed.
    pub fn clear_cache(&self) {
        *self.cache.write() = Cache::default();
    }

    fn remember(&self, found: Option<ContentType>) -> Option<ContentType> {
        if let Some(found) = &found {
            self.cache.write().add(found.clone());
        }
        found
    }
}

impl fmt::Debug for ContentTypeManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentTypeManager").finish_non_exhaustive()
    }
}

async fn find(
    ex: &impl Executor,
    app_label: &str,
    model: &str,
) -> Result<Option<ContentType>, Error> {
    // No row holds a NUL, and PostgreSQL refuses to look for one.
    if app_label.contains('\0') || model.contains('\0') {
        return Ok(None);
    }
    Ok(ex
        .fetch_optional(
            &BY_KEY,
            &[app_label.into(), model.into()],
            ContentType::read,
        )
        .await?)
}

/// A transaction of MariaDB reads from the moment of its first read and would not see a row that another process
/// added since; a locking read sees it.
async fn find_after_insert(
    ex: &impl Executor,
    app_label: &str,
    model: &str,
) -> Result<Option<ContentType>, Error> {
    static LOCKING: Sql = Sql::with_mysql(
        "SELECT id, app_label, model FROM django_content_type WHERE app_label = ? AND model = ?",
        "SELECT id, app_label, model FROM django_content_type WHERE app_label = ? AND model = ? LOCK IN SHARE MODE",
    );
    Ok(ex
        .fetch_optional(
            &LOCKING,
            &[app_label.into(), model.into()],
            ContentType::read,
        )
        .await?)
}

#[derive(Default)]
struct Cache {
    by_id: HashMap<i32, (ContentType, Instant)>,
    ids: HashMap<(String, String), i32>,
}

impl Cache {
    fn by_id(&self, id: i32) -> Option<ContentType> {
        let (found, since) = self.by_id.get(&id)?;
        (since.elapsed() < FRESH).then(|| found.clone())
    }

    fn by_key(&self, app_label: &str, model: &str) -> Option<ContentType> {
        let id = self.ids.get(&(app_label.to_owned(), model.to_owned()))?;
        // The id may have been given to another name meanwhile.
        self.by_id(*id)
            .filter(|found| found.natural_key() == (app_label, model))
    }

    fn add(&mut self, found: ContentType) {
        if self.by_id.len() >= KEPT {
            *self = Cache::default();
        }
        self.ids
            .insert((found.app_label.clone(), found.model.clone()), found.id);
        self.by_id.insert(found.id, (found, Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content_type(id: i32, model: &str) -> ContentType {
        ContentType {
            id,
            app_label: "shop".to_owned(),
            model: model.to_owned(),
        }
    }

    #[test]
    fn an_id_that_changed_its_name_is_not_found_by_the_old_one() {
        let mut cache = Cache::default();
        cache.add(content_type(1, "item"));
        assert_eq!(cache.by_key("shop", "item"), Some(content_type(1, "item")));
        cache.add(content_type(1, "article"));
        assert_eq!(cache.by_key("shop", "item"), None);
        assert_eq!(cache.by_key("shop", "article"), cache.by_id(1));
    }

    #[test]
    fn the_cache_is_bounded() {
        let mut cache = Cache::default();
        for id in 0..=i32::try_from(KEPT).expect("fits") {
            cache.add(content_type(id, &format!("model{id}")));
        }
        assert_eq!(cache.by_id.len(), 1);
        assert_eq!(cache.ids.len(), 1);
    }
}
