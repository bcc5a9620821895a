use std::fmt;
use std::marker::PhantomData;

use crate::hasher::must_update_salt;
use crate::text::{base64, check_salt, cost, expect_algorithm, fields_rest, limit, same};
use crate::{Decoded, Derivation, Error, Parameters, PasswordHasher, Step};

/// `pbkdf2_sha256$<iterations>$<salt>$<base64>`; mirrors `PBKDF2PasswordHasher`.
pub type PBKDF2PasswordHasher = Pbkdf2<Sha256>;
/// `pbkdf2_sha1$<iterations>$<salt>$<base64>`; mirrors `PBKDF2SHA1PasswordHasher`.
pub type PBKDF2SHA1PasswordHasher = Pbkdf2<Sha1>;

/// PBKDF2-HMAC over the salt's text, with a key as long as the digest.
#[derive(Clone, Debug)]
pub struct Pbkdf2<D> {
    iterations: i64,
    limit: i64,
    digest: PhantomData<fn() -> D>,
}

/// A digest under PBKDF2.
pub trait Pbkdf2Digest: fmt::Debug + Send + Sync + 'static {
    /// Name of the algorithm in stored values.
    const ALGORITHM: &'static str;
    /// The configured iterations of this algorithm.
    #[doc(hidden)]
    fn iterations(parameters: &Parameters) -> i64;
    /// The derivation, with all its rounds still to be done.
    #[doc(hidden)]
    fn start(password: &[u8], salt: &[u8], iterations: u64) -> Derivation;
}

/// SHA-256, for `pbkdf2_sha256`.
#[derive(Clone, Debug)]
pub struct Sha256;
/// SHA-1, for `pbkdf2_sha1`.
#[derive(Clone, Debug)]
pub struct Sha1;

impl Pbkdf2Digest for Sha256 {
    const ALGORITHM: &'static str = "pbkdf2_sha256";
    fn iterations(parameters: &Parameters) -> i64 {
        parameters.pbkdf2_sha256_iterations.into()
    }
    fn start(password: &[u8], salt: &[u8], iterations: u64) -> Derivation {
        Derivation::sha256(password, salt, iterations)
    }
}

impl Pbkdf2Digest for Sha1 {
    const ALGORITHM: &'static str = "pbkdf2_sha1";
    fn iterations(parameters: &Parameters) -> i64 {
        parameters.pbkdf2_sha1_iterations.into()
    }
    fn start(password: &[u8], salt: &[u8], iterations: u64) -> Derivation {
        Derivation::sha1(password, salt, iterations)
    }
}

impl<D: Pbkdf2Digest> Pbkdf2<D> {
    /// With the configured number of iterations.
    pub fn new(parameters: &Parameters) -> Self {
        let iterations = D::iterations(parameters);
        let limit = limit(parameters.limits.pbkdf2_iterations).max(iterations);
        Self {
            iterations,
            limit,
            digest: PhantomData,
        }
    }

    fn encode_steps(password: &[u8], salt: &str, iterations: i64) -> Result<Step<String>, Error> {
        check_salt(salt)?;
        let rounds = u64::try_from(iterations).unwrap_or(0);
        let derivation = D::start(password, salt.as_bytes(), rounds);
        let salt = salt.to_owned();
        let text = move |done: Derivation| {
            let hash = base64(&done.output());
            Step::Done(format!("{}${iterations}${salt}${hash}", D::ALGORITHM))
        };
        Ok(Step::Rounds(derivation, Box::new(text)))
    }

    fn verify_steps(&self, password: &[u8], encoded: &str) -> Result<Step<bool>, Error> {
        let (iterations, salt, _) = self.split(encoded)?;
        if iterations < 1 {
            return Err(Error::malformed("no iterations"));
        }
        if iterations > self.limit {
            return Err(Error::too_costly("PBKDF2 iterations"));
        }
        let stored = encoded.to_owned();
        let made = Self::encode_steps(password, salt, iterations)?;
        Ok(made.map(move |made| same(&stored, &made)))
    }

    /// The rounds between the stored number and the configured one.
    fn harden_steps(&self, password: &[u8], encoded: &str) -> Result<Step<()>, Error> {
        let (iterations, salt, _) = self.split(encoded)?;
        if iterations >= self.iterations {
            return Ok(Step::Done(()));
        }
        let made = Self::encode_steps(password, salt, self.iterations - iterations)?;
        Ok(made.map(|_| ()))
    }

    fn split<'a>(&self, encoded: &'a str) -> Result<(i64, &'a str, &'a str), Error> {
        let [algorithm, iterations, salt, hash] = fields_rest(encoded)?;
        expect_algorithm(algorithm, D::ALGORITHM)?;
        Ok((cost(iterations)?, salt, hash))
    }
}

impl<D: Pbkdf2Digest> PasswordHasher for Pbkdf2<D> {
    fn algorithm(&self) -> &str {
        D::ALGORITHM
    }

    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error> {
        Self::encode_steps(password, salt, self.iterations).map(Step::finish)
    }

    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error> {
        self.verify_steps(password, encoded).map(Step::finish)
    }

    fn decode(&self, encoded: &str) -> Result<Decoded, Error> {
        let (iterations, salt, hash) = self.split(encoded)?;
        let decoded = Decoded::new(D::ALGORITHM, Some(salt.into()), hash);
        Ok(decoded.parameter("iterations", &iterations))
    }

    fn must_update(&self, encoded: &str) -> Result<bool, Error> {
        let (iterations, salt, _) = self.split(encoded)?;
        Ok(iterations != self.iterations || must_update_salt(salt.chars().count()))
    }

    fn harden_runtime(&self, password: &[u8], encoded: &str) -> Result<(), Error> {
        self.harden_steps(password, encoded).map(Step::finish)
    }

    fn start_encode(&self, password: &[u8], salt: &str) -> Option<Step<Result<String, Error>>> {
        Some(fallible(Self::encode_steps(
            password,
            salt,
            self.iterations,
        )))
    }

    fn start_verify(&self, password: &[u8], encoded: &str) -> Option<Step<Result<bool, Error>>> {
        Some(fallible(self.verify_steps(password, encoded)))
    }

    fn start_harden(&self, password: &[u8], encoded: &str) -> Option<Step<Result<(), Error>>> {
        Some(fallible(self.harden_steps(password, encoded)))
    }
}

fn fallible<T: 'static>(started: Result<Step<T>, Error>) -> Step<Result<T, Error>> {
    started.map_or_else(|error| Step::Done(Err(error)), |step| step.map(Ok))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The reference is RustCrypto's generic implementation.
        #[test]
        fn equals_the_generic_implementation(
            password in proptest::collection::vec(any::<u8>(), 0..200),
            salt in "[a-z]{1,100}",
            iterations in 1u32..40,
        ) {
            let derived = |mut derivation: Derivation| {
                derivation.finish();
                derivation.output()
            };
            let (salt, rounds) = (salt.as_bytes(), u64::from(iterations));
            let mut sha256 = [0; 32];
            pbkdf2::pbkdf2_hmac::<sha2::Sha256>(&password, salt, iterations, &mut sha256);
            prop_assert_eq!(derived(Sha256::start(&password, salt, rounds)), sha256);
            let mut sha1 = [0; 20];
            pbkdf2::pbkdf2_hmac::<sha1::Sha1>(&password, salt, iterations, &mut sha1);
            prop_assert_eq!(derived(Sha1::start(&password, salt, rounds)), sha1);
        }
    }
}
