//! Redis or Valkey, with the keys of Django's Redis cache.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, RedisError};
use tokio::sync::OnceCell;

use crate::error::{Error, ErrorKind, Result};

/// Longest wait for a connection or an answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Redis takes no expiry that overflows; a session of more than 100 years is kept for 100.
const LONGEST_AGE: i64 = 100 * 366 * 86_400;

/// Counts `KEYS[1]` up to the limit of `ARGV[1]`, for `ARGV[2]` seconds.
const COUNT_UP: &str = "\
local count = tonumber(redis.call('GET', KEYS[1]) or '0') \
if count >= tonumber(ARGV[1]) then return 0 end \
redis.call('INCR', KEYS[1]) \
if count == 0 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end \
return 1";
const COUNT_DOWN: &str = "\
if tonumber(redis.call('GET', KEYS[1]) or '0') < 1 then return 0 end \
return redis.call('DECR', KEYS[1])";
/// Stores `ARGV[2]` for `ARGV[3]` seconds, unless `ARGV[1]` is there.
const SET_UNLESS: &str = "\
if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end \
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) \
return 1";

/// A connection to one Redis or Valkey server, shared by everything that uses the same cache.
///
/// It connects at the first use, and again whenever the connection was lost. While the server is away
/// every call fails within two seconds with [`ErrorKind::Unavailable`].
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    client: Client,
    manager: OnceCell<ConnectionManager>,
    key_prefix: String,
    version: u32,
}

impl Cache {
    /// A cache at `redis://[user:password@]host[:port][/db]` (or `valkey://…`, `unix://…`), with the
    /// `KEY_PREFIX` and `VERSION` that Django's `CACHES` names (`""` and 1 by default). Does no I/O.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the URL is none of these.
    pub fn new(url: &str, key_prefix: &str, version: u32) -> Result<Self> {
        // The parser's message is left out: it may quote the password.
        let client = Client::open(url).map_err(|_| {
            Error::new(
                ErrorKind::Configuration,
                "CACHE_URL is not a URL such as redis://127.0.0.1:6379/0",
            )
        })?;
        let manager = OnceCell::new();
        Ok(Cache(Arc::new(Inner {
            client,
            manager,
            key_prefix: key_prefix.into(),
            version,
        })))
    }

    /// The key under which Django's cache keeps `name`.
    pub fn make_key(&self, name: &str) -> String {
        format!("{}:{}:{name}", self.0.key_prefix, self.0.version)
    }

    /// Whether the server answers.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<()> {
        self.run(&redis::cmd("PING")).await
    }

    /// The stored bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`]; this holds for all methods here.
    pub async fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.run(redis::cmd("GET").arg(self.make_key(name))).await
    }

    /// Stores for `age` seconds. Like Django's, an age of zero or less deletes.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`].
    pub async fn set(&self, name: &str, value: &[u8], age: i64) -> Result<()> {
        if age <= 0 {
            return self.delete(name).await.map(drop);
        }
        self.run::<Option<String>>(&self.set_command(name, value, age))
            .await
            .map(drop)
    }

    /// Stores only if nothing is there yet; tells whether it stored. Like Django's, an age of zero or
    /// less stores nothing, but answers as if.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`].
    pub async fn add(&self, name: &str, value: &[u8], age: i64) -> Result<bool> {
        if age <= 0 {
            return Ok(self.get(name).await?.is_none());
        }
        let stored: Option<String> = self
            .run(self.set_command(name, value, age).arg("NX"))
            .await?;
        Ok(stored.is_some())
    }

    /// Stores only over something; tells whether it did. One command, so that a value which is deleted
    /// meanwhile does not come back.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`].
    pub async fn replace(&self, name: &str, value: &[u8], age: i64) -> Result<bool> {
        if age <= 0 {
            return self.delete(name).await;
        }
        let stored: Option<String> = self
            .run(self.set_command(name, value, age).arg("XX"))
            .await?;
        Ok(stored.is_some())
    }

    /// Stores unless `unless` is stored there; tells whether it did. One step. A server that does not
    /// let us do this keeps no older value either.
    pub(crate) async fn set_unless(
        &self,
        name: &str,
        unless: &[u8],
        value: &[u8],
        age: i64,
    ) -> Result<bool> {
        if age <= 0 {
            return self.delete(name).await;
        }
        let mut command = redis::cmd("EVAL");
        command.arg(SET_UNLESS).arg(1).arg(self.make_key(name));
        command.arg(unless).arg(value).arg(age.min(LONGEST_AGE));
        match self.run::<i64>(&command).await {
            Err(error) if is_refused(&error) => {
                self.delete(name).await?;
                Err(error)
            }
            stored => Ok(stored? > 0),
        }
    }

    /// Gives what is stored another age; tells whether something was there.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`].
    pub async fn touch(&self, name: &str, age: i64) -> Result<bool> {
        if age <= 0 {
            return self.delete(name).await;
        }
        let mut command = redis::cmd("EXPIRE");
        command.arg(self.make_key(name)).arg(age.min(LONGEST_AGE));
        let touched: i64 = self.run(&command).await?;
        Ok(touched > 0)
    }

    /// Deletes; tells whether something was there.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`].
    pub async fn delete(&self, name: &str) -> Result<bool> {
        let deleted: i64 = self.run(redis::cmd("DEL").arg(self.make_key(name))).await?;
        Ok(deleted > 0)
    }

    /// Adds one to a count that is kept for `age` seconds from its beginning, unless it has reached
    /// `limit`; tells whether it did. One step, however many do it at once.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`].
    pub async fn count_up(&self, name: &str, limit: u64, age: i64) -> Result<bool> {
        let mut command = redis::cmd("EVAL");
        command.arg(COUNT_UP).arg(1).arg(self.make_key(name));
        command.arg(limit).arg(age.clamp(1, LONGEST_AGE));
        let counted: i64 = self.run(&command).await?;
        Ok(counted > 0)
    }

    /// Takes one from a count, if there is any.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`]; the count may be smaller by then, and is never made smaller twice.
    pub async fn count_down(&self, name: &str) -> Result<()> {
        let mut command = redis::cmd("EVAL");
        command.arg(COUNT_DOWN).arg(1).arg(self.make_key(name));
        within(self.query::<i64>(&command)).await.map(drop)
    }

    /// Deletes everything whose name begins with `prefix`, also under other prefixes of the same text.
    /// Not for names that are made from input. It goes through all keys of the server.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`].
    pub async fn delete_all(&self, prefix: &str) -> Result<()> {
        let pattern = format!("{}*", glob_escaped(&self.make_key(prefix)));
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor)
                .arg("MATCH")
                .arg(&pattern)
                .arg("COUNT")
                .arg(1000);
            let (next, keys): (u64, Vec<Vec<u8>>) = self.run(&scan).await?;
            for key in keys {
                self.run::<i64>(redis::cmd("DEL").arg(key)).await?;
            }
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }

    fn set_command(&self, name: &str, value: &[u8], age: i64) -> Cmd {
        let mut command = redis::cmd("SET");
        command
            .arg(self.make_key(name))
            .arg(value)
            .arg("EX")
            .arg(age.min(LONGEST_AGE));
        command
    }

    /// Runs a command, once more if the connection turned out to be lost: after a restart of the server
    /// the first call would fail otherwise. Each command here may run twice without harm.
    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        let attempts = async {
            match self.query(command).await {
                Err(error) if error.is_io_error() => self.query(command).await,
                outcome => outcome,
            }
        };
        within(attempts).await
    }

    async fn query<T: FromRedisValue>(&self, command: &Cmd) -> redis::RedisResult<T> {
        let manager = self.0.manager.get_or_try_init(|| async {
            let config = ConnectionManagerConfig::new()
                .set_number_of_retries(0)
                .set_connection_timeout(Some(TIMEOUT))
                .set_response_timeout(Some(TIMEOUT));
            ConnectionManager::new_lazy_with_config(self.0.client.clone(), config)
        });
        command.query_async(&mut manager.await?.clone()).await
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("key_prefix", &self.0.key_prefix)
            .field("version", &self.0.version)
            .finish_non_exhaustive()
    }
}

async fn within<T>(answer: impl Future<Output = redis::RedisResult<T>>) -> Result<T> {
    match tokio::time::timeout(TIMEOUT, answer).await {
        Ok(outcome) => outcome.map_err(unavailable),
        Err(_) => Err(Error::new(
            ErrorKind::Unavailable,
            "the cache server does not answer",
        )),
    }
}

/// A text in a pattern of Redis that stands for itself.
fn glob_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '^' | '-' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Whether the server answered, but not as asked.
fn is_refused(error: &Error) -> bool {
    let cause =
        std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<RedisError>());
    cause.is_some_and(|cause| !cause.is_io_error() && !cause.is_timeout())
}

/// Whatever the server or the way to it answers, the cache is of no use now.
fn unavailable(error: RedisError) -> Error {
    Error::with_source(
        ErrorKind::Unavailable,
        "the cache server is not available",
        error,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_djangos() {
        let cache = Cache::new("redis://127.0.0.1:1/0", "", 1).unwrap();
        assert_eq!(
            cache.make_key("django.contrib.sessions.cacheabcdefgh"),
            ":1:django.contrib.sessions.cacheabcdefgh"
        );
        let cache = Cache::new("valkey://127.0.0.1:1/0", "site", 7).unwrap();
        assert_eq!(cache.make_key("x"), "site:7:x");
    }

    #[test]
    fn a_wrong_url_is_named_without_its_password() {
        let error = Cache::new("http://user:sesame@host", "", 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(!format!("{error} {error:?}").contains("sesame"));
        let cache = Cache::new("redis://user:sesame@127.0.0.1/0", "", 1).unwrap();
        assert!(!format!("{cache:?}").contains("sesame"));
    }
}
