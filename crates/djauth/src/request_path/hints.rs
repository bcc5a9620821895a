//! Which user a session key belonged to when it was last seen.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use parking_lot::RwLock;

use super::{Names, Statements};
use crate::base_user::BaseUser;
use crate::models::model::Model;

/// Hints kept in each of the two generations; at most 12 MB for both with UUID keys. With fewer of them
/// than sessions in use, requests would cost two statements again.
const GENERATION: usize = 131_072;

/// A bounded table of hints. A hint is never trusted: it only tells which user to read along with the
/// session. Keys are kept as randomised hashes, so a collision is nothing but a wrong hint.
pub(crate) struct Hints<U: BaseUser> {
    hasher: RandomState,
    generations: RwLock<Generations<U::Id>>,
    pub(crate) statements: Statements,
    pub(crate) names: Names,
}

/// When the young one is full it becomes the old one, and what was old is forgotten.
struct Generations<I> {
    young: HashMap<u64, I>,
    old: HashMap<u64, I>,
}

impl<U: BaseUser> Hints<U> {
    pub(crate) fn new(model: &Model<U>) -> Self {
        Self {
            hasher: RandomState::new(),
            generations: RwLock::new(Generations {
                young: HashMap::new(),
                old: HashMap::new(),
            }),
            statements: Statements::new(model),
            names: Names::default(),
        }
    }

    pub(crate) fn get(&self, session_key: &str) -> Option<U::Id> {
        let hash = self.hasher.hash_one(session_key);
        let generations = self.generations.read();
        let young = generations.young.get(&hash);
        young.or_else(|| generations.old.get(&hash)).copied()
    }

    pub(crate) fn remember(&self, session_key: &str, id: U::Id) {
        let hash = self.hasher.hash_one(session_key);
        let mut generations = self.generations.write();
        if generations.young.len() >= GENERATION {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(hash, id);
    }

    pub(crate) fn forget(&self, session_key: &str) {
        let hash = self.hasher.hash_one(session_key);
        let mut generations = self.generations.write();
        generations.young.remove(&hash);
        generations.old.remove(&hash);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let generations = self.generations.read();
        generations.young.len() + generations.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::User;

    #[test]
    fn the_table_is_bounded_and_keeps_the_latest() {
        let hints = Hints::<User>::new(&Model::stock(crate::db::Dialect::Sqlite));
        let keys: Vec<_> = (0..GENERATION * 3).map(|n| format!("key{n}")).collect();
        for (n, key) in keys.iter().enumerate() {
            hints.remember(key, i32::try_from(n).expect("small"));
        }
        assert!(hints.len() <= GENERATION * 2);
        assert_eq!(
            hints.get(keys.last().expect("some")),
            Some(GENERATION as i32 * 3 - 1)
        );
        assert_eq!(hints.get("key0"), None);
        hints.forget(keys.last().expect("some"));
        assert_eq!(hints.get(keys.last().expect("some")), None);
    }
}
