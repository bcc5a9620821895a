#![doc = include_str!("../README.md")]

// First, because what follows is written with its macros.
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
#[macro_use]
mod interleave;

#[cfg(target_arch = "aarch64")]
mod aarch64;
pub mod argon2;
mod hash;
mod job;
mod kernel;
mod soft;
#[cfg(target_arch = "x86_64")]
mod x86_sha;

pub use hash::{Hash, Sha1, Sha256};
pub use job::Job;
pub use kernel::Kernel;
