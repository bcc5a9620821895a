//! Where sessions are kept.

mod cache;
mod cached_db;
mod db;
mod file;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use djauth_db::Database;

use self::cache::CacheStore;
use self::cached_db::CachedDbStore;
use self::db::DbStore;
use self::file::FileStore;
use crate::cache::Cache;
use crate::config::SessionConfig;
use crate::data::SessionData;
use crate::error::{Error, ErrorKind, Result};
use crate::keys;
use crate::session::Session;

/// The longest value that a browser keeps under a name: 4,096 bytes for both and the `=`.
const LONGEST_COOKIE: usize = 4096;
/// So many new keys are tried. One is enough unless the store is broken.
const CREATE_ATTEMPTS: usize = 100;

/// Which engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EngineKind {
    /// Rows in `django_session`.
    Db,
    /// Rows, with a copy in the cache.
    CachedDb,
    /// The cache alone.
    Cache,
    /// Files.
    File,
    /// The cookie itself.
    SignedCookies,
}

impl EngineKind {
    /// All engines.
    pub const ALL: [EngineKind; 5] = [
        EngineKind::Db,
        EngineKind::CachedDb,
        EngineKind::Cache,
        EngineKind::File,
        EngineKind::SignedCookies,
    ];

    /// The short name: `db`, `cached_db`, `cache`, `file`, `signed_cookies`.
    pub fn name(self) -> &'static str {
        self.path()
            .trim_start_matches("django.contrib.sessions.backends.")
    }

    /// The value of Django's `SESSION_ENGINE`.
    pub fn path(self) -> &'static str {
        match self {
            EngineKind::Db => "django.contrib.sessions.backends.db",
            EngineKind::CachedDb => "django.contrib.sessions.backends.cached_db",
            EngineKind::Cache => "django.contrib.sessions.backends.cache",
            EngineKind::File => "django.contrib.sessions.backends.file",
            EngineKind::SignedCookies => "django.contrib.sessions.backends.signed_cookies",
        }
    }

    /// Whether sessions are rows of `django_session`.
    pub fn needs_database(self) -> bool {
        matches!(self, EngineKind::Db | EngineKind::CachedDb)
    }

    /// Whether a [`Cache`] is needed.
    pub fn needs_cache(self) -> bool {
        matches!(self, EngineKind::Cache | EngineKind::CachedDb)
    }

    /// Whether a key from a cookie may be looked for in the store at all. What fails here is known to be
    /// absent without asking.
    pub fn is_valid_key(self, key: &str) -> bool {
        match self {
            EngineKind::Db | EngineKind::CachedDb => keys::is_askable(key, 40),
            EngineKind::Cache => keys::is_askable(key, 200),
            EngineKind::File => keys::is_askable(key, 200) && keys::is_file_name(key),
            EngineKind::SignedCookies => keys::is_long_enough(key),
        }
    }
}

/// Reads a short name or a dotted path.
impl FromStr for EngineKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = |kind: &EngineKind| kind.name() == name || kind.path() == name;
        EngineKind::ALL.into_iter().find(known).ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                "SESSION_ENGINE is none of db, cached_db, cache, file, signed_cookies",
            )
        })
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a store says about a key.
pub(crate) enum Loaded {
    /// The session, possibly unreadable and therefore empty.
    Found(SessionData),
    /// No such session: the key is forgotten, so that one chosen by a client is never adopted.
    Missing,
    /// A cookie that is no session: replaced by an empty one.
    Reset,
}

/// A session engine with its settings; a cheap handle.
#[derive(Clone)]
pub struct SessionEngine(Arc<Inner>);

struct Inner {
    config: Arc<SessionConfig>,
    store: Store,
}

enum Store {
    Db(DbStore),
    CachedDb(CachedDbStore),
    Cache(CacheStore),
    File(FileStore),
    SignedCookies,
}

impl SessionEngine {
    /// Sessions as rows of `django_session`: Django's default.
    pub fn db(database: Database, config: SessionConfig) -> Self {
        Self::of(config, |config| Store::Db(DbStore::new(database, config)))
    }

    /// Rows, with a copy in the cache that is asked first.
    pub fn cached_db(database: Database, cache: Cache, config: SessionConfig) -> Self {
        Self::of(config, |config| {
            Store::CachedDb(CachedDbStore::new(DbStore::new(database, config), cache))
        })
    }

    /// The cache alone.
    pub fn cache(cache: Cache, config: SessionConfig) -> Self {
        Self::of(config, |config| {
            Store::Cache(CacheStore::new(cache, config))
        })
    }

    /// Files in `SESSION_FILE_PATH`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if that is no directory.
    pub fn file(config: SessionConfig) -> Result<Self> {
        let config = Arc::new(config);
        let store = Store::File(FileStore::new(config.clone())?);
        Ok(SessionEngine(Arc::new(Inner { config, store })))
    }

    /// Each session in its own cookie, signed but readable by its owner. Nothing can be revoked.
    pub fn signed_cookies(config: SessionConfig) -> Self {
        Self::of(config, |_| Store::SignedCookies)
    }

    fn of(config: SessionConfig, store: impl FnOnce(Arc<SessionConfig>) -> Store) -> Self {
        let config = Arc::new(config);
        let store = store(config.clone());
        SessionEngine(Arc::new(Inner { config, store }))
    }

    /// Which engine this is.
    pub fn kind(&self) -> EngineKind {
        match &self.0.store {
            Store::Db(_) => EngineKind::Db,
            Store::CachedDb(_) => EngineKind::CachedDb,
            Store::Cache(_) => EngineKind::Cache,
            Store::File(_) => EngineKind::File,
            Store::SignedCookies => EngineKind::SignedCookies,
        }
    }

    /// The settings.
    pub fn config(&self) -> &SessionConfig {
        &self.0.config
    }

    /// The session of a request. Does no I/O; a cookie of less than 8 characters counts as none.
    pub fn open(&self, cookie: Option<&str>) -> Session {
        Session::new(self.clone(), cookie)
    }

    /// Whether the cache answers that sessions cannot do without: that of the engine `cache`. Of
    /// `cached_db` only logouts need it.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`]: it does not.
    pub async fn ping(&self) -> Result<()> {
        match &self.0.store {
            Store::Cache(store) => store.ping().await,
            Store::Db(_) | Store::CachedDb(_) | Store::File(_) | Store::SignedCookies => Ok(()),
        }
    }

    /// Deletes the sessions that have ended, as `manage.py clearsessions`; tells how many. Only `db`,
    /// `cached_db` and `file` have something to do.
    ///
    /// # Errors
    /// Those of the store. What was deleted by then stays deleted.
    pub async fn clear_expired(&self) -> Result<u64> {
        match &self.0.store {
            Store::Db(store) => store.clear_expired().await,
            Store::CachedDb(store) => store.clear_expired().await,
            Store::File(store) => store.clear_expired().await,
            Store::Cache(_) | Store::SignedCookies => Ok(0),
        }
    }

    pub(crate) async fn load(&self, key: &str) -> Result<Loaded> {
        if !self.kind().is_valid_key(key) {
            return Ok(Loaded::Missing);
        }
        match &self.0.store {
            Store::Db(store) => store.load(key).await,
            Store::CachedDb(store) => store.load(key).await,
            Store::Cache(store) => store.load(key).await,
            Store::File(store) => store.load(key).await,
            Store::SignedCookies => Ok(self
                .0
                .config
                .decode_cookie(key)
                .map_or(Loaded::Reset, Loaded::Found)),
        }
    }

    /// Stores under a new key.
    pub(crate) async fn create(&self, data: &SessionData) -> Result<String> {
        for _ in 0..CREATE_ATTEMPTS {
            let key = keys::new_key();
            if self.add(&key, data).await? {
                return Ok(key);
            }
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "the session store takes no new key",
        ))
    }

    /// False if the key is taken.
    async fn add(&self, key: &str, data: &SessionData) -> Result<bool> {
        match &self.0.store {
            Store::Db(store) => store.add(key, data).await,
            Store::CachedDb(store) => store.add(key, data).await,
            Store::Cache(store) => store.add(key, data).await,
            Store::File(store) => store.add(key, data).await,
            Store::SignedCookies => Ok(true),
        }
    }

    /// Stores under a key that must exist.
    pub(crate) async fn save(&self, key: &str, data: &SessionData) -> Result<()> {
        if !self.kind().is_valid_key(key) {
            return Err(Error::interrupted());
        }
        let saved = match &self.0.store {
            Store::Db(store) => store.save(key, data).await?,
            Store::CachedDb(store) => store.save(key, data).await?,
            Store::Cache(store) => store.save(key, data).await?,
            Store::File(store) => store.save(key, data).await?,
            Store::SignedCookies => true,
        };
        saved.then_some(()).ok_or_else(Error::interrupted)
    }

    /// Saves data that nobody has changed: where it cannot be written again, as an entry of the cache with
    /// objects of Python, only its expiry starts anew.
    pub(crate) async fn save_unchanged(&self, key: &str, data: &SessionData) -> Result<()> {
        match (self.save(key, data).await, &self.0.store) {
            (Err(error), Store::Cache(store)) if error.kind() == ErrorKind::NotCarried => {
                let touched = store.touch(key, data).await?;
                touched.then_some(()).ok_or_else(Error::interrupted)
            }
            (outcome, _) => outcome,
        }
    }

    /// Deletes; a key that is not there is fine.
    pub(crate) async fn delete(&self, key: &str) -> Result<()> {
        if !self.kind().is_valid_key(key) {
            return Ok(());
        }
        match &self.0.store {
            Store::Db(store) => store.delete(key).await,
            Store::CachedDb(store) => store.delete(key).await,
            Store::Cache(store) => store.delete(key).await,
            Store::File(store) => store.delete(key).await,
            Store::SignedCookies => Ok(()),
        }
    }

    /// The cookie that holds the session. Unlike Django this refuses what browsers would drop, because
    /// dropping it silently loses the change.
    pub(crate) fn sign(&self, data: &SessionData) -> Result<String> {
        let cookie = self.0.config.encode_cookie(data)?;
        if self.0.config.cookie_name.len() + 1 + cookie.len() > LONGEST_COOKIE {
            tracing::warn!(
                bytes = cookie.len(),
                "a session is too large for its cookie and was not saved"
            );
            return Err(Error::new(
                ErrorKind::TooLarge,
                "the session is too large for a cookie",
            ));
        }
        Ok(cookie)
    }
}

impl fmt::Debug for SessionEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionEngine")
            .field("kind", &self.kind())
            .field("config", &self.0.config)
            .finish()
    }
}
