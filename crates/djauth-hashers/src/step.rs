//! Hashes in steps, for engines that run many at once.

use std::fmt;

use crate::Derivation;

/// A computation with hashes in it, as far as it has come. What takes long is left to the caller:
/// PBKDF2 rounds, which may be done in parts and beside those of others, and work that cannot be
/// interrupted.
///
/// ```
/// use djauth_hashers::{Derivation, Hashers, Step};
///
/// # let mut parameters = djauth_hashers::Parameters::default();
/// # parameters.set("pbkdf2_sha256", "iterations", 2_000).unwrap();
/// # let hashers = Hashers::from_names(&["pbkdf2_sha256"], &parameters).unwrap();
/// # let stored = hashers.make_password(Some("horse")).unwrap();
/// let mut step = hashers.start_verify("horse", &stored);
/// let verified = loop {
///     step = match step {
///         Step::Rounds(mut rounds, next) => {
///             while rounds.remaining() > 0 {
///                 Derivation::advance([&mut rounds], 1_024); // others' turn after each
///             }
///             next(rounds)
///         }
///         Step::Blocking(work) => (work.run)(),
///         Step::Done(verified) => break verified,
///     };
/// };
/// assert!(verified.correct);
/// ```
pub enum Step<T> {
    /// Rounds to be done; the function takes the derivation that is done.
    Rounds(Derivation, Box<dyn FnOnce(Derivation) -> Self + Send>),
    /// Work to be run on a thread that may be kept for long.
    Blocking(Blocking<T>),
    /// The result.
    Done(T),
}

/// Work that cannot be interrupted.
pub struct Blocking<T> {
    /// What it will need, in KiB; 0 for little.
    pub memory: u64,
    /// Algorithm and costs: works of one name cost the same.
    pub name: String,
    /// Does it.
    pub run: Box<dyn FnOnce() -> Step<T> + Send>,
}

impl<T: 'static> Step<T> {
    /// What comes after.
    pub fn then<U: 'static>(self, next: impl FnOnce(T) -> Step<U> + Send + 'static) -> Step<U> {
        match self {
            Self::Rounds(rounds, resume) => {
                Step::Rounds(rounds, Box::new(|done| resume(done).then(next)))
            }
            Self::Blocking(Blocking { memory, name, run }) => Step::Blocking(Blocking {
                memory,
                name,
                run: Box::new(|| run().then(next)),
            }),
            Self::Done(result) => next(result),
        }
    }

    /// Another form of the result.
    pub fn map<U: 'static>(self, change: impl FnOnce(T) -> U + Send + 'static) -> Step<U> {
        self.then(|result| Step::Done(change(result)))
    }

    /// Does everything, on this thread.
    pub fn finish(self) -> T {
        let mut step = self;
        loop {
            step = match step {
                Self::Rounds(mut rounds, resume) => {
                    rounds.finish();
                    resume(rounds)
                }
                Self::Blocking(work) => (work.run)(),
                Self::Done(result) => return result,
            }
        }
    }
}

impl<T> fmt::Debug for Step<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rounds(rounds, _) => f.debug_tuple("Rounds").field(rounds).finish(),
            Self::Blocking(work) => f.debug_tuple("Blocking").field(work).finish(),
            Self::Done(_) => f.write_str("Done"),
        }
    }
}

impl<T> fmt::Debug for Blocking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking")
            .field("memory", &self.memory)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(iterations: u64) -> Step<u64> {
        let derivation = Derivation::sha256(b"x", b"salt", iterations);
        Step::Rounds(derivation, Box::new(move |_| Step::Done(iterations)))
    }

    #[test]
    fn steps_follow_each_other() {
        let step = rounds(10).then(|n| {
            Step::Blocking(Blocking {
                memory: 1,
                name: "sum".into(),
                run: Box::new(move || rounds(n + 5)),
            })
        });
        assert_eq!(step.map(|n| n * 2).finish(), 30);
    }

    #[test]
    fn debug_shows_no_result() {
        let text = format!("{:?} {:?}", Step::Done("SECRET"), rounds(3));
        assert!(!text.contains("SECRET") && text.contains("remaining: 2"));
    }
}
