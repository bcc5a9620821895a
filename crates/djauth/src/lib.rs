//! Django's authentication and authorization for Rust, on the same database, cookies and hashes as a live Django site.

pub mod apps;
pub mod backends;
pub mod base_user;
pub mod checks;
pub mod decorators;
mod error;
pub mod forms;
pub mod management;
pub mod middleware;
pub mod mixins;
pub mod models;
pub mod password_validation;
pub mod signals;
pub mod urls;
pub mod validators;
pub mod views;

pub use error::{Error, ErrorKind};

// Borrowed: what `django.contrib.auth` imports from the rest of Django.
pub mod contenttypes;
pub mod csrf;
pub mod hashing;
pub mod http;
pub mod settings;
pub mod templates;
