//! The portable permutation, in safe Rust: what the others are compared with, and what runs where the
//! processor has no registers for several words.

use super::Block;

/// Which of sixteen words are mixed with each other: the columns of a square of four by four, and then
/// its diagonals.
const MIXED: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// A block is eight rows of eight pairs of words: all rows, and then all columns.
#[inline(always)]
pub(super) fn permute(block: &mut Block) {
    for row in 0..8 {
        sixteen(block, |index| 16 * row + index);
    }
    for column in 0..8 {
        sixteen(block, |index| 16 * (index / 2) + 2 * column + index % 2);
    }
}

/// The permutation `P` of RFC 9106, section 3.6, on the words at these places.
#[inline(always)]
fn sixteen(block: &mut Block, place: impl Fn(usize) -> usize) {
    let mut words: [u64; 16] = std::array::from_fn(|index| block.0[place(index)]);
    for places in MIXED {
        let mixed = mix(places.map(|place| words[place]));
        for (place, word) in places.into_iter().zip(mixed) {
            words[place] = word;
        }
    }
    for (index, word) in words.into_iter().enumerate() {
        block.0[place(index)] = word;
    }
}

#[inline(always)]
fn mix([a, b, c, d]: [u64; 4]) -> [u64; 4] {
    let [a, b, c, d] = half::<32, 24>([a, b, c, d]);
    half::<16, 63>([a, b, c, d])
}

#[inline(always)]
fn half<const FIRST: u32, const SECOND: u32>([a, b, c, d]: [u64; 4]) -> [u64; 4] {
    let a = sum(a, b);
    let d = (d ^ a).rotate_right(FIRST);
    let c = sum(c, d);
    let b = (b ^ c).rotate_right(SECOND);
    [a, b, c, d]
}

/// Addition, made harder for hardware by a product of the lower halves.
#[inline(always)]
fn sum(a: u64, b: u64) -> u64 {
    let low = |word| word & u64::from(u32::MAX);
    let product = low(a) * low(b);
    a.wrapping_add(b).wrapping_add(product.wrapping_mul(2))
}
