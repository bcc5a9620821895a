//! Memory for Argon2, kept from one hash to the next: getting 100 MiB of fresh pages from the
//! operating system costs more than filling them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::Block;

/// At most this many blocks (of 1 KiB) are kept while nobody hashes: 256 MiB.
const KEPT_BLOCKS: usize = 256 * 1024;

static KEPT: Kept = Kept(Mutex::new(Vec::new()));

/// Gives back what is kept while nobody hashes: for programs that have hashed and will not soon again.
/// What is in use at the moment is kept again afterwards.
pub fn release_memory() {
    KEPT.release();
}

/// Calls `f` with at least `count` blocks of any content.
pub(super) fn with_blocks<T>(count: usize, f: impl FnOnce(&mut [Block]) -> T) -> T {
    KEPT.with_blocks(count, f)
}

struct Kept(Mutex<Vec<Vec<Block>>>);

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self) {
        let kept = std::mem::take(&mut *self.lock());
        // Freed while the lock is not held any more.
        drop(kept);
    }

    fn with_blocks<T>(&self, count: usize, f: impl FnOnce(&mut [Block]) -> T) -> T {
        let mut blocks = self.take(count);
        if blocks.len() < count {
            // Anew, not grown: growing would copy the old content.
            blocks = vec![Block::new(); count];
        }
        let result = f(&mut blocks[..count]);
        self.give_back(blocks);
        result
    }

    /// The smallest kept buffer that is large enough, and not much larger. Where there is none, those that
    /// are kept make room for the one to come.
    fn take(&self, count: usize) -> Vec<Block> {
        let mut kept = self.lock();
        let fits = |blocks: &Vec<Block>| (count..=2 * count).contains(&blocks.len());
        let fitting = kept.iter().enumerate().filter(|(_, blocks)| fits(blocks));
        match fitting
            .min_by_key(|(_, blocks)| blocks.len())
            .map(|(index, _)| index)
        {
            Some(index) => kept.swap_remove(index),
            None => {
                kept.clear();
                Vec::new()
            }
        }
    }

    fn give_back(&self, blocks: Vec<Block>) {
        let mut kept = self.lock();
        kept.push(blocks);
        // The most recent are the most likely to fit the configured cost again.
        while kept.iter().map(Vec::len).sum::<usize>() > KEPT_BLOCKS || kept.len() > 64 {
            kept.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_what_was_asked_and_keeps_little() {
        let memory = Kept(Mutex::default());
        let kept = || memory.lock().iter().map(Vec::len).sum::<usize>();
        for count in [8, 64, 1024, 8] {
            assert_eq!(memory.with_blocks(count, |blocks| blocks.len()), count);
            assert_eq!(kept(), count, "others have made room");
        }
        let first = memory.with_blocks(100, |blocks| blocks.as_ptr());
        assert_eq!(memory.with_blocks(90, |blocks| blocks.as_ptr()), first);
        memory.with_blocks(KEPT_BLOCKS + 8, |_| ());
        assert!(kept() <= KEPT_BLOCKS);
        memory.with_blocks(8, |_| ());
        assert_eq!(kept(), 8);
        memory.release();
        assert_eq!(kept(), 0);
    }
}
