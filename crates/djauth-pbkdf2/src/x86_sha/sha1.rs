use std::arch::x86_64::*;

use crate::{Job, Sha1};

/// The state's five words, the highest lane first.
#[derive(Clone, Copy)]
struct State {
    abcd: __m128i,
    /// The fifth word, and in the other lanes what follows a digest in its block: so the two registers
    /// of a digest are the first eight words of the next message.
    e: __m128i,
}

/// One derivation in registers.
#[derive(Clone, Copy)]
struct Lane {
    /// What the last compression gave.
    digest: State,
    /// The results of all rounds, added without carry.
    key: State,
    /// The state within a compression; its fifth word is the first of four rounds ago.
    state: State,
    /// The sixteen words of the message schedule that are in use, the first in the highest lane.
    words: [__m128i; 4],
}

macro_rules! rounds {
    ($name:ident, $features:literal) => {
        /// Moves all jobs on by `rounds`.
        #[target_feature(enable = $features)]
        pub(super) fn $name<const N: usize>(mut jobs: [&mut Job<Sha1>; N], rounds: u32) {
            let mut lanes = jobs.each_ref().map(|job| Lane::load(job));
            let keyed = [
                jobs.each_ref().map(|job| State::load(&job.inner)),
                jobs.each_ref().map(|job| State::load(&job.outer)),
            ];
            for _ in 0..rounds {
                // One compression in a loop of two. What differs stands apart from the lanes: these
                // are in registers only while nothing in them is indexed.
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
                    each!(lanes, |lane| four::<16>(lane));
                    each!(lanes, |lane| four::<17>(lane));
                    each!(lanes, |lane| four::<18>(lane));
                    each!(lanes, |lane| four::<19>(lane));
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

impl Lane {
    #[target_feature(enable = "sse2")]
    fn load(job: &Job<Sha1>) -> Self {
        let digest = State::load(&job.step);
        Self {
            digest,
            key: State::load(&job.key),
            state: digest,
            words: [_mm_setzero_si128(); 4],
        }
    }

    #[target_feature(enable = "sse4.1")]
    fn store(&self, job: &mut Job<Sha1>) {
        job.step = self.digest.store();
        job.key = self.key.store();
    }
}

impl State {
    #[target_feature(enable = "sse2")]
    fn load(words: &[u32; 5]) -> Self {
        let [a, b, c, d, e] = words.map(u32::cast_signed);
        Self {
            abcd: _mm_set_epi32(a, b, c, d),
            e: _mm_set_epi32(e, 0x8000_0000_u32.cast_signed(), 0, 0),
        }
    }

    #[target_feature(enable = "sse4.1")]
    fn store(self) -> [u32; 5] {
        [
            _mm_extract_epi32::<3>(self.abcd),
            _mm_extract_epi32::<2>(self.abcd),
            _mm_extract_epi32::<1>(self.abcd),
            _mm_extract_epi32::<0>(self.abcd),
            _mm_extract_epi32::<3>(self.e),
        ]
        .map(i32::cast_unsigned)
    }
}

/// Makes the last digest the message of a compression that starts behind HMAC's key block.
#[inline]
#[target_feature(enable = "sse2")]
fn start(lane: &mut Lane, keyed: &State) {
    let State { abcd, e } = lane.digest;
    let length = _mm_set_epi32(0, 0, 0, 8 * (64 + 20));
    lane.words = [abcd, e, _mm_setzero_si128(), length];
    lane.state = *keyed;
}

/// Four of the 80 rounds, and before that the words they need.
#[inline]
#[target_feature(enable = "sha,sse2")]
fn four<const GROUP: usize>(lane: &mut Lane) {
    if GROUP >= 4 {
        lane.words[GROUP % 4] = scheduled::<GROUP>(&lane.words);
    }
    let words = lane.words[GROUP % 4];
    let State { abcd, e } = lane.state;
    let sum = match GROUP {
        // Only here the fifth word is given as it is.
        0 => _mm_add_epi32(_mm_and_si128(e, _mm_set_epi32(-1, 0, 0, 0)), words),
        _ => _mm_sha1nexte_epu32(e, words),
    };
    let mixed = match GROUP / 5 {
        0 => _mm_sha1rnds4_epu32::<0>(abcd, sum),
        1 => _mm_sha1rnds4_epu32::<1>(abcd, sum),
        2 => _mm_sha1rnds4_epu32::<2>(abcd, sum),
        _ => _mm_sha1rnds4_epu32::<3>(abcd, sum),
    };
    lane.state = State {
        abcd: mixed,
        e: abcd,
    };
}

/// The next four words of the message schedule. Eight of the first sixteen are the same in every
/// block, so that some sums are known.
#[inline]
#[target_feature(enable = "sha,sse2")]
fn scheduled<const GROUP: usize>(words: &[__m128i; 4]) -> __m128i {
    let back = |places: usize| words[(GROUP + 4 - places) % 4];
    let early = match GROUP {
        // Words 8 to 13 are zero.
        6 => _mm_setzero_si128(),
        _ => _mm_sha1msg1_epu32(back(4), back(3)),
    };
    _mm_sha1msg2_epu32(_mm_xor_si128(early, back(2)), back(1))
}

#[inline]
#[target_feature(enable = "sha,sse2")]
fn finish(lane: &mut Lane, keyed: &State) {
    lane.digest = State {
        abcd: _mm_add_epi32(lane.state.abcd, keyed.abcd),
        e: _mm_sha1nexte_epu32(lane.state.e, keyed.e),
    };
}

#[inline]
#[target_feature(enable = "sse2")]
fn collect(lane: &mut Lane) {
    lane.key = State {
        abcd: _mm_xor_si128(lane.key.abcd, lane.digest.abcd),
        e: _mm_xor_si128(lane.key.e, lane.digest.e),
    };
}
