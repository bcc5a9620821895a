//! x86-64 with the SHA extensions (Intel since Ice Lake, AMD since Zen).
//!
//! The instructions work on 128-bit registers and wait four to six cycles for one another, so that
//! one derivation leaves the units idle most of the time. Two run interleaved in one thread: each step
//! is written for both before the next one. With more, sixteen registers are too few.
//!
//! Neither AVX nor AVX-512VL is asked for, though the latter has twice as many registers: a compiler
//! that may use them copies memory through 256-bit registers, and a kernel with such copies was several
//! times slower. That the SHA instructions' old encoding is the cause is a guess.

use crate::{Job, Sha1, Sha256};

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

together!(sha256, Sha256, [a] [a, b]);
together!(sha1, Sha1, [a] [a, b]);
