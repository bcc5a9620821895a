//! Session keys.

use djauth_signing::crypto::get_random_string;

/// The characters of new keys: lower case only, because some stores ignore case.
pub(crate) const VALID_KEY_CHARS: &str = "abcdefghijklmnopqrstuvwxyz0123456789";

const NEW_KEY_LENGTH: usize = 32;
/// Shorter keys are treated as none.
const MIN_LENGTH: usize = 8;

/// A new key of 32 characters from the system's generator: 165 bits.
pub(crate) fn new_key() -> String {
    get_random_string(NEW_KEY_LENGTH, VALID_KEY_CHARS)
}

/// Whether a key from a cookie is long enough to be one.
pub(crate) fn is_long_enough(key: &str) -> bool {
    let known = if key.is_ascii() {
        Some(key.len())
    } else {
        None
    };
    known.unwrap_or_else(|| key.chars().take(MIN_LENGTH).count()) >= MIN_LENGTH
}

/// Whether a store may be asked for this key: visible ASCII up to `longest`. Everything else can be in
/// no store, and some stores mistake it (NUL, line ends, blanks at the end).
pub(crate) fn is_askable(key: &str, longest: usize) -> bool {
    // All of it is ASCII, so that bytes are characters.
    (MIN_LENGTH..=longest).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a key can name a session file: no separators, no dots.
pub(crate) fn is_file_name(key: &str) -> bool {
    key.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_keys_are_djangos() {
        let keys: std::collections::HashSet<String> = (0..200).map(|_| new_key()).collect();
        assert_eq!(keys.len(), 200);
        assert!(
            keys.iter()
                .all(|key| key.len() == 32 && is_file_name(key) && is_askable(key, 40))
        );
        // Every character turns up: 6,400 draws of 36 miss one with a chance of 10^-77.
        let used: std::collections::HashSet<char> =
            keys.iter().flat_map(|key| key.chars()).collect();
        assert_eq!(used.len(), 36);
    }

    #[test]
    fn odd_keys_are_never_asked_for() {
        for key in [
            "",
            "short",
            "1234567",
            "with space",
            "nul\0nul\0nul",
            "line\nline",
            "schlüssel",
            "x".repeat(41).as_str(),
        ] {
            assert!(!is_askable(key, 40), "{key:?}");
        }
        assert!(is_long_enough("12345678") && is_long_enough("éééééééé"));
        assert!(!is_file_name("../../etc/passwd") && !is_file_name("ABCDEFGH"));
    }
}
