//! x86-64 with the SHA extensions (Intel since Ice Lake, AMD since Zen).
//!
//! The instructions work on 128-bit registers and wait four to six cycles for one another, so that
//! one derivation leaves the units idle most of the time. Up to four run interleaved in one thread:
//! each step is written for all lanes before the next one.
//!
//! With AVX-512VL there are 32 registers in place of 16. The source is the same, compiled twice. AVX
//! alone is not asked for: the SHA instructions have the old encoding, which is slow beside 256-bit
//! registers in use, and a compiler that may use these copies memory through them.

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
pub struct Features {
    avx512: bool,
}

impl Features {
    pub(crate) fn name(self) -> &'static str {
        if self.avx512 {
            "x86-sha-avx512"
        } else {
            "x86-sha"
        }
    }
}

/// What this machine has, the best first.
pub(crate) fn detect() -> impl Iterator<Item = Features> {
    let sha = is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1");
    let avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
    let wide = (sha && avx512).then_some(Features { avx512: true });
    let narrow = sha.then_some(Features { avx512: false });
    wide.into_iter().chain(narrow)
}

macro_rules! together {
    ($name:ident, $hash:ty) => {
        /// Moves one to four jobs on, all of them together.
        #[expect(
            unsafe_code,
            reason = "functions for features of the processor are called"
        )]
        pub(crate) fn $name(features: Features, jobs: &mut [&mut Job<$hash>], rounds: u32) {
            match (jobs, features.avx512) {
                // SAFETY: `features` proves that the machine has what `narrow` is compiled for.
                ([a], _) => unsafe { $name::narrow([a], rounds) },
                // SAFETY: as above.
                ([a, b], _) => unsafe { $name::narrow([a, b], rounds) },
                // SAFETY: as above.
                ([a, b, c], false) => unsafe { $name::narrow([a, b, c], rounds) },
                // SAFETY: as above.
                ([a, b, c, d], false) => unsafe { $name::narrow([a, b, c, d], rounds) },
                // SAFETY: `features` proves AVX-512VL as well, which `wide` is compiled for.
                ([a, b, c], true) => unsafe { $name::wide([a, b, c], rounds) },
                // SAFETY: as above.
                ([a, b, c, d], true) => unsafe { $name::wide([a, b, c, d], rounds) },
                (jobs, _) => unreachable!("{} jobs are more than the width", jobs.len()),
            }
        }
    };
}

together!(sha256, Sha256);
together!(sha1, Sha1);
