//! The long methods of [`Hashers`], in steps.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Hashers, UNUSABLE_PASSWORD_SUFFIX_LENGTH, Verified, algorithm_of, is_password_usable};
use crate::random::get_random_string;
use crate::step::Blocking;
use crate::{Error, ErrorKind, PasswordHasher, Step};

type Password = Arc<Zeroizing<Vec<u8>>>;

impl Hashers {
    /// [`make_password`](Self::make_password) in steps.
    #[must_use]
    pub fn start_make_password(&self, password: &str) -> Step<Result<String, Error>> {
        self.start_encode(&secret(password))
    }

    /// [`verify_password`](Self::verify_password) in steps.
    #[must_use]
    pub fn start_verify(&self, password: &str, encoded: &str) -> Step<Verified> {
        if !is_password_usable(encoded) {
            return self.start_refuse(None);
        }
        let this = self.clone();
        let judged = self.start_judge(&secret(password), encoded);
        judged.then(move |judged| match judged {
            Ok((correct, must_update)) => Step::Done(Verified {
                correct,
                must_update,
                problem: None,
            }),
            Err(error) => this.start_refuse(Some(error.kind())),
        })
    }

    /// [`harden_runtime`](Self::harden_runtime) in steps.
    #[must_use]
    pub fn start_harden_runtime(&self) -> Step<()> {
        let work = match get_random_string(UNUSABLE_PASSWORD_SUFFIX_LENGTH) {
            Ok(random) => self.start_encode(&secret(&random)),
            Err(error) => Step::Done(Err(error)),
        };
        work.map(|made| {
            if let Err(error) = made {
                tracing::error!(%error, "no hash was made to equalise the response time");
            }
        })
    }

    fn start_encode(&self, password: &Password) -> Step<Result<String, Error>> {
        let hasher = &self.list[0];
        let salt = match hasher.salt() {
            Ok(salt) => salt,
            Err(error) => return Step::Done(Err(error)),
        };
        hasher.start_encode(password, &salt).unwrap_or_else(|| {
            let (hasher, password) = (hasher.clone(), password.clone());
            let name = match hasher.is_repeatable() {
                true => preferred(&*hasher),
                false => format!("{}, new", hasher.algorithm()),
            };
            let (repeatable, memory) = (hasher.is_repeatable(), hasher.memory(None));
            blocking(repeatable, memory, name, move || {
                hasher.encode(&password, &salt)
            })
        })
    }

    fn start_judge(&self, password: &Password, encoded: &str) -> Step<Result<(bool, bool), Error>> {
        let considered = match self.consider(encoded) {
            Ok(considered) => considered,
            Err(error) => return Step::Done(Err(error)),
        };
        let verified = considered.verify(password, encoded);
        let (password, encoded) = (password.clone(), encoded.to_owned());
        verified.then(move |correct| match correct {
            Ok(false) if considered.harden => {
                let hardened = considered.harden_runtime(&password, &encoded);
                hardened.map(|done| done.map(|()| (false, true)))
            }
            correct => Step::Done(correct.map(|correct| (correct, considered.must_update))),
        })
    }

    fn consider(&self, encoded: &str) -> Result<Considered, Error> {
        if encoded.len() > self.longest {
            return Err(Error::too_costly("length of the stored value"));
        }
        let hasher = self.find(algorithm_of(encoded))?.clone();
        let preferred = self.preferred();
        let changed = hasher.algorithm() != preferred.algorithm();
        let must_update = changed || preferred.must_update(encoded)?;
        Ok(Considered {
            hasher,
            must_update,
            harden: must_update && !changed,
        })
    }

    fn start_refuse(&self, problem: Option<ErrorKind>) -> Step<Verified> {
        self.start_harden_runtime().map(move |()| Verified {
            correct: false,
            must_update: false,
            problem,
        })
    }
}

/// A stored value whose algorithm is known.
struct Considered {
    hasher: Arc<dyn PasswordHasher>,
    must_update: bool,
    /// Of the preferred algorithm, but not of its costs.
    harden: bool,
}

impl Considered {
    fn verify(&self, password: &Password, encoded: &str) -> Step<Result<bool, Error>> {
        let started = self.hasher.start_verify(password, encoded);
        started.unwrap_or_else(|| {
            let name = match self.hasher.is_repeatable() && !self.must_update {
                true => preferred(&*self.hasher),
                false => costs(&*self.hasher, encoded),
            };
            self.blocking(password, encoded, name, |hasher, password, encoded| {
                hasher.verify(password, encoded)
            })
        })
    }

    fn harden_runtime(&self, password: &Password, encoded: &str) -> Step<Result<(), Error>> {
        let started = self.hasher.start_harden(password, encoded);
        started.unwrap_or_else(|| {
            let name = format!("{}, more", costs(&*self.hasher, encoded));
            self.blocking(password, encoded, name, |hasher, password, encoded| {
                hasher.harden_runtime(password, encoded)
            })
        })
    }

    fn blocking<T: 'static>(
        &self,
        password: &Password,
        encoded: &str,
        name: String,
        work: fn(&dyn PasswordHasher, &[u8], &str) -> T,
    ) -> Step<T> {
        let hasher = self.hasher.clone();
        let (password, encoded) = (password.clone(), encoded.to_owned());
        let (repeatable, memory) = (hasher.is_repeatable(), hasher.memory(Some(&encoded)));
        blocking(repeatable, memory, name, move || {
            work(&*hasher, &password, &encoded)
        })
    }
}

/// See [`PasswordHasher::is_repeatable`].
fn blocking<T: 'static>(
    repeatable: bool,
    memory: u64,
    name: String,
    work: impl Fn() -> T + Send + Sync + 'static,
) -> Step<T> {
    Step::Blocking(if repeatable {
        Blocking::new(memory, name, work)
    } else {
        Blocking::once(memory, name, move || Step::Done(work()))
    })
}

/// A new hash, and a stored one that is as a new one would be. Of hashers that are known: another may judge
/// what is dearer or cheaper as up to date.
fn preferred(hasher: &dyn PasswordHasher) -> String {
    format!("{}, preferred", hasher.algorithm())
}

/// The algorithm and the costs of a stored value.
fn costs(hasher: &dyn PasswordHasher, encoded: &str) -> String {
    let mut name = hasher.algorithm().to_owned();
    // The longest value that is decoded is short, but what its fields hold is anybody's choice.
    const LONGEST: usize = 100;
    if let Ok(decoded) = hasher.decode(encoded) {
        for (_, value) in decoded.parameters {
            name.push(' ');
            name.extend(value.chars().take(LONGEST));
        }
    }
    name
}

fn secret(password: &str) -> Password {
    Arc::new(Zeroizing::new(password.as_bytes().to_vec()))
}
