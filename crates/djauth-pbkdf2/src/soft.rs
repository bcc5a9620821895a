//! The portable kernel, in safe Rust: what the others are compared with, and what runs where the
//! processor has no instructions for these hashes.

use crate::hash::{padded, sealed::Words};
use crate::{Hash, Job};

pub(crate) mod sha1;
pub(crate) mod sha256;

/// One job after the other: without hardware there is nothing to gain from more at once.
pub(crate) fn together<H: Hash<State = [u32; N]>, const N: usize>(
    jobs: &mut [&mut Job<H>],
    rounds: u32,
) {
    for job in jobs {
        for _ in 0..rounds {
            let inner = keyed::<H, N>(&job.inner, &job.step);
            job.step = keyed::<H, N>(&job.outer, &inner);
            for (key, step) in job.key.iter_mut().zip(&job.step) {
                *key ^= step;
            }
        }
    }
}

/// Hashes a digest after a block of key.
#[inline(always)]
fn keyed<H: Words<State = [u32; N]>, const N: usize>(
    key: &[u32; N],
    digest: &[u32; N],
) -> [u32; N] {
    let mut state = *key;
    H::compress(&mut state, &padded(digest));
    state
}
