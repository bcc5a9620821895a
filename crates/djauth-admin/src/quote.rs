//! Keys of objects in addresses: `quote` and `unquote` of `django/contrib/admin/utils.py`.

/// The bytes that have a meaning in addresses, and the underscore that stands for them.
const SPECIAL: &[u8] = b"\":/_#?;@&=+$,[]<>%\n\\";

/// Writes a key so that it can stand as one part of a path: each character that has a meaning in an
/// address is `_` and its two digits (`_` itself is `_5F`).
///
/// ```
/// assert_eq!(djauth_admin::quote("a/b_c"), "a_2Fb_5Fc");
/// ```
#[must_use]
pub fn quote(key: &str) -> String {
    let mut quoted = String::with_capacity(key.len());
    for c in key.chars() {
        match u8::try_from(c) {
            Ok(byte) if SPECIAL.contains(&byte) => quoted.push_str(&format!("_{byte:02X}")),
            _ => quoted.push(c),
        }
    }
    quoted
}

/// Undoes [`quote`]; what it would not have written stays as it is.
#[must_use]
pub fn unquote(quoted: &str) -> String {
    let mut key = String::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some((before, after)) = rest.split_once('_') {
        key.push_str(before);
        match special(after) {
            Some(c) => {
                key.push(c);
                rest = &after[2..];
            }
            None => {
                key.push('_');
                rest = after;
            }
        }
    }
    key + rest
}

/// The character for which the two digits at the beginning stand.
fn special(text: &str) -> Option<char> {
    let digits = text.get(..2)?;
    let upper = |c: u8| c.is_ascii_digit() || (b'A'..=b'F').contains(&c);
    let byte = digits
        .bytes()
        .all(upper)
        .then(|| u8::from_str_radix(digits, 16));
    let byte = byte?.ok()?;
    SPECIAL.contains(&byte).then_some(char::from(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Answers of Django 6.1.
    #[test]
    fn keys_are_written_as_django_writes_them() {
        assert_eq!(quote("something_with"), "something_5Fwith");
        assert_eq!(
            quote("\":/_#?;@&=+$,[]<>%\n\\"),
            "_22_3A_2F_5F_23_3F_3B_40_26_3D_2B_24_2C_5B_5D_3C_3E_25_0A_5C"
        );
        assert_eq!(quote("é 5"), "é 5");
        assert_eq!(unquote("_3a_XX_4_"), "_3a_XX_4_");
        assert_eq!(unquote("_41"), "_41");
        assert_eq!(unquote("__5Fé_"), "__é_");
    }

    proptest! {
        #[test]
        fn what_was_quoted_comes_back(key in "[_/5F%é\\PC]{0,20}") {
            prop_assert_eq!(unquote(&quote(&key)), key);
        }

        #[test]
        fn anything_can_be_unquoted(text in "[_0-9A-Fa-fé]{0,20}") {
            let key = unquote(&text);
            prop_assert!(key.len() <= text.len());
        }
    }
}
