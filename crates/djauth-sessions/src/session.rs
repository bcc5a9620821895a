//! The handle of a request's session.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::SessionData;
use crate::engine::{EngineKind, Loaded, SessionEngine};
use crate::error::Result;
use crate::expiry::{Expiry, Stored};
use crate::keys;

const TEST_COOKIE_NAME: &str = "testcookie";
const TEST_COOKIE_VALUE: &str = "worked";

/// A session: a cheap handle that everything which serves one request shares.
///
/// The data is loaded at the first access, once, however many tasks ask; a load that failed is tried
/// again at the next access. What is set here is stored by [`save`](Session::save), which
/// [`process_response`](crate::process_response) calls at the end of a request.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    engine: SessionEngine,
    /// Never held across an await.
    state: Mutex<State>,
    /// Held by whatever talks to the store, so that loading, saving and changing the key of one session
    /// follow each other.
    operation: tokio::sync::Mutex<()>,
}

struct State {
    /// None when the cookie was missing or too short, the store does not know the key, or after `flush`.
    key: Option<Arc<str>>,
    /// None until the first access. Shared with whoever provided it, until it is changed.
    data: Option<Arc<SessionData>>,
    accessed: bool,
    modified: bool,
}

impl Session {
    pub(crate) fn new(engine: SessionEngine, cookie: Option<&str>) -> Self {
        let key = cookie
            .filter(|key| keys::is_long_enough(key))
            .map(Arc::from);
        let state = State {
            key,
            data: None,
            accessed: false,
            modified: false,
        };
        Session(Arc::new(Inner {
            engine,
            state: Mutex::new(state),
            operation: tokio::sync::Mutex::default(),
        }))
    }

    /// The engine that keeps this session.
    pub fn engine(&self) -> &SessionEngine {
        &self.0.engine
    }

    /// The key; before the first access the one from the cookie, which may turn out to be unknown.
    pub fn session_key(&self) -> Option<String> {
        self.shared_key().map(|key| key.as_ref().to_owned())
    }

    /// [`session_key`](Self::session_key) without a copy of the text.
    pub fn shared_key(&self) -> Option<Arc<str>> {
        self.0.state.lock().key.clone()
    }

    /// Whether anything was read or written.
    pub fn accessed(&self) -> bool {
        self.0.state.lock().accessed
    }

    /// Whether the session must be saved.
    pub fn modified(&self) -> bool {
        self.0.state.lock().modified
    }

    /// Marks the session as changed, so that it is saved and its expiry starts anew.
    pub fn set_modified(&self) {
        self.0.state.lock().modified = true;
    }

    /// Whether the data has been loaded (or was set without loading).
    pub fn is_loaded(&self) -> bool {
        self.0.state.lock().data.is_some()
    }

    /// Whether there is neither a key nor data. Data that was never loaded counts as none.
    pub fn is_empty(&self) -> bool {
        let state = self.0.state.lock();
        state.key.is_none() && state.data.as_ref().is_none_or(|data| data.is_empty())
    }

    /// Hands over what a caller has read from the store itself for [`session_key`](Self::session_key):
    /// the data, or `None` if the store has no such session. Counts as the load and as an access.
    ///
    /// Does nothing, and answers false, if the session is loaded already or its key is no longer `key`.
    pub fn provide(&self, key: &str, data: Option<SessionData>) -> bool {
        self.provide_shared(key, data.map(Arc::new))
    }

    /// [`provide`](Self::provide) of data that others share; it is copied if it is changed here.
    pub fn provide_shared(&self, key: &str, data: Option<Arc<SessionData>>) -> bool {
        let mut state = self.0.state.lock();
        state.accessed = true;
        if state.data.is_some() || state.key.as_deref() != Some(key) {
            return false;
        }
        if data.is_none() {
            state.key = None;
        }
        state.data = Some(data.unwrap_or_default());
        true
    }

    /// Reads from the data without copying it.
    ///
    /// # Errors
    /// Those of loading; they hold for every method here that is `async`:
    /// [`Unavailable`](crate::ErrorKind::Unavailable), [`Database`](crate::ErrorKind::Database).
    pub async fn read<R>(&self, f: impl FnOnce(&SessionData) -> R) -> Result<R> {
        let mut f = Some(f);
        self.loaded(|data, _| f.take().map(|f| f(data.as_ref())))
            .await
    }

    /// A copy of the data.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn data(&self) -> Result<SessionData> {
        self.read(SessionData::clone).await
    }

    /// The value under `key`; see [`SessionData::get`].
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`SessionData::get`].
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        self.read(|data| data.get(key)).await?
    }

    /// The value under `key` if it is a string; see [`SessionData::get_str`].
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn get_str(&self, key: &str) -> Result<Option<String>> {
        self.read(|data| data.get_str(key).map(std::borrow::Cow::into_owned))
            .await
    }

    /// Whether the key is there.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn contains_key(&self, key: &str) -> Result<bool> {
        self.read(|data| data.contains_key(key)).await
    }

    /// The keys in insertion order.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn keys(&self) -> Result<Vec<String>> {
        self.read(|data| data.keys().collect()).await
    }

    /// Sets a value.
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`SessionData::insert`].
    pub async fn insert<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<()> {
        self.with(|data, modified| {
            data.insert(key, value)?;
            *modified = true;
            Ok(())
        })
        .await?
    }

    /// Sets everything that another dictionary holds.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn update(&self, other: &SessionData) -> Result<()> {
        self.with(|data, modified| {
            data.update(other);
            *modified = true;
        })
        .await
    }

    /// The value under `key`; if it is absent, `default`, which is then set.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`insert`](Self::insert).
    pub async fn setdefault<T: Serialize + DeserializeOwned>(
        &self,
        key: &str,
        default: T,
    ) -> Result<T> {
        self.with(|data, modified| {
            if let Some(value) = data.get(key)? {
                return Ok(value);
            }
            data.insert(key, &default)?;
            *modified = true;
            Ok(default)
        })
        .await?
    }

    /// Removes a key; tells whether it was there. Only then the session counts as modified.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn remove(&self, key: &str) -> Result<bool> {
        self.with(|data, modified| {
            let removed = data.remove(key);
            *modified |= removed;
            removed
        })
        .await
    }

    /// Removes a key and gives its value.
    ///
    /// # Errors
    /// As [`get`](Self::get); the value then stays.
    pub async fn pop<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        self.with(|data, modified| {
            let value = data.get(key)?;
            *modified |= data.remove(key);
            Ok(value)
        })
        .await?
    }

    /// Empties the session but keeps its key. Nothing is loaded for it.
    pub fn clear(&self) {
        let mut state = self.0.state.lock();
        state.data = Some(Arc::default());
        state.accessed = true;
        state.modified = true;
    }

    /// Sets the test value that tells on the next request whether the browser takes cookies.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub async fn set_test_cookie(&self) -> Result<()> {
        self.insert(TEST_COOKIE_NAME, TEST_COOKIE_VALUE).await
    }

    /// Whether the test value came back.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn test_cookie_worked(&self) -> Result<bool> {
        self.read(|data| data.get_str(TEST_COOKIE_NAME).as_deref() == Some(TEST_COOKIE_VALUE))
            .await
    }

    /// Removes the test value.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn delete_test_cookie(&self) -> Result<()> {
        self.remove(TEST_COOKIE_NAME).await.map(drop)
    }

    /// Seconds until the session ends.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn get_expiry_age(&self) -> Result<i64> {
        let config = self.0.engine.config();
        self.read(|data| Stored::of(data).age(config.now(), config.cookie_age))
            .await
    }

    /// When the session ends if it is saved now.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn get_expiry_date(&self) -> Result<DateTime<Utc>> {
        let config = self.0.engine.config();
        self.read(|data| Stored::of(data).date(config.now(), config.cookie_age))
            .await
    }

    /// Whether the cookie ends with the browser.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn get_expire_at_browser_close(&self) -> Result<bool> {
        let default = self.0.engine.config().expire_at_browser_close;
        self.read(|data| Stored::of(data).at_browser_close(default))
            .await
    }

    /// Sets when the session ends.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn set_expiry(&self, expiry: Expiry) -> Result<()> {
        let now = self.0.engine.config().now();
        self.with(|data, modified| {
            *modified |= data.set_expiry(expiry, now)?;
            Ok(())
        })
        .await?
    }

    /// Stores the data under a new key now, whatever the key was. Data that was not loaded is left
    /// behind.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub async fn create(&self) -> Result<()> {
        let _operation = self.0.operation.lock().await;
        self.create_locked().await
    }

    /// Stores the data: under a new key if there is none.
    ///
    /// # Errors
    /// [`Interrupted`](crate::ErrorKind::Interrupted) if the session has been deleted meanwhile,
    /// [`NotCarried`](crate::ErrorKind::NotCarried) if a value would be lost,
    /// [`TooLarge`](crate::ErrorKind::TooLarge), and those of the store. Nothing is written then.
    pub async fn save(&self) -> Result<()> {
        let _operation = self.0.operation.lock().await;
        self.load_locked().await?;
        self.save_locked().await
    }

    /// Deletes the session from its store. The handle keeps its key and data; see [`flush`](Self::flush).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn delete(&self) -> Result<()> {
        let _operation = self.0.operation.lock().await;
        self.delete_locked().await
    }

    /// Deletes the session from its store, and its data and key here: what logging out does.
    ///
    /// # Errors
    /// Those of the store; the session then stays as it was.
    pub async fn flush(&self) -> Result<()> {
        let _operation = self.0.operation.lock().await;
        self.delete_locked().await?;
        self.clear();
        self.0.state.lock().key = None;
        Ok(())
    }

    /// Gives the data a new key, at once, and deletes the old: what logging in does, so that a key that
    /// an attacker has planted or seen is worth nothing.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub async fn cycle_key(&self) -> Result<()> {
        let _operation = self.0.operation.lock().await;
        self.load_locked().await?;
        if self.kind() == EngineKind::SignedCookies {
            return self.save_locked().await;
        }
        let old = self.shared_key();
        self.create_locked().await?;
        match old {
            Some(old) => self.0.engine.delete(&old).await,
            None => Ok(()),
        }
    }

    fn kind(&self) -> EngineKind {
        self.0.engine.kind()
    }

    /// Runs `f` on the loaded data and on the flag that it must be saved. The data is copied first where
    /// it is shared.
    async fn with<R>(&self, f: impl FnOnce(&mut SessionData, &mut bool) -> R) -> Result<R> {
        let mut f = Some(f);
        let run = |data: &mut Arc<SessionData>, modified: &mut bool| {
            f.take().map(|f| f(Arc::make_mut(data), modified))
        };
        self.loaded(run).await
    }

    /// Runs `f`, which answers at its first call, once the data is loaded.
    async fn loaded<R>(
        &self,
        mut f: impl FnMut(&mut Arc<SessionData>, &mut bool) -> Option<R>,
    ) -> Result<R> {
        loop {
            if let Some(result) = self.try_loaded(&mut f) {
                return Ok(result);
            }
            let _operation = self.0.operation.lock().await;
            self.load_locked().await?;
        }
    }

    fn try_loaded<R>(
        &self,
        f: impl FnOnce(&mut Arc<SessionData>, &mut bool) -> Option<R>,
    ) -> Option<R> {
        let mut state = self.0.state.lock();
        let State {
            key,
            data,
            accessed,
            modified,
        } = &mut *state;
        *accessed = true;
        if data.is_none() && key.is_none() {
            *data = Some(Arc::default());
        }
        f(data.as_mut()?, modified)
    }

    /// Loads unless that was done. The operation lock is held.
    async fn load_locked(&self) -> Result<()> {
        let key = {
            let mut state = self.0.state.lock();
            state.accessed = true;
            if state.data.is_some() {
                return Ok(());
            }
            state.key.clone()
        };
        let loaded = match key {
            Some(key) => self.0.engine.load(&key).await?,
            None => Loaded::Missing,
        };
        let mut state = self.0.state.lock();
        // `clear` and `provide` do not wait for the operation lock: what they set stays.
        if state.data.is_none() {
            state.take_loaded(loaded);
        }
        Ok(())
    }

    async fn create_locked(&self) -> Result<()> {
        if self.kind() == EngineKind::SignedCookies {
            self.set_modified();
            return Ok(());
        }
        let data = self.0.state.lock().data.clone().unwrap_or_default();
        let key = self.0.engine.create(&data).await?;
        let mut state = self.0.state.lock();
        state.key = Some(key.into());
        state.data.get_or_insert_default();
        state.modified = true;
        state.accessed = true;
        Ok(())
    }

    async fn save_locked(&self) -> Result<()> {
        let (key, data, modified) = {
            let state = self.0.state.lock();
            let data = state.data.clone().unwrap_or_default();
            (state.key.clone(), data, state.modified)
        };
        if self.kind() == EngineKind::SignedCookies {
            let cookie = self.0.engine.sign(&data)?;
            let mut state = self.0.state.lock();
            state.key = Some(cookie.into());
            state.modified = true;
            return Ok(());
        }
        match key {
            Some(key) if modified => self.0.engine.save(&key, &data).await,
            Some(key) => self.0.engine.save_unchanged(&key, &data).await,
            None => self.create_locked().await,
        }
    }

    async fn delete_locked(&self) -> Result<()> {
        if self.kind() == EngineKind::SignedCookies {
            let mut state = self.0.state.lock();
            state.key = None;
            state.data = Some(Arc::default());
            state.modified = true;
            return Ok(());
        }
        match self.shared_key() {
            Some(key) => self.0.engine.delete(&key).await,
            None => Ok(()),
        }
    }
}

impl State {
    fn take_loaded(&mut self, loaded: Loaded) {
        let data = match loaded {
            Loaded::Found(data) => data,
            Loaded::Missing => {
                self.key = None;
                SessionData::default()
            }
            Loaded::Reset => {
                self.modified = true;
                SessionData::default()
            }
        };
        self.data = Some(Arc::new(data));
    }
}

/// Neither the key, which is as good as a password, nor the data.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state.lock();
        f.debug_struct("Session")
            .field("has_key", &state.key.is_some())
            .field("loaded", &state.data.is_some())
            .field("accessed", &state.accessed)
            .field("modified", &state.modified)
            .finish_non_exhaustive()
    }
}
