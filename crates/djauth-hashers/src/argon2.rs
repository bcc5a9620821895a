use subtle::ConstantTimeEq;

use crate::hasher::must_update_salt;
use crate::text::limit;
use crate::{Decoded, Error, ErrorKind, Parameters, PasswordHasher};

mod blake2b;
mod fill;
mod instance;
mod phc;

use instance::{Instance, SHORTEST_SALT, Variety, Version};
use phc::Phc;

const ALGORITHM: &str = "argon2";
const HASH_LENGTH: usize = 32;
const VERSION: Version = Version::V0x13;

/// `argon2$argon2id$v=19$m=…,t=…,p=…$<salt>$<hash>`; mirrors `Argon2PasswordHasher`.
///
/// Verifies every value that argon2-cffi verifies: `argon2i`, `argon2d` and `argon2id`, versions
/// 16 and 19 (no `v=` means 16), salts from 8 bytes and hashes from 4 bytes. Two oddities differ:
/// other version numbers, which the C library takes as 19, are malformed here, and so are values
/// with a NUL character, where C stops reading.
///
/// Computed by code of our own, so that the thread can offer its core in between
/// ([`offer_core_with`](crate::offer_core_with)); several lanes at the same time, on threads for these.
///
/// The memory of a hash is kept for the next one, within [`bound_memory`](crate::bound_memory), and is
/// not wiped in between; what it holds is as hard to invert as the hash itself.
#[derive(Clone, Debug)]
pub struct Argon2PasswordHasher {
    time_cost: u32,
    memory_cost: u32,
    parallelism: u32,
    most_time: i64,
    most_memory: i64,
    most_lanes: i64,
}

impl Argon2PasswordHasher {
    /// With the configured costs.
    pub fn new(parameters: &Parameters) -> Self {
        let limits = &parameters.limits;
        Self {
            time_cost: parameters.argon2_time_cost,
            memory_cost: parameters.argon2_memory_cost,
            parallelism: parameters.argon2_parallelism,
            most_time: limit(limits.argon2_time_cost).max(parameters.argon2_time_cost.into()),
            most_memory: limit(limits.argon2_memory_cost.min(limits.memory))
                .max(parameters.argon2_memory_cost.into()),
            most_lanes: limit(limits.argon2_parallelism).max(parameters.argon2_parallelism.into()),
        }
    }

    fn split(encoded: &str) -> Result<Phc<'_>, Error> {
        let rest = encoded
            .strip_prefix(ALGORITHM)
            .filter(|rest| rest.starts_with('$'));
        Phc::parse(rest.ok_or(Error::malformed("another algorithm's value"))?)
    }

    fn check_limits(&self, phc: &Phc<'_>) -> Result<(), Error> {
        if phc.memory_cost > self.most_memory {
            return Err(Error::too_costly("Argon2 memory"));
        }
        if phc.time_cost > self.most_time {
            return Err(Error::too_costly("Argon2 passes"));
        }
        if phc.parallelism > self.most_lanes {
            return Err(Error::too_costly("Argon2 lanes"));
        }
        Ok(())
    }
}

impl PasswordHasher for Argon2PasswordHasher {
    fn algorithm(&self) -> &str {
        ALGORITHM
    }

    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error> {
        if salt.len() < SHORTEST_SALT {
            return Err(Error::new(ErrorKind::InvalidSalt, "shorter than 8 bytes"));
        }
        let (m, t, p) = (self.memory_cost, self.time_cost, self.parallelism);
        let instance = Instance::new(Variety::Id, VERSION, [m, t, p])?;
        let mut hash = [0; HASH_LENGTH];
        instance.hash(password, salt.as_bytes(), &mut hash)?;
        let (salt, hash) = (phc::base64(salt.as_bytes()), phc::base64(&hash));
        Ok(format!(
            "{ALGORITHM}$argon2id$v={}$m={m},t={t},p={p}${salt}${hash}",
            VERSION as u32
        ))
    }

    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error> {
        let phc = Self::split(encoded)?;
        self.check_limits(&phc)?;
        let (salt, stored) = phc.canonical()?;
        let cost = |cost| u32::try_from(cost).map_err(|_| Error::malformed("a cost is negative"));
        let costs = [
            cost(phc.memory_cost)?,
            cost(phc.time_cost)?,
            cost(phc.parallelism)?,
        ];
        let instance = Instance::new(phc.variety, phc.computed_version()?, costs)?;
        let mut hash = vec![0; stored.len()];
        instance.hash(password, &salt, &mut hash)?;
        Ok(hash.ct_eq(&stored).into())
    }

    fn decode(&self, encoded: &str) -> Result<Decoded, Error> {
        let phc = Self::split(encoded)?;
        let salt = phc.salt()?.into_iter().map(char::from).collect();
        Ok(Decoded::new(ALGORITHM, Some(salt), phc.hash)
            .parameter("variety", &phc.variety.name())
            .parameter("version", &phc.version)
            .parameter("memory cost", &phc.memory_cost)
            .parameter("time cost", &phc.time_cost)
            .parameter("parallelism", &phc.parallelism))
    }

    fn must_update(&self, encoded: &str) -> Result<bool, Error> {
        let phc = Self::split(encoded)?;
        let same = phc.variety == Variety::Id
            && phc.version == VERSION as i64
            && phc.hash_length() == HASH_LENGTH
            && phc.memory_cost == i64::from(self.memory_cost)
            && phc.time_cost == i64::from(self.time_cost)
            && phc.parallelism == i64::from(self.parallelism);
        // First, so that a salt that is not base64 is malformed whatever the costs are.
        let weak = must_update_salt(phc.salt()?.len());
        Ok(!same || weak)
    }

    /// Nothing: the run time of Argon2 has no simple difference.
    fn harden_runtime(&self, _password: &[u8], _encoded: &str) -> Result<(), Error> {
        Ok(())
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn memory(&self, encoded: Option<&str>) -> u64 {
        let Some(encoded) = encoded else {
            return self.memory_cost.into();
        };
        // What is beyond the limits is refused before any is used.
        let phc = Self::split(encoded).ok();
        let phc = phc.filter(|phc| self.check_limits(phc).is_ok());
        phc.map_or(0, |phc| u64::try_from(phc.memory_cost).unwrap_or(0))
    }
}
