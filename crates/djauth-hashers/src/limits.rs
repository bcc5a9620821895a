/// How much work a stored value may ask for.
///
/// A stored value is data, and whoever can write one row could otherwise make every login try
/// burn hours or gigabytes. Beyond these limits a value is *not correct*, after the work of one
/// hash of the preferred hasher, and [`Verified::problem`](crate::Verified::problem) says why.
/// Django has no such limits. A configured parameter above a limit raises that limit: what we
/// write ourselves can always be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CostLimits {
    /// Length of the whole stored value in bytes; default 1,024 (Django's column holds 128).
    pub encoded_length: usize,
    /// Iterations of either PBKDF2; default 20,000,000 (some seconds).
    pub pbkdf2_iterations: u64,
    /// Argon2 memory in KiB; default 524,288 (512 MiB).
    pub argon2_memory_cost: u64,
    /// Argon2 passes; default 16.
    pub argon2_time_cost: u64,
    /// Argon2 lanes; default 64.
    pub argon2_parallelism: u64,
    /// Binary logarithm of the bcrypt rounds; default 16 (some seconds).
    pub bcrypt_rounds: u64,
    /// Memory of one scrypt lane in KiB (`N * r / 8`); default 131,072 (128 MiB). Django itself
    /// stays below 32 MiB, the default of OpenSSL.
    pub scrypt_memory_cost: u64,
    /// scrypt lanes; default 16.
    pub scrypt_parallelism: u64,
    /// Memory of one hash in all, with the lanes that are computed at the same time, in KiB; default
    /// 524,288 (512 MiB).
    pub memory: u64,
}

impl Default for CostLimits {
    fn default() -> Self {
        Self {
            encoded_length: 1024,
            pbkdf2_iterations: 20_000_000,
            argon2_memory_cost: 512 * 1024,
            argon2_time_cost: 16,
            argon2_parallelism: 64,
            bcrypt_rounds: 16,
            scrypt_memory_cost: 128 * 1024,
            scrypt_parallelism: 16,
            memory: 512 * 1024,
        }
    }
}
