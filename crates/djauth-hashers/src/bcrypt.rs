use std::fmt;
use std::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use sha2::Digest;
use zeroize::Zeroizing;

use crate::text::{cost, expect_algorithm, fields_rest, hex, same};
use crate::{Decoded, Error, ErrorKind, Parameters, PasswordHasher, random};

mod blowfish;
mod pi;

/// bcrypt's own order of letters.
const BASE_64: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::BCRYPT, NO_PAD);

/// bcrypt reads no more of a password than this.
const MAX_PASSWORD: usize = 72;

/// `bcrypt_sha256$$2b$<cost>$<salt><hash>`, over the hexadecimal SHA-256 of the password; mirrors
/// `BCryptSHA256PasswordHasher`.
pub type BCryptSHA256PasswordHasher = BCrypt<Sha256Hex>;

/// `bcrypt$$2b$<cost>$<salt><hash>`, over the password itself; mirrors `BCryptPasswordHasher`.
///
/// A password of more than 72 bytes is refused by [`encode`](PasswordHasher::encode) and never
/// verifies ([`ErrorKind::PasswordTooLong`]). Django raises an error there with bcrypt 5 and
/// ignored the tail with older releases; ignoring it would accept passwords that were never set.
pub type BCryptPasswordHasher = BCrypt<Raw>;

/// bcrypt, over the password as `P` prepares it.
#[derive(Clone, Debug)]
pub struct BCrypt<P> {
    rounds: u32,
    limit: u64,
    preparation: PhantomData<fn() -> P>,
}

/// What is done to a password before bcrypt sees it.
pub trait Preparation: fmt::Debug + Send + Sync + 'static {
    /// Name of the algorithm in stored values.
    const ALGORITHM: &'static str;
    /// The configured cost.
    #[doc(hidden)]
    fn rounds(parameters: &Parameters) -> u32;
    /// What bcrypt gets.
    #[doc(hidden)]
    fn prepare(password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error>;
}

/// The lower-case hexadecimal SHA-256.
#[derive(Clone, Debug)]
pub struct Sha256Hex;
/// The bytes as they are, at most 72.
#[derive(Clone, Debug)]
pub struct Raw;

impl Preparation for Sha256Hex {
    const ALGORITHM: &'static str = "bcrypt_sha256";
    fn rounds(parameters: &Parameters) -> u32 {
        parameters.bcrypt_sha256_rounds
    }
    fn prepare(password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(Zeroizing::new(
            hex(&sha2::Sha256::digest(password)).into_bytes(),
        ))
    }
}

impl Preparation for Raw {
    const ALGORITHM: &'static str = "bcrypt";
    fn rounds(parameters: &Parameters) -> u32 {
        parameters.bcrypt_rounds
    }
    fn prepare(password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        if password.len() > MAX_PASSWORD {
            return Err(Error::new(
                ErrorKind::PasswordTooLong,
                "bcrypt takes 72 bytes",
            ));
        }
        Ok(Zeroizing::new(password.to_vec()))
    }
}

impl<P: Preparation> BCrypt<P> {
    /// With the configured cost.
    pub fn new(parameters: &Parameters) -> Self {
        let rounds = P::rounds(parameters);
        let limit = parameters.limits.bcrypt_rounds.max(rounds.into());
        Self {
            rounds,
            limit,
            preparation: PhantomData,
        }
    }

    fn hash(&self, password: &[u8], salt: &Salt<'_>) -> Result<String, Error> {
        let mut password = P::prepare(password)?;
        password.push(0);
        password.truncate(MAX_PASSWORD);
        let hash = blowfish::bcrypt(salt.cost, salt.bytes, &password);
        let hash = BASE_64.encode(&hash[..23]);
        Ok(format!("{}${}{hash}", P::ALGORITHM, salt.text))
    }

    fn check_limit(&self, salt: &Salt<'_>) -> Result<(), Error> {
        if u64::from(salt.cost) > self.limit {
            return Err(Error::too_costly("bcrypt rounds"));
        }
        Ok(())
    }

    fn parts<'a>(&self, encoded: &'a str) -> Result<Parts<'a>, Error> {
        let [algorithm, _empty, _variety, rounds, data] = fields_rest(encoded)?;
        expect_algorithm(algorithm, P::ALGORITHM)?;
        let split = data
            .char_indices()
            .nth(22)
            .map_or(data.len(), |(index, _)| index);
        let (salt, checksum) = data.split_at(split);
        Ok(Parts {
            rounds: cost(rounds)?,
            salt,
            checksum,
        })
    }
}

struct Parts<'a> {
    rounds: i64,
    salt: &'a str,
    checksum: &'a str,
}

/// `$2b$12$` and 22 letters: what bcrypt calls the salt, 29 bytes in all.
struct Salt<'a> {
    text: &'a str,
    cost: u32,
    bytes: [u8; 16],
}

impl<'a> Salt<'a> {
    const LENGTH: usize = 29;

    /// Only the canonical form: anything else is answered by another text than was stored.
    fn parse(text: &'a str) -> Option<Self> {
        let (variety, rest) = text.strip_prefix("$2")?.split_at_checked(2)?;
        let (digits, rest) = rest.split_at_checked(3)?;
        let digits = digits
            .strip_suffix('$')
            .filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
        let cost = digits.parse().ok().filter(|cost| (4..=31).contains(cost))?;
        let bytes = BASE_64.decode(rest).ok()?.try_into().ok()?;
        matches!(variety, "a$" | "b$" | "x$" | "y$").then_some(Self { text, cost, bytes })
    }

    fn of_stored(stored: &'a str) -> Result<Self, Error> {
        let salt = stored.get(..Self::LENGTH).and_then(Self::parse);
        salt.ok_or(Error::malformed("not a bcrypt value"))
    }
}

impl<P: Preparation> PasswordHasher for BCrypt<P> {
    fn is_repeatable(&self) -> bool {
        true
    }

    fn algorithm(&self) -> &str {
        P::ALGORITHM
    }

    /// `$2b$<cost>$` and 22 letters: bcrypt's salts carry the cost.
    fn salt(&self) -> Result<String, Error> {
        let mut bytes = [0; 16];
        random::fill(&mut bytes)?;
        Ok(format!("$2b${:02}${}", self.rounds, BASE_64.encode(bytes)))
    }

    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error> {
        let salt =
            Salt::parse(salt).ok_or(Error::new(ErrorKind::InvalidSalt, "not bcrypt's form"))?;
        self.hash(password, &salt)
    }

    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error> {
        let [algorithm, stored] = fields_rest(encoded)?;
        expect_algorithm(algorithm, P::ALGORITHM)?;
        let salt = Salt::of_stored(stored)?;
        self.check_limit(&salt)?;
        Ok(same(encoded, &self.hash(password, &salt)?))
    }

    fn decode(&self, encoded: &str) -> Result<Decoded, Error> {
        let parts = self.parts(encoded)?;
        let decoded = Decoded::new(P::ALGORITHM, Some(parts.salt.into()), parts.checksum);
        Ok(decoded
            .hash_label("checksum")
            .parameter("work factor", &parts.rounds))
    }

    fn must_update(&self, encoded: &str) -> Result<bool, Error> {
        Ok(self.parts(encoded)?.rounds != i64::from(self.rounds))
    }

    fn harden_runtime(&self, password: &[u8], encoded: &str) -> Result<(), Error> {
        let [_, stored] = fields_rest(encoded)?;
        let salt = Salt::of_stored(stored)?;
        // Each step of the cost doubles the work.
        let missing = (1u64 << self.rounds) >> salt.cost;
        for _ in 1..missing {
            self.hash(password, &salt)?;
        }
        Ok(())
    }
}
