//! Which e-mail addresses a user may have: `django.core.validators.EmailValidator`.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::validators::ValidationError;

/// The longest address, in characters.
const LONGEST: usize = 320;
/// The longest label of a domain.
const LONGEST_LABEL: usize = 63;

/// Whether this is an e-mail address, as Django judges it. Every step is linear (CVE-2023-36053).
///
/// # Errors
/// With the code `invalid`.
pub fn validate_email(address: &str) -> Result<(), ValidationError> {
    if is_valid(address) {
        Ok(())
    } else {
        Err(ValidationError::keyed("invalid", "error.invalid_email"))
    }
}

fn is_valid(address: &str) -> bool {
    if address.chars().count() > LONGEST {
        return false;
    }
    let Some((user, domain)) = address.rsplit_once('@') else {
        return false;
    };
    is_user(user) && is_domain(domain)
}

fn is_user(user: &str) -> bool {
    let atom = |atom: &str| !atom.is_empty() && atom.chars().all(is_atom_char);
    user.split('.').all(atom) || is_quoted(user)
}

fn is_atom_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-!#$%&'*+/=?^_`{}|~".contains(c) || is_other_letter(c)
}

/// Python takes these for ASCII letters where case is ignored, and Django's pattern ignores it.
fn is_other_letter(c: char) -> bool {
    matches!(c, '\u{130}' | '\u{131}' | '\u{17f}' | '\u{212a}')
}

/// A quoted string: no blank but after a backslash, no quote but after a backslash.
fn is_quoted(user: &str) -> bool {
    let inner = user
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else { return false };
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let good = match c {
            c if is_other_letter(c) => true,
            '\\' => chars.next().is_some_and(|c| {
                is_other_letter(c)
                    || matches!(c, '\u{1}'..='\u{9}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{7f}')
            }),
            _ => {
                matches!(c, '\u{1}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '!' | '#'..='[' | ']'..='\u{7f}')
            }
        };
        if !good {
            return false;
        }
    }
    true
}

fn is_domain(domain: &str) -> bool {
    if domain == "localhost" {
        return true;
    }
    if let Some(literal) = domain
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return literal.parse::<Ipv4Addr>().is_ok() || literal.parse::<Ipv6Addr>().is_ok();
    }
    let labels: Vec<_> = domain.split('.').collect();
    let top = labels
        .last()
        .is_some_and(|label| label.len() > 1 && !label.bytes().all(|b| b.is_ascii_digit()));
    labels.len() > 1 && top && labels.iter().all(|label| is_label(label))
}

fn is_label(label: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || ('\u{a1}'..='\u{ffff}').contains(&c);
    let ends = |c: Option<char>| c.is_some_and(inner);
    label.chars().count() <= LONGEST_LABEL
        && ends(label.chars().next())
        && ends(label.chars().next_back())
        && label.chars().all(|c| inner(c) || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of Django 6.1's `validate_email`.
    #[test]
    fn addresses_are_judged_as_django_does() {
        for good in GOOD {
            assert!(is_valid(good), "{good}");
        }
        for bad in BAD {
            assert!(!is_valid(bad), "{bad}");
        }
    }

    /// CVE-2023-36053: no address takes long. A pattern that tries every split would not end.
    #[test]
    fn cve_2023_36053_long_addresses_are_refused() {
        for piece in ["a", "a.", "\"", "\\\"", "@", "a@", "-", "[", "a.a@a."] {
            let long = piece.repeat(1_000_000);
            assert!(!is_valid(&format!("{long}@example.com")), "{piece}");
            assert!(!is_valid(&format!("a@{long}.com")), "{piece}");
        }
        let longest = |user: usize| format!("{}@example.com", "a".repeat(user));
        assert!(is_valid(&longest(LONGEST - "@example.com".len())));
        assert!(!is_valid(&longest(LONGEST + 1 - "@example.com".len())));
    }

    const GOOD: [&str; 10] = [
        "m\u{131}\u{17f}\u{130}\u{212a}e@example.com",
        "\"\u{131}\\\u{17f}\"@example.com",
        "email@here.com",
        "weirder-email@here.and.there.com",
        "a+b.c@example.co",
        "email@[127.0.0.1]",
        "email@[2001:db8::1]",
        "email@localhost",
        "\"quoted@mark\"@here.com",
        "a@b\u{fc}cher.example",
    ];

    const BAD: [&str; 14] = [
        "abc",
        "abc@",
        "abc@bar",
        "a @x.cz",
        "abc@.com",
        "something@@somewhere.com",
        "email@127.0.0.1",
        "email@[127.0.0.256]",
        "example@invalid-.com",
        "example@-invalid.com",
        "trailingdot@shouldfail.com.",
        "a@b.com\nBcc: x@y.com",
        "m\u{e4}h@example.com",
        "a@atm.1",
    ];
}
