//! Memory for Argon2, kept from one hash to the next: getting 100 MiB of fresh pages from the
//! operating system costs more than filling them.

use std::sync::{Mutex, PoisonError};

use argon2::Block;

/// At most this many blocks (of 1 KiB) are kept while nobody hashes: 256 MiB.
const KEPT_BLOCKS: usize = 256 * 1024;

static KEPT: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// Calls `f` with at least `count` blocks of any content.
pub(super) fn with_blocks<T>(count: usize, f: impl FnOnce(&mut [Block]) -> T) -> T {
    let mut blocks = take(count);
    if blocks.len() < count {
        // Anew, not grown: growing would copy the old content.
        blocks = vec![Block::new(); count];
    }
    let result = f(&mut blocks[..count]);
    give_back(blocks);
    result
}

/// The smallest kept buffer that is large enough.
fn take(count: usize) -> Vec<Block> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let fitting = kept
        .iter()
        .enumerate()
        .filter(|(_, blocks)| blocks.len() >= count);
    match fitting
        .min_by_key(|(_, blocks)| blocks.len())
        .map(|(index, _)| index)
    {
        Some(index) => kept.swap_remove(index),
        None => Vec::new(),
    }
}

fn give_back(blocks: Vec<Block>) {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.push(blocks);
    // The most recent are the most likely to fit the configured cost again.
    while kept.iter().map(Vec::len).sum::<usize>() > KEPT_BLOCKS || kept.len() > 64 {
        kept.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_what_was_asked_and_keeps_little() {
        for count in [8, 64, 1024, 8] {
            assert_eq!(with_blocks(count, |blocks| blocks.len()), count);
        }
        with_blocks(KEPT_BLOCKS + 8, |_| ());
        let kept = KEPT.lock().unwrap();
        assert!(kept.iter().map(Vec::len).sum::<usize>() <= KEPT_BLOCKS);
    }
}
