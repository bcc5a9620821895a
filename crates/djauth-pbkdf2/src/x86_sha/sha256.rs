use std::arch::x86_64::*;

use crate::soft::sha256::K;
use crate::{Job, Sha256};

/// The state's eight words, the highest lane first.
#[derive(Clone, Copy)]
struct State {
    abef: __m128i,
    cdgh: __m128i,
}

/// The state after one of HMAC's key blocks.
#[derive(Clone, Copy)]
struct Keyed {
    state: State,
    /// The same with the constants of the first eight rounds added.
    early: State,
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
    /// The last digest with the constants of the first eight rounds added.
    sums: State,
    /// The sixteen words of the message schedule that are in use.
    words: [__m128i; 4],
}

macro_rules! rounds {
    ($name:ident, $features:literal) => {
        /// Moves all jobs on by `rounds`.
        #[target_feature(enable = $features)]
        pub(super) fn $name<const N: usize>(mut jobs: [&mut Job<Sha256>; N], rounds: u32) {
            let mut lanes = jobs.each_ref().map(|job| Lane::load(job));
            let keyed = [
                jobs.each_ref().map(|job| Keyed::load(&job.inner)),
                jobs.each_ref().map(|job| Keyed::load(&job.outer)),
            ];
            for _ in 0..rounds {
                // One compression in a loop of two. What differs stands apart from the lanes: these
                // are in registers only while nothing in them is indexed.
                for keyed in &keyed {
                    each!(lanes, keyed, |lane, keyed| start(lane, keyed));
                    each!(lanes, |lane| eight::<N>(lane));
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
    };
}

rounds!(narrow, "sha,sse4.1");
rounds!(wide, "sha,sse4.1,avx512f,avx512vl");

impl Keyed {
    #[target_feature(enable = "sse2")]
    fn load(words: &[u32; 8]) -> Self {
        let state = State::load(words);
        Self {
            state,
            early: state.plus(State::load(&EARLY)),
        }
    }
}

impl Lane {
    #[target_feature(enable = "sse2")]
    fn load(job: &Job<Sha256>) -> Self {
        let digest = State::load(&job.step);
        Self {
            digest,
            key: State::load(&job.key),
            state: digest,
            sums: digest.plus(State::load(&EARLY)),
            words: [_mm_setzero_si128(); 4],
        }
    }

    #[target_feature(enable = "sse4.1")]
    fn store(&self, job: &mut Job<Sha256>) {
        job.step = self.digest.store();
        job.key = self.key.store();
    }
}

impl State {
    #[target_feature(enable = "sse2")]
    fn load(words: &[u32; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = words.map(u32::cast_signed);
        Self {
            abef: _mm_set_epi32(a, b, e, f),
            cdgh: _mm_set_epi32(c, d, g, h),
        }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn plus(self, other: Self) -> Self {
        Self {
            abef: _mm_add_epi32(self.abef, other.abef),
            cdgh: _mm_add_epi32(self.cdgh, other.cdgh),
        }
    }

    #[target_feature(enable = "sse4.1")]
    fn store(self) -> [u32; 8] {
        [
            _mm_extract_epi32::<3>(self.abef),
            _mm_extract_epi32::<2>(self.abef),
            _mm_extract_epi32::<3>(self.cdgh),
            _mm_extract_epi32::<2>(self.cdgh),
            _mm_extract_epi32::<1>(self.abef),
            _mm_extract_epi32::<0>(self.abef),
            _mm_extract_epi32::<1>(self.cdgh),
            _mm_extract_epi32::<0>(self.cdgh),
        ]
        .map(i32::cast_unsigned)
    }
}

/// Makes the last digest the message of a compression that starts behind HMAC's key block.
#[inline]
#[target_feature(enable = "sse2")]
fn start(lane: &mut Lane, keyed: &Keyed) {
    let State { abef, cdgh } = lane.digest;
    lane.words = [
        _mm_shuffle_epi32::<0xb1>(_mm_unpackhi_epi64(abef, cdgh)),
        _mm_shuffle_epi32::<0xb1>(_mm_unpacklo_epi64(abef, cdgh)),
        four_words(&PADDING, 0),
        four_words(&PADDING, 4),
    ];
    lane.state = keyed.state;
}

/// The first eight of the 64 rounds.
///
/// A single lane waits for each instruction. There the constants were added to the state before it
/// became a digest, so that one shuffle stands between that sum and the first round. That is more
/// work in all, which several lanes would feel.
#[inline]
#[target_feature(enable = "sha,sse4.1")]
fn eight<const N: usize>(lane: &mut Lane) {
    if N > 1 {
        four::<0>(lane);
        four::<1>(lane);
        return;
    }
    let State { abef, cdgh } = lane.state;
    let sums = lane.sums;
    let cdgh = _mm_sha256rnds2_epu32(cdgh, abef, _mm_shuffle_epi32::<0x0b>(sums.abef));
    let abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32::<0x0b>(sums.cdgh));
    let cdgh = _mm_sha256rnds2_epu32(cdgh, abef, _mm_shuffle_epi32::<0x01>(sums.abef));
    let abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32::<0x01>(sums.cdgh));
    lane.state = State { abef, cdgh };
}

/// Four of the 64 rounds, and before that the words they need.
#[inline]
#[target_feature(enable = "sha,sse4.1")]
fn four<const GROUP: usize>(lane: &mut Lane) {
    if GROUP >= 4 {
        lane.words[GROUP % 4] = scheduled::<GROUP>(&lane.words);
    }
    let State { abef, cdgh } = lane.state;
    let sum = _mm_add_epi32(
        lane.words[GROUP % 4],
        four_words(&K[GROUP / 4], 4 * (GROUP % 4)),
    );
    let cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
    let abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32::<0x0e>(sum));
    lane.state = State { abef, cdgh };
}

/// The next four words of the message schedule. Eight of the first sixteen are the same in every
/// block, so that some sums are known.
#[inline]
#[target_feature(enable = "sha,sse4.1")]
fn scheduled<const GROUP: usize>(words: &[__m128i; 4]) -> __m128i {
    let back = |places: usize| words[(GROUP + 4 - places) % 4];
    let early = match GROUP {
        // Words 8 to 11, and sigma-0 of 9 to 12, which are zero.
        6 => four_words(&PADDING, 0),
        _ => _mm_sha256msg1_epu32(back(4), back(3)),
    };
    let middle = match GROUP {
        // Words 9 to 12 are zero.
        4 => early,
        _ => _mm_add_epi32(early, _mm_alignr_epi8::<4>(back(1), back(2))),
    };
    _mm_sha256msg2_epu32(middle, back(1))
}

#[inline]
#[target_feature(enable = "sse2")]
fn finish(lane: &mut Lane, keyed: &Keyed) {
    lane.digest = lane.state.plus(keyed.state);
    lane.sums = lane.state.plus(keyed.early);
}

#[inline]
#[target_feature(enable = "sse2")]
fn collect(lane: &mut Lane) {
    lane.key = State {
        abef: _mm_xor_si128(lane.key.abef, lane.digest.abef),
        cdgh: _mm_xor_si128(lane.key.cdgh, lane.digest.cdgh),
    };
}

#[inline]
#[target_feature(enable = "sse2")]
fn four_words(words: &[u32], at: usize) -> __m128i {
    let [a, b, c, d] = [0, 1, 2, 3].map(|place| words[at + place].cast_signed());
    _mm_set_epi32(d, c, b, a)
}

/// The second half of a block that starts with a digest: a set bit, and the length in bits.
const PADDING: [u32; 8] = [0x8000_0000, 0, 0, 0, 0, 0, 0, 8 * (64 + 32)];

/// The constants of the first eight rounds, whose words are a digest.
const EARLY: [u32; 8] = *K[0].first_chunk().unwrap();
