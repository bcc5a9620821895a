/// The constant of each twenty rounds (FIPS 180-4).
pub(crate) const K: [u32; 4] = [0x5a82_7999, 0x6ed9_eba1, 0x8f1b_bcdc, 0xca62_c1d6];

/// SHA-1's compression function.
#[inline(always)]
pub(crate) fn compress(state: &mut [u32; 5], block: &[u32; 16]) {
    let mut words = *block;
    let mut s = *state;
    for (group, constant) in K.iter().enumerate() {
        for index in 20 * group..20 * group + 20 {
            if index >= 16 {
                words[index % 16] = scheduled(&words, index);
            }
            round(&mut s, group, words[index % 16].wrapping_add(*constant));
        }
    }
    for (word, mixed) in state.iter_mut().zip(s) {
        *word = word.wrapping_add(mixed);
    }
}

#[inline(always)]
fn round(s: &mut [u32; 5], group: usize, word: u32) {
    let [a, b, c, d, e] = *s;
    let mixed = match group {
        0 => d ^ (b & (c ^ d)),
        2 => (b & c) ^ (d & (b ^ c)),
        _ => b ^ c ^ d,
    };
    let first = a
        .rotate_left(5)
        .wrapping_add(mixed)
        .wrapping_add(e)
        .wrapping_add(word);
    *s = [first, a, b.rotate_left(30), c, d];
}

#[inline(always)]
fn scheduled(words: &[u32; 16], index: usize) -> u32 {
    let word = words[(index + 13) % 16]
        ^ words[(index + 8) % 16]
        ^ words[(index + 2) % 16]
        ^ words[index % 16];
    word.rotate_left(1)
}
