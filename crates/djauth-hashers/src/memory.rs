//! Memory for Argon2, kept from one hash to the next: getting 100 MiB of fresh pages from the
//! operating system costs more than filling them.
//!
//! What is kept gives way to what is in use, of Argon2 and scrypt, so that both together stay within a
//! bound.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use djauth_pbkdf2::argon2::Block;

use crate::pace;

/// At most this many blocks (of 1 KiB) are kept while nobody hashes: 256 MiB.
const KEPT_BLOCKS: usize = 256 * 1024;

static KEPT: Kept = Kept::new();

/// Gives back what is kept while nobody hashes: for programs that have hashed and will not soon again.
/// What is in use at the moment is kept again afterwards.
pub fn release_memory() {
    KEPT.release();
}

/// Memory is kept only as far as it and what hashes have in use are no more than so many KiB in all; for
/// the whole process, until the next call. Without any it is 256 MiB, whatever is in use.
pub fn bound_memory(kib: u64) {
    let bound = usize::try_from(kib).unwrap_or(usize::MAX);
    KEPT.bound.store(bound, Relaxed);
    drop(KEPT.lock().trim(bound));
}

/// Calls `f` with at least `count` blocks of any content.
pub(crate) fn with_blocks<T>(count: usize, f: impl FnOnce(&mut [Block]) -> T) -> T {
    KEPT.with_blocks(count, f)
}

/// Calls `f`, which gets so many KiB elsewhere.
pub(crate) fn beside_kept<T>(kib: u64, f: impl FnOnce() -> T) -> T {
    KEPT.beside(usize::try_from(kib).unwrap_or(usize::MAX), f)
}

struct Kept {
    held: Mutex<Held>,
    bound: AtomicUsize,
}

struct Held {
    kept: Vec<Vec<Block>>,
    /// Blocks, or as many KiB of another kind, that are in use.
    used: usize,
}

/// Counts what is in use, until it is dropped.
struct Used<'a>(&'a Kept, usize);

impl Drop for Used<'_> {
    fn drop(&mut self) {
        self.0.lock().used -= self.1;
    }
}

impl Kept {
    const fn new() -> Self {
        let held = Held {
            kept: Vec::new(),
            used: 0,
        };
        Self {
            held: Mutex::new(held),
            bound: AtomicUsize::new(usize::MAX),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self) {
        let kept = std::mem::take(&mut self.lock().kept);
        // Freed while the lock is not held any more, as everywhere here.
        drop(kept);
    }

    fn with_blocks<T>(&self, count: usize, f: impl FnOnce(&mut [Block]) -> T) -> T {
        let (mut blocks, used) = self.take(count);
        if blocks.len() < count {
            // Anew, not grown: growing would copy the old content.
            blocks = fresh(count);
        }
        let result = f(&mut blocks[..count]);
        drop(used);
        self.give_back(blocks);
        result
    }

    fn beside<T>(&self, count: usize, f: impl FnOnce() -> T) -> T {
        let mut held = self.lock();
        let used = self.using(&mut held, count);
        let freed = held.trim(self.bound.load(Relaxed));
        drop(held);
        drop(freed);
        let result = f();
        drop(used);
        result
    }

    fn using(&self, held: &mut Held, count: usize) -> Used<'_> {
        held.used += count;
        Used(self, count)
    }

    /// The smallest kept buffer that is large enough, and not much larger. Where there is none, those that
    /// are kept make room for the one to come.
    fn take(&self, count: usize) -> (Vec<Block>, Used<'_>) {
        let mut held = self.lock();
        let fits = |blocks: &Vec<Block>| (count..=2 * count).contains(&blocks.len());
        let fitting = held.kept.iter().enumerate();
        let fitting = fitting.filter(|(_, blocks)| fits(blocks));
        let fitting = fitting.min_by_key(|(_, blocks)| blocks.len());
        let index = fitting.map(|(index, _)| index);
        let (blocks, freed) = match index {
            Some(index) => (held.kept.swap_remove(index), Vec::new()),
            None => (Vec::new(), std::mem::take(&mut held.kept)),
        };
        let used = self.using(&mut held, count.max(blocks.len()));
        drop(held);
        drop(freed);
        (blocks, used)
    }

    fn give_back(&self, blocks: Vec<Block>) {
        let mut held = self.lock();
        held.kept.push(blocks);
        let freed = held.trim(self.bound.load(Relaxed));
        drop(held);
        drop(freed);
    }
}

/// Not all at once: the pages take the kernel as long as filling them takes us.
fn fresh(count: usize) -> Vec<Block> {
    let mut blocks = Vec::with_capacity(count);
    while blocks.len() < count {
        blocks.resize(count.min(blocks.len() + pace::BLOCKS), Block::ZERO);
        pace::offer();
    }
    blocks
}

impl Held {
    /// What is kept beyond the bound, to be freed.
    fn trim(&mut self, bound: usize) -> Vec<Vec<Block>> {
        let most = KEPT_BLOCKS.min(bound.saturating_sub(self.used));
        let mut freed = Vec::new();
        // The most recent are the most likely to fit the configured cost again.
        while self.kept.iter().map(Vec::len).sum::<usize>() > most || self.kept.len() > 64 {
            freed.push(self.kept.remove(0));
        }
        freed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(memory: &Kept) -> usize {
        memory.lock().kept.iter().map(Vec::len).sum()
    }

    #[test]
    fn gives_what_was_asked_and_keeps_little() {
        let memory = Kept::new();
        for count in [8, 64, 1024, 8] {
            assert_eq!(memory.with_blocks(count, |blocks| blocks.len()), count);
            assert_eq!(kept(&memory), count, "others have made room");
        }
        let first = memory.with_blocks(100, |blocks| blocks.as_ptr());
        assert_eq!(memory.with_blocks(90, |blocks| blocks.as_ptr()), first);
        memory.with_blocks(KEPT_BLOCKS + 8, |_| ());
        assert!(kept(&memory) <= KEPT_BLOCKS);
        memory.with_blocks(8, |_| ());
        assert_eq!(kept(&memory), 8);
        memory.release();
        assert_eq!(kept(&memory), 0);
    }

    #[test]
    fn what_is_kept_gives_way_to_what_is_in_use() {
        let memory = Kept::new();
        memory.bound.store(100, Relaxed);
        memory.with_blocks(40, |_| memory.with_blocks(40, |_| ()));
        assert_eq!(kept(&memory), 80);
        memory.beside(60, || assert_eq!(kept(&memory), 40));
        memory.beside(100, || assert_eq!(kept(&memory), 0));
        memory.with_blocks(101, |_| ());
        assert_eq!((kept(&memory), memory.lock().used), (0, 0));
    }

    #[test]
    fn a_panic_leaves_nothing_in_use() {
        let memory = Kept::new();
        let panics = || memory.with_blocks(8, |_| std::panic::resume_unwind(Box::new("no")));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics));
        assert!(panicked.is_err());
        assert_eq!(memory.lock().used, 0);
    }
}
