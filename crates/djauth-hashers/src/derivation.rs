//! PBKDF2 rounds that can be done in parts, several derivations at a time.

use djauth_pbkdf2::{Hash, Job, Kernel, Sha1, Sha256};

/// A PBKDF2 derivation under way, of either digest.
///
/// Its state stays where it began, however often this is moved, and is overwritten there when it is
/// dropped.
#[derive(Debug)]
pub struct Derivation(Inner);

#[derive(Debug)]
enum Inner {
    Sha256(Box<Job<Sha256>>),
    Sha1(Box<Job<Sha1>>),
}

/// The digest of a [`Derivation`]: a round of one costs more than one of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Digest {
    /// `pbkdf2_sha256`.
    Sha256,
    /// `pbkdf2_sha1`.
    Sha1,
}

impl Derivation {
    /// So many iterations of PBKDF2-HMAC-SHA256, at least one.
    #[must_use]
    pub fn sha256(password: &[u8], salt: &[u8], iterations: u64) -> Self {
        Self(Inner::Sha256(Job::boxed(password, salt, iterations)))
    }

    /// The same of PBKDF2-HMAC-SHA1.
    #[must_use]
    pub fn sha1(password: &[u8], salt: &[u8], iterations: u64) -> Self {
        Self(Inner::Sha1(Job::boxed(password, salt, iterations)))
    }

    /// How many rounds are left.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        match &self.0 {
            Inner::Sha256(job) => job.remaining(),
            Inner::Sha1(job) => job.remaining(),
        }
    }

    /// Which digest its rounds use.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match &self.0 {
            Inner::Sha256(_) => Digest::Sha256,
            Inner::Sha1(_) => Digest::Sha1,
        }
    }

    /// How many derivations a thread should [advance](Self::advance) at once: they are interleaved,
    /// because one alone leaves most of a core's units idle.
    #[must_use]
    pub fn streams() -> usize {
        Kernel::detect().streams().max(1)
    }

    /// Does so many rounds of each, or what is left of it.
    pub fn advance<'a>(all: impl IntoIterator<Item = &'a mut Self>, rounds: u32) {
        let (mut sha256, mut sha1) = (Vec::new(), Vec::new());
        for derivation in all {
            match &mut derivation.0 {
                Inner::Sha256(job) => sha256.push(&mut **job),
                Inner::Sha1(job) => sha1.push(&mut **job),
            }
        }
        advance(&mut sha256, rounds);
        advance(&mut sha1, rounds);
    }

    /// Does all rounds that are left, on this thread.
    pub(crate) fn finish(&mut self) {
        while self.remaining() > 0 {
            Self::advance([&mut *self], u32::MAX);
        }
    }

    /// The derived key; of a derivation that is done.
    pub(crate) fn output(&self) -> Vec<u8> {
        match &self.0 {
            Inner::Sha256(job) => job.output().to_vec(),
            Inner::Sha1(job) => job.output().to_vec(),
        }
    }
}

fn advance<H: Hash>(jobs: &mut [&mut Job<H>], rounds: u32) {
    let kernel = Kernel::detect();
    for some in jobs.chunks_mut(kernel.streams().max(1)) {
        kernel.advance(some, rounds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy that a move leaves behind is one that nobody wipes.
    #[test]
    fn what_moves_holds_nothing_of_the_key() {
        assert!(size_of::<Derivation>() <= 2 * size_of::<usize>());
    }

    #[test]
    fn parts_of_several_give_what_each_gives_alone() {
        let make = |n: u8| match n % 2 {
            0 => Derivation::sha256(&[n], b"salt", 100 * u64::from(n) + 1),
            _ => Derivation::sha1(&[n], b"salt", 70 * u64::from(n) + 1),
        };
        let mut together: Vec<_> = (0..7).map(make).collect();
        while together.iter().any(|one| one.remaining() > 0) {
            Derivation::advance(&mut together, 33);
        }
        for (n, one) in (0..7).zip(&together) {
            let mut alone = make(n);
            alone.finish();
            assert_eq!(one.output(), alone.output(), "{n}");
            assert_eq!(one.digest(), alone.digest());
        }
    }
}
