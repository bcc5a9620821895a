/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4).
pub(crate) const K: [[u32; 16]; 4] = [
    [
        0x428a_2f98,
        0x7137_4491,
        0xb5c0_fbcf,
        0xe9b5_dba5,
        0x3956_c25b,
        0x59f1_11f1,
        0x923f_82a4,
        0xab1c_5ed5,
        0xd807_aa98,
        0x1283_5b01,
        0x2431_85be,
        0x550c_7dc3,
        0x72be_5d74,
        0x80de_b1fe,
        0x9bdc_06a7,
        0xc19b_f174,
    ],
    [
        0xe49b_69c1,
        0xefbe_4786,
        0x0fc1_9dc6,
        0x240c_a1cc,
        0x2de9_2c6f,
        0x4a74_84aa,
        0x5cb0_a9dc,
        0x76f9_88da,
        0x983e_5152,
        0xa831_c66d,
        0xb003_27c8,
        0xbf59_7fc7,
        0xc6e0_0bf3,
        0xd5a7_9147,
        0x06ca_6351,
        0x1429_2967,
    ],
    [
        0x27b7_0a85,
        0x2e1b_2138,
        0x4d2c_6dfc,
        0x5338_0d13,
        0x650a_7354,
        0x766a_0abb,
        0x81c2_c92e,
        0x9272_2c85,
        0xa2bf_e8a1,
        0xa81a_664b,
        0xc24b_8b70,
        0xc76c_51a3,
        0xd192_e819,
        0xd699_0624,
        0xf40e_3585,
        0x106a_a070,
    ],
    [
        0x19a4_c116,
        0x1e37_6c08,
        0x2748_774c,
        0x34b0_bcb5,
        0x391c_0cb3,
        0x4ed8_aa4a,
        0x5b9c_ca4f,
        0x682e_6ff3,
        0x748f_82ee,
        0x78a5_636f,
        0x84c8_7814,
        0x8cc7_0208,
        0x90be_fffa,
        0xa450_6ceb,
        0xbef9_a3f7,
        0xc671_78f2,
    ],
];

/// SHA-256's compression function. Sixteen words of the message schedule are kept; each round but the
/// last sixteen makes the word that stands sixteen places on.
#[inline(always)]
pub(crate) fn compress(state: &mut [u32; 8], block: &[u32; 16]) {
    let mut words = *block;
    let mut s = *state;
    for (group, constants) in K.iter().enumerate() {
        for index in 0..16 {
            round(&mut s, words[index].wrapping_add(constants[index]));
            if group < 3 {
                words[index] = scheduled(&words, index);
            }
        }
    }
    for (word, mixed) in state.iter_mut().zip(s) {
        *word = word.wrapping_add(mixed);
    }
}

#[inline(always)]
fn round(s: &mut [u32; 8], word: u32) {
    let [a, b, c, d, e, f, g, h] = *s;
    let sum1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
    let choice = g ^ (e & (f ^ g));
    let first = h.wrapping_add(sum1).wrapping_add(choice).wrapping_add(word);
    let sum0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
    let majority = (a & b) ^ (c & (a ^ b));
    let second = sum0.wrapping_add(majority);
    *s = [
        first.wrapping_add(second),
        a,
        b,
        c,
        d.wrapping_add(first),
        e,
        f,
        g,
    ];
}

#[inline(always)]
fn scheduled(words: &[u32; 16], index: usize) -> u32 {
    let [early, late] = [words[(index + 1) % 16], words[(index + 14) % 16]];
    let sigma0 = early.rotate_right(7) ^ early.rotate_right(18) ^ (early >> 3);
    let sigma1 = late.rotate_right(17) ^ late.rotate_right(19) ^ (late >> 10);
    words[index]
        .wrapping_add(sigma0)
        .wrapping_add(words[(index + 9) % 16])
        .wrapping_add(sigma1)
}
