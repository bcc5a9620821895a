//! One attempt at a password: all that it takes, in one job.

use std::fmt;
use std::sync::Arc;

use djauth_hashers::{Blocking, Derivation, Digest, Hashers, Step, Verified, is_password_usable};
use zeroize::Zeroizing;

use super::HashingPool;
use super::effort::Spent;
use super::engine::Engine;
use crate::Error;

/// The answer of [`HashingPool::check_password`].
#[non_exhaustive]
pub struct Checked {
    /// What [`HashingPool::verify`] would have answered.
    pub verified: Verified,
    /// The value to store from now on, when the password is correct and the stored value is out
    /// of date.
    pub upgraded: Option<String>,
}

/// Without the value to store, which is a hash.
impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked")
            .field("verified", &self.verified)
            .field(
                "upgraded",
                &self.upgraded.as_ref().map(|_| format_args!("***")),
            )
            .finish()
    }
}

/// The stored value of nobody. No password fits it, and it takes one new hash to find out.
pub(super) const NOBODY: &str = "!";

/// What follows on the answer.
#[derive(Clone, Copy)]
pub(super) struct Wish {
    pub(super) may_log_in: bool,
    pub(super) upgrade: bool,
}

impl HashingPool {
    /// Judges the password. One that is wrong, or right for somebody who may not log in, costs the same
    /// for all of them.
    pub(crate) async fn attempt(
        &self,
        password: &str,
        encoded: &str,
        may_log_in: bool,
        upgrade: bool,
    ) -> Result<Checked, Error> {
        let wish = Wish {
            may_log_in,
            upgrade,
        };
        self.calibrate();
        let spent = Arc::new(Spent::default());
        self.attempt_with(password, encoded, wish, spent).await
    }

    pub(super) async fn attempt_with(
        &self,
        password: &str,
        encoded: &str,
        wish: Wish,
        spent: Arc<Spent>,
    ) -> Result<Checked, Error> {
        let (of, engine) = (spent.clone(), self.handle.0.clone());
        let encoded = encoded.to_owned();
        let step = when_short(password, &self.hashers, move |hashers, password| {
            let attempt = Attempt {
                engine,
                hashers: hashers.clone(),
                password: Zeroizing::new(password.to_owned()),
                spent: of,
                usable: is_password_usable(&encoded),
                wish,
            };
            attempt.start(&encoded)
        });
        self.submit(step, spent).await
    }

    /// Finds out what nobody's password costs, before the first attempt at somebody's. Rounds need not be
    /// done for that; with a preferred hasher that has none, the first attempt at nobody's tells.
    fn calibrate(&self) {
        let effort = &self.engine().effort;
        if !effort.first_time() {
            return;
        }
        if let Step::Rounds(rounds, _) = self.hashers.start_harden_runtime() {
            let spent = Spent::default();
            match rounds.digest() {
                Digest::Sha256 => spent.rounds(rounds.remaining()),
                // What they are worth is not known yet.
                Digest::Sha1 => spent.sha1(rounds.remaining(), 0.0),
            }
            effort.see(&spent, true);
        }
    }
}

/// What is known of an attempt before its password is judged.
struct Attempt {
    engine: Arc<Engine>,
    hashers: Hashers,
    password: Zeroizing<String>,
    spent: Arc<Spent>,
    usable: bool,
    wish: Wish,
}

impl Attempt {
    fn start(self, encoded: &str) -> Step<Checked> {
        let verified = self.hashers.start_verify(&self.password, encoded);
        // Where nothing is left to do it would follow here, perhaps on a thread of the runtime, with no lane.
        let at_once = matches!(verified, Step::Done(_));
        verified.then(move |verified| match at_once || self.spent.is_working() {
            true => afterwards(move || self.follow(verified)),
            false => self.follow(verified),
        })
    }

    fn follow(self, verified: Verified) -> Step<Checked> {
        let effort = &self.engine.effort;
        // What could not be judged may have ended early, and says nothing of the others.
        if verified.problem.is_none() {
            effort.see(&self.spent, !self.usable);
        }
        if !(verified.correct && self.wish.may_log_in) {
            return top_up(effort.missing(&self.spent), verified);
        }
        if !(verified.must_update && self.wish.upgrade) {
            return Step::Done(checked(verified));
        }
        // A password that the preferred hasher cannot take keeps its old value.
        let made = self.hashers.start_make_password(&self.password);
        made.map(move |made| Checked {
            verified,
            upgraded: made.ok(),
        })
    }
}

/// What follows at once on a work is within it, and the work is not counted yet. One round later it is,
/// and the job has its lane: what it lacks by then it gets without waiting any more.
fn afterwards(follow: impl FnOnce() -> Step<Checked> + Send + 'static) -> Step<Checked> {
    Step::Rounds(nobodys(1), Box::new(move |_| follow()))
}

/// Rounds that only take time.
fn top_up(rounds: u64, verified: Verified) -> Step<Checked> {
    if rounds == 0 {
        return Step::Done(checked(verified));
    }
    Step::Rounds(
        nobodys(rounds),
        Box::new(move |_| Step::Done(checked(verified))),
    )
}

fn nobodys(rounds: u64) -> Derivation {
    // The first is done at once.
    Derivation::sha256(b"nobody's password", b"no salt", rounds + 1)
}

fn checked(verified: Verified) -> Checked {
    Checked {
        verified,
        upgraded: None,
    }
}

/// Passwords of this length and shorter take no time before the first round.
const SHORT: usize = 1024;

/// Starts at once, or on a thread where the first step would take long: a key that is longer than a
/// block of the digest is hashed first.
pub(super) fn when_short<T: Send + 'static>(
    password: &str,
    hashers: &Hashers,
    start: impl FnOnce(&Hashers, &str) -> Step<T> + Send + 'static,
) -> Step<T> {
    if password.len() <= SHORT {
        return start(hashers, password);
    }
    let (hashers, password) = (hashers.clone(), Zeroizing::new(password.to_owned()));
    Step::Blocking(Blocking::once(0, String::new(), move || {
        start(&hashers, &password)
    }))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use djauth_hashers::Parameters;
    use tokio::task::JoinHandle;

    use super::super::client::Client;
    use super::super::shares::Kind;
    use super::super::tests::{
        all_passed, block, crowd, eventually, pool, pool_of, preferring, until,
    };
    use super::*;

    const DEAR: &str = "pbkdf2_sha256$1000000$abcdefghijklmnopqrstuv$x";

    /// Rounds of an attempt, and whether it was one job.
    async fn rounds(pool: &HashingPool, password: &str, stored: &str, may_log_in: bool) -> u64 {
        let (spent, upgrade) = (Arc::new(Spent::default()), true);
        let wish = Wish {
            may_log_in,
            upgrade,
        };
        let before = pool.stats().done;
        let attempt = pool.attempt_with(password, stored, wish, spent.clone());
        attempt.await.unwrap();
        until(pool, |stats| stats.done > before).await;
        assert_eq!(pool.stats().done, before + 1);
        spent.sha256()
    }

    #[tokio::test]
    async fn every_failure_costs_the_same() {
        let pool = pool(2, 8);
        let current = pool.make_password(Some("horse")).await.unwrap();
        let with_rounds = |iterations| {
            let mut parameters = Parameters::default();
            parameters
                .set("pbkdf2_sha256", "iterations", iterations)
                .unwrap();
            let hashers = Hashers::from_names(&["pbkdf2_sha256"], &parameters).unwrap();
            hashers.make_password(Some("horse")).unwrap()
        };
        let (old, dear) = (with_rounds(4_000), with_rounds(15_000));
        // The first attempt at the dearest teaches what the others cost from then on.
        pool.attempt("mule", &dear, true, true).await.unwrap();
        for (password, stored, may_log_in) in [
            ("mule", NOBODY, true),
            ("mule", "!unusable", true),
            ("mule", "nonsense", true),
            ("mule", "pbkdf2_sha256$x", true),
            ("mule", &current, true),
            ("mule", &current, false),
            ("horse", &current, false),
            ("mule", &old, true),
            ("horse", &old, false),
            ("mule", &dear, true),
        ] {
            let rounds = rounds(&pool, password, stored, may_log_in).await;
            assert_eq!(rounds, 14_999, "{password} for {stored}, {may_log_in}");
        }
        // Success is to be seen anyway.
        assert_eq!(rounds(&pool, "horse", &current, true).await, 9_999);
    }

    /// What bcrypt and Argon2 have cost is counted, and not topped up as if it were nothing.
    #[tokio::test]
    async fn an_attempt_without_rounds_counts_as_what_it_took() {
        for name in ["bcrypt", "argon2"] {
            let pool = pool_of(preferring("pbkdf2_sha256"), 1, 8, 0);
            let whole = rounds(&pool, "mule", NOBODY, true).await;
            let stored = preferring(name).make_password(Some("horse")).unwrap();
            let added = rounds(&pool, "mule", &stored, true).await;
            let dearest = rounds(&pool, "mule", NOBODY, true).await;
            assert!(dearest >= whole, "{name}");
            assert!(added < dearest, "{name}: {added} of {dearest}");
        }
    }

    /// An attempt that is under way, and what it has been given.
    fn begun(pool: &HashingPool, stored: &str) -> (JoinHandle<Checked>, Arc<Spent>) {
        let (pool, stored, spent) = (pool.clone(), stored.to_owned(), Arc::new(Spent::default()));
        let (upgrade, of) = (false, spent.clone());
        let wish = Wish {
            may_log_in: true,
            upgrade,
        };
        let attempt = async move { pool.attempt_with("mule", &stored, wish, of).await };
        let attempt = tokio::spawn(async move { attempt.await.unwrap() });
        (attempt, spent)
    }

    /// Until a job in a lane would have been given so much more.
    async fn meanwhile(pool: &HashingPool, rounds: f64) {
        let lane = || pool.engine().state.lock().meanwhile.read(Instant::now());
        let since = lane();
        eventually(|| lane() > since + rounds, &"the clock of lanes").await;
    }

    /// One that has to wait for a thread for its work is not topped up as well: others, who have none, did
    /// their rounds meanwhile.
    #[tokio::test]
    async fn the_wait_for_a_work_counts_as_what_a_lane_got_meanwhile() {
        let pool = pool(1, 8);
        let stored = preferring("bcrypt").make_password(Some("horse")).unwrap();
        rounds(&pool, "mule", NOBODY, true).await;
        let release = block(&pool).await;
        let (attempt, spent) = begun(&pool, &stored);
        eventually(
            || pool.stats().waiting == 1 && all_passed(&pool),
            &"it has passed",
        )
        .await;
        meanwhile(&pool, 50_000.0).await;
        drop(release);
        assert!(!attempt.await.unwrap().verified.correct);
        let dearest = rounds(&pool, "mule", NOBODY, true).await;
        // One in which it is decided.
        assert!(spent.sha256() <= 1 + dearest.saturating_sub(50_000));
    }

    /// Nor is one that has to wait for a lane where others have none of their own.
    #[tokio::test]
    async fn the_wait_for_a_lane_counts_behind_a_gate_of_works() {
        let pool = pool_of(preferring("argon2"), 1, 8, 0);
        let cheap = preferring("pbkdf2_sha256")
            .make_password(Some("horse"))
            .unwrap();
        for stored in [NOBODY, &cheap, DEAR] {
            rounds(&pool, "mule", stored, true).await;
        }
        let lanes = crowd(&pool, Client::default(), 0).await;
        let (attempt, spent) = begun(&pool, &cheap);
        let passed = || !pool.engine().state.lock().shares.waits(Kind::Blocking);
        eventually(|| pool.stats().waiting == 1 && passed(), &"it has passed").await;
        meanwhile(&pool, 500_000.0).await;
        lanes[0].abort();
        attempt.await.unwrap();
        lanes.iter().for_each(JoinHandle::abort);
        // All are topped up to 1,100,000.
        let own = spent.sha256();
        assert!(own <= 600_000, "{own}");
    }

    /// A password that plain bcrypt refuses unseen teaches nothing of what bcrypt takes.
    #[tokio::test]
    async fn what_was_not_judged_is_not_learned() {
        let pool = pool_of(preferring("pbkdf2_sha256"), 1, 8, 0);
        let stored = preferring("bcrypt").make_password(Some("horse")).unwrap();
        let whole = rounds(&pool, "mule", NOBODY, true).await;
        let too_long = "m".repeat(80);
        for _ in 0..8 {
            assert!(rounds(&pool, &too_long, &stored, true).await >= whole);
        }
        assert_eq!(rounds(&pool, "mule", NOBODY, true).await, whole);
    }
}
