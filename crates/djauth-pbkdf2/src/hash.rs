#[cfg(target_arch = "aarch64")]
use crate::aarch64;
use crate::kernel::Isa;
#[cfg(target_arch = "x86_64")]
use crate::x86_sha;
use crate::{Job, soft};

/// Bytes in a block of either hash.
pub(crate) const BLOCK: usize = 64;

/// A hash function that PBKDF2 can be had with here: [`Sha256`] or [`Sha1`].
pub trait Hash: sealed::Words + Send + Sync + 'static {
    /// The derived key: one digest.
    type Output: Copy + Default + AsRef<[u8]> + AsMut<[u8]> + PartialEq + std::fmt::Debug;
}

/// SHA-256; 32 bytes of output.
#[derive(Clone, Copy, Debug)]
pub struct Sha256;

/// SHA-1; 20 bytes of output.
#[derive(Clone, Copy, Debug)]
pub struct Sha1;

impl Hash for Sha256 {
    type Output = [u8; 32];
}

impl Hash for Sha1 {
    type Output = [u8; 20];
}

pub(crate) mod sealed {
    use super::Isa;
    use crate::Job;

    /// A hash with 64-byte blocks and 32-bit words.
    pub trait Words: Sized {
        type State: Copy + AsRef<[u32]> + AsMut<[u32]> + zeroize::Zeroize + Send + Sync;
        const START: Self::State;
        fn compress(state: &mut Self::State, block: &[u32; 16]);
        /// Moves each job on by exactly `rounds`, all of them together; not more jobs than
        /// [`Isa::width`].
        fn together(isa: Isa, jobs: &mut [&mut Job<Self>], rounds: u32)
        where
            Self: super::Hash;
    }
}

impl sealed::Words for Sha256 {
    type State = [u32; 8];
    const START: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];

    fn compress(state: &mut [u32; 8], block: &[u32; 16]) {
        soft::sha256::compress(state, block);
    }

    fn together(isa: Isa, jobs: &mut [&mut Job<Self>], rounds: u32) {
        match isa {
            #[cfg(target_arch = "aarch64")]
            Isa::Aarch64(features) => aarch64::sha256(features, jobs, rounds),
            #[cfg(target_arch = "x86_64")]
            Isa::X86Sha(features) => x86_sha::sha256(features, jobs, rounds),
            Isa::Soft => soft::together(jobs, rounds),
        }
    }
}

impl sealed::Words for Sha1 {
    type State = [u32; 5];
    const START: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];

    fn compress(state: &mut [u32; 5], block: &[u32; 16]) {
        soft::sha1::compress(state, block);
    }

    fn together(isa: Isa, jobs: &mut [&mut Job<Self>], rounds: u32) {
        match isa {
            #[cfg(target_arch = "aarch64")]
            Isa::Aarch64(features) => aarch64::sha1(features, jobs, rounds),
            #[cfg(target_arch = "x86_64")]
            Isa::X86Sha(features) => x86_sha::sha1(features, jobs, rounds),
            Isa::Soft => soft::together(jobs, rounds),
        }
    }
}

/// The rest of a block after a digest of `words`: one set bit, and the length in bits of key block
/// and digest. It is the same for each round.
pub(crate) const fn padded<const N: usize>(words: &[u32; N]) -> [u32; 16] {
    let mut block = [0; 16];
    let mut index = 0;
    while index < N {
        block[index] = words[index];
        index += 1;
    }
    block[N] = 0x8000_0000;
    block[15] = 8 * (BLOCK + 4 * N) as u32;
    block
}
