//! What is to be computed, and the hash from start to end; RFC 9106, section 3.2.

use djauth_pbkdf2::argon2::{Block, Kernel};
use zeroize::{Zeroize, Zeroizing};

use super::blake2b::{blake2b, blake2b_long};
use super::fill::{GIVEN, fill};
use crate::{Error, ErrorKind, lanes, memory};

/// The parts of a lane after each of which all lanes wait for each other.
pub(super) const SLICES: usize = 4;
/// In bytes.
pub(super) const SHORTEST_SALT: usize = 8;
const SHORTEST_HASH: usize = 4;
const MOST_LANES: u32 = 0xff_ffff;

/// By what the blocks that a block is made from are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variety {
    /// By the memory's content.
    D = 0,
    /// By their place alone.
    I = 1,
    /// By their place, and by the content from half of the first pass on.
    Id = 2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V0x10 = 0x10,
    V0x13 = 0x13,
}

/// One way to hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance {
    pub(super) variety: Variety,
    pub(super) version: Version,
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Instance {
    /// With a memory in KiB.
    pub(super) fn new(
        variety: Variety,
        version: Version,
        [memory, passes, lanes]: [u32; 3],
    ) -> Result<Self, Error> {
        if !(1..=MOST_LANES).contains(&lanes) {
            return Err(Error::malformed("a number of lanes that Argon2 has not"));
        }
        if memory / 8 < lanes {
            return Err(Error::malformed("too little memory for Argon2"));
        }
        if passes < 1 {
            return Err(Error::malformed("no pass of Argon2"));
        }
        Ok(Self {
            variety,
            version,
            memory,
            passes,
            lanes,
        })
    }

    pub(super) fn passes(&self) -> usize {
        self.passes as usize
    }

    pub(super) fn lanes(&self) -> usize {
        self.lanes as usize
    }

    /// The blocks of a lane in one slice; two at least.
    pub(super) fn segment(&self) -> usize {
        self.memory as usize / (SLICES * self.lanes())
    }

    /// All blocks.
    pub(super) fn blocks(&self) -> usize {
        SLICES * self.lanes() * self.segment()
    }

    /// Fills `out` with the hash. With several lanes on the threads for lanes.
    pub(super) fn hash(&self, password: &[u8], salt: &[u8], out: &mut [u8]) -> Result<(), Error> {
        if salt.len() < SHORTEST_SALT {
            return Err(Error::malformed("the salt is too short for Argon2"));
        }
        if out.len() < SHORTEST_HASH {
            return Err(Error::malformed("the hash is too short for Argon2"));
        }
        let seed = self.seed(password, salt, out.len())?;
        memory::with_blocks(self.blocks(), |blocks| {
            lanes::run(self.lanes, || {
                self.compute(blocks, &seed, out, Kernel::detect());
            });
        });
        Ok(())
    }

    /// All that goes in.
    fn seed(&self, password: &[u8], salt: &[u8], length: usize) -> Result<Seed, Error> {
        let costs = [
            self.lanes,
            size(length)?,
            self.memory,
            self.passes,
            self.version as u32,
            self.variety as u32,
        ]
        .map(u32::to_le_bytes);
        let mut seed = Zeroizing::new([0; 64]);
        let parts: [&[u8]; 6] = [
            costs.as_flattened(),
            &size(password.len())?.to_le_bytes(),
            password,
            &size(salt.len())?.to_le_bytes(),
            salt,
            // Neither a secret nor associated data, which Django has no use for.
            &[0; 8],
        ];
        blake2b(&parts, &mut *seed);
        Ok(seed)
    }

    pub(super) fn compute(
        &self,
        memory: &mut [Block],
        seed: &Seed,
        out: &mut [u8],
        kernel: Kernel,
    ) {
        let lanes = memory.chunks_exact_mut(self.segment()).take(self.lanes());
        for (number, lane) in (0_u32..).zip(lanes) {
            begin(&mut lane[..GIVEN], number, seed);
        }
        fill(self, memory, kernel);
        let ends = memory.chunks_exact(self.segment()).rev().take(self.lanes());
        blake2b_long(&[&*sum(ends)], out);
    }
}

type Seed = Zeroizing<[u8; 64]>;

fn size(length: usize) -> Result<u32, Error> {
    let size = u32::try_from(length);
    size.map_err(|_| Error::new(ErrorKind::PasswordTooLong, "more than Argon2 can take"))
}

/// The blocks that are not made from others.
fn begin(blocks: &mut [Block], lane: u32, seed: &Seed) {
    let mut bytes = [0; size_of::<Block>()];
    for (number, block) in (0_u32..).zip(blocks) {
        let place = [number.to_le_bytes(), lane.to_le_bytes()];
        blake2b_long(&[&**seed, place.as_flattened()], &mut bytes);
        for (word, bytes) in block.words_mut().iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
    }
    bytes.zeroize();
}

/// Of the last block of each of these, in bytes.
fn sum<'a>(segments: impl Iterator<Item = &'a [Block]>) -> Zeroizing<[u8; size_of::<Block>()]> {
    let mut sum = Block::ZERO;
    for end in segments.filter_map(<[Block]>::last) {
        for (sum, word) in sum.words_mut().iter_mut().zip(end.words()) {
            *sum ^= word;
        }
    }
    let mut bytes = Zeroizing::new([0; size_of::<Block>()]);
    for (bytes, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(sum.words()) {
        *bytes = word.to_le_bytes();
    }
    sum.zeroize();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace;
    use proptest::prelude::*;

    const VARIETIES: [Variety; 3] = [Variety::D, Variety::I, Variety::Id];
    const VERSIONS: [Version; 2] = [Version::V0x10, Version::V0x13];

    fn library(instance: &Instance, password: &[u8], salt: &[u8], out: &mut [u8]) {
        let variety = match instance.variety {
            Variety::D => argon2::Algorithm::Argon2d,
            Variety::I => argon2::Algorithm::Argon2i,
            Variety::Id => argon2::Algorithm::Argon2id,
        };
        let version = argon2::Version::try_from(instance.version as u32).unwrap();
        let Instance {
            memory,
            passes,
            lanes,
            ..
        } = *instance;
        let params = argon2::Params::new(memory, passes, lanes, Some(out.len())).unwrap();
        let argon2 = argon2::Argon2::new(variety, version, params);
        argon2.hash_password_into(password, salt, out).unwrap();
    }

    prop_compose! {
        fn instance()(
            variety in prop::sample::select(&VARIETIES),
            version in prop::sample::select(&VERSIONS),
            lanes in prop_oneof![3 => 1_u32..5, 1 => 5_u32..20],
            // Past 128 blocks a segment takes a second block of addresses.
            blocks in prop_oneof![3 => 8_u32..70, 1 => 500_u32..1300],
            passes in 1_u32..5,
            odd in 0_u32..100,
        ) -> Instance {
            Instance::new(variety, version, [blocks * lanes + odd, passes, lanes]).unwrap()
        }
    }

    proptest! {
        /// The reference is RustCrypto's implementation.
        #[test]
        fn equals_the_library(
            instance in instance(),
            password in prop::collection::vec(any::<u8>(), 0..200),
            salt in prop::collection::vec(any::<u8>(), 8..200),
            length in prop_oneof![4_usize..70, 70_usize..300],
        ) {
            let mut expected = vec![0; length];
            library(&instance, &password, &salt, &mut expected);
            let mut ours = vec![0; length];
            instance.hash(&password, &salt, &mut ours).unwrap();
            prop_assert_eq!(&ours, &expected);
            let seed = instance.seed(&password, &salt, length).unwrap();
            for kernel in Kernel::all() {
                // What the memory held does not matter.
                let mut memory = vec![Block::ZERO; instance.blocks()];
                memory.iter_mut().for_each(|block| block.words_mut().fill(7));
                instance.compute(&mut memory, &seed, &mut ours, kernel);
                prop_assert_eq!(&ours, &expected, "{:?}", kernel);
            }
        }

        /// Nothing is refused that the library takes, and nothing taken that it refuses.
        #[test]
        fn takes_what_the_library_takes(
            memory in prop_oneof![0_u32..200, any::<u32>()],
            passes in prop_oneof![0_u32..3, any::<u32>()],
            lanes in prop_oneof![0_u32..30, any::<u32>()],
        ) {
            let theirs = argon2::Params::new(memory, passes, lanes, None);
            let ours = Instance::new(Variety::Id, Version::V0x13, [memory, passes, lanes]);
            prop_assert_eq!(ours.is_ok(), theirs.is_ok());
            if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                prop_assert_eq!(ours.blocks(), theirs.block_count());
            }
        }
    }

    #[test]
    fn short_salts_and_hashes_are_refused() {
        let instance = Instance::new(Variety::Id, Version::V0x13, [8, 1, 1]).unwrap();
        for (salt, hash) in [(7, 4), (8, 3), (0, 0)] {
            let refused = instance.hash(b"", &vec![0; salt], &mut vec![0; hash]);
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Malformed);
        }
        instance.hash(b"", &[0; 8], &mut [0; 4]).unwrap();
    }

    /// What argon2-cffi 25.1.0 answers (`argon2.low_level.hash_secret_raw`) for the password, salt and costs of
    /// RFC 9106, section 5. The tags there need a secret and associated data, which Django has not.
    #[test]
    fn argon2_cffi() {
        for (variety, version, tag) in CFFI {
            let instance = Instance::new(variety, version, [32, 3, 4]).unwrap();
            let mut hash = [0; 32];
            instance.hash(&[1; 32], &[2; 16], &mut hash).unwrap();
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, tag, "{variety:?} {version:?}");
        }
    }

    const CFFI: [(Variety, Version, &str); 6] = [
        (
            Variety::D,
            Version::V0x10,
            "b9c4d0d6488d80216627ba19f614543257a5defa910df94084384926f33b1941",
        ),
        (
            Variety::D,
            Version::V0x13,
            "9e34c31a47866ce0c30a90c69dd21022d5329a3b75f9c513722dd2541fe93a1a",
        ),
        (
            Variety::I,
            Version::V0x10,
            "e12e31ce20fa65243b42bb548d3c6581805e979ad7b139852f70bf3dcfe853b2",
        ),
        (
            Variety::I,
            Version::V0x13,
            "a9a7510e6db4d588ba3414cd0e094d480d683f97b9ccb612a544fe8ef65ba8e0",
        ),
        (
            Variety::Id,
            Version::V0x10,
            "7dda2727d1d6662b9f4b53e3828a9ce7787d1a4cc7dc5bce617f11821d57d9f2",
        ),
        (
            Variety::Id,
            Version::V0x13,
            "03aab965c12001c9d7d0d2de33192c0494b684bb148196d73c1df1acaf6d0c2e",
        ),
    ];

    #[test]
    fn a_thread_offers_its_core_in_the_middle_of_a_segment() {
        use std::cell::Cell;

        thread_local! {
            static OFFERS: Cell<usize> = const { Cell::new(0) };
        }
        let blocks = 2 * pace::BLOCKS + 10;
        let memory = u32::try_from(SLICES * blocks).unwrap();
        let instance = Instance::new(Variety::Id, Version::V0x13, [memory, 2, 1]).unwrap();
        let mut memory = vec![Block::ZERO; instance.blocks()];
        let compute = |memory: &mut [Block]| {
            instance.compute(
                memory,
                &Zeroizing::new([0; 64]),
                &mut [0; 32],
                Kernel::detect(),
            );
            OFFERS.get()
        };
        assert_eq!(compute(&mut memory), 0, "nobody has asked for it");
        pace::offer_core_with(|| OFFERS.set(OFFERS.get() + 1));
        assert_eq!(compute(&mut memory), 2 * SLICES * 3);
    }
}
