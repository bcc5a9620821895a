//! Whether the triggers can be relied upon, as this process has last seen it.
//!
//! The catalogue is read before anything is kept, and again now and then, because a trigger that is gone tells
//! nobody. Entries from before a loss are not believed after it: what was changed in between nobody has heard of.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use crate::Error;
use crate::db::Database;
use crate::management::cache::Fingerprint;
use crate::management::{CacheStatus, CacheTriggers};

/// Seconds from one look to the next.
const LOOK_EVERY: i64 = 30;

/// Since when the triggers are relied upon: an odd number, which never comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trust(u64);

pub(super) struct Looks {
    pub(super) db: Database,
    pub(super) triggers: CacheTriggers,
    pub(super) tables: Fingerprint,
    /// Odd while the triggers are relied upon. It only grows.
    trust: AtomicU64,
    /// In seconds since the start.
    next: AtomicI64,
    start: Instant,
    /// The faults that were logged last.
    told: Mutex<Vec<String>>,
}

impl Looks {
    pub(super) fn new(db: &Database, triggers: CacheTriggers) -> Self {
        Self {
            db: db.clone(),
            tables: triggers.fingerprint(),
            triggers,
            trust: AtomicU64::new(0),
            next: AtomicI64::new(0),
            start: Instant::now(),
            told: Mutex::default(),
        }
    }

    pub(super) fn trust(&self) -> Option<Trust> {
        let trust = self.trust.load(Ordering::Acquire);
        (trust % 2 == 1).then_some(Trust(trust))
    }

    /// One request waits for the first look, and for one now and then while there is no trust; the others go on
    /// without.
    pub(super) async fn first(&self) -> Option<Trust> {
        let trust = self.trust();
        if trust.is_none() && self.is_due() {
            self.look().await;
            return self.trust();
        }
        trust
    }

    /// While there is trust, nobody waits.
    pub(super) fn now_and_then(self: &Arc<Self>) {
        if self.trust().is_some() && self.is_due() {
            let looks = self.clone();
            tokio::spawn(async move { looks.look().await });
        }
    }

    /// The triggers are not there, or not for these tables.
    pub(super) fn lost(&self) {
        self.lose();
        let later = self.seconds() + LOOK_EVERY;
        self.next.store(later, Ordering::Relaxed);
    }

    pub(super) async fn look(&self) {
        let before = self.trust.load(Ordering::Acquire);
        match self.triggers.status(&self.db).await {
            Ok(CacheStatus::Installed) => self.gain(before),
            Ok(CacheStatus::Faulty(faults)) => {
                self.lose();
                self.tell(faults);
            }
            Ok(_) => self.lose(),
            Err(error) => self.not_seen(&error),
        }
    }

    /// Only if nothing was lost since the look began.
    fn gain(&self, before: u64) {
        self.told.lock().clear();
        if before.is_multiple_of(2) {
            let order = Ordering::AcqRel;
            let _ = self
                .trust
                .compare_exchange(before, before + 1, order, Ordering::Relaxed);
        }
    }

    fn lose(&self) {
        let lost = |trust| (trust % 2 == 1).then_some(trust + 1);
        let _ = self
            .trust
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, lost);
    }

    /// A server that is away, or too busy, keeps proofs from succeeding as well.
    fn not_seen(&self, error: &Error) {
        tracing::debug!(%error, "the triggers of the cache cannot be looked at");
        if error.try_again_after().is_none() {
            self.lose();
        }
    }

    fn tell(&self, faults: Vec<String>) {
        let mut told = self.told.lock();
        if *told != faults {
            tracing::warn!(
                faults = faults.join("; "),
                "the cache of authenticated requests is off, because its triggers cannot be relied upon"
            );
            *told = faults;
        }
    }

    fn is_due(&self) -> bool {
        let (now, due) = (self.seconds(), self.next.load(Ordering::Relaxed));
        let (next, order) = (now + LOOK_EVERY, Ordering::Relaxed);
        now >= due && self.next.compare_exchange(due, next, order, order).is_ok()
    }

    fn seconds(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_secs()).unwrap_or(i64::MAX - 2 * LOOK_EVERY)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use djauth_db::Executor;
    use test_databases::TestDatabase;

    use super::*;
    use crate::base_user::UserMeta;
    use crate::management::Migrate;
    use crate::models::User;

    /// At a database with the triggers.
    pub(in super::super) async fn looks(database: &TestDatabase) -> Looks {
        let db = Database::connect(database.url()).await.expect("connects");
        Migrate::new().run(&db).await.expect("migrates");
        let triggers = CacheTriggers::of::<User>(&UserMeta::declared::<User>(), db.dialect());
        triggers.install(&db).await.expect("installs");
        Looks::new(&db, triggers)
    }

    /// What was kept before a trigger was gone is not believed when it is back, also if nobody installed anew.
    #[tokio::test]
    async fn trust_that_was_lost_is_never_the_same_again() {
        for (database, gone, back) in [
            (
                TestDatabase::postgres(),
                "ALTER TABLE auth_user DISABLE TRIGGER djauth_cache_row",
                "ALTER TABLE auth_user ENABLE ALWAYS TRIGGER djauth_cache_row",
            ),
            (
                TestDatabase::mariadb(),
                "CREATE TABLE club (id int PRIMARY KEY) ENGINE = InnoDB; ALTER TABLE auth_group ADD club_id int, \
                 ADD CONSTRAINT club FOREIGN KEY (club_id) REFERENCES club (id) ON DELETE SET NULL",
                "ALTER TABLE auth_group DROP FOREIGN KEY club",
            ),
        ] {
            let looks = looks(&database).await;
            assert_eq!(looks.trust(), None);
            let first = looks.first().await;
            assert!(first.is_some(), "{}", database.name());
            database.client(gone);
            looks.look().await;
            assert_eq!(looks.trust(), None, "{}", database.name());
            assert_eq!(looks.first().await, None, "it is not yet time");
            database.client(back);
            looks.look().await;
            assert!(looks.trust().is_some(), "{}", database.name());
            assert_ne!(looks.trust(), first);
            looks.db.close().await;
        }
    }

    /// A look that began before something was lost does not bring it back.
    #[tokio::test]
    async fn an_old_look_gives_no_trust() {
        let database = TestDatabase::postgres();
        let looks = looks(&database).await;
        let before = looks.trust.load(Ordering::Relaxed);
        looks.look().await;
        looks.lost();
        looks.gain(before);
        assert_eq!(looks.trust(), None);
        looks.db.close().await;
    }
}
