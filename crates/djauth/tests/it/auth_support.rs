//! What tests of models, backends and sessions share.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeZone, Utc};
use djauth::http::Request;
use djauth::{Auth, BaseUser, Credentials, SecretKey, Session, Settings};
use djauth_hashers::{Decoded, Error, MD5PasswordHasher, PasswordHasher};
use djauth_signing::FixedClock;
use test_databases::TestDatabase;

pub(crate) const KEY: &str = "models-vector-key-0123456789abcdefghijklmnopqrstuv";
pub(crate) const FALLBACK: &str = "models-vector-fallback-0123456789abcdefghijklmnop";

/// Settings with a hasher that costs nothing.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::new(SecretKey::new(KEY).expect("a key"));
    settings.password_hashers = vec!["django.contrib.auth.hashers.MD5PasswordHasher".to_owned()];
    settings
}

/// The same after a change of keys: `FALLBACK` was the key before.
pub(crate) fn rotated_settings() -> Settings {
    let mut settings = settings();
    settings.secret_key_fallbacks = vec![SecretKey::new(FALLBACK).expect("a key")];
    settings
}

/// Far above what anything here takes, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Comes back once that is so; panics with what was seen last when it never is. No test waits without it:
/// one that hangs tells nobody why.
#[track_caller]
pub(crate) fn until<S: fmt::Debug>(
    what: &str,
    mut see: impl FnMut() -> S,
    is_so: impl Fn(&S) -> bool,
) -> impl Future<Output = ()> {
    let (begun, at) = (Instant::now(), Location::caller());
    async move {
        loop {
            let seen = see();
            if is_so(&seen) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{at}: {what}: {seen:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// What comes of it; panics when nothing has come for long.
#[track_caller]
pub(crate) fn soon<F: Future>(what: &str, future: F) -> impl Future<Output = F::Output> {
    let at = Location::caller();
    async move {
        let answer = tokio::time::timeout(PATIENCE, future).await;
        answer.unwrap_or_else(|_| panic!("{at}: {what}: nothing came"))
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 1, 12, 0, 0)
        .single()
        .expect("a moment")
}

pub(crate) async fn connect(database: &TestDatabase) -> (Auth, FixedClock) {
    let clock = FixedClock::new(now());
    let auth = Auth::builder(settings())
        .clock(clock.clone())
        .connect(database.url())
        .await;
    let auth = auth.expect("connects");
    auth.migrate().await.expect("migrates");
    (auth, clock)
}

/// Runs a test on a migrated database of each kind, all at once.
pub(crate) async fn on_each_auth(test: impl AsyncFn(&TestDatabase, Auth, FixedClock)) {
    let databases = TestDatabase::all();
    let runs = databases.iter().map(async |database| {
        let (auth, clock) = connect(database).await;
        test(database, auth.clone(), clock).await;
        auth.db().close().await;
    });
    futures_util::future::join_all(runs).await;
}

/// A request of nobody, or with a session cookie.
pub(crate) fn request<U: BaseUser>(auth: &Auth<U>, cookie: Option<&str>) -> Request {
    Request::detached(auth.settings().clone(), auth.sessions().open(cookie))
}

/// Ends a request: its session's key once it is saved.
pub(crate) async fn saved(session: &Session) -> String {
    session.save().await.expect("saves");
    session.session_key().expect("a key")
}

/// A fresh session with this user logged in; its key.
pub(crate) async fn logged_in<U: BaseUser>(auth: &Auth<U>, user: &U) -> String {
    let request = request(auth, None);
    auth.login(&request, user.clone(), None)
        .await
        .expect("logs in");
    // Otherwise it is written in a second, whatever the test does then.
    auth.access_log().flush().await;
    saved(request.session()).await
}

pub(crate) fn password(username: &str, password: &str) -> Credentials {
    Credentials::username_password(username, password)
}

/// Counts the rounds of work that it does; `counting$<rounds>$<salt>$<md5>` asks for `rounds`.
#[derive(Clone, Debug, Default)]
pub(crate) struct CountingHasher {
    pub(crate) rounds: usize,
    work: Arc<AtomicUsize>,
}

impl CountingHasher {
    pub(crate) fn new(rounds: usize) -> Self {
        Self {
            rounds,
            work: Arc::default(),
        }
    }

    /// The work since the last time.
    pub(crate) fn take(&self) -> usize {
        self.work.swap(0, Ordering::SeqCst)
    }

    pub(crate) fn list(&self) -> Vec<Arc<dyn PasswordHasher>> {
        vec![Arc::new(self.clone())]
    }

    fn encoded(&self, rounds: usize, password: &[u8], salt: &str) -> Result<String, Error> {
        self.work.fetch_add(rounds, Ordering::SeqCst);
        let digest = MD5PasswordHasher.encode(password, salt)?;
        let digest = digest.rsplit('$').next().unwrap_or_default().to_owned();
        Ok(format!("counting${rounds}${salt}${digest}"))
    }

    fn parts(encoded: &str) -> (usize, &str) {
        let mut parts = encoded.split('$').skip(1);
        let rounds = parts
            .next()
            .and_then(|rounds| rounds.parse().ok())
            .unwrap_or(0);
        (rounds, parts.next().unwrap_or_default())
    }
}

impl PasswordHasher for CountingHasher {
    fn algorithm(&self) -> &str {
        "counting"
    }
    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error> {
        self.encoded(self.rounds, password, salt)
    }
    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error> {
        let (rounds, salt) = Self::parts(encoded);
        Ok(self.encoded(rounds, password, salt)? == encoded)
    }
    fn decode(&self, encoded: &str) -> Result<Decoded, Error> {
        let (_, salt) = Self::parts(encoded);
        Ok(Decoded::new("counting", Some(salt.to_owned()), ""))
    }
    fn must_update(&self, encoded: &str) -> Result<bool, Error> {
        Ok(Self::parts(encoded).0 != self.rounds)
    }
    fn harden_runtime(&self, _: &[u8], encoded: &str) -> Result<(), Error> {
        let missing = self.rounds.saturating_sub(Self::parts(encoded).0);
        self.work.fetch_add(missing, Ordering::SeqCst);
        Ok(())
    }
}
