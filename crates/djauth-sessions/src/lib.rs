//! Django's sessions: every engine, the same rows, cache entries, files and cookies.
//!
//! A session is opened from the cookie of a request, read and changed through a cheap handle, and ended
//! by [`process_response`], which saves it and says what to do with the cookie:
//!
//! ```
//! use djauth_sessions::{CookieAction, SessionConfig, SessionEngine, process_response};
//! use djauth_signing::{SecretKey, SecretKeys};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = SecretKeys::new(SecretKey::new("the SECRET_KEY of the Django site")?);
//! let engine = SessionEngine::signed_cookies(SessionConfig::new(&keys));
//!
//! let session = engine.open(None);
//! session.insert("cart", &["apples", "pears"]).await?;
//! let outcome = process_response(&session, false, 200).await?;
//! let CookieAction::Set { value, .. } = outcome.cookie else { panic!("the session was changed") };
//!
//! let next = engine.open(Some(&value));
//! assert_eq!(next.get::<Vec<String>>("cart").await?.unwrap().len(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! | here | in `django.contrib.sessions` |
//! |---|---|
//! | [`SessionEngine`], [`EngineKind`] | `backends.*`: `db`, `cached_db`, `cache`, `file`, `signed_cookies` |
//! | [`Session`] | `backends.base.SessionBase`, a request's session |
//! | [`SessionData`], [`SessionConfig::encode`], [`SessionConfig::decode`] | `SessionBase.encode`, `decode` |
//! | [`process_response`] | `middleware.SessionMiddleware.process_response` |
//! | [`SessionEngine::clear_expired`] | `manage.py clearsessions` |
//! | [`Cache`], [`pickle`] | `django.core.cache.backends.redis` |
//!
//! Where it differs from Django, it is to lose nothing and to let nobody in: a cache or database that is
//! away is an error and never an empty session; a saved copy never outlives its session's row; ended
//! session files stay ended; a value that cannot be written again is refused instead of lost.

mod cache;
mod config;
mod data;
mod engine;
mod error;
mod expiry;
#[cfg(feature = "axum")]
mod extract;
mod json;
mod keys;
pub mod pickle;
mod python;
mod response;
mod session;

pub use cache::Cache;
pub use config::{SESSION_SALT, SIGNED_COOKIES_SALT, SessionConfig};
pub use data::SessionData;
pub use engine::{EngineKind, SessionEngine};
pub use error::{Error, ErrorKind, Result};
pub use expiry::{Expiry, SESSION_EXPIRY};
#[cfg(feature = "axum")]
pub use extract::MissingSession;
pub use python::{BigInt, PyStr, Value};
pub use response::{CookieAction, Decision, Facts, Outcome, decide, process_response};
pub use session::Session;
