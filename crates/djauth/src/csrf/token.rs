//! Secrets, and the masked tokens that stand for them in pages.

use djauth_signing::crypto::{constant_time_compare, get_random_string};

use super::RejectReason;
use super::reason::TokenSource;

/// The characters of secrets and tokens; a character's place counts in the masking.
pub const CSRF_ALLOWED_CHARS: &str =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// The length of a secret.
pub const CSRF_SECRET_LENGTH: usize = 32;
/// The length of a masked token.
pub const CSRF_TOKEN_LENGTH: usize = 2 * CSRF_SECRET_LENGTH;

pub(super) fn new_secret() -> String {
    get_random_string(CSRF_SECRET_LENGTH, CSRF_ALLOWED_CHARS)
}

/// A token for a page: a fresh mask, then the secret moved by it, so that no two pages hold the same
/// text (which compression could be made to betray).
pub(super) fn mask(secret: &str) -> String {
    masked_with(&new_secret(), secret)
}

fn masked_with(mask: &str, secret: &str) -> String {
    let cipher = combine(secret, mask, |secret, mask| secret + mask);
    format!("{mask}{cipher}")
}

/// The secret behind a well-formed token; a secret itself stays as it is.
pub(super) fn unmask(token: &str) -> String {
    match token.split_at_checked(CSRF_SECRET_LENGTH) {
        Some((mask, cipher)) if cipher.len() == CSRF_SECRET_LENGTH => {
            combine(cipher, mask, |cipher, mask| {
                cipher + CSRF_ALLOWED_CHARS.len() - mask
            })
        }
        _ => token.to_owned(),
    }
}

fn combine(text: &str, mask: &str, index: impl Fn(usize, usize) -> usize) -> String {
    let chars = CSRF_ALLOWED_CHARS.as_bytes();
    let pairs = text.bytes().zip(mask.bytes());
    let combined = pairs.map(|(a, b)| chars[index(place(a), place(b)) % chars.len()]);
    combined.map(char::from).collect()
}

/// Where a character stands among the allowed ones.
fn place(byte: u8) -> usize {
    usize::from(match byte {
        b'a'..=b'z' => byte - b'a',
        b'A'..=b'Z' => byte - b'A' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        _ => 0,
    })
}

/// What is wrong with the form of a secret or token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormatProblem {
    /// Neither the length of a secret nor that of a token.
    Length,
    /// A character that is not allowed.
    Characters,
}

pub(super) fn is_well_formed(token: &str) -> Result<(), FormatProblem> {
    let length = token.chars().count();
    if length != CSRF_SECRET_LENGTH && length != CSRF_TOKEN_LENGTH {
        return Err(FormatProblem::Length);
    }
    if !token.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(FormatProblem::Characters);
    }
    Ok(())
}

/// Whether a token that a request brought stands for its secret.
pub(crate) fn check_token(
    token: &str,
    source: TokenSource,
    secret: &str,
) -> Result<(), RejectReason> {
    is_well_formed(token).map_err(|problem| RejectReason::malformed_token(problem, source))?;
    if constant_time_compare(unmask(token).as_bytes(), secret.as_bytes()) {
        Ok(())
    } else {
        Err(RejectReason::TokenIncorrect(source))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made by Django, and by the vector in `interop/vectors/csrf.py`.
    #[test]
    fn django_masks_and_unmasks_alike() {
        let secret = "q7Rb2XkV9mTz0LhYc4NfWs8JdGpEuA1e";
        let mask = "Zk3wQ9aB7cD1eF5gH2iJ8kL6mN4oP0qR";
        let token = "Zk3wQ9aB7cD1eF5gH2iJ8kL6mN4oP0qRfhKxIWkm6omq4gc4JWVOUCJFpjjS9qhV";
        assert_eq!(masked_with(mask, secret), token);
        assert_eq!(unmask(token), secret);
        assert_eq!(unmask(secret), secret);
    }

    #[test]
    fn every_token_is_another_text_for_the_same_secret() {
        let secret = new_secret();
        let (one, two) = (mask(&secret), mask(&secret));
        assert_ne!(one, two);
        assert_eq!((unmask(&one), unmask(&two)), (secret.clone(), secret));
    }

    #[test]
    fn the_token_of_another_secret_is_incorrect() {
        let (secret, other) = (new_secret(), new_secret());
        for token in [other.clone(), mask(&other)] {
            let refused = check_token(&token, TokenSource::Form, &secret);
            assert_eq!(
                refused,
                Err(RejectReason::TokenIncorrect(TokenSource::Form))
            );
        }
        assert_eq!(
            check_token(&mask(&secret), TokenSource::Form, &secret),
            Ok(())
        );
    }

    proptest! {
        #[test]
        fn hostile_tokens_are_refused(token in any::<String>(), secret in "[a-zA-Z0-9]{32}") {
            prop_assert!(check_token(&token, TokenSource::Form, &secret).is_err());
            let _ = unmask(&token);
        }

        #[test]
        fn a_secret_and_its_masked_forms_match(secret in "[a-zA-Z0-9]{32}") {
            for token in [secret.clone(), mask(&secret)] {
                prop_assert!(check_token(&token, TokenSource::Header, &secret).is_ok());
            }
        }
    }
}
