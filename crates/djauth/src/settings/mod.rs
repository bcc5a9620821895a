//! Settings: `django.conf`.
//!
//! [`Settings`] is a value that is passed once. One table defines every setting: Django's name, how
//! it is written, its default and what it does; the reader, `diffsettings`, the reference page
//! `docs/settings.md` and the checks follow from it.
//!
//! ```
//! use djauth::settings::{SecretKey, Settings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut settings = Settings::new(SecretKey::new("long, random and secret")?);
//! settings.login_redirect_url = "/".into();
//! settings.session_cookie_age = 8 * 60 * 60;
//! settings.validate()?;
//! # Ok(())
//! # }
//! ```

mod cookies;
mod error;
mod forward_auth;
mod kind;
mod languages;
mod limits;
mod mail;
mod names;
mod network;
mod passwords;
mod permissions;
mod rate;
mod read;
mod show;
mod table;
mod time;
mod urls;
mod user_model;
mod validate;

pub use cookies::SameSite;
pub use djauth_hashers::CostLimits;
pub use djauth_signing::SecretKey;
pub use error::ImproperlyConfigured;
pub use mail::{DEFAULT_MAILER_ALIAS, MailBackend, Mailer};
pub use names::SessionEngine;
pub use network::{InvalidNetwork, IpNetwork};
pub use passwords::{BreachCheck, HasherParameters, PasswordValidator};
pub use permissions::CustomPermission;
pub use rate::{InvalidRate, Rate};
pub use read::Draft;
pub use show::reference;
pub use table::{DEFINITIONS, Definition, Settings};
pub use urls::SecretUrl;
pub use user_model::AuthUserModel;

#[cfg(test)]
mod tests;
