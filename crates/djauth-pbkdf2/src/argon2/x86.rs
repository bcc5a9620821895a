//! x86-64 with AVX2 or AVX-512, whose registers hold four or eight words.
//!
//! Words that are mixed with each other stand at the same place of four registers. In the rows of a block
//! these are sixteen words one after another; a register has four of them (of one row, or of two), and
//! between columns and diagonals its words change places. Of the columns a register has pairs of words, of
//! two columns or four, and two sets of four registers exchange halves of pairs instead.

use super::{Block, around};

#[macro_use]
mod rounds;

mod avx2;
mod avx512;

/// A proof that this machine has the instructions: only [`detect`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Features {
    avx512: bool,
}

impl Features {
    pub(super) fn name(self) -> &'static str {
        if self.avx512 { "avx512" } else { "avx2" }
    }
}

/// What this machine has, the best first.
pub(super) fn detect() -> impl Iterator<Item = Features> {
    let avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
    let wide = avx512.then_some(Features { avx512: true });
    let narrow = is_x86_feature_detected!("avx2").then_some(Features { avx512: false });
    wide.into_iter().chain(narrow)
}

#[inline]
#[expect(
    unsafe_code,
    reason = "functions for features of the processor are called"
)]
pub(super) fn run<const OVER: bool>(
    machine: Features,
    one: &Block,
    other: &Block,
    made: &mut Block,
) {
    match machine {
        // SAFETY: `machine` is a proof that it has what the kernel is compiled for.
        Features { avx512: true } => unsafe { wide::<OVER>(one, other, made) },
        // SAFETY: as above.
        Features { avx512: false } => unsafe { narrow::<OVER>(one, other, made) },
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn wide<const OVER: bool>(one: &Block, other: &Block, made: &mut Block) {
    around::<OVER>(one, other, made, |block| avx512::permute(block));
}

#[target_feature(enable = "avx2")]
fn narrow<const OVER: bool>(one: &Block, other: &Block, made: &mut Block) {
    around::<OVER>(one, other, made, |block| avx2::permute(block));
}
