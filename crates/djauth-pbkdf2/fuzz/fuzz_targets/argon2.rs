//! Each kernel of Argon2 compresses blocks as the portable one does, whatever is in them.

#![no_main]

use djauth_pbkdf2::argon2::{Block, Kernel};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: [&[u8]; 3]| {
    let [one, other, before] = input.map(block);
    let kernels: Vec<_> = Kernel::all().collect();
    let (soft, fast) = kernels
        .split_last()
        .expect("the portable kernel is everywhere");
    assert_eq!(soft.name(), "soft");
    let expected = compress(*soft, &one, &other, &before);
    for kernel in fast {
        let made = compress(*kernel, &one, &other, &before);
        assert_eq!(made, expected, "{}", kernel.name());
    }
});

/// The bytes, over and over.
fn block(bytes: &[u8]) -> Block {
    let mut block = Block::ZERO;
    let mut bytes = bytes.iter().copied().cycle();
    for word in block.words_mut() {
        *word = u64::from_le_bytes(std::array::from_fn(|_| bytes.next().unwrap_or(0)));
    }
    block
}

fn compress(kernel: Kernel, one: &Block, other: &Block, before: &Block) -> [[u64; 128]; 2] {
    let (mut made, mut over) = (Block::ZERO, before.clone());
    kernel.compress(one, other, &mut made);
    kernel.compress_over(one, other, &mut over);
    [*made.words(), *over.words()]
}
