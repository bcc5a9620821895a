//! `django.core.signing`, and the signed cookies of `django.http`.
//!
//! A signature is made by the first key; a value is accepted when its signature was made by that
//! key or one of the fallbacks. Time always comes from a [`Clock`](crate::Clock).

mod compression;
mod cookies;
mod objects;
mod signer;
mod timestamp;

pub use compression::MAX_UNCOMPRESSED_SIZE;
pub use cookies::{
    get_cookie_signer, get_signed_cookie_salt, get_signed_cookie_salt_legacy, set_signed_cookie,
    unsign_cookie,
};
pub use objects::{DEFAULT_SALT, dumps, dumps_bytes, loads, loads_bytes};
pub use signer::{SIGNER_SALT, Signer};
pub use timestamp::{TIMESTAMP_SIGNER_SALT, TimestampSigner, b62_decode, b62_encode};

use crate::Result;
use crate::http;

/// URL-safe base64 without padding (`django.core.signing.b64_encode`).
pub fn b64_encode(s: &[u8]) -> String {
    http::urlsafe_base64_encode(s)
}

/// Decodes URL-safe base64 without padding, as leniently as Django (`b64_decode`).
///
/// # Errors
/// [`ErrorKind::BadEncoding`](crate::ErrorKind::BadEncoding) when the characters do not make whole
/// bytes.
pub fn b64_decode(s: &str) -> Result<Vec<u8>> {
    http::decode_lenient(s.as_bytes(), s.len().wrapping_neg() % 4)
}
