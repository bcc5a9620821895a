//! Every engine on every database, ready for a test.

use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fake_redis::ENDED;
use chrono::Utc;
use djauth_db::{Database, Executor, Sql, Value};
use djauth_sessions::{Cache, EngineKind, Session, SessionConfig, SessionEngine};
use djauth_signing::{FixedClock, SecretKey, SecretKeys};
use tempfile::TempDir;
use test_databases::{TestDatabase, TestRedis};

/// Django's table, in words that all databases take.
const TABLE: &str = "CREATE TABLE django_session (session_key varchar(40) NOT NULL PRIMARY KEY, \
    session_data TEXT NOT NULL, expire_date TIMESTAMP NOT NULL)";
const TABLE_POSTGRES: &str = "CREATE TABLE django_session (session_key varchar(40) NOT NULL PRIMARY KEY, \
    session_data TEXT NOT NULL, expire_date TIMESTAMP WITH TIME ZONE NOT NULL)";
const TABLE_MARIADB: &str = "CREATE TABLE django_session (session_key varchar(40) NOT NULL PRIMARY KEY, \
    session_data LONGTEXT NOT NULL, expire_date DATETIME(6) NOT NULL)";

/// Comes back once that is so; panics when it never is. A hang is a failure, not a slow success.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let (begun, at) = (Instant::now(), Location::caller());
    async move {
        while !is_so() {
            assert!(begun.elapsed().as_secs() < 120, "{at}: never: {what}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// One engine with its store.
pub(crate) struct Bed {
    pub(crate) engine: SessionEngine,
    pub(crate) clock: FixedClock,
    pub(crate) database: Option<Database>,
    pub(crate) redis: Option<Arc<TestRedis>>,
    pub(crate) folder: Option<TempDir>,
    name: String,
    // Dropped last.
    _server: Option<Arc<TestDatabase>>,
}

/// What a bed is made of.
pub(crate) struct Setup {
    pub(crate) config: SessionConfig,
    pub(crate) clock: FixedClock,
}

pub(crate) fn keys() -> SecretKeys {
    SecretKeys::new(SecretKey::new("djauth-tests-key").unwrap())
}

pub(crate) fn setup() -> Setup {
    let clock = FixedClock::new(Utc::now());
    let config = SessionConfig::new(&keys()).with_clock(Arc::new(clock.clone()));
    Setup { config, clock }
}

pub(crate) fn cache_of(redis: &TestRedis) -> Cache {
    Cache::new(redis.url(), redis.prefix(), 1).unwrap()
}

/// Every engine, `db` and `cached_db` on every database, which the two share: who counts rows calls
/// [`Bed::forget`] before the next bed.
pub(crate) async fn beds() -> Vec<Bed> {
    beds_with(|_| {}).await
}

pub(crate) async fn beds_with(adapt: impl Fn(&mut SessionConfig)) -> Vec<Bed> {
    let mut beds = Vec::new();
    for server in TestDatabase::all() {
        let server = Arc::new(server);
        let database = database(&server).await;
        for kind in [EngineKind::Db, EngineKind::CachedDb] {
            beds.push(on_database(&server, &database, kind, &adapt));
        }
    }
    for kind in [
        EngineKind::Cache,
        EngineKind::File,
        EngineKind::SignedCookies,
    ] {
        beds.push(without_database(kind, &adapt));
    }
    beds
}

/// One engine; rows in SQLite.
pub(crate) async fn bed(kind: EngineKind) -> Bed {
    bed_with(kind, |_| {}).await
}

pub(crate) async fn bed_with(kind: EngineKind, adapt: impl Fn(&mut SessionConfig)) -> Bed {
    if !kind.needs_database() {
        return without_database(kind, &adapt);
    }
    let server = Arc::new(TestDatabase::sqlite());
    let database = database(&server).await;
    on_database(&server, &database, kind, &adapt)
}

pub(crate) async fn database(server: &TestDatabase) -> Database {
    let database = Database::connect(server.url()).await.unwrap();
    let transaction = database.begin().await.unwrap();
    let table = match server.name() {
        "postgres" => TABLE_POSTGRES,
        "mariadb" => TABLE_MARIADB,
        _ => TABLE,
    };
    transaction.execute_script(table).await.unwrap();
    transaction.commit().await.unwrap();
    database
}

fn on_database(
    server: &Arc<TestDatabase>,
    database: &Database,
    kind: EngineKind,
    adapt: &impl Fn(&mut SessionConfig),
) -> Bed {
    let Setup { mut config, clock } = setup();
    adapt(&mut config);
    let redis = kind.needs_cache().then(|| Arc::new(TestRedis::new()));
    let engine = match &redis {
        Some(redis) => SessionEngine::cached_db(database.clone(), cache_of(redis), config),
        None => SessionEngine::db(database.clone(), config),
    };
    Bed {
        engine,
        clock,
        database: Some(database.clone()),
        redis,
        folder: None,
        name: format!("{kind} on {}", server.name()),
        _server: Some(server.clone()),
    }
}

fn without_database(kind: EngineKind, adapt: &impl Fn(&mut SessionConfig)) -> Bed {
    let Setup { mut config, clock } = setup();
    adapt(&mut config);
    let redis = kind.needs_cache().then(|| Arc::new(TestRedis::new()));
    let folder = (kind == EngineKind::File).then(|| TempDir::new().unwrap());
    let engine = match (&redis, &folder) {
        (Some(redis), _) => SessionEngine::cache(cache_of(redis), config),
        (None, Some(folder)) => {
            config.file_path = Some(folder.path().into());
            SessionEngine::file(config).unwrap()
        }
        (None, None) => SessionEngine::signed_cookies(config),
    };
    Bed {
        engine,
        clock,
        database: None,
        redis,
        folder,
        name: kind.to_string(),
        _server: None,
    }
}

impl Bed {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn kind(&self) -> EngineKind {
        self.engine.kind()
    }

    /// Whether the store can forget a session.
    pub(crate) fn can_revoke(&self) -> bool {
        self.kind() != EngineKind::SignedCookies
    }

    pub(crate) fn open(&self, cookie: &str) -> Session {
        self.engine.open(Some(cookie))
    }

    /// A stored session with `{"a": 1}`, and its cookie.
    pub(crate) async fn stored(&self) -> String {
        let session = self.engine.open(None);
        session.insert("a", &1).await.unwrap();
        session.save().await.unwrap();
        session.session_key().unwrap()
    }

    /// Sessions in the store, each place counted: rows, cache entries, files.
    pub(crate) async fn count(&self) -> usize {
        let mut count = 0;
        if let Some(database) = &self.database {
            static COUNT: Sql = Sql::new("SELECT COUNT(*) FROM django_session");
            let rows = database
                .fetch_optional(&COUNT, &[], |row| row.get::<i64>(0))
                .await
                .unwrap();
            count += usize::try_from(rows.unwrap()).unwrap();
        }
        if self.redis.is_some() {
            count += self.cache_keys().await.len();
        }
        if let Some(folder) = &self.folder {
            count += folder.path().read_dir().unwrap().count();
        }
        count
    }

    /// Deletes every row.
    pub(crate) async fn forget(&self) {
        if self.database.is_some() {
            self.execute("DELETE FROM django_session", vec![]).await;
        }
    }

    pub(crate) async fn redis_connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.redis.as_ref().unwrap().url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// The keys in the cache without the prefix that separates the tests, and without those of sessions
    /// that have ended.
    pub(crate) async fn cache_keys(&self) -> Vec<String> {
        let prefix = self.redis.as_ref().unwrap().prefix();
        let mut connection = self.redis_connection().await;
        let mut command = redis::cmd("KEYS");
        command.arg(format!("{prefix}*"));
        let keys: Vec<String> = command.query_async(&mut connection).await.unwrap();
        let mut alive = Vec::new();
        for key in keys {
            let mut get = redis::cmd("GET");
            let value: Vec<u8> = get.arg(&key).query_async(&mut connection).await.unwrap();
            if value != ENDED {
                alive.push(key.strip_prefix(prefix).unwrap().to_owned());
            }
        }
        alive
    }

    /// Runs one Redis command on `name` under the prefix of this test.
    pub(crate) async fn redis<T: redis::FromRedisValue>(
        &self,
        command: &str,
        name: &str,
        rest: &[&[u8]],
    ) -> T {
        let mut run = redis::cmd(command);
        run.arg(format!(
            "{}:1:{name}",
            self.redis.as_ref().unwrap().prefix()
        ));
        rest.iter().for_each(|argument| {
            run.arg(argument);
        });
        run.query_async(&mut self.redis_connection().await)
            .await
            .unwrap()
    }

    pub(crate) async fn execute(&self, sql: &'static str, params: Vec<Value<'_>>) -> u64 {
        self.database
            .as_ref()
            .unwrap()
            .execute(&Sql::new(sql), params)
            .await
            .unwrap()
    }
}
