//! What the pools of both servers share: limits, and connections that are not given back dirty.

use std::error::Error as StdError;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    HookError, Manager, Object, Pool, PoolBuilder, PoolError, TimeoutType, Timeouts,
};

use crate::{Error, ErrorKind, Result};

/// Limits of a server's pool, from the URL.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Connections at most.
    pub(crate) size: usize,
    /// For a free connection, and for making one.
    pub(crate) connect: Duration,
    /// For one statement.
    pub(crate) statement: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(4, usize::from);
        Limits {
            size: (threads * 4).clamp(8, 32),
            connect: Duration::from_secs(5),
            statement: Duration::from_secs(30),
        }
    }
}

impl Limits {
    pub(crate) fn builder<M: Manager>(&self, manager: M) -> PoolBuilder<M> {
        let timeouts = Timeouts {
            wait: Some(self.connect),
            create: Some(self.connect),
            recycle: Some(self.connect),
        };
        Pool::builder(manager)
            .max_size(self.size)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
    }

    /// Runs one statement, `Unavailable` when the server does not answer in time.
    pub(crate) async fn statement<T>(&self, f: impl Future<Output = Result<T>>) -> Result<T> {
        within(self.statement, f).await
    }

    /// Runs DDL, which may copy whole tables.
    pub(crate) async fn script<T>(&self, f: impl Future<Output = Result<T>>) -> Result<T> {
        within(self.statement * SCRIPT, f).await
    }
}

/// How many times longer than a statement a script may take.
const SCRIPT: u32 = 60;

async fn within<T>(limit: Duration, f: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(limit, f).await.unwrap_or_else(|_| {
        let text = format!("the database did not answer within {limit:?}");
        Err(Error::new(ErrorKind::Unavailable, text))
    })
}

pub(crate) fn build<M: Manager>(builder: PoolBuilder<M>) -> Result<Pool<M>> {
    builder
        .build()
        .map_err(|_| Error::configuration("the pool of connections cannot be made"))
}

pub(crate) fn map<E: StdError>(error: PoolError<E>, map: impl FnOnce(E) -> Error) -> Error {
    match error {
        PoolError::Backend(e) | PoolError::PostCreateHook(HookError::Backend(e)) => map(e),
        PoolError::Closed => Error::closed(),
        PoolError::Timeout(TimeoutType::Wait) => Error::new(
            ErrorKind::Unavailable,
            "no free database connection in time",
        ),
        PoolError::Timeout(_) => Error::new(
            ErrorKind::Unavailable,
            "no connection to the database in time",
        ),
        PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            Error::new(ErrorKind::Other, "the pool of connections cannot be used")
        }
    }
}

/// A connection from the pool. It goes back only when it is known to be clean: after a timeout, a
/// broken protocol, or a transaction that nobody ended, it is closed instead, and the server rolls
/// back.
pub(crate) struct Held<M: Manager> {
    object: Option<Object<M>>,
    clean: AtomicBool,
}

impl<M: Manager> Held<M> {
    pub(crate) fn new(object: Object<M>) -> Self {
        Held {
            object: Some(object),
            clean: AtomicBool::new(true),
        }
    }

    pub(crate) fn set_clean(&self, clean: bool) {
        self.clean.store(clean, Ordering::Relaxed);
    }

    /// For drivers that want their connection exclusively.
    pub(crate) fn get_mut(&mut self) -> &mut M::Type {
        self.object.as_mut().expect("held until dropped")
    }
}

impl<M: Manager> Deref for Held<M> {
    type Target = M::Type;

    fn deref(&self) -> &M::Type {
        self.object.as_ref().expect("held until dropped")
    }
}

impl<M: Manager> Drop for Held<M> {
    fn drop(&mut self) {
        let object = self.object.take();
        if !self.clean.load(Ordering::Relaxed) {
            drop(object.map(Object::take));
        }
    }
}

/// How busy the connections to a database server are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Connections at most.
    pub limit: usize,
    /// Connections that are open.
    pub open: usize,
    /// Open connections that nobody uses.
    pub idle: usize,
    /// Statements that wait for a connection.
    pub waiting: usize,
}

pub(crate) fn stats<M: Manager>(pool: &Pool<M>) -> PoolStats {
    let status = pool.status();
    PoolStats {
        limit: status.max_size,
        open: status.size,
        idle: status.available,
        waiting: status.waiting,
    }
}
