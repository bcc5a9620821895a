//! Django's password hashers, byte for byte: what `django.contrib.auth.hashers` stores, this crate
//! verifies, and the other way round.
//!
//! ```
//! use djauth_hashers::{Hashers, Parameters};
//!
//! # fn main() -> Result<(), djauth_hashers::Error> {
//! let mut parameters = Parameters::default(); // Django 6.1's costs
//! parameters.set("pbkdf2_sha256", "iterations", 1_000)?;
//! let hashers = Hashers::from_names(&["pbkdf2_sha256", "argon2"], &parameters)?;
//!
//! let stored = hashers.make_password(Some("correct horse"))?;
//! assert!(stored.starts_with("pbkdf2_sha256$1000$"));
//! assert!(hashers.verify_password("correct horse", &stored).correct);
//! assert!(!hashers.verify_password("battery staple", &stored).correct);
//! # Ok(())
//! # }
//! ```
//!
//! | Django | here |
//! |---|---|
//! | `PASSWORD_HASHERS` | [`Hashers::from_names`] |
//! | subclasses that change costs | [`Parameters`] |
//! | `BasePasswordHasher` | [`PasswordHasher`] |
//! | `make_password`, `check_password`, `verify_password`, `identify_hasher` | methods of [`Hashers`] |
//! | `is_password_usable`, `mask_hash` | the same |
//!
//! Every method of [`Hashers`] computes on the calling thread; those whose names begin with `start`
//! leave the long parts of the work to the caller, in [`Step`]s.
//!
//! Stored values are data and may be hostile: whatever they hold, the answer is "not correct"
//! after the usual effort, within [`CostLimits`]. No password and no hash is ever put into an
//! error, a log line or a `Debug` text.

mod argon2;
mod bcrypt;
mod derivation;
mod digests;
mod error;
mod hasher;
mod hashers;
mod lanes;
mod limits;
mod memory;
mod pace;
mod parameters;
mod pbkdf2;
mod random;
mod scrypt;
mod step;
mod text;

pub use argon2::Argon2PasswordHasher;
pub use bcrypt::{BCrypt, BCryptPasswordHasher, BCryptSHA256PasswordHasher};
pub use derivation::{Derivation, Digest};
pub use digests::{
    MD5PasswordHasher, SHA1PasswordHasher, UnsaltedMD5PasswordHasher, UnsaltedSHA1PasswordHasher,
};
pub use error::{Error, ErrorKind};
pub use hasher::{Decoded, PasswordHasher, SALT_ENTROPY, mask_hash};
pub use hashers::{
    DEFAULT_HASHERS, Hashers, UNUSABLE_PASSWORD_PREFIX, UNUSABLE_PASSWORD_SUFFIX_LENGTH, Verified,
    is_password_usable,
};
pub use lanes::{lanes_on_this_thread, on_lane_thread_start};
pub use limits::CostLimits;
pub use memory::{bound_memory, release_memory};
pub use pace::offer_core_with;
pub use parameters::{DjangoVersion, Parameters};
pub use pbkdf2::{PBKDF2PasswordHasher, PBKDF2SHA1PasswordHasher, Pbkdf2};
pub use random::{RANDOM_STRING_CHARS, get_random_string};
pub use scrypt::ScryptPasswordHasher;
pub use step::{Blocking, Run, Step};
