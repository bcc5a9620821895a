//! The compression function of Argon2 ([RFC 9106](https://www.rfc-editor.org/rfc/rfc9106), section 3.5):
//! what nearly all of its time goes into.
//!
//! Which blocks are compressed, and where the first ones come from, is up to the caller, who can stop
//! between any two of them.
//!
//! ```
//! use djauth_pbkdf2::argon2::{Block, Kernel};
//!
//! let kernel = Kernel::detect();
//! let (mut one, other, mut made) = (Block::ZERO, Block::ZERO, Block::ZERO);
//! one.words_mut()[0] = 1;
//! kernel.compress(&one, &other, &mut made);
//! assert_ne!(made.words()[127], 0);
//! kernel.compress_over(&one, &other, &mut made); // the same once more, exclusive or
//! assert_eq!(made.words(), Block::ZERO.words());
//! ```

use std::fmt;

use zeroize::Zeroize;

mod soft;
#[cfg(target_arch = "x86_64")]
mod x86;

/// The 64-bit words of a block.
const WORDS: usize = 128;

/// 1 KiB of Argon2's memory.
#[derive(Clone)]
#[repr(align(64))]
pub struct Block([u64; WORDS]);

impl Block {
    /// Filled with zeros.
    pub const ZERO: Self = Self([0; WORDS]);

    /// Its words, in the order of their bytes (which are little-endian in Argon2).
    #[inline]
    pub fn words(&self) -> &[u64; WORDS] {
        &self.0
    }

    /// The same, to be changed.
    #[inline]
    pub fn words_mut(&mut self) -> &mut [u64; WORDS] {
        &mut self.0
    }
}

impl Zeroize for Block {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Block")
    }
}

/// One way to compress blocks, made of instructions that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    isa: Isa,
}

/// Those that not every machine has come with a proof that this one has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Isa {
    Soft,
    #[cfg(target_arch = "x86_64")]
    X86(x86::Features),
}

impl Kernel {
    const SOFT: Self = Self { isa: Isa::Soft };

    /// The best kernel for this machine. The machine is asked once.
    pub fn detect() -> Self {
        Self::all().next().unwrap_or(Self::SOFT)
    }

    /// Every kernel that this machine can run, the best first; for tests and benchmarks.
    pub fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let hardware = x86::detect().map(|features| Self {
            isa: Isa::X86(features),
        });
        #[cfg(not(target_arch = "x86_64"))]
        let hardware = std::iter::empty();
        hardware.chain([Self::SOFT])
    }

    /// What it is called in benchmarks and logs.
    pub fn name(&self) -> &'static str {
        match self.isa {
            Isa::Soft => "soft",
            #[cfg(target_arch = "x86_64")]
            Isa::X86(features) => features.name(),
        }
    }

    /// Writes to `made` what Argon2's function `G` gives for two blocks.
    #[inline]
    pub fn compress(&self, one: &Block, other: &Block, made: &mut Block) {
        self.run::<false>(one, other, made);
    }

    /// The same, exclusive or what `made` holds: how version 1.3 goes over memory a second time.
    #[inline]
    pub fn compress_over(&self, one: &Block, other: &Block, made: &mut Block) {
        self.run::<true>(one, other, made);
    }

    #[inline]
    fn run<const OVER: bool>(self, one: &Block, other: &Block, made: &mut Block) {
        match self.isa {
            Isa::Soft => around::<OVER>(one, other, made, soft::permute),
            #[cfg(target_arch = "x86_64")]
            Isa::X86(features) => x86::run::<OVER>(features, one, other, made),
        }
    }
}

/// What `G` does before and after its permutation. To be compiled for whatever the permutation is
/// compiled for.
#[inline(always)]
fn around<const OVER: bool>(
    one: &Block,
    other: &Block,
    made: &mut Block,
    permute: impl FnOnce(&mut Block),
) {
    let mut mixed = Block::ZERO;
    for ((mixed, one), other) in mixed.0.iter_mut().zip(&one.0).zip(&other.0) {
        *mixed = one ^ other;
    }
    permute(&mut mixed);
    let inputs = one.0.iter().zip(&other.0);
    for ((made, mixed), (one, other)) in made.0.iter_mut().zip(&mixed.0).zip(inputs) {
        let word = mixed ^ one ^ other;
        *made = if OVER { *made ^ word } else { word };
    }
}
