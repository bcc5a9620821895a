//! Hashes in steps, for engines that run many at once.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

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
///         Step::Blocking(work) => (work.run)().expect("it was run once"),
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
    /// Algorithm and costs, or that they are the preferred ones: works of one name cost the same.
    pub name: String,
    /// Does it. It may be called again, elsewhere, when a thread gets no time for it: whichever call ends
    /// first has the step that follows, and the others `None`.
    pub run: Run<T>,
}

/// See [`Blocking::run`].
pub type Run<T> = Arc<dyn Fn() -> Option<Step<T>> + Send + Sync>;

impl<T: 'static> Blocking<T> {
    /// Work that gives the same however often it is done.
    pub fn new(memory: u64, name: String, work: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let ended = Taken::new(());
        let run = Arc::new(move || {
            let result = work();
            ended.take().map(|()| Step::Done(result))
        });
        Self { memory, name, run }
    }

    /// Work that can be begun only once.
    pub fn once(
        memory: u64,
        name: String,
        work: impl FnOnce() -> Step<T> + Send + 'static,
    ) -> Self {
        let work = Taken::new(work);
        let run = Arc::new(move || work.take().map(|work| work()));
        Self { memory, name, run }
    }

    fn then<U: 'static>(self, next: impl FnOnce(T) -> Step<U> + Send + 'static) -> Blocking<U> {
        let Self { memory, name, run } = self;
        let next = Taken::new(next);
        let run = Arc::new(move || {
            let step = run()?;
            next.take().map(|next| step.then(next))
        });
        Blocking { memory, name, run }
    }
}

/// Something that one of several has.
struct Taken<F>(Mutex<Option<F>>);

impl<F> Taken<F> {
    fn new(it: F) -> Self {
        Self(Mutex::new(Some(it)))
    }

    fn take(&self) -> Option<F> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T: 'static> Step<T> {
    /// What comes after.
    pub fn then<U: 'static>(self, next: impl FnOnce(T) -> Step<U> + Send + 'static) -> Step<U> {
        match self {
            Self::Rounds(rounds, resume) => {
                Step::Rounds(rounds, Box::new(|done| resume(done).then(next)))
            }
            Self::Blocking(work) => Step::Blocking(work.then(next)),
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
                // Nobody else has it, so there is a step.
                Self::Blocking(work) => match (work.run)() {
                    Some(step) => step,
                    None => unreachable!("work that was not run before"),
                },
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
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    fn rounds(iterations: u64) -> Step<u64> {
        let derivation = Derivation::sha256(b"x", b"salt", iterations);
        Step::Rounds(derivation, Box::new(move |_| Step::Done(iterations)))
    }

    #[test]
    fn steps_follow_each_other() {
        let step = rounds(10)
            .then(|n| Step::Blocking(Blocking::once(1, "sum".into(), move || rounds(n + 5))));
        assert_eq!(step.map(|n| n * 2).finish(), 30);
    }

    /// Each does the work; one has what follows on it.
    #[test]
    fn work_can_be_run_again_and_ends_once() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let work = Blocking::new(0, String::new(), move || counted.fetch_add(1, SeqCst));
        let Step::Blocking(work) = Step::Blocking(work).map(|n| n + 10) else {
            panic!("work stays work");
        };
        let (first, again) = (work.run.clone(), work.run);
        assert!(matches!(again(), Some(Step::Done(10))));
        assert!(first().is_none());
        assert_eq!(calls.load(SeqCst), 2);
        let once = Blocking::once(0, String::new(), || Step::Done(7));
        assert!((once.run)().is_some() && (once.run)().is_none());
    }

    #[test]
    fn debug_shows_no_result() {
        let text = format!("{:?} {:?}", Step::Done("SECRET"), rounds(3));
        assert!(!text.contains("SECRET") && text.contains("remaining: 2"));
    }
}
