//! Each kernel gives what the portable one gives, whatever comes in and in however many steps.

#![no_main]

use djauth_pbkdf2::{Hash, Job, Kernel, Sha1, Sha256};
use libfuzzer_sys::fuzz_target;

/// A password, a salt, and how many iterations.
type Derivation = (Vec<u8>, Vec<u8>, u8);

fuzz_target!(|input: (u8, Vec<Derivation>)| {
    let (rounds, mut derivations) = input;
    derivations.truncate(9);
    compare::<Sha256>(&derivations, rounds);
    compare::<Sha1>(&derivations, rounds);
});

fn compare<H: Hash>(derivations: &[Derivation], rounds: u8) {
    let kernels: Vec<_> = Kernel::all().collect();
    let (soft, fast) = kernels
        .split_last()
        .expect("the portable kernel is everywhere");
    assert_eq!(soft.name(), "soft");
    let expected = derive::<H>(*soft, derivations, u32::MAX);
    for kernel in fast {
        let rounds = u32::from(rounds) + 1;
        assert_eq!(
            derive::<H>(*kernel, derivations, rounds),
            expected,
            "{}",
            kernel.name()
        );
    }
}

fn derive<H: Hash>(kernel: Kernel, derivations: &[Derivation], rounds: u32) -> Vec<H::Output> {
    let start = |(password, salt, iterations): &Derivation| {
        Job::<H>::new(password, salt, u64::from(*iterations))
    };
    let mut jobs: Vec<_> = derivations.iter().map(start).collect();
    while jobs.iter().any(|job| !job.is_done()) {
        kernel.advance(&mut jobs.iter_mut().collect::<Vec<_>>(), rounds);
    }
    jobs.iter().map(Job::output).collect()
}
