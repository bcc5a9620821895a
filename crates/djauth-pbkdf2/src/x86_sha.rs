//! x86-64 with the SHA extensions (Intel since Ice Lake, AMD since Zen).
//!
//! The instructions work on 128-bit registers and wait four to six cycles for one another, so that
//! one derivation leaves the units idle most of the time. Up to four run interleaved in one thread:
//! each step is written for all lanes before the next one.
//!
//! Neither AVX nor AVX-512VL is asked for, though the latter has twice as many registers: the SHA
//! instructions have the old encoding, which is slow beside 256-bit registers in use, and a compiler
//! that may use these copies memory through them.

use crate::{Job, Sha1, Sha256};

/// One step for all lanes.
macro_rules! each {
    ($lanes:ident, $keyed:ident, |$lane:ident, $one:ident| $step:expr) => {
        for ($lane, $one) in $lanes.iter_mut().zip($keyed) {
            $step;
        }
    };
    ($lanes:ident, |$lane:ident| $step:expr) => {
        for $lane in &mut $lanes {
            $step;
        }
    };
}

mod sha1;
mod sha256;

/// A proof that this machine has the instructions: only [`detect`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features(());

impl Features {
    pub(crate) fn name(self) -> &'static str {
        "x86-sha"
    }
}

/// What this machine has.
pub(crate) fn detect() -> impl Iterator<Item = Features> {
    let sha = is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1");
    sha.then_some(Features(())).into_iter()
}

macro_rules! together {
    ($name:ident, $hash:ty) => {
        /// Moves one to four jobs on, all of them together.
        #[expect(
            unsafe_code,
            reason = "functions for features of the processor are called"
        )]
        pub(crate) fn $name(_proof: Features, jobs: &mut [&mut Job<$hash>], rounds: u32) {
            match jobs {
                // SAFETY: `_proof` says that the machine has what this is compiled for.
                [a] => unsafe { $name::rounds([a], rounds) },
                // SAFETY: as above.
                [a, b] => unsafe { $name::rounds([a, b], rounds) },
                // SAFETY: as above.
                [a, b, c] => unsafe { $name::rounds([a, b, c], rounds) },
                // SAFETY: as above.
                [a, b, c, d] => unsafe { $name::rounds([a, b, c, d], rounds) },
                jobs => unreachable!("{} jobs are more than the width", jobs.len()),
            }
        }
    };
}

together!(sha256, Sha256);
together!(sha1, Sha1);
