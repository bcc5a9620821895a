use std::arch::aarch64::*;

use super::{four_words, lanes};
use crate::soft::sha256::K;
use crate::{Job, Sha256};

/// The state's eight words.
#[derive(Clone, Copy)]
struct State {
    abcd: uint32x4_t,
    efgh: uint32x4_t,
}

/// One derivation in registers.
#[derive(Clone, Copy)]
struct Lane {
    /// What the last compression gave.
    digest: State,
    /// The results of all rounds, added without carry.
    key: State,
    /// The state within a compression.
    state: State,
    /// The sixteen words of the message schedule that are in use.
    words: [uint32x4_t; 4],
}

/// Moves all jobs on by `rounds`.
#[target_feature(enable = "sha2")]
pub(super) fn rounds<const N: usize>(mut jobs: [&mut Job<Sha256>; N], rounds: u32) {
    let mut lanes = jobs.each_ref().map(|job| Lane::load(job));
    let keyed = [
        jobs.each_ref().map(|job| State::load(job.inner)),
        jobs.each_ref().map(|job| State::load(job.outer)),
    ];
    for _ in 0..rounds {
        // One compression in a loop of two. What differs stands apart from the lanes: these are in
        // registers only while nothing in them is indexed.
        for keyed in &keyed {
            each!(lanes, keyed, |lane, keyed| start(lane, keyed));
            each!(lanes, |lane| four::<0>(lane));
            each!(lanes, |lane| four::<1>(lane));
            each!(lanes, |lane| four::<2>(lane));
            each!(lanes, |lane| four::<3>(lane));
            each!(lanes, |lane| four::<4>(lane));
            each!(lanes, |lane| four::<5>(lane));
            each!(lanes, |lane| four::<6>(lane));
            each!(lanes, |lane| four::<7>(lane));
            each!(lanes, |lane| four::<8>(lane));
            each!(lanes, |lane| four::<9>(lane));
            each!(lanes, |lane| four::<10>(lane));
            each!(lanes, |lane| four::<11>(lane));
            each!(lanes, |lane| four::<12>(lane));
            each!(lanes, |lane| four::<13>(lane));
            each!(lanes, |lane| four::<14>(lane));
            each!(lanes, |lane| four::<15>(lane));
            each!(lanes, keyed, |lane, keyed| finish(lane, keyed));
        }
        each!(lanes, |lane| collect(lane));
    }
    for (lane, job) in lanes.iter().zip(&mut jobs) {
        lane.store(job);
    }
}

impl Lane {
    #[target_feature(enable = "neon")]
    fn load(job: &Job<Sha256>) -> Self {
        let digest = State::load(job.step);
        Self {
            digest,
            key: State::load(job.key),
            state: digest,
            words: [vdupq_n_u32(0); 4],
        }
    }

    #[target_feature(enable = "neon")]
    fn store(&self, job: &mut Job<Sha256>) {
        job.step = self.digest.store();
        job.key = self.key.store();
    }
}

impl State {
    #[target_feature(enable = "neon")]
    fn load([a, b, c, d, e, f, g, h]: [u32; 8]) -> Self {
        Self {
            abcd: four_words([a, b, c, d]),
            efgh: four_words([e, f, g, h]),
        }
    }

    #[target_feature(enable = "neon")]
    fn store(self) -> [u32; 8] {
        let [a, b, c, d] = lanes(self.abcd);
        let [e, f, g, h] = lanes(self.efgh);
        [a, b, c, d, e, f, g, h]
    }
}

/// Makes the last digest the message of a compression that starts behind HMAC's key block.
#[inline]
#[target_feature(enable = "neon")]
fn start(lane: &mut Lane, keyed: &State) {
    lane.words = [
        lane.digest.abcd,
        lane.digest.efgh,
        four_words([0x8000_0000, 0, 0, 0]),
        four_words([0, 0, 0, 8 * (64 + 32)]),
    ];
    lane.state = *keyed;
}

/// Four of the 64 rounds, and before that the words they need.
#[inline]
#[target_feature(enable = "sha2")]
fn four<const GROUP: usize>(lane: &mut Lane) {
    if GROUP >= 4 {
        lane.words[GROUP % 4] = scheduled::<GROUP>(&lane.words);
    }
    let constants = K[GROUP / 4].as_chunks::<4>().0[GROUP % 4];
    let sum = vaddq_u32(lane.words[GROUP % 4], four_words(constants));
    let State { abcd, efgh } = lane.state;
    lane.state = State {
        abcd: vsha256hq_u32(abcd, efgh, sum),
        efgh: vsha256h2q_u32(efgh, abcd, sum),
    };
}

/// The next four words of the message schedule. Eight of the first sixteen are the same in every
/// block, so that one sum is known.
#[inline]
#[target_feature(enable = "sha2")]
fn scheduled<const GROUP: usize>(words: &[uint32x4_t; 4]) -> uint32x4_t {
    let back = |places: usize| words[(GROUP + 4 - places) % 4];
    let early = match GROUP {
        // Words 8 to 11, and sigma-0 of 9 to 12, which are zero.
        6 => four_words([0x8000_0000, 0, 0, 0]),
        _ => vsha256su0q_u32(back(4), back(3)),
    };
    vsha256su1q_u32(early, back(2), back(1))
}

#[inline]
#[target_feature(enable = "neon")]
fn finish(lane: &mut Lane, keyed: &State) {
    lane.digest = State {
        abcd: vaddq_u32(lane.state.abcd, keyed.abcd),
        efgh: vaddq_u32(lane.state.efgh, keyed.efgh),
    };
}

#[inline]
#[target_feature(enable = "neon")]
fn collect(lane: &mut Lane) {
    lane.key = State {
        abcd: veorq_u32(lane.key.abcd, lane.digest.abcd),
        efgh: veorq_u32(lane.key.efgh, lane.digest.efgh),
    };
}
