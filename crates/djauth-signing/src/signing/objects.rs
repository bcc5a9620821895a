//! `dumps` and `loads`: JSON, perhaps compressed, in base64, signed.

use chrono::TimeDelta;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::compression::{compress_if_shorter, decompress};
use super::{Signer, TimestampSigner, b64_decode, b64_encode};
use crate::{Clock, Error, ErrorKind, Result, SecretKeys, json};

/// The salt that Django's `dumps` and `loads` use when none is given.
pub const DEFAULT_SALT: &str = "django.core.signing";

/// Signs the JSON form of `obj` with the time (`django.core.signing.dumps`).
///
/// With `compress` it is compressed when that makes it shorter.
///
/// # Errors
/// [`ErrorKind::NotSerializable`] when the value has no JSON form.
pub fn dumps(
    obj: &(impl Serialize + ?Sized),
    keys: &SecretKeys,
    salt: &str,
    compress: bool,
    clock: &dyn Clock,
) -> Result<String> {
    TimestampSigner::with_salt(keys, salt).sign_object(obj, compress, clock)
}

/// Reads what [`dumps`] or Django made (`django.core.signing.loads`).
///
/// # Errors
/// [`ErrorKind::BadSignature`], [`ErrorKind::SignatureExpired`] when it is older than `max_age`,
/// [`ErrorKind::Unreadable`] when it does not hold a `T`, [`ErrorKind::TooLarge`].
pub fn loads<T: DeserializeOwned>(
    s: &str,
    keys: &SecretKeys,
    salt: &str,
    max_age: Option<TimeDelta>,
    clock: &dyn Clock,
) -> Result<T> {
    TimestampSigner::with_salt(keys, salt).unsign_object(s, max_age, clock)
}

/// [`dumps`] of bytes that a serializer of your own has made.
pub fn dumps_bytes(
    data: &[u8],
    keys: &SecretKeys,
    salt: &str,
    compress: bool,
    clock: &dyn Clock,
) -> String {
    TimestampSigner::with_salt(keys, salt).sign_bytes(data, compress, clock)
}

/// [`loads`] up to the bytes, before any parsing.
///
/// # Errors
/// As [`loads`].
pub fn loads_bytes(
    s: &str,
    keys: &SecretKeys,
    salt: &str,
    max_age: Option<TimeDelta>,
    clock: &dyn Clock,
) -> Result<Vec<u8>> {
    TimestampSigner::with_salt(keys, salt).unsign_bytes(s, max_age, clock)
}

impl Signer {
    /// Signs the JSON form of `obj` without a time (`Signer.sign_object`).
    ///
    /// # Errors
    /// As [`dumps`].
    pub fn sign_object(&self, obj: &(impl Serialize + ?Sized), compress: bool) -> Result<String> {
        Ok(self.sign(&pack(json::to_string(obj)?.as_bytes(), compress)))
    }

    /// Reads what [`Signer::sign_object`] made.
    ///
    /// # Errors
    /// As [`loads`], but nothing expires.
    pub fn unsign_object<T: DeserializeOwned>(&self, signed_obj: &str) -> Result<T> {
        parse(&unpack(self.unsign(signed_obj)?)?)
    }
}

impl TimestampSigner {
    /// Signs the JSON form of `obj` with the time.
    ///
    /// # Errors
    /// As [`dumps`].
    pub fn sign_object(
        &self,
        obj: &(impl Serialize + ?Sized),
        compress: bool,
        clock: &dyn Clock,
    ) -> Result<String> {
        Ok(self.sign_bytes(json::to_string(obj)?.as_bytes(), compress, clock))
    }

    /// Reads what [`TimestampSigner::sign_object`] made.
    ///
    /// # Errors
    /// As [`loads`].
    pub fn unsign_object<T: DeserializeOwned>(
        &self,
        signed_obj: &str,
        max_age: Option<TimeDelta>,
        clock: &dyn Clock,
    ) -> Result<T> {
        parse(&self.unsign_bytes(signed_obj, max_age, clock)?)
    }

    /// Signs bytes that a serializer of your own has made.
    pub fn sign_bytes(&self, data: &[u8], compress: bool, clock: &dyn Clock) -> String {
        self.sign(&pack(data, compress), clock)
    }

    /// The bytes that [`TimestampSigner::sign_bytes`] signed.
    ///
    /// # Errors
    /// As [`loads`], without the parsing.
    pub fn unsign_bytes(
        &self,
        signed: &str,
        max_age: Option<TimeDelta>,
        clock: &dyn Clock,
    ) -> Result<Vec<u8>> {
        unpack(self.unsign(signed, max_age, clock)?)
    }
}

/// Base64, after a dot when compressed; the dot is part of what is signed.
fn pack(data: &[u8], compress: bool) -> String {
    match compress.then(|| compress_if_shorter(data)).flatten() {
        Some(compressed) => format!(".{}", b64_encode(&compressed)),
        None => b64_encode(data),
    }
}

fn unpack(packed: &str) -> Result<Vec<u8>> {
    let decode =
        |text| b64_decode(text).map_err(|error| Error::with_source(ErrorKind::Unreadable, error));
    match packed.strip_prefix('.') {
        Some(compressed) => decompress(&decode(compressed)?),
        None => decode(packed),
    }
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|error| Error::with_source(ErrorKind::Unreadable, error))
}
