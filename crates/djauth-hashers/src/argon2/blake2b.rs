//! BLAKE2b as Argon2 uses it; RFC 9106, section 3.3.

use blake2::Blake2bVarCore;
use blake2::digest::Output;
use blake2::digest::block_api::{Buffer, UpdateCore, VariableOutputCore};
use zeroize::Zeroize;

/// The longest hash that BLAKE2b gives.
const LONGEST: usize = 64;
/// What is used of each hash of a longer one.
const STEP: usize = 32;

/// BLAKE2b of all parts together. It depends on the length of `out`, which is from 1 to 64 bytes.
pub(super) fn blake2b(parts: &[&[u8]], out: &mut [u8]) {
    let mut core = Blake2bVarCore::new(out.len()).expect("BLAKE2b has hashes of 1 to 64 bytes");
    let mut buffer = Buffer::<Blake2bVarCore>::default();
    for part in parts {
        buffer.digest_blocks(part, |blocks| core.update_blocks(blocks));
    }
    let mut hash = Output::<Blake2bVarCore>::default();
    core.finalize_variable_core(&mut buffer, &mut hash);
    out.copy_from_slice(&hash[..out.len()]);
    hash[..].zeroize();
}

/// A hash of any length from 1 byte to 4 GiB.
pub(super) fn blake2b_long(parts: &[&[u8]], out: &mut [u8]) {
    let length = u32::try_from(out.len()).expect("Argon2's own lengths fit");
    let length = length.to_le_bytes();
    let parts: Vec<&[u8]> = std::iter::once(&length[..])
        .chain(parts.iter().copied())
        .collect();
    if out.len() <= LONGEST {
        return blake2b(&parts, out);
    }
    let mut last = [0; LONGEST];
    blake2b(&parts, &mut last);
    let mut rest = out;
    loop {
        let (step, after) = rest.split_at_mut(STEP);
        step.copy_from_slice(&last[..STEP]);
        rest = after;
        let before = last;
        if rest.len() <= LONGEST {
            blake2b(&[&before], rest);
            break;
        }
        blake2b(&[&before], &mut last);
    }
    last.zeroize();
}
