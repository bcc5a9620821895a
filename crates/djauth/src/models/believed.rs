//! What was found out about tables that another application makes.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long it is believed that they are not there.
const BELIEVED: Duration = Duration::from_secs(60);

/// What a look at the database can find.
pub(crate) trait Found: Copy {
    /// Whether anything of it is there.
    fn is_there(self) -> bool;
}

impl Found for bool {
    fn is_there(self) -> bool {
        self
    }
}

/// What was found the last time. That tables are there is believed until that is [forgotten](Self::forget); that
/// they are not, for a minute: so not every login asks for them, and they are used soon after they are made.
pub(crate) struct Believed<T>(Mutex<Option<(T, Instant)>>);

impl<T> Default for Believed<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Found> Believed<T> {
    /// `None`: it has to be looked at.
    pub(crate) fn get(&self) -> Option<T> {
        self.at(Instant::now())
    }

    fn at(&self, now: Instant) -> Option<T> {
        let (found, since) = (*self.0.lock())?;
        let is_fresh = || now.saturating_duration_since(since) < BELIEVED;
        (found.is_there() || is_fresh()).then_some(found)
    }

    pub(crate) fn keep(&self, found: T) -> T {
        *self.0.lock() = Some((found, Instant::now()));
        found
    }

    pub(crate) fn forget(&self) {
        *self.0.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_is_believed_and_a_no_for_a_minute() {
        let believed = Believed::default();
        assert_eq!(believed.get(), None);
        for found in [false, true] {
            assert_eq!(believed.keep(found), found);
            assert_eq!(believed.get(), Some(found));
            let since = believed.0.lock().expect("was kept").1;
            assert_eq!(
                believed.at(since + BELIEVED - Duration::from_millis(1)),
                Some(found)
            );
            assert_eq!(believed.at(since + BELIEVED), found.then_some(true));
        }
        believed.forget();
        assert_eq!(believed.get(), None);
    }
}
