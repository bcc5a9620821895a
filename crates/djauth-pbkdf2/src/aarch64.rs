//! AArch64 with the SHA-2 extension, which brings the instructions for SHA-1 as well.
//!
//! The shape is that of the x86-64 kernels; registers and words stand in their natural order here,
//! so that a digest is the next message as it is. There are always 32 registers.

use crate::{Job, Sha1, Sha256};

mod sha1;
mod sha256;

/// A proof that this machine has the instructions: only [`detect`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features(());

impl Features {
    pub(crate) fn name(self) -> &'static str {
        "aarch64-sha2"
    }
}

/// What this machine has.
pub(crate) fn detect() -> impl Iterator<Item = Features> {
    let sha = std::arch::is_aarch64_feature_detected!("sha2");
    sha.then_some(Features(())).into_iter()
}

together!(sha256, Sha256, Features(()) => rounds [a] [a, b] [a, b, c] [a, b, c, d]);
together!(sha1, Sha1, Features(()) => rounds [a] [a, b] [a, b, c] [a, b, c, d]);

use std::arch::aarch64::{uint32x4_t, vcombine_u32, vcreate_u32, vgetq_lane_u32};

/// The first word goes into the lowest lane.
#[inline]
#[target_feature(enable = "neon")]
fn four_words(words: [u32; 4]) -> uint32x4_t {
    let [a, b, c, d] = words.map(u64::from);
    vcombine_u32(vcreate_u32(b << 32 | a), vcreate_u32(d << 32 | c))
}

#[target_feature(enable = "neon")]
fn lanes(words: uint32x4_t) -> [u32; 4] {
    [
        vgetq_lane_u32::<0>(words),
        vgetq_lane_u32::<1>(words),
        vgetq_lane_u32::<2>(words),
        vgetq_lane_u32::<3>(words),
    ]
}
