//! Messages that wait for their reader: `django.contrib.messages`.
//!
//! They are kept as Django keeps them (its `FallbackStorage`): in the signed cookie `messages`, and what
//! does not fit there in the session. So a message that one side left is shown by the other, once.
//!
//! ```
//! use axum::http::HeaderMap;
//! use djauth::{Auth, Error, Request};
//! use djauth_admin::messages::{Level, Messages};
//!
//! async fn saved(auth: &Auth, request: &Request, headers: &mut HeaderMap) -> Result<(), Error> {
//!     let messages = Messages::of(auth, request);
//!     messages.add(Level::Success, "The report was saved.");
//!     messages.finish(headers).await // the cookie goes out with the response
//! }
//! ```

mod cookie;
mod session;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use axum::http::HeaderMap;
use djauth::{Auth, BaseUser, Error, Request};
use djauth_signing::{Clock, SecretKeys};
use minijinja::Value;
use parking_lot::Mutex;
use serde_json::Value as Json;

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For developers. Not kept, as in Django without `MESSAGE_LEVEL`.
    Debug = 10,
    /// Something to know.
    Info = 20,
    /// What was asked for is done.
    Success = 25,
    /// Something to look at.
    Warning = 30,
    /// What was asked for was not done.
    Error = 40,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// A [`Level`] as a number, or one of an application's own.
    pub level: u32,
    /// The text.
    pub text: String,
    /// Whether the text is HTML.
    pub is_safe: bool,
    /// CSS classes of the application's own; Django's admin writes an empty text.
    pub extra_tags: Option<String>,
}

/// What marks a message in Django's JSON.
const MESSAGE_KEY: &str = "__json_message";

impl Message {
    /// The level in a word, for CSS; empty for a level of an application's own.
    #[must_use]
    pub fn tag(&self) -> &'static str {
        match self.level {
            10 => "debug",
            20 => "info",
            25 => "success",
            30 => "warning",
            40 => "error",
            _ => "",
        }
    }

    /// The application's own classes, then the level's (Django's `message.tags`).
    #[must_use]
    pub fn tags(&self) -> String {
        let extra = self.extra_tags.as_deref().unwrap_or_default();
        let tags = [extra, self.tag()].into_iter();
        let tags: Vec<_> = tags.filter(|tag| !tag.is_empty()).collect();
        tags.join(" ")
    }

    /// The text for a template, which escapes it unless it is HTML.
    #[must_use]
    pub fn html(&self) -> Value {
        match self.is_safe {
            true => Value::from_safe_string(self.text.clone()),
            false => Value::from(self.text.as_str()),
        }
    }

    /// `["__json_message", 0, 25, "text", "tags"]`.
    fn to_json(&self) -> Json {
        let mut parts = vec![
            MESSAGE_KEY.into(),
            u8::from(self.is_safe).into(),
            self.level.into(),
            self.text.as_str().into(),
        ];
        parts.extend(self.extra_tags.as_deref().map(Json::from));
        Json::Array(parts)
    }

    fn from_json(json: &Json) -> Option<Self> {
        let parts = json.as_array()?;
        if parts.first()?.as_str()? != MESSAGE_KEY {
            return None;
        }
        let flag = parts.get(1)?;
        Some(Self {
            level: u32::try_from(parts.get(2)?.as_u64()?).ok()?,
            text: parts.get(3)?.as_str()?.to_owned(),
            is_safe: is_set(flag),
            extra_tags: parts.get(4).and_then(Json::as_str).map(str::to_owned),
        })
    }
}

/// Whether a flag says yes: as `true`, or as another whole number than 0. Anything else is no mark of HTML.
fn is_set(flag: &Json) -> bool {
    flag.as_bool() == Some(true) || flag.as_i64().is_some_and(|number| number != 0)
}

/// The messages of one request; clones are the same. Mirrors `request._messages`.
///
/// Nothing is read before somebody asks, or adds one: a request without messages costs nothing.
#[derive(Clone)]
pub struct Messages(Arc<Inner>);

struct Inner {
    request: Request,
    keys: SecretKeys,
    clock: Arc<dyn Clock>,
    /// Never held across an await.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    added: Vec<Message>,
    /// What came with the request; `None` until it is looked at.
    loaded: Option<Loaded>,
    /// How many of those that were added were given to be shown, with all that came; `None`: nothing was.
    shown: Option<usize>,
}

#[derive(Clone, Default)]
struct Loaded {
    messages: Vec<Message>,
    in_cookie: bool,
    in_session: bool,
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}

impl Messages {
    /// The messages of a request.
    #[must_use]
    pub fn of<U: BaseUser>(auth: &Auth<U>, request: &Request) -> Self {
        Self(Arc::new(Inner {
            request: request.clone(),
            keys: auth.secret_keys().clone(),
            clock: auth.clock().clone(),
            state: Mutex::default(),
        }))
    }

    /// Leaves a message.
    pub fn add(&self, level: Level, text: impl Into<String>) {
        self.leave(level, text.into(), false);
    }

    /// Leaves a message that is HTML: a value that a template made, or that is safe otherwise. Any other
    /// value is taken as a text.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "values of templates are handed over"
    )]
    pub fn add_safe(&self, level: Level, html: Value) {
        self.leave(level, html.to_string(), html.is_safe());
    }

    fn leave(&self, level: Level, text: String, is_safe: bool) {
        self.push(Message {
            level: level as u32,
            text,
            is_safe,
            extra_tags: Some(String::new()),
        });
    }

    /// Leaves a message with a level or classes of the application's own. As in Django, an empty text is
    /// dropped, and so is what matters less than [`Level::Info`].
    pub fn push(&self, message: Message) {
        if message.level >= Level::Info as u32 && !message.text.is_empty() {
            self.0.state.lock().added.push(message);
        }
    }

    /// All messages, to be shown now: [`finish`](Self::finish) removes them then, unless they are given
    /// back.
    ///
    /// # Errors
    /// The session store's.
    pub async fn take(&self) -> Result<Vec<Message>, Error> {
        self.load().await?;
        let mut state = self.0.state.lock();
        state.shown = Some(state.added.len());
        let loaded = state.loaded.iter().flat_map(|loaded| &loaded.messages);
        Ok(loaded.chain(&state.added).cloned().collect())
    }

    /// Takes back that they are shown, for a page that could not be made: the next one shows them. (In
    /// Django they are lost then.)
    pub fn give_back(&self) {
        self.0.state.lock().shown = None;
    }

    /// Ends the request: keeps what was not shown, removes what was. Call it for every response, after
    /// the page is made.
    ///
    /// # Errors
    /// The session store's.
    pub async fn finish(self, headers: &mut HeaderMap) -> Result<(), Error> {
        let is_untouched = {
            let state = self.0.state.lock();
            state.shown.is_none() && state.added.is_empty()
        };
        if is_untouched {
            return Ok(());
        }
        self.load().await?;
        let (messages, loaded) = self.kept();
        self.store(&messages, &loaded, headers).await
    }

    /// What the next page shall show, and where what came with this request was.
    fn kept(&self) -> (Vec<Message>, Loaded) {
        let mut state = self.0.state.lock();
        let loaded = state.loaded.clone().unwrap_or_default();
        let messages = match state.shown {
            Some(shown) => state.added.split_off(shown),
            None => loaded
                .messages
                .iter()
                .cloned()
                .chain(state.added.drain(..))
                .collect(),
        };
        (messages, loaded)
    }

    /// The cookie first; the session only where the cookie says that there is more.
    async fn load(&self) -> Result<(), Error> {
        if self.0.state.lock().loaded.is_some() {
            return Ok(());
        }
        let found = cookie::read(&self.0.request, &self.0.keys, self.0.clock.as_ref());
        let mut loaded = Loaded {
            in_cookie: found.is_some(),
            ..Loaded::default()
        };
        if let Some((messages, has_more)) = found {
            loaded.messages = messages;
            if has_more {
                let more = session::read(self.0.request.session()).await?;
                loaded.in_session = !more.is_empty();
                loaded.messages.extend(more);
            }
        }
        self.0.state.lock().loaded.get_or_insert(loaded);
        Ok(())
    }

    async fn store(
        &self,
        messages: &[Message],
        loaded: &Loaded,
        headers: &mut HeaderMap,
    ) -> Result<(), Error> {
        let settings = self.0.request.settings();
        let session = self.0.request.session();
        let mut rest = messages;
        if !messages.is_empty() {
            let (value, fits) = cookie::write(messages, &self.0.keys, self.0.clock.as_ref())?;
            cookie::set(settings, headers, &value);
            rest = &messages[fits..];
        } else if loaded.in_cookie {
            cookie::delete(settings, headers);
        }
        if !rest.is_empty() {
            session::write(session, rest).await?;
        } else if loaded.in_session {
            session::remove(session).await?;
        }
        Ok(())
    }
}
