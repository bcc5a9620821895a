//! Whole numbers beyond 64 bits, only carried: no arithmetic but the change of base.

use std::fmt;

/// Python itself refuses to convert longer numbers to or from text.
const MAX_DIGITS: usize = 4300;
const MAX_BYTES: usize = 1800;
const CHUNK: u32 = 1_000_000_000;

/// An `int` of any size up to Python's own limit of 4,300 decimal digits: its bytes in little-endian
/// two's complement, as few as possible, as pickles hold it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BigInt(Box<[u8]>);

impl BigInt {
    /// From bytes in little-endian two's complement; `None` if the number is over the limit.
    pub fn from_le_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes = shortest(bytes);
        (bytes.len() <= MAX_BYTES).then(|| BigInt(bytes.into()))
    }

    /// The bytes in little-endian two's complement, as few as possible.
    pub fn as_le_bytes(&self) -> &[u8] {
        &self.0
    }

    /// From decimal digits with an optional minus; `None` if it is anything else or over the limit.
    pub fn from_decimal(text: &str) -> Option<Self> {
        let (negative, digits) = text
            .strip_prefix('-')
            .map_or((false, text), |digits| (true, digits));
        if digits.is_empty()
            || digits.len() > MAX_DIGITS
            || !digits.bytes().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let mut limbs: Vec<u32> = Vec::new();
        let first = digits.len() % 9;
        for chunk in std::iter::once(&digits[..first]).chain(
            (first..digits.len())
                .step_by(9)
                .map(|at| &digits[at..at + 9]),
        ) {
            multiply_add(&mut limbs, CHUNK, chunk.parse().unwrap_or(0));
        }
        let mut bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        bytes.push(0);
        if negative {
            negate(&mut bytes);
        }
        Some(BigInt(shortest(&bytes).into()))
    }

    fn to_decimal(&self) -> String {
        let negative = self.0.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut bytes = self.0.to_vec();
        if negative {
            bytes.push(0xff);
            negate(&mut bytes);
        }
        let mut limbs: Vec<u32> = bytes.chunks(4).map(limb).collect();
        let mut chunks = Vec::new();
        while limbs.iter().any(|limb| *limb != 0) {
            chunks.push(divide(&mut limbs, CHUNK));
        }
        let mut text = String::from(if negative { "-" } else { "" });
        text.push_str(&chunks.pop().unwrap_or(0).to_string());
        chunks
            .iter()
            .rev()
            .for_each(|chunk| text.push_str(&format!("{chunk:09}")));
        text
    }
}

impl fmt::Display for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_decimal())
    }
}

impl fmt::Debug for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_decimal())
    }
}

/// Without the bytes at the end that only repeat the sign.
fn shortest(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes {
        let sign_of_rest = rest.last().is_some_and(|byte| byte & 0x80 != 0);
        if (*last == 0 && !sign_of_rest) || (*last == 0xff && sign_of_rest) {
            bytes = rest;
        } else {
            break;
        }
    }
    bytes
}

fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes {
        (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
    }
}

fn limb(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |limb, byte| limb << 8 | u32::from(*byte))
}

fn low(wide: u64) -> u32 {
    u32::try_from(wide & 0xffff_ffff).unwrap_or(0)
}

fn multiply_add(limbs: &mut Vec<u32>, factor: u32, plus: u32) {
    let mut carry = u64::from(plus);
    for limb in limbs.iter_mut() {
        let wide = u64::from(*limb) * u64::from(factor) + carry;
        *limb = low(wide);
        carry = wide >> 32;
    }
    if carry != 0 {
        limbs.push(low(carry));
    }
}

/// Divides in place and gives the remainder.
fn divide(limbs: &mut [u32], by: u32) -> u32 {
    let mut rest = 0;
    for limb in limbs.iter_mut().rev() {
        let wide = rest << 32 | u64::from(*limb);
        *limb = low(wide / u64::from(by));
        rest = wide % u64::from(by);
    }
    low(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_numbers() {
        let two_to_64 = BigInt::from_decimal("18446744073709551616").unwrap();
        assert_eq!(two_to_64.as_le_bytes(), [0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let minus = BigInt::from_decimal("-9223372036854775809").unwrap();
        assert_eq!(
            minus.as_le_bytes(),
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff]
        );
        assert_eq!(minus.to_string(), "-9223372036854775809");
        assert_eq!(BigInt::from_le_bytes(&[]).unwrap().to_string(), "0");
        assert!(BigInt::from_decimal(&"9".repeat(4301)).is_none());
        assert!(BigInt::from_decimal("-").is_none() && BigInt::from_decimal("1x").is_none());
    }

    proptest! {
        #[test]
        fn decimal_round_trips(text in "-?[1-9][0-9]{0,90}") {
            let number = BigInt::from_decimal(&text).unwrap();
            prop_assert_eq!(number.to_string(), text);
            prop_assert_eq!(BigInt::from_le_bytes(number.as_le_bytes()), Some(number));
        }

        #[test]
        fn agrees_with_machine_numbers(number in any::<i128>()) {
            let big = BigInt::from_decimal(&number.to_string()).unwrap();
            prop_assert_eq!(BigInt::from_le_bytes(&number.to_le_bytes()), Some(big.clone()));
            prop_assert_eq!(big.to_string(), number.to_string());
        }
    }
}
