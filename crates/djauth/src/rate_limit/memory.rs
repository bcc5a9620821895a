//! Counters in the memory of one process.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::Counter;

/// Counters of this process alone.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    kept: HashMap<String, Count>,
    /// When what is over was last dropped.
    swept: i64,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    period_end: i64,
    attempts: u32,
}

/// How many counters are looked at for the one that is given up.
const SAMPLE: usize = 32;

impl Memory {
    /// The most counters that are kept: a few tens of megabytes.
    pub const LARGEST: usize = 100_000;

    pub(super) fn count(&self, counter: &Counter) -> bool {
        let mut counts = self.0.lock();
        if let Some(count) = counts.kept.get_mut(&counter.id) {
            return count.up(counter);
        }
        if counts.kept.len() >= Self::LARGEST {
            counts.make_room(counter.now);
        }
        let first = Count {
            period_end: counter.period_end,
            attempts: 1,
        };
        counts.kept.insert(counter.id.clone(), first);
        true
    }

    pub(super) fn take_back(&self, counter: &Counter) {
        if let Some(count) = self.0.lock().kept.get_mut(&counter.id)
            && count.period_end == counter.period_end
        {
            count.attempts = count.attempts.saturating_sub(1);
        }
    }

    pub(super) fn forget(&self, counter: &Counter) -> bool {
        self.0.lock().kept.remove(&counter.id).is_some()
    }

    pub(super) fn forget_all(&self) {
        self.0.lock().kept.clear();
    }
}

impl Count {
    fn up(&mut self, counter: &Counter) -> bool {
        if self.period_end < counter.period_end {
            self.period_end = counter.period_end;
            self.attempts = 0;
        }
        let room = self.attempts < counter.limit;
        self.attempts += u32::from(room);
        room
    }
}

impl Counts {
    /// Drops what is over, at most once a second; where nothing is, the least of a few counters, so
    /// that a flood of names that are tried once does not make the ones that are tried often forgotten.
    fn make_room(&mut self, now: i64) {
        if self.swept != now {
            self.swept = now;
            self.kept.retain(|_, count| count.period_end > now);
        }
        if self.kept.len() < Memory::LARGEST {
            return;
        }
        let some = self.kept.iter().take(SAMPLE);
        let least = some.min_by_key(|(_, count)| count.attempts);
        if let Some(id) = least.map(|(id, _)| id.clone()) {
            self.kept.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(id: usize, now: i64) -> Counter {
        Counter {
            id: id.to_string(),
            limit: 2,
            period_end: (now / 60 + 1) * 60,
            now,
        }
    }

    #[test]
    fn a_counter_ends_with_its_period() {
        let memory = Memory::default();
        let first = counter(1, 59);
        assert!(memory.count(&first) && memory.count(&first) && !memory.count(&first));
        let next = counter(1, 60);
        assert!(memory.count(&next));
        // What belongs to the period before gives nothing back now.
        memory.take_back(&first);
        assert!(memory.count(&next) && !memory.count(&next));
        memory.take_back(&next);
        assert!(memory.count(&next) && !memory.count(&next));
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_is_tried_often() {
        let memory = Memory::default();
        let often = counter(usize::MAX, 0);
        assert!(memory.count(&often) && memory.count(&often));
        for id in 0..Memory::LARGEST + 1_000 {
            assert!(memory.count(&counter(id, 0)));
        }
        assert_eq!(memory.0.lock().kept.len(), Memory::LARGEST);
        assert!(!memory.count(&often));
        assert!(memory.count(&counter(0, 60)));
        memory.forget_all();
        assert!(memory.count(&often));
    }

    #[test]
    fn what_is_over_makes_room() {
        let memory = Memory::default();
        for id in 0..Memory::LARGEST {
            memory.count(&counter(id, 0));
        }
        memory.count(&counter(usize::MAX, 60));
        assert_eq!(memory.0.lock().kept.len(), 1);
    }
}
