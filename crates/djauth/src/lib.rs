#![doc = include_str!("docs/front.md")]

// The derive names this crate `djauth`, also in here.
extern crate self as djauth;

pub mod access_log;
pub mod admin;
pub mod apps;
mod auth;
pub mod backends;
pub mod base_user;
pub mod checks;
pub mod context_processors;
pub mod decorators;
mod error;
pub mod forms;
pub mod forward_auth;
pub mod handlers;
pub mod management;
pub mod middleware;
pub mod mixins;
pub mod models;
pub mod password_validation;
pub mod rate_limit;
pub mod request_path;
pub mod signals;
pub mod templatetags;
mod tls;
pub mod tokens;
pub mod urls;
pub mod usersessions;
pub mod validators;
pub mod views;

#[cfg(any(doc, doctest))]
pub mod docs;

// Borrowed: what `django.contrib.auth` imports from the rest of Django.
pub mod contenttypes;
pub mod csrf;
pub mod hashing;
pub mod http;
pub mod i18n;
pub mod mail;
pub mod settings;
pub mod templates;

pub use djauth_db as db;
pub use djauth_macros::BaseUser;
pub use djauth_sessions::Session;
pub use djauth_signing::{SecretKey, SecretKeys};

pub use crate::auth::{
    Auth, BACKEND_SESSION_KEY, BackendPermissions, Builder, HASH_SESSION_KEY, REDIRECT_FIELD_NAME,
    SESSION_KEY,
};
pub use crate::backends::Credentials;
pub use crate::base_user::{AbstractBaseUser, BaseUser, PermissionsMixin};
pub use crate::csrf::CsrfToken;
pub use crate::decorators::{login_required, permission_required, user_passes_test};
pub use crate::error::{Error, ErrorKind};
pub use crate::http::Request;
pub use crate::middleware::AuthLayer;
pub use crate::mixins::{
    CurrentUser, LoginRequired, MaybeUser, PermissionRequired, Rejection, UserPassesTest,
};
pub use crate::models::{AnonymousUser, Group, Permission, User, get_permission_codename};
pub use crate::settings::Settings;
