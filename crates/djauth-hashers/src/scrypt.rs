use scrypt::Params;

use crate::text::{base64, check_salt, cost, expect_algorithm, fields, limit, same};
use crate::{CostLimits, Decoded, Error, ErrorKind, Parameters, PasswordHasher, lanes, memory};

const ALGORITHM: &str = "scrypt";
const HASH_LENGTH: usize = 64;

/// `scrypt$<N>$<salt>$<r>$<p>$<base64>`; mirrors `ScryptPasswordHasher`.
///
/// The memory of a hash is got anew for each, because the library takes none; that kept for Argon2 makes
/// room for it.
#[derive(Clone, Debug)]
pub struct ScryptPasswordHasher {
    configured: Costs,
    limits: Limits,
}

#[derive(Clone, Debug)]
struct Limits {
    memory: i64,
    memory_at_once: u64,
    parallelism: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Costs {
    work_factor: i64,
    block_size: i64,
    parallelism: i64,
}

impl Costs {
    /// Of one lane, in KiB.
    fn memory(self) -> i64 {
        self.work_factor.saturating_mul(self.block_size) / 8
    }

    /// Of all lanes that are computed at the same time, in KiB.
    fn memory_at_once(self) -> u64 {
        let lanes = self.parallelism.clamp(1, lanes::threads());
        u64::try_from(self.memory().saturating_mul(lanes)).unwrap_or(0)
    }

    fn check(self, limits: &Limits) -> Result<(), Error> {
        if self.work_factor.min(self.block_size).min(self.parallelism) < 1 {
            return Err(Error::malformed("a cost is not positive"));
        }
        // One block is as large as `r`, so a tiny N does not make a huge r cheap.
        if self.memory().max(self.block_size) > limits.memory {
            return Err(Error::too_costly("scrypt memory"));
        }
        if self.parallelism > limits.parallelism {
            return Err(Error::too_costly("scrypt lanes"));
        }
        if self.memory_at_once() > limits.memory_at_once {
            return Err(Error::too_costly("scrypt memory of all lanes"));
        }
        Ok(())
    }

    fn params(self) -> Option<Params> {
        let log_n = self
            .work_factor
            .checked_ilog2()
            .filter(|log_n| *log_n > 0)?;
        let r = u32::try_from(self.block_size).ok()?;
        let p = u32::try_from(self.parallelism).ok()?;
        // Params multiplies these two without looking.
        r.checked_mul(p)?;
        let params = Params::new(u8::try_from(log_n).ok()?, r, p).ok()?;
        (self.work_factor == 1 << log_n).then_some(params)
    }
}

struct Parts<'a> {
    costs: Costs,
    salt: &'a str,
    hash: &'a str,
}

fn split(encoded: &str) -> Result<Parts<'_>, Error> {
    let [algorithm, n, salt, r, p, hash] = fields(encoded)?;
    expect_algorithm(algorithm, ALGORITHM)?;
    let costs = Costs {
        work_factor: cost(n)?,
        block_size: cost(r)?,
        parallelism: cost(p)?,
    };
    Ok(Parts { costs, salt, hash })
}

fn encode(password: &[u8], salt: &str, costs: Costs) -> Result<String, Error> {
    check_salt(salt)?;
    let params = costs
        .params()
        .ok_or(Error::malformed("scrypt cannot have these costs"))?;
    let mut hash = [0; HASH_LENGTH];
    memory::beside_kept(costs.memory_at_once(), || {
        lanes::run(params.p(), || {
            scrypt::scrypt(password, salt.as_bytes(), &params, &mut hash)
        })
    })
    .map_err(|error| Error::new(ErrorKind::Other, error.to_string()))?;
    let Costs {
        work_factor,
        block_size,
        parallelism,
    } = costs;
    let hash = base64(&hash);
    Ok(format!(
        "{ALGORITHM}${work_factor}${salt}${block_size}${parallelism}${hash}"
    ))
}

impl ScryptPasswordHasher {
    /// With the configured costs.
    pub fn new(parameters: &Parameters) -> Self {
        let configured = Costs {
            work_factor: parameters.scrypt_work_factor.into(),
            block_size: parameters.scrypt_block_size.into(),
            parallelism: parameters.scrypt_parallelism.into(),
        };
        let CostLimits {
            scrypt_memory_cost,
            scrypt_parallelism,
            memory,
            ..
        } = parameters.limits;
        let limits = Limits {
            memory: limit(scrypt_memory_cost).max(configured.memory()),
            memory_at_once: memory.max(configured.memory_at_once()),
            parallelism: limit(scrypt_parallelism).max(configured.parallelism),
        };
        Self { configured, limits }
    }
}

impl PasswordHasher for ScryptPasswordHasher {
    fn algorithm(&self) -> &str {
        ALGORITHM
    }

    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error> {
        encode(password, salt, self.configured)
    }

    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error> {
        let parts = split(encoded)?;
        parts.costs.check(&self.limits)?;
        Ok(same(encoded, &encode(password, parts.salt, parts.costs)?))
    }

    fn decode(&self, encoded: &str) -> Result<Decoded, Error> {
        let Parts { costs, salt, hash } = split(encoded)?;
        Ok(Decoded::new(ALGORITHM, Some(salt.into()), hash)
            .parameter("work factor", &costs.work_factor)
            .parameter("block size", &costs.block_size)
            .parameter("parallelism", &costs.parallelism))
    }

    /// By the costs alone: Django does not look at the salt here.
    fn must_update(&self, encoded: &str) -> Result<bool, Error> {
        Ok(split(encoded)?.costs != self.configured)
    }

    /// Nothing: the run time of scrypt has no simple difference.
    fn harden_runtime(&self, _password: &[u8], _encoded: &str) -> Result<(), Error> {
        Ok(())
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn memory(&self, encoded: Option<&str>) -> u64 {
        let costs = match encoded {
            None => self.configured,
            Some(encoded) => match split(encoded) {
                // What is beyond the limits is refused before any is used.
                Ok(parts) if parts.costs.check(&self.limits).is_ok() => parts.costs,
                _ => return 0,
            },
        };
        costs.memory_at_once()
    }
}
