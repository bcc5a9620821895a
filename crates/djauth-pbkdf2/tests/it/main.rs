//! Kernels against known answers, against RustCrypto, and against each other.

mod kernels;
mod known_answers;
