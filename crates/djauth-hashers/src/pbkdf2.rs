use std::marker::PhantomData;

use crate::hasher::must_update_salt;
use crate::text::{base64, check_salt, cost, expect_algorithm, fields_rest, limit, same};
use crate::{Decoded, Error, Parameters, PasswordHasher};

mod kernel;

pub(crate) use kernel::{Compression, Sha1, Sha256};

/// `pbkdf2_sha256$<iterations>$<salt>$<base64>`; mirrors `PBKDF2PasswordHasher`.
pub type PBKDF2PasswordHasher = Pbkdf2<Sha256>;
/// `pbkdf2_sha1$<iterations>$<salt>$<base64>`; mirrors `PBKDF2SHA1PasswordHasher`.
pub type PBKDF2SHA1PasswordHasher = Pbkdf2<Sha1>;

/// PBKDF2-HMAC over the salt's text, with a key as long as the digest.
#[derive(Clone, Debug)]
pub struct Pbkdf2<C> {
    iterations: i64,
    limit: i64,
    digest: PhantomData<fn() -> C>,
}

impl<C: Compression> Pbkdf2<C> {
    /// With the configured number of iterations.
    pub fn new(parameters: &Parameters) -> Self {
        let iterations = C::iterations(parameters);
        let limit = limit(parameters.limits.pbkdf2_iterations).max(iterations);
        Self {
            iterations,
            limit,
            digest: PhantomData,
        }
    }

    fn encode_with(&self, password: &[u8], salt: &str, iterations: i64) -> Result<String, Error> {
        check_salt(salt)?;
        let hash = C::pbkdf2(password, salt.as_bytes(), iterations);
        Ok(format!(
            "{}${iterations}${salt}${}",
            C::ALGORITHM,
            base64(&hash)
        ))
    }

    fn split<'a>(&self, encoded: &'a str) -> Result<(i64, &'a str, &'a str), Error> {
        let [algorithm, iterations, salt, hash] = fields_rest(encoded)?;
        expect_algorithm(algorithm, C::ALGORITHM)?;
        Ok((cost(iterations)?, salt, hash))
    }
}

impl<C: Compression> PasswordHasher for Pbkdf2<C> {
    fn algorithm(&self) -> &str {
        C::ALGORITHM
    }

    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error> {
        self.encode_with(password, salt, self.iterations)
    }

    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error> {
        let (iterations, salt, _) = self.split(encoded)?;
        if iterations < 1 {
            return Err(Error::malformed("no iterations"));
        }
        if iterations > self.limit {
            return Err(Error::too_costly("PBKDF2 iterations"));
        }
        Ok(same(
            encoded,
            &self.encode_with(password, salt, iterations)?,
        ))
    }

    fn decode(&self, encoded: &str) -> Result<Decoded, Error> {
        let (iterations, salt, hash) = self.split(encoded)?;
        let decoded = Decoded::new(C::ALGORITHM, Some(salt.into()), hash);
        Ok(decoded.parameter("iterations", &iterations))
    }

    fn must_update(&self, encoded: &str) -> Result<bool, Error> {
        let (iterations, salt, _) = self.split(encoded)?;
        Ok(iterations != self.iterations || must_update_salt(salt.chars().count()))
    }

    fn harden_runtime(&self, password: &[u8], encoded: &str) -> Result<(), Error> {
        let (iterations, salt, _) = self.split(encoded)?;
        if iterations < self.iterations {
            self.encode_with(password, salt, self.iterations - iterations)?;
        }
        Ok(())
    }
}
