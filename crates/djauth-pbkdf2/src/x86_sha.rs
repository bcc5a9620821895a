//! x86-64 with the SHA extensions (Intel since Ice Lake, AMD since Zen).
//!
//! The instructions work on 128-bit registers and wait four to six cycles for one another, so that
//! one derivation leaves the units idle most of the time. Several run interleaved in one thread: each step
//! is written for all of them before the next one. Two fit into sixteen registers; with AVX-512VL there
//! are 32, enough for four, and the same source is compiled once more for these.

use crate::{Job, Sha1, Sha256};

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

    /// How many jobs run together at most.
    pub(crate) fn width(self) -> usize {
        if self.avx512 { 4 } else { 2 }
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

together!(sha256, Sha256,
    Features { avx512: true } => wide [a] [a, b] [a, b, c] [a, b, c, d],
    Features { avx512: false } => narrow [a] [a, b]
);
together!(sha1, Sha1,
    Features { avx512: true } => wide [a] [a, b] [a, b, c] [a, b, c, d],
    Features { avx512: false } => narrow [a] [a, b]
);
