//! The number and base64 forms of `django.utils.http`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{ErrorKind, Result};

/// The longest text that [`base36_to_int`] looks at: 13 digits hold every 64-bit number.
pub const MAX_BASE36_DIGITS: usize = 13;

/// A number in base 36, digits before lower-case letters.
pub fn int_to_base36(mut i: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::with_capacity(MAX_BASE36_DIGITS);
    loop {
        digits.push(DIGITS[(i % 36) as usize]);
        i /= 36;
        if i == 0 {
            break;
        }
    }
    digits
        .iter()
        .rev()
        .map(|&digit| char::from(digit))
        .collect()
}

/// The number that a base 36 text of at most [`MAX_BASE36_DIGITS`] digits stands for, in either
/// case.
///
/// Django's form is Python's `int(s, 36)`, which also takes signs, blanks, underscores and the
/// digits of other scripts; no such text is ever written, so none is accepted here. Numbers above
/// 64 bits, which 13 digits can reach, are refused too.
///
/// # Errors
/// [`ErrorKind::BadEncoding`].
pub fn base36_to_int(s: &str) -> Result<u64> {
    if s.is_empty() || s.len() > MAX_BASE36_DIGITS {
        return Err(ErrorKind::BadEncoding.into());
    }
    s.chars()
        .try_fold(0u64, |number, c| {
            number
                .checked_mul(36)?
                .checked_add(u64::from(c.to_digit(36)?))
        })
        .ok_or(ErrorKind::BadEncoding.into())
}

/// URL-safe base64 without padding.
pub fn urlsafe_base64_encode(s: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(s)
}

/// Decodes URL-safe base64, with or without padding, as leniently as Django: characters outside the
/// alphabet are skipped, the plain alphabet's `+` and `/` are understood, what follows the padding
/// is ignored.
///
/// # Errors
/// [`ErrorKind::BadEncoding`] when the characters do not make whole bytes.
pub fn urlsafe_base64_decode(s: &str) -> Result<Vec<u8>> {
    decode_lenient(s.as_bytes(), s.len() % 4)
}

/// Decodes as Python's `binascii.a2b_base64` does after `padding` signs `=` were appended.
pub(crate) fn decode_lenient(text: &[u8], padding: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut held, mut position, mut pads) = (0u8, 0, 0);
    for c in text
        .iter()
        .copied()
        .chain(std::iter::repeat_n(b'=', padding))
    {
        if c == b'=' {
            if position >= 2 {
                pads += 1;
                if position + pads >= 4 {
                    return Ok(bytes);
                }
            }
            continue;
        }
        let Some(value) = sextet(c) else { continue };
        pads = 0;
        match position {
            0 => {}
            1 => bytes.push(held << 2 | value >> 4),
            2 => bytes.push(held << 4 | value >> 2),
            _ => bytes.push(held << 6 | value),
        }
        held = value;
        position = (position + 1) % 4;
    }
    if position == 0 {
        Ok(bytes)
    } else {
        Err(ErrorKind::BadEncoding.into())
    }
}

fn sextet(c: u8) -> Option<u8> {
    Some(match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'-' | b'+' => 62,
        b'_' | b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base36_takes_back_what_it_gives() {
        for number in [0, 1, 35, 36, 1295, 788_918_400, u64::MAX] {
            assert_eq!(base36_to_int(&int_to_base36(number)).unwrap(), number);
        }
        assert_eq!(
            base36_to_int("D1P9C0").unwrap(),
            base36_to_int("d1p9c0").unwrap()
        );
    }

    /// CVE-2010-4535: a huge number is refused before any arithmetic.
    #[test]
    fn cve_2010_4535_long_base36_texts_are_refused() {
        for text in [
            "",
            "+1",
            "-1",
            " 1",
            "1_0",
            "é",
            "٣",
            "zzzzzzzzzzzzz",
            &"1".repeat(14),
            "00000000000001",
        ] {
            assert_eq!(
                base36_to_int(text).unwrap_err().kind(),
                ErrorKind::BadEncoding,
                "{text}"
            );
        }
        // Arithmetic alone would never refuse these.
        base36_to_int(&"0".repeat(1_000_000)).unwrap_err();
    }
}
