//! PBKDF2-HMAC with one output block, straight on the compression functions.
//!
//! HMAC hashes one block of padded key before the inner and before the outer message. Both states
//! are computed once; each iteration then costs exactly two compressions, and the blocks that are
//! compressed differ only in the digest at their start.

use std::fmt;

use zeroize::Zeroize;

use crate::Parameters;

const BLOCK: usize = 64;

/// A hash of the SHA family with 64-byte blocks and 32-bit words, as PBKDF2 needs it.
pub trait Compression: Rounds + Send + Sync + fmt::Debug + 'static {
    /// Name of the algorithm in stored values.
    const ALGORITHM: &'static str;

    /// The configured iterations of this algorithm.
    #[doc(hidden)]
    fn iterations(parameters: &Parameters) -> i64;

    /// The derived key, as long as the digest.
    #[doc(hidden)]
    fn pbkdf2(password: &[u8], salt: &[u8], iterations: i64) -> Vec<u8>;
}

mod sealed {
    /// State and compression function.
    pub trait Rounds {
        type State: Copy + AsRef<[u32]> + AsMut<[u32]> + zeroize::Zeroize;
        const START: Self::State;
        fn compress(state: &mut Self::State, blocks: &[[u8; 64]]);
    }
}
use sealed::Rounds;

/// SHA-256, for `pbkdf2_sha256`.
#[derive(Clone, Debug)]
pub struct Sha256;
/// SHA-1, for `pbkdf2_sha1`.
#[derive(Clone, Debug)]
pub struct Sha1;

impl Rounds for Sha256 {
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
    fn compress(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
        sha2::block_api::compress256(state, blocks);
    }
}

impl Rounds for Sha1 {
    type State = [u32; 5];
    const START: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    fn compress(state: &mut [u32; 5], blocks: &[[u8; 64]]) {
        sha1::block_api::compress(state, blocks);
    }
}

impl Compression for Sha256 {
    const ALGORITHM: &'static str = "pbkdf2_sha256";
    fn iterations(parameters: &Parameters) -> i64 {
        parameters.pbkdf2_sha256_iterations.into()
    }
    fn pbkdf2(password: &[u8], salt: &[u8], iterations: i64) -> Vec<u8> {
        derive::<Self>(password, salt, iterations)
    }
}

impl Compression for Sha1 {
    const ALGORITHM: &'static str = "pbkdf2_sha1";
    fn iterations(parameters: &Parameters) -> i64 {
        parameters.pbkdf2_sha1_iterations.into()
    }
    fn pbkdf2(password: &[u8], salt: &[u8], iterations: i64) -> Vec<u8> {
        derive::<Self>(password, salt, iterations)
    }
}

/// The states after the padded key.
struct Hmac<R: Rounds> {
    inner: R::State,
    outer: R::State,
}

impl<R: Rounds> Hmac<R> {
    fn new(password: &[u8]) -> Self {
        let mut key = key_block::<R>(password);
        let keyed = |key: &[u8; BLOCK], pad: u8| {
            let mut state = R::START;
            let mut block = key.map(|byte| byte ^ pad);
            R::compress(&mut state, &[block]);
            block.zeroize();
            state
        };
        let hmac = Self {
            inner: keyed(&key, 0x36),
            outer: keyed(&key, 0x5c),
        };
        key.zeroize();
        hmac
    }
}

impl<R: Rounds> Drop for Hmac<R> {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// After so many rounds, about a tenth of a millisecond, the thread offers its core to whoever waits for
/// it. Requests would otherwise wait until the scheduler ends this thread's slice, which is milliseconds.
const OFFER: i64 = 1024;

fn derive<R: Rounds>(password: &[u8], salt: &[u8], iterations: i64) -> Vec<u8> {
    let hmac = Hmac::<R>::new(password);
    let message = [salt, &1u32.to_be_bytes()].concat();
    let mut inner = hmac.inner;
    absorb::<R>(&mut inner, &message, BLOCK);
    let mut block = digest_block::<R>();
    let mut step = outer(&hmac, &mut block, &inner);
    let mut key = step;
    for round in 1..iterations {
        if round % OFFER == 0 {
            std::thread::yield_now();
        }
        write_words(&mut block, step.as_ref());
        let mut state = hmac.inner;
        R::compress(&mut state, std::slice::from_ref(&block));
        step = outer(&hmac, &mut block, &state);
        for (key, step) in key.as_mut().iter_mut().zip(step.as_ref()) {
            *key ^= step;
        }
    }
    to_bytes(key.as_ref())
}

#[inline(always)]
fn outer<R: Rounds>(hmac: &Hmac<R>, block: &mut [u8; BLOCK], inner: &R::State) -> R::State {
    write_words(block, inner.as_ref());
    let mut state = hmac.outer;
    R::compress(&mut state, std::slice::from_ref(block));
    state
}

/// Hashes the rest of a message of which `before` bytes are in the state already.
fn absorb<R: Rounds>(state: &mut R::State, message: &[u8], before: usize) {
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(BLOCK) - 8, 0);
    padded.extend(
        8u64.wrapping_mul((before + message.len()) as u64)
            .to_be_bytes(),
    );
    let (blocks, _) = padded.as_chunks::<BLOCK>();
    R::compress(state, blocks);
    padded.zeroize();
}

/// A block that holds a digest (still zero), its padding and the length of key block and digest.
fn digest_block<R: Rounds>() -> [u8; BLOCK] {
    let digest = size_of::<R::State>();
    let mut block = [0; BLOCK];
    block[digest] = 0x80;
    block[BLOCK - 8..].copy_from_slice(&(8 * (BLOCK + digest) as u64).to_be_bytes());
    block
}

/// HMAC's key: the password, or its digest when it is longer than a block, filled with zeros.
fn key_block<R: Rounds>(password: &[u8]) -> [u8; BLOCK] {
    let mut key = [0; BLOCK];
    if password.len() <= BLOCK {
        key[..password.len()].copy_from_slice(password);
    } else {
        let mut state = R::START;
        absorb::<R>(&mut state, password, 0);
        write_words(&mut key, state.as_ref());
        state.zeroize();
    }
    key
}

#[inline(always)]
fn write_words(block: &mut [u8; BLOCK], words: &[u32]) {
    let (chunks, _) = block.as_chunks_mut::<4>();
    for (bytes, word) in chunks.iter_mut().zip(words) {
        *bytes = word.to_be_bytes();
    }
}

fn to_bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The reference is RustCrypto's generic implementation.
        #[test]
        fn equals_the_generic_implementation(
            password in proptest::collection::vec(any::<u8>(), 0..200),
            salt in proptest::collection::vec(any::<u8>(), 0..200),
            iterations in 1u32..40,
        ) {
            let mut sha256 = [0; 32];
            pbkdf2::pbkdf2_hmac::<sha2::Sha256>(&password, &salt, iterations, &mut sha256);
            prop_assert_eq!(Sha256::pbkdf2(&password, &salt, iterations.into()), sha256);
            let mut sha1 = [0; 20];
            pbkdf2::pbkdf2_hmac::<sha1::Sha1>(&password, &salt, iterations, &mut sha1);
            prop_assert_eq!(Sha1::pbkdf2(&password, &salt, iterations.into()), sha1);
        }
    }

    #[test]
    fn key_lengths_around_the_block() {
        for length in [63, 64, 65, 119, 120, 128] {
            let password = vec![b'x'; length];
            let mut expected = [0; 32];
            pbkdf2::pbkdf2_hmac::<sha2::Sha256>(&password, b"salt", 2, &mut expected);
            assert_eq!(Sha256::pbkdf2(&password, b"salt", 2), expected, "{length}");
        }
    }
}
