//! One attempt at a password: all that it takes, in one job.

use std::fmt;
use std::sync::Arc;

use djauth_hashers::{Blocking, Derivation, Hashers, Step, Verified, is_password_usable};
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
            start(&engine, hashers, password, &encoded, of, wish)
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
            spent.rounds(rounds.digest(), rounds.remaining());
            effort.usual(&spent);
        }
    }
}

fn start(
    engine: &Arc<Engine>,
    hashers: &Hashers,
    password: &str,
    encoded: &str,
    spent: Arc<Spent>,
    wish: Wish,
) -> Step<Checked> {
    let usable = is_password_usable(encoded);
    let (engine, hashers) = (engine.clone(), hashers.clone());
    let password = Zeroizing::new(password.to_owned());
    let verified = hashers.start_verify(&password, encoded);
    let told_later = matches!(verified, Step::Blocking(_));
    verified.then(move |verified| {
        let follow =
            move || follow_on(&engine, &hashers, &password, verified, &spent, usable, wish);
        match told_later {
            true => afterwards(follow),
            false => follow(),
        }
    })
}

/// What a work has cost is noted when it has ended, and what follows at once is still within it.
fn afterwards(follow: impl FnOnce() -> Step<Checked> + Send + 'static) -> Step<Checked> {
    Step::Rounds(nobodys(1), Box::new(move |_| follow()))
}

fn follow_on(
    engine: &Engine,
    hashers: &Hashers,
    password: &str,
    verified: Verified,
    spent: &Spent,
    usable: bool,
    wish: Wish,
) -> Step<Checked> {
    match usable {
        true => engine.effort.seen(spent),
        false => engine.effort.usual(spent),
    }
    if !(verified.correct && wish.may_log_in) {
        return top_up(engine.effort.missing(spent), verified);
    }
    if !(verified.must_update && wish.upgrade) {
        return Step::Done(checked(verified));
    }
    // A password that the preferred hasher cannot take keeps its old value.
    let made = hashers.start_make_password(password);
    made.map(move |made| Checked {
        verified,
        upgraded: made.ok(),
    })
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
