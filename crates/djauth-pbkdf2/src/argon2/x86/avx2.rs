use std::arch::x86_64::*;

use super::super::Block;

/// Four words.
type Register = __m256i;

// For `shift`: the place from which each word comes, the first in the lowest bits.
const ONE: i32 = 0b00_11_10_01;
const TWO: i32 = 0b01_00_11_10;
const THREE: i32 = 0b10_01_00_11;

rounds!("avx2", rows: 1, columns: 2);

#[inline]
#[target_feature(enable = "avx2")]
fn load(words: &[u64; 4]) -> Register {
    let [a, b, c, d] = words.map(u64::cast_signed);
    _mm256_set_epi64x(d, c, b, a)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store(register: Register) -> [u64; 4] {
    [
        _mm256_extract_epi64::<0>(register),
        _mm256_extract_epi64::<1>(register),
        _mm256_extract_epi64::<2>(register),
        _mm256_extract_epi64::<3>(register),
    ]
    .map(i64::cast_unsigned)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_rows([row]: &[[u64; 16]; 1]) -> Set {
    let (row, _) = row.as_chunks::<4>();
    [load(&row[0]), load(&row[1]), load(&row[2]), load(&row[3])]
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_rows(set: Set, [row]: &mut [[u64; 16]; 1]) {
    let (row, _) = row.as_chunks_mut::<4>();
    for (register, words) in set.into_iter().zip(row) {
        *words = store(register);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_pairs(words: &[u64; 4]) -> Register {
    load(words)
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_pairs(register: Register, words: &mut [u64; 4]) {
    *words = store(register);
}

/// Addition, and twice the product of the lower halves.
#[inline]
#[target_feature(enable = "avx2")]
fn sum(a: Register, b: Register) -> Register {
    let product = _mm256_mul_epu32(a, b);
    let twice = _mm256_add_epi64(product, product);
    _mm256_add_epi64(_mm256_add_epi64(a, b), twice)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor(a: Register, b: Register) -> Register {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn turn_32(words: Register) -> Register {
    _mm256_shuffle_epi32::<0b10_11_00_01>(words)
}

#[inline]
#[target_feature(enable = "avx2")]
fn turn_24(words: Register) -> Register {
    let from = _mm_set_epi64x(0x0a09_080f_0e0d_0c0b, 0x0201_0007_0605_0403);
    _mm256_shuffle_epi8(words, _mm256_broadcastsi128_si256(from))
}

#[inline]
#[target_feature(enable = "avx2")]
fn turn_16(words: Register) -> Register {
    let from = _mm_set_epi64x(0x0908_0f0e_0d0c_0b0a, 0x0100_0706_0504_0302);
    _mm256_shuffle_epi8(words, _mm256_broadcastsi128_si256(from))
}

#[inline]
#[target_feature(enable = "avx2")]
fn turn_63(words: Register) -> Register {
    let twice = _mm256_add_epi64(words, words);
    _mm256_xor_si256(twice, _mm256_srli_epi64::<63>(words))
}

/// The words, some places further.
#[inline]
#[target_feature(enable = "avx2")]
fn shift<const FROM: i32>(words: Register) -> Register {
    _mm256_permute4x64_epi64::<FROM>(words)
}

/// Of each pair the second word of one, and then the first of the other.
#[inline]
#[target_feature(enable = "avx2")]
fn straddle(one: Register, other: Register) -> Register {
    _mm256_alignr_epi8::<8>(other, one)
}
