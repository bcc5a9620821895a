use std::fmt;

use zeroize::Zeroize;

use crate::Hash;
use crate::hash::{BLOCK, sealed::Words};

/// One derivation: a password, a salt, and how far it has come.
///
/// What it holds is overwritten when it is dropped.
pub struct Job<H: Hash> {
    /// The state after HMAC's inner key block: where each round's first compression starts.
    pub(crate) inner: H::State,
    /// The same of the outer key block, for the second compression.
    pub(crate) outer: H::State,
    /// What the last round gave.
    pub(crate) step: H::State,
    /// All rounds' results so far, added without carry.
    pub(crate) key: H::State,
    remaining: u64,
}

impl<H: Hash> Job<H> {
    /// Starts a derivation; the first of its `iterations` is done here. Fewer than one count as one.
    ///
    /// Where a job is moved, the bytes that it held stay behind as they are: [`boxed`](Self::boxed)
    /// is for jobs that move.
    pub fn new(password: &[u8], salt: &[u8], iterations: u64) -> Self {
        let mut job = Self::blank(iterations);
        job.begin(password, salt);
        job
    }

    /// The same in a place that stays: what moves is the pointer, and all that the job ever held is
    /// overwritten in the end.
    pub fn boxed(password: &[u8], salt: &[u8], iterations: u64) -> Box<Self> {
        // Nothing is secret before it has its place.
        let mut job = Box::new(Self::blank(iterations));
        job.begin(password, salt);
        job
    }

    fn blank(iterations: u64) -> Self {
        Self {
            inner: H::START,
            outer: H::START,
            step: H::START,
            key: H::START,
            remaining: iterations.saturating_sub(1),
        }
    }

    fn begin(&mut self, password: &[u8], salt: &[u8]) {
        let mut key = key_block::<H>(password);
        absorb_key::<H>(&mut self.inner, &key, 0x3636_3636);
        absorb_key::<H>(&mut self.outer, &key, 0x5c5c_5c5c);
        key.zeroize();
        self.first_round(salt);
    }

    /// The first round hashes the salt and the number of the block, which is always one.
    fn first_round(&mut self, salt: &[u8]) {
        let mut inner = self.inner;
        absorb::<H>(&mut inner, &[salt, &1u32.to_be_bytes()], BLOCK);
        let mut digest = to_bytes(inner.as_ref());
        self.step = self.outer;
        absorb::<H>(&mut self.step, &[&digest], BLOCK);
        self.key = self.step;
        digest.zeroize();
        inner.zeroize();
    }

    /// How many rounds are left.
    pub fn remaining(&self) -> u64 {
        self.remaining
    }

    /// Whether no round is left.
    pub fn is_done(&self) -> bool {
        self.remaining == 0
    }

    /// The derived key. Before the job [is done](Self::is_done), that of as many iterations as have
    /// been done so far.
    pub fn output(&self) -> H::Output {
        let mut output = H::Output::default();
        for (bytes, word) in output.as_mut().chunks_exact_mut(4).zip(self.key.as_ref()) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        output
    }

    /// Notes that a kernel has done so many rounds.
    pub(crate) fn done(&mut self, rounds: u32) {
        self.remaining -= u64::from(rounds);
    }
}

impl<H: Hash> Drop for Job<H> {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
        self.step.zeroize();
        self.key.zeroize();
    }
}

impl<H: Hash> fmt::Debug for Job<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("remaining", &self.remaining)
            .finish_non_exhaustive()
    }
}

/// HMAC's key: the password, or its digest when it is longer than a block, filled with zeros.
fn key_block<H: Words>(password: &[u8]) -> [u32; 16] {
    let mut key = [0; 16];
    if password.len() <= BLOCK {
        let mut bytes = [0; BLOCK];
        bytes[..password.len()].copy_from_slice(password);
        key = to_words(&bytes);
        bytes.zeroize();
    } else {
        let mut state = H::START;
        absorb::<H>(&mut state, &[password], 0);
        key[..state.as_ref().len()].copy_from_slice(state.as_ref());
        state.zeroize();
    }
    key
}

/// Hashes one of the two blocks that HMAC makes of its key.
fn absorb_key<H: Words>(state: &mut H::State, key: &[u32; 16], pad: u32) {
    let mut block = key.map(|word| word ^ pad);
    H::compress(state, &block);
    block.zeroize();
}

/// Hashes the rest of a message, of which `before` bytes are in the state already, and the padding.
fn absorb<H: Words>(state: &mut H::State, message: &[&[u8]], before: usize) {
    let length: usize = message.iter().map(|part| part.len()).sum();
    // As large as it gets at once, so that no copy is left behind by growth.
    let mut padded = Vec::with_capacity((length + 9).next_multiple_of(BLOCK));
    for part in message {
        padded.extend_from_slice(part);
    }
    padded.push(0x80);
    padded.resize((length + 9).next_multiple_of(BLOCK) - 8, 0);
    padded.extend(8u64.wrapping_mul((before + length) as u64).to_be_bytes());
    for block in padded.as_chunks::<BLOCK>().0 {
        let mut words = to_words(block);
        H::compress(state, &words);
        words.zeroize();
    }
    padded.zeroize();
}

fn to_words(block: &[u8; BLOCK]) -> [u32; 16] {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    words
}

fn to_bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}
