//! Permissions that were asked for, with their answers.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

/// Answers that one entry keeps.
const MOST_ANSWERS: usize = 16;

/// What an entry knows of its user's permissions, the latest first. Most sessions are asked about one, which
/// therefore stands in the entry itself.
#[derive(Default)]
pub(super) struct KnownAnswers {
    first: Option<(Arc<str>, bool)>,
    more: Vec<(Arc<str>, bool)>,
}

impl KnownAnswers {
    fn all(&self) -> impl Iterator<Item = &(Arc<str>, bool)> {
        self.first.iter().chain(&self.more)
    }

    pub(super) fn of(&self, perm: &str) -> Option<bool> {
        self.all()
            .find(|(asked, _)| **asked == *perm)
            .map(|(_, answer)| *answer)
    }

    fn push(&mut self, perm: Arc<str>, answer: bool) {
        match &self.first {
            None => self.first = Some((perm, answer)),
            Some(_) => self.more.push((perm, answer)),
        }
    }

    /// Adds what is known besides, as far as there is room.
    pub(super) fn take(&mut self, old: &Self) {
        for (perm, answer) in old.all() {
            if self.all().count() >= MOST_ANSWERS {
                break;
            }
            if self.of(perm).is_none() {
                self.push(perm.clone(), *answer);
            }
        }
    }

    /// About how many bytes they take, as if they shared no name.
    pub(super) fn memory(&self) -> usize {
        self.all().map(|(perm, _)| 48 + perm.len()).sum()
    }
}

/// The names of permissions, so that entries share them.
#[derive(Default)]
pub(crate) struct Names(Mutex<HashSet<Arc<str>>>);

/// So many names are shared at most, and none that is longer. Django's have at most 201 characters.
const MOST_NAMES: usize = 1024;
const LONGEST_NAME: usize = 256;

impl Names {
    /// The answers with the permissions that they are about.
    pub(super) fn named(&self, perms: &[&str], answers: Vec<bool>) -> KnownAnswers {
        let mut known = KnownAnswers::default();
        for (perm, answer) in perms.iter().zip(answers) {
            known.push(self.shared(perm), answer);
        }
        known
    }

    fn shared(&self, name: &str) -> Arc<str> {
        if name.len() > LONGEST_NAME {
            return name.into();
        }
        let mut names = self.0.lock();
        if let Some(known) = names.get(name) {
            return known.clone();
        }
        if names.len() >= MOST_NAMES {
            // Entries keep theirs.
            names.clear();
        }
        let name: Arc<str> = name.into();
        names.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_answers_are_kept_and_only_so_many() {
        let names = Names::default();
        let mut known = names.named(&["a.x", "a.y"], vec![true, false]);
        let perms: Vec<_> = (0..40).map(|n| format!("b.{n}")).collect();
        let perms: Vec<_> = perms.iter().map(String::as_str).collect();
        known.take(&names.named(&["a.y", "a.z"], vec![true, true]));
        known.take(&names.named(&perms, vec![true; 40]));
        assert_eq!(
            (known.of("a.x"), known.of("a.y")),
            (Some(true), Some(false))
        );
        assert_eq!((known.of("a.z"), known.of("a.q")), (Some(true), None));
        assert_eq!(known.all().count(), MOST_ANSWERS);
    }

    #[test]
    fn names_are_shared_and_bounded() {
        let names = Names::default();
        assert!(Arc::ptr_eq(&names.shared("a.x"), &names.shared("a.x")));
        for number in 0..3 * MOST_NAMES {
            names.shared(&format!("a.{number}"));
        }
        assert!(names.0.lock().len() <= MOST_NAMES);
        let long = "a".repeat(LONGEST_NAME + 1);
        assert_eq!(*names.shared(&long), *long);
        assert!(!names.0.lock().contains(long.as_str()));
    }
}
