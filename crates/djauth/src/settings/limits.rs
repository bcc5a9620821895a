//! `PASSWORD_HASHER_LIMITS`, and the hashers that the settings describe.

use djauth_hashers::{CostLimits, DjangoVersion, Hashers, Parameters};
use serde_json::{Map, Value as Json};

use super::kind::{Kind, expected};
use super::{ImproperlyConfigured, Settings};

/// `PASSWORD_HASHER_LIMITS`: the named limits replace their defaults.
pub(super) struct Limits;

impl Kind for Limits {
    type Value = CostLimits;
    const EXPECTED: &'static str =
        "a table of limits, such as {\"pbkdf2_iterations\": 20000000, \"bcrypt_rounds\": 16}";

    fn read(json: &Json) -> Result<CostLimits, String> {
        let mut limits = CostLimits::default();
        for (name, value) in json.as_object().ok_or_else(expected::<Self>)? {
            let value = value.as_u64().filter(|value| *value > 0);
            let value =
                value.ok_or_else(|| format!("{name}: expected a whole number, 1 or more"))?;
            set(&mut limits, name, value)?;
        }
        Ok(limits)
    }

    fn show(value: &CostLimits) -> Json {
        let all = [
            ("encoded_length", value.encoded_length as u64),
            ("pbkdf2_iterations", value.pbkdf2_iterations),
            ("argon2_memory_cost", value.argon2_memory_cost),
            ("argon2_time_cost", value.argon2_time_cost),
            ("argon2_parallelism", value.argon2_parallelism),
            ("bcrypt_rounds", value.bcrypt_rounds),
            ("scrypt_memory_cost", value.scrypt_memory_cost),
            ("scrypt_parallelism", value.scrypt_parallelism),
        ];
        all.into_iter()
            .map(|(name, limit)| (name.to_owned(), limit.into()))
            .collect::<Map<_, _>>()
            .into()
    }
}

fn set(limits: &mut CostLimits, name: &str, value: u64) -> Result<(), String> {
    let limit = match name {
        "encoded_length" => {
            limits.encoded_length =
                usize::try_from(value).map_err(|_| "encoded_length: too large")?;
            return Ok(());
        }
        "pbkdf2_iterations" => &mut limits.pbkdf2_iterations,
        "argon2_memory_cost" => &mut limits.argon2_memory_cost,
        "argon2_time_cost" => &mut limits.argon2_time_cost,
        "argon2_parallelism" => &mut limits.argon2_parallelism,
        "bcrypt_rounds" => &mut limits.bcrypt_rounds,
        "scrypt_memory_cost" => &mut limits.scrypt_memory_cost,
        "scrypt_parallelism" => &mut limits.scrypt_parallelism,
        _ => {
            return Err(format!(
                "{name:?} is not a limit; expected one of {}",
                Limits::show(limits)
            ));
        }
    };
    *limit = value;
    Ok(())
}

impl Settings {
    /// The hashers of `PASSWORD_HASHERS` with their work factors and limits.
    ///
    /// # Errors
    ///
    /// A hasher or a parameter that does not exist, by the name of the setting.
    pub fn hashers(&self) -> Result<Hashers, ImproperlyConfigured> {
        let parameters = self.hasher_parameters()?;
        Hashers::from_names(&self.password_hashers, &parameters)
            .map_err(|error| ImproperlyConfigured::setting("PASSWORD_HASHERS", error.to_string()))
    }

    fn hasher_parameters(&self) -> Result<Parameters, ImproperlyConfigured> {
        let wrong = |problem| ImproperlyConfigured::setting("PASSWORD_HASHER_PARAMETERS", problem);
        let given = &self.password_hasher_parameters;
        let version =
            version(&given.preset).ok_or_else(|| wrong("expected a known preset".into()))?;
        let mut parameters = Parameters::preset(version);
        parameters.limits = self.password_hasher_limits.clone();
        parameters.limits.memory = self.hashing_memory.saturating_mul(1024);
        for (algorithm, factors) in &given.algorithms {
            for (name, value) in factors {
                let set = parameters.set(algorithm, name, u64::from(*value));
                set.map_err(|error| wrong(error.to_string()))?;
            }
        }
        Ok(parameters)
    }
}

fn version(preset: &str) -> Option<DjangoVersion> {
    match preset {
        "4.2" => Some(DjangoVersion::V4_2),
        "5.2" => Some(DjangoVersion::V5_2),
        "6.1" => Some(DjangoVersion::V6_1),
        _ => None,
    }
}
