//! The kernels of Argon2 against the portable one, which the hashers hold against Argon2's known answers.

use djauth_pbkdf2::argon2::{Block, Kernel};
use proptest::prelude::*;

fn block() -> impl Strategy<Value = Block> {
    let words = prop_oneof![any::<u64>(), Just(0), Just(u64::MAX)];
    proptest::collection::vec(words, 128).prop_map(|words| {
        let mut block = Block::ZERO;
        block.words_mut().copy_from_slice(&words);
        block
    })
}

fn soft() -> Kernel {
    let soft = Kernel::all().last().unwrap();
    assert_eq!(soft.name(), "soft");
    soft
}

/// RFC 9106, sections 3.5 and 3.6, word by word.
fn by_the_book(one: &Block, other: &Block) -> Vec<u64> {
    let mixed: Vec<u64> = (0..128)
        .map(|index| one.words()[index] ^ other.words()[index])
        .collect();
    let mut words = mixed.clone();
    for row in 0..8 {
        permute(
            &mut words,
            &(0..16).map(|i| 16 * row + i).collect::<Vec<_>>(),
        );
    }
    for column in 0..8 {
        let pair = |i: usize| [16 * i + 2 * column, 16 * i + 2 * column + 1];
        permute(&mut words, &(0..8).flat_map(pair).collect::<Vec<_>>());
    }
    words
        .iter()
        .zip(mixed)
        .map(|(word, mixed)| word ^ mixed)
        .collect()
}

fn permute(words: &mut [u64], at: &[usize]) {
    for diagonal in 0..2 {
        for column in 0..4 {
            let place = |row: usize| at[4 * row + (column + diagonal * row) % 4];
            mix(words, [place(0), place(1), place(2), place(3)]);
        }
    }
}

fn mix(words: &mut [u64], [a, b, c, d]: [usize; 4]) {
    for (x, y, z, turn) in [(a, b, d, 32), (c, d, b, 24), (a, b, d, 16), (c, d, b, 63)] {
        let product = u128::from(words[x] as u32) * u128::from(words[y] as u32) * 2;
        let sum = u128::from(words[x]) + u128::from(words[y]) + product;
        words[x] = sum as u64;
        words[z] = (words[z] ^ words[x]).rotate_right(turn);
    }
}

proptest! {
    #[test]
    fn every_kernel_compresses_alike(one in block(), other in block(), before in block()) {
        let expected = by_the_book(&one, &other);
        let over: Vec<u64> = before.words().iter().zip(&expected).map(|(a, b)| a ^ b).collect();
        for kernel in Kernel::all() {
            let mut made = before.clone();
            kernel.compress(&one, &other, &mut made);
            prop_assert_eq!(&made.words()[..], &expected, "{:?}", kernel);
            made.clone_from(&before);
            kernel.compress_over(&one, &other, &mut made);
            prop_assert_eq!(&made.words()[..], &over, "{:?}", kernel);
        }
    }
}

#[test]
fn the_portable_kernel_is_everywhere_and_the_best_is_first() {
    assert_eq!(Kernel::detect(), Kernel::all().next().unwrap());
    let mut made = Block::ZERO;
    made.words_mut().fill(7);
    soft().compress(&Block::ZERO, &Block::ZERO, &mut made);
    assert_eq!(made.words(), Block::ZERO.words(), "nothing makes nothing");
}

#[test]
fn debug_shows_no_words() {
    assert_eq!(format!("{:?}", Block::ZERO), "Block");
}
