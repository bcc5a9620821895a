use crate::{CostLimits, Error, ErrorKind};

/// A Django release whose default parameters are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DjangoVersion {
    /// 4.2 LTS: 600,000 PBKDF2 iterations, scrypt with one lane.
    V4_2,
    /// 5.2 LTS: 1,000,000 PBKDF2 iterations.
    V5_2,
    /// 6.1: 1,500,000 PBKDF2 iterations.
    V6_1,
}

/// The cost of new hashes, per algorithm: what a Django project changes by subclassing a hasher.
///
/// Two servers on one database must agree on these. Otherwise each rewrites the other's hashes at
/// every login, and every rewrite ends the user's other sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameters {
    /// `PBKDF2PasswordHasher.iterations`.
    pub pbkdf2_sha256_iterations: u32,
    /// `PBKDF2SHA1PasswordHasher.iterations`.
    pub pbkdf2_sha1_iterations: u32,
    /// `Argon2PasswordHasher.time_cost`: passes.
    pub argon2_time_cost: u32,
    /// `Argon2PasswordHasher.memory_cost` in KiB.
    pub argon2_memory_cost: u32,
    /// `Argon2PasswordHasher.parallelism`: lanes.
    pub argon2_parallelism: u32,
    /// `BCryptSHA256PasswordHasher.rounds`: binary logarithm.
    pub bcrypt_sha256_rounds: u32,
    /// `BCryptPasswordHasher.rounds`: binary logarithm.
    pub bcrypt_rounds: u32,
    /// `ScryptPasswordHasher.work_factor`: N, a power of two.
    pub scrypt_work_factor: u32,
    /// `ScryptPasswordHasher.block_size`: r.
    pub scrypt_block_size: u32,
    /// `ScryptPasswordHasher.parallelism`: p.
    pub scrypt_parallelism: u32,
    /// What stored values may ask for at most.
    pub limits: CostLimits,
}

impl Default for Parameters {
    /// Django 6.1's.
    fn default() -> Self {
        Self::preset(DjangoVersion::V6_1)
    }
}

impl Parameters {
    /// The defaults of a Django release.
    pub fn preset(version: DjangoVersion) -> Self {
        let (iterations, scrypt_parallelism) = match version {
            DjangoVersion::V4_2 => (600_000, 1),
            DjangoVersion::V5_2 => (1_000_000, 5),
            DjangoVersion::V6_1 => (1_500_000, 5),
        };
        Self {
            pbkdf2_sha256_iterations: iterations,
            pbkdf2_sha1_iterations: iterations,
            argon2_time_cost: 2,
            argon2_memory_cost: 102_400,
            argon2_parallelism: 8,
            bcrypt_sha256_rounds: 12,
            bcrypt_rounds: 12,
            scrypt_work_factor: 1 << 14,
            scrypt_block_size: 8,
            scrypt_parallelism,
            limits: CostLimits::default(),
        }
    }

    /// Sets one parameter by the algorithm's name and Django's attribute name, as in
    /// `PASSWORD_HASHER_PARAMETERS`: `set("argon2", "memory_cost", 19_456)`.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownHasher`], [`ErrorKind::UnknownParameter`], or
    /// [`ErrorKind::InvalidParameter`] for a value that the algorithm cannot work with.
    pub fn set(&mut self, algorithm: &str, name: &str, value: u64) -> Result<(), Error> {
        let (slot, range) = self.slot(algorithm, name)?;
        let refuse = |detail: &str| {
            let text = format!("{algorithm}.{name} = {value}: {detail}");
            Err(Error::new(ErrorKind::InvalidParameter, text))
        };
        if !range.contains(&value) {
            return refuse(&format!("allowed are {} to {}", range.start(), range.end()));
        }
        if name == "work_factor" && !value.is_power_of_two() {
            return refuse("must be a power of two");
        }
        *slot = u32::try_from(value).unwrap_or(u32::MAX);
        Ok(())
    }

    /// Names of an algorithm's parameters, in Django's order; empty for algorithms without any.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownHasher`].
    pub fn names(algorithm: &str) -> Result<&'static [&'static str], Error> {
        match algorithm {
            "pbkdf2_sha256" | "pbkdf2_sha1" => Ok(&["iterations"]),
            "argon2" => Ok(&["time_cost", "memory_cost", "parallelism"]),
            "bcrypt_sha256" | "bcrypt" => Ok(&["rounds"]),
            "scrypt" => Ok(&["block_size", "parallelism", "work_factor"]),
            "md5" | "sha1" | "unsalted_md5" | "unsalted_sha1" => Ok(&[]),
            _ => Err(Error::new(ErrorKind::UnknownHasher, algorithm)),
        }
    }

    /// The value of a parameter under the names that [`set`](Self::set) takes.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownHasher`] or [`ErrorKind::UnknownParameter`].
    pub fn get(&self, algorithm: &str, name: &str) -> Result<u64, Error> {
        self.clone()
            .slot(algorithm, name)
            .map(|(slot, _)| u64::from(*slot))
    }

    /// Checks the values together, for those that depend on each other.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let mut copy = self.clone();
        for algorithm in [
            "pbkdf2_sha256",
            "pbkdf2_sha1",
            "argon2",
            "bcrypt",
            "bcrypt_sha256",
            "scrypt",
        ] {
            for name in Self::names(algorithm)? {
                copy.set(algorithm, name, self.get(algorithm, name)?)?;
            }
        }
        let refuse = |detail| Err(Error::new(ErrorKind::InvalidParameter, detail));
        if u64::from(self.argon2_memory_cost) < 8 * u64::from(self.argon2_parallelism) {
            return refuse("argon2.memory_cost must be at least 8 times argon2.parallelism");
        }
        if u64::from(self.scrypt_work_factor) * u64::from(self.scrypt_block_size) > 1 << 26 {
            return refuse("scrypt.work_factor times scrypt.block_size exceeds 8 GiB");
        }
        Ok(())
    }

    fn slot(
        &mut self,
        algorithm: &str,
        name: &str,
    ) -> Result<(&mut u32, std::ops::RangeInclusive<u64>), Error> {
        if !Self::names(algorithm)?.contains(&name) {
            return Err(Error::new(
                ErrorKind::UnknownParameter,
                format!("{algorithm}.{name}"),
            ));
        }
        let most = u64::from(u32::MAX);
        Ok(match (algorithm, name) {
            ("pbkdf2_sha256", _) => (&mut self.pbkdf2_sha256_iterations, 1..=most),
            ("pbkdf2_sha1", _) => (&mut self.pbkdf2_sha1_iterations, 1..=most),
            ("argon2", "time_cost") => (&mut self.argon2_time_cost, 1..=most),
            ("argon2", "memory_cost") => (&mut self.argon2_memory_cost, 8..=most),
            ("argon2", _) => (&mut self.argon2_parallelism, 1..=255),
            ("bcrypt_sha256", _) => (&mut self.bcrypt_sha256_rounds, 4..=31),
            ("bcrypt", _) => (&mut self.bcrypt_rounds, 4..=31),
            ("scrypt", "work_factor") => (&mut self.scrypt_work_factor, 2..=1 << 26),
            ("scrypt", "block_size") => (&mut self.scrypt_block_size, 1..=1 << 10),
            (_, _) => (&mut self.scrypt_parallelism, 1..=1 << 10),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_and_gets_every_parameter() {
        let mut parameters = Parameters::default();
        for algorithm in [
            "pbkdf2_sha256",
            "pbkdf2_sha1",
            "argon2",
            "bcrypt_sha256",
            "bcrypt",
            "scrypt",
        ] {
            for name in Parameters::names(algorithm).unwrap() {
                parameters.set(algorithm, name, 16).unwrap();
                assert_eq!(
                    parameters.get(algorithm, name).unwrap(),
                    16,
                    "{algorithm}.{name}"
                );
            }
        }
        assert_ne!(parameters, Parameters::default());
    }

    #[test]
    fn refuses_what_cannot_work() {
        let mut parameters = Parameters::default();
        for (algorithm, name, value) in [
            ("pbkdf2_sha256", "iterations", 0),
            ("pbkdf2_sha1", "iterations", 1 << 32),
            ("argon2", "memory_cost", 7),
            ("argon2", "parallelism", 256),
            ("bcrypt", "rounds", 3),
            ("bcrypt_sha256", "rounds", 32),
            ("scrypt", "work_factor", 1000),
            ("scrypt", "work_factor", 1),
        ] {
            let error = parameters.set(algorithm, name, value).unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::InvalidParameter,
                "{algorithm}.{name}"
            );
        }
        assert_eq!(parameters, Parameters::default());
        let kind = |algorithm, name| {
            Parameters::default()
                .set(algorithm, name, 1)
                .unwrap_err()
                .kind()
        };
        assert_eq!(kind("crypt", "rounds"), ErrorKind::UnknownHasher);
        assert_eq!(kind("argon2", "rounds"), ErrorKind::UnknownParameter);
    }

    #[test]
    fn checks_values_together() {
        let mut parameters = Parameters::default();
        parameters.set("argon2", "memory_cost", 63).unwrap();
        assert_eq!(
            parameters.check().unwrap_err().kind(),
            ErrorKind::InvalidParameter
        );
        assert!(Parameters::preset(DjangoVersion::V4_2).check().is_ok());
    }
}
