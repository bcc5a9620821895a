//! Kernels against known answers, against RustCrypto, and against each other.

mod argon2;
mod kernels;
mod known_answers;
