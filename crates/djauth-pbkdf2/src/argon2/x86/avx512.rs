use std::arch::x86_64::*;

use super::super::Block;

/// Eight words.
type Register = __m512i;

// For `shift`: the place from which each word of four comes, the first in the lowest bits.
const ONE: i32 = 0b00_11_10_01;
const TWO: i32 = 0b01_00_11_10;
const THREE: i32 = 0b10_01_00_11;

rounds!("avx512f,avx512bw", rows: 2, columns: 4);

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load(low: [u64; 4], high: [u64; 4]) -> Register {
    let [a, b, c, d] = low.map(u64::cast_signed);
    let [e, f, g, h] = high.map(u64::cast_signed);
    _mm512_set_epi64(h, g, f, e, d, c, b, a)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn store(register: Register) -> [[u64; 4]; 2] {
    let low = _mm512_castsi512_si256(register);
    let high = _mm512_extracti64x4_epi64::<1>(register);
    [super::avx2::store(low), super::avx2::store(high)]
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_rows([one, other]: &[[u64; 16]; 2]) -> Set {
    let (one, _) = one.as_chunks::<4>();
    let (other, _) = other.as_chunks::<4>();
    [
        load(one[0], other[0]),
        load(one[1], other[1]),
        load(one[2], other[2]),
        load(one[3], other[3]),
    ]
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn store_rows(set: Set, [one, other]: &mut [[u64; 16]; 2]) {
    let (one, _) = one.as_chunks_mut::<4>();
    let (other, _) = other.as_chunks_mut::<4>();
    for ((register, one), other) in set.into_iter().zip(one).zip(other) {
        [*one, *other] = store(register);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_pairs(words: &[u64; 8]) -> Register {
    let [a, b, c, d, e, f, g, h] = *words;
    load([a, b, c, d], [e, f, g, h])
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn store_pairs(register: Register, words: &mut [u64; 8]) {
    let [[a, b, c, d], [e, f, g, h]] = store(register);
    *words = [a, b, c, d, e, f, g, h];
}

/// Addition, and twice the product of the lower halves.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn sum(a: Register, b: Register) -> Register {
    let product = _mm512_mul_epu32(a, b);
    let twice = _mm512_add_epi64(product, product);
    _mm512_add_epi64(_mm512_add_epi64(a, b), twice)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn xor(a: Register, b: Register) -> Register {
    _mm512_xor_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn turn_32(words: Register) -> Register {
    _mm512_ror_epi64::<32>(words)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn turn_24(words: Register) -> Register {
    _mm512_ror_epi64::<24>(words)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn turn_16(words: Register) -> Register {
    _mm512_ror_epi64::<16>(words)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn turn_63(words: Register) -> Register {
    _mm512_ror_epi64::<63>(words)
}

/// The words of each four, some places further.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn shift<const FROM: i32>(words: Register) -> Register {
    _mm512_permutex_epi64::<FROM>(words)
}

/// Of each pair the second word of one, and then the first of the other.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn straddle(one: Register, other: Register) -> Register {
    _mm512_alignr_epi8::<8>(other, one)
}
