//! `django.utils.crypto`: keyed hashes, constant-time comparison, random strings.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::SecretKey;

/// What [`get_random_string`] draws from when Django names no alphabet (`RANDOM_STRING_CHARS`).
pub const RANDOM_STRING_CHARS: &str =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// What Django's `startproject` draws a secret key from.
const SECRET_KEY_CHARS: &str = "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)";

/// `salted_hmac(…, algorithm="sha256")`: HMAC-SHA256 of `value`, keyed by the SHA-256 of
/// `key_salt` followed by `secret`.
pub fn salted_hmac(key_salt: &str, value: &[u8], secret: &[u8]) -> [u8; 32] {
    hmac_sha256(salted_key(key_salt.as_bytes(), secret).as_ref(), value)
}

/// [`salted_hmac`] in lower-case hexadecimal, the form that sessions and reset tokens store.
pub fn salted_hmac_hex(key_salt: &str, value: &[u8], secret: &[u8]) -> String {
    to_hex(&salted_hmac(key_salt, value, secret))
}

/// `salted_hmac(…, algorithm="sha1")`: what Django uses when no algorithm is named (up to 6.x).
pub fn salted_hmac_sha1(key_salt: &str, value: &[u8], secret: &[u8]) -> [u8; 20] {
    let key = Sha1::new()
        .chain_update(key_salt)
        .chain_update(secret)
        .finalize();
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.update(value);
    mac.finalize().into_bytes().into()
}

/// The key that [`salted_hmac`] derives: the SHA-256 of salt and secret, also when the secret is
/// longer than a block.
pub(crate) fn salted_key(key_salt: &[u8], secret: &[u8]) -> Zeroizing<[u8; 32]> {
    let digest = Sha256::new()
        .chain_update(key_salt)
        .chain_update(secret)
        .finalize();
    Zeroizing::new(digest.into())
}

pub(crate) fn hmac_sha256(key: &[u8], value: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(value);
    mac.finalize().into_bytes().into()
}

/// Whether two values are equal, in a time that depends on their lengths alone.
pub fn constant_time_compare(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// `length` characters, each drawn uniformly from `allowed_chars` by the operating system's random
/// generator.
///
/// # Panics
/// When `allowed_chars` is empty or has more than 256 characters, or when the operating system has
/// no random bytes.
pub fn get_random_string(length: usize, allowed_chars: &str) -> String {
    let chars: Vec<char> = allowed_chars.chars().collect();
    assert!(
        (1..=256).contains(&chars.len()),
        "an alphabet has 1 to 256 characters"
    );
    // Bytes at or above the largest multiple of the alphabet's size would favour its beginning.
    let fair = 256 - 256 % chars.len();
    let mut text = String::with_capacity(length);
    let mut block = Zeroizing::new([0u8; 64]);
    let mut missing = length;
    while missing > 0 {
        getrandom::fill(block.as_mut()).expect("the operating system gives random bytes");
        let fair_bytes = block
            .iter()
            .map(|&byte| usize::from(byte))
            .filter(|&byte| byte < fair);
        for byte in fair_bytes.take(missing) {
            text.push(chars[byte % chars.len()]);
            missing -= 1;
        }
    }
    text
}

/// A fresh key as `startproject` writes it: 50 characters
/// (`django.core.management.utils.get_random_secret_key`).
///
/// # Panics
/// When the operating system has no random bytes.
pub fn get_random_secret_key() -> SecretKey {
    SecretKey::new(get_random_string(50, SECRET_KEY_CHARS)).expect("50 characters are not empty")
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_strings_have_their_length_and_only_their_alphabet() {
        for length in [0, 1, 32, 63, 64, 65, 1000] {
            let text = get_random_string(length, "abcdefghijklmnopqrstuvwxyz0123456789");
            assert_eq!(text.len(), length);
            assert!(
                text.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            );
        }
        assert_eq!(get_random_string(3, "é"), "ééé");
        assert_ne!(
            get_random_string(32, RANDOM_STRING_CHARS),
            get_random_string(32, RANDOM_STRING_CHARS)
        );
    }

    #[test]
    fn every_character_of_the_alphabet_is_drawn_about_as_often() {
        let text = get_random_string(62_000, RANDOM_STRING_CHARS);
        for c in RANDOM_STRING_CHARS.chars() {
            let n = text.matches(c).count();
            // 1000 expected with a deviation of 31.4: ten deviations never happen by chance.
            assert!((686..=1314).contains(&n), "{c} was drawn {n} times");
        }
    }

    #[test]
    fn comparison_needs_equal_bytes_and_lengths() {
        assert!(constant_time_compare(b"", b""));
        assert!(constant_time_compare(b"abc", b"abc"));
        assert!(!constant_time_compare(b"abc", b"abd"));
        assert!(!constant_time_compare(b"abc", b"abcd"));
        assert!(!constant_time_compare(b"abc", b""));
    }
}
