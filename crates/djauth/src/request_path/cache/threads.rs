//! What each thread has for itself, so that threads do not write to the same memory all the time.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A small number that stays the same for each thread.
pub(super) fn preferred() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static MINE: Cell<Option<usize>> = const { Cell::new(None) });
    MINE.with(|mine| {
        mine.get().unwrap_or_else(|| {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            mine.set(Some(number));
            number
        })
    })
}

/// Places that a counter is spread over.
const PLACES: usize = 8;

/// A counter in which threads seldom meet.
#[derive(Default)]
pub(super) struct Counter([Place; PLACES]);

/// Alone in what a processor fetches at once.
#[derive(Default)]
#[repr(align(128))]
struct Place(AtomicU64);

impl Counter {
    pub(super) fn add(&self, number: u64) {
        let place = &self.0[preferred() % PLACES];
        place.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        let places = self.0.iter();
        places.map(|place| place.0.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_add_is_all_there() {
        let counter = Counter::default();
        std::thread::scope(|scope| {
            for _ in 0..PLACES * 2 {
                scope.spawn(|| (0..1000).for_each(|_| counter.add(2)));
            }
        });
        assert_eq!(counter.get(), 2 * 1000 * 2 * PLACES as u64);
    }
}
