use djauth_pbkdf2::{Hash, Job, Kernel, Sha1, Sha256};
use proptest::collection::vec;
use proptest::prelude::*;

/// A password, a salt, and how many iterations.
type Derivation = (Vec<u8>, Vec<u8>, u32);

fn derivations() -> impl Strategy<Value = Vec<Derivation>> {
    let bytes = || vec(any::<u8>(), 0..200);
    vec((bytes(), bytes(), 1u32..60), 1..10)
}

/// All of them at once, a few rounds at each call, so that some end within one.
fn derive<H: Hash>(kernel: Kernel, derivations: &[Derivation], rounds: u32) -> Vec<Vec<u8>> {
    let start = |(password, salt, iterations): &Derivation| {
        Job::<H>::new(password, salt, u64::from(*iterations))
    };
    let mut jobs: Vec<_> = derivations.iter().map(start).collect();
    while jobs.iter().any(|job| !job.is_done()) {
        let left: Vec<_> = jobs.iter().map(Job::remaining).collect();
        kernel.advance(&mut jobs.iter_mut().collect::<Vec<_>>(), rounds);
        for (job, left) in jobs.iter().zip(left) {
            assert_eq!(job.remaining(), left.saturating_sub(rounds.into()));
        }
    }
    jobs.iter()
        .map(|job| job.output().as_ref().to_vec())
        .collect()
}

fn sha256((password, salt, iterations): &Derivation) -> Vec<u8> {
    pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(password, salt, *iterations).to_vec()
}

fn sha1((password, salt, iterations): &Derivation) -> Vec<u8> {
    pbkdf2::pbkdf2_hmac_array::<sha1::Sha1, 20>(password, salt, *iterations).to_vec()
}

proptest! {
    /// The reference is RustCrypto's generic implementation.
    #[test]
    fn every_kernel_equals_the_generic_implementation(derivations in derivations(), rounds in 1u32..40) {
        let expected: Vec<_> = derivations.iter().map(sha256).collect();
        let expected_sha1: Vec<_> = derivations.iter().map(sha1).collect();
        for kernel in Kernel::all() {
            prop_assert_eq!(&derive::<Sha256>(kernel, &derivations, rounds), &expected, "{:?}", kernel);
            prop_assert_eq!(&derive::<Sha1>(kernel, &derivations, rounds), &expected_sha1, "{:?}", kernel);
        }
    }
}

#[test]
fn lengths_around_the_block() {
    for length in [0, 1, 50, 51, 52, 54, 55, 56, 63, 64, 65, 119, 120, 128] {
        let bytes = vec![b'x'; length];
        let derivations = [
            (bytes.clone(), b"salt".to_vec(), 3),
            (b"password".to_vec(), bytes, 3),
        ];
        for kernel in Kernel::all() {
            let expected: Vec<_> = derivations.iter().map(sha256).collect();
            assert_eq!(
                derive::<Sha256>(kernel, &derivations, 3),
                expected,
                "{length}"
            );
            let expected: Vec<_> = derivations.iter().map(sha1).collect();
            assert_eq!(
                derive::<Sha1>(kernel, &derivations, 3),
                expected,
                "{length}"
            );
        }
    }
}

#[test]
fn nothing_to_do() {
    let kernel = Kernel::detect();
    assert!((1..=4).contains(&kernel.streams()));
    let mut job = Job::<Sha256>::new(b"password", b"salt", 0);
    assert!(job.is_done());
    let output = job.output();
    kernel.advance(&mut [&mut job], 5);
    kernel.advance::<Sha256>(&mut [], 5);
    assert_eq!(job.output(), output);
    let mut job = Job::<Sha256>::new(b"password", b"salt", u64::MAX);
    kernel.advance(&mut [&mut job], 0);
    assert_eq!(job.remaining(), u64::MAX - 1);
}

#[test]
fn debug_shows_no_state() {
    let job = Job::<Sha1>::new(b"password", b"salt", 3);
    assert_eq!(format!("{job:?}"), "Job { remaining: 2, .. }");
}
