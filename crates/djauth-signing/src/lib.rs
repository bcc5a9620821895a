//! Django's signing for Rust: a value signed here is accepted by Django, and a value that Django
//! signed is accepted here.
//!
//! ```
//! use djauth_signing::{SecretKey, SecretKeys, SystemClock, signing};
//!
//! # fn main() -> Result<(), djauth_signing::Error> {
//! let keys = SecretKeys::new(SecretKey::new("the SECRET_KEY of the Django site")?);
//! let signed = signing::dumps(&("cart", 3), &keys, signing::DEFAULT_SALT, false, &SystemClock)?;
//! let (name, items): (String, u32) =
//!     signing::loads(&signed, &keys, signing::DEFAULT_SALT, None, &SystemClock)?;
//! assert_eq!((name.as_str(), items), ("cart", 3));
//! # Ok(())
//! # }
//! ```
//!
//! | module | mirrors |
//! |---|---|
//! | [`signing`] | `django.core.signing` and the signed cookies of `django.http` |
//! | [`crypto`] | `django.utils.crypto` |
//! | [`http`] | the number and base64 forms of `django.utils.http` |
//! | [`json`] | `json.dumps` of Python in the form that Django signs |
//! | [`timezone`] | `django.utils.timezone.now`, as a value that tests can set |
//!
//! Nothing here does I/O, blocks, or panics on hostile input; what is compared with a secret is
//! compared in constant time.

pub mod crypto;
mod error;
pub mod http;
pub mod json;
mod secret_key;
pub mod signing;
pub mod timezone;

pub use error::{Error, ErrorKind, Result};
pub use secret_key::{SecretKey, SecretKeys};
pub use timezone::{Clock, FixedClock, SystemClock};
