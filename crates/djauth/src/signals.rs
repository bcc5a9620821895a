//! `user_logged_in`, `user_logged_out`, `user_login_failed`: `django/contrib/auth/signals.py`.
//!
//! Typed: each signal has its own event. Receivers are async functions that own their event; they run
//! in the order in which they were connected, and the first failure stops the rest and is returned to
//! the sender, as Django's `send` lets an exception through.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::backends::Credentials;
use crate::base_user::BaseUser;
use crate::http::Request;
use crate::models::User;
use crate::{Auth, Error, ErrorKind};

type BoxError = Box<dyn StdError + Send + Sync>;
type Receiver<E> =
    Arc<dyn Fn(E) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>> + Send + Sync>;

/// A list of receivers for one kind of event.
pub struct Signal<E> {
    name: &'static str,
    receivers: RwLock<Vec<(Option<&'static str>, Receiver<E>)>>,
}

impl<E: Clone + Send + 'static> Signal<E> {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            receivers: RwLock::default(),
        }
    }

    /// Adds a receiver: an async function of the event that returns nothing or a `Result`.
    pub fn connect<F, Fut, R>(&self, receiver: F)
    where
        F: Fn(E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Outcome,
    {
        self.add(None, receiver);
    }

    /// Adds a receiver under a name (Django's `dispatch_uid`): a second one of the same name is ignored,
    /// and [`Signal::disconnect`] can remove it.
    pub fn connect_as<F, Fut, R>(&self, uid: &'static str, receiver: F)
    where
        F: Fn(E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Outcome,
    {
        self.add(Some(uid), receiver);
    }

    fn add<F, Fut, R>(&self, uid: Option<&'static str>, receiver: F)
    where
        F: Fn(E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Outcome,
    {
        let boxed: Receiver<E> = Arc::new(move |event| {
            let running = receiver(event);
            Box::pin(async move { running.await.into_result() })
        });
        let mut receivers = self.receivers.write();
        if uid.is_none() || receivers.iter().all(|(known, _)| *known != uid) {
            receivers.push((uid, boxed));
        }
    }

    /// Removes the receiver that was connected under this name; whether there was one.
    pub fn disconnect(&self, uid: &str) -> bool {
        let mut receivers = self.receivers.write();
        let before = receivers.len();
        receivers.retain(|(known, _)| *known != Some(uid));
        receivers.len() < before
    }

    /// Runs the receivers in order.
    ///
    /// # Errors
    /// The first receiver that failed ([`ErrorKind::Receiver`], or the receiver's own [`Error`]).
    pub async fn send(&self, event: E) -> Result<(), Error> {
        let receivers: Vec<_> = self
            .receivers
            .read()
            .iter()
            .map(|(_, r)| r.clone())
            .collect();
        for receiver in receivers {
            receiver(event.clone()).await.map_err(|e| self.failed(e))?;
        }
        Ok(())
    }

    fn failed(&self, error: BoxError) -> Error {
        match error.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => Error::caused(
                ErrorKind::Receiver,
                format!("a receiver of {} failed", self.name),
                other,
            ),
        }
    }
}

impl<E> fmt::Debug for Signal<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal")
            .field("name", &self.name)
            .field("receivers", &self.receivers.read().len())
            .finish()
    }
}

/// What a receiver may return: `()` or `Result<(), E>`.
pub trait Outcome {
    /// As a result.
    ///
    /// # Errors
    /// The receiver's failure.
    fn into_result(self) -> Result<(), BoxError>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<X: Into<BoxError>> Outcome for Result<(), X> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// The three signals of one [`Auth`].
#[derive(Debug)]
pub struct Signals<U: BaseUser = User> {
    /// After a login; the built-in receiver `update_last_login` is connected here.
    pub user_logged_in: Signal<UserLoggedIn<U>>,
    /// Before a logout removes anything.
    pub user_logged_out: Signal<UserLoggedOut<U>>,
    /// No backend accepted the credentials.
    pub user_login_failed: Signal<UserLoginFailed>,
}

impl<U: BaseUser> Signals<U> {
    pub(crate) fn new() -> Self {
        Self {
            user_logged_in: Signal::new("user_logged_in"),
            user_logged_out: Signal::new("user_logged_out"),
            user_login_failed: Signal::new("user_login_failed"),
        }
    }
}

/// Somebody logged in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserLoggedIn<U: BaseUser = User> {
    /// Where it happened.
    pub auth: Auth<U>,
    /// Who; `last_login` as it was before this login.
    pub user: Arc<U>,
    /// The request.
    pub request: Request,
}

/// Somebody is about to be logged out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserLoggedOut<U: BaseUser = User> {
    /// Where it happens.
    pub auth: Auth<U>,
    /// Who; `None` when nobody was logged in.
    pub user: Option<Arc<U>>,
    /// The request.
    pub request: Request,
}

/// No backend accepted the credentials.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserLoginFailed {
    /// What was tried, with every secret replaced by asterisks.
    pub credentials: Credentials,
    /// The request, if there was one.
    pub request: Option<Request>,
}
