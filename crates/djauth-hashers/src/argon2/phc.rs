//! The string form of Argon2 hashes, read as the C library and argon2-cffi read it.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::instance::{Variety, Version};
use crate::Error;
use crate::text::cost;

/// What the C library takes: no padding, no stray bits.
const STRICT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// What Python takes when Django looks at the salt: stray bits in the last letter are ignored.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// argon2-cffi reports this version for a string without `v=`.
const IMPLIED_VERSION: i64 = 18;
const IMPLIED_VERSION_FIELD: &str = "v=18";

impl Variety {
    fn parse(name: &str) -> Option<Self> {
        [Self::D, Self::I, Self::Id]
            .into_iter()
            .find(|variety| variety.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::D => "argon2d",
            Self::I => "argon2i",
            Self::Id => "argon2id",
        }
    }
}

/// The parts of `$argon2id$v=19$m=…,t=…,p=…$<salt>$<hash>`.
pub(super) struct Phc<'a> {
    pub(super) variety: Variety,
    pub(super) version: i64,
    pub(super) memory_cost: i64,
    pub(super) time_cost: i64,
    pub(super) parallelism: i64,
    salt: &'a str,
    pub(super) hash: &'a str,
    text: &'a str,
}

impl<'a> Phc<'a> {
    /// Reads leniently, as argon2-cffi does to find the parameters: any order, any
    /// number form, the last of several.
    pub(super) fn parse(text: &'a str) -> Result<Self, Error> {
        let malformed = || Error::malformed("not an Argon2 string");
        let parts: Vec<&str> = text.split('$').collect();
        let (variety, version, costs, salt, hash) = match parts[..] {
            ["", variety, version, costs, salt, hash] => (variety, version, costs, salt, hash),
            ["", variety, costs, salt, hash] => (variety, IMPLIED_VERSION_FIELD, costs, salt, hash),
            _ => return Err(malformed()),
        };
        let [mut v, mut m, mut t, mut p] = [None; 4];
        for pair in std::iter::once(version).chain(costs.split(',')) {
            let (name, value) = pair.split_once('=').ok_or_else(malformed)?;
            let slot = match name {
                "v" => &mut v,
                "m" => &mut m,
                "t" => &mut t,
                "p" => &mut p,
                _ => return Err(malformed()),
            };
            *slot = Some(cost(value)?);
        }
        let (Some(version), Some(m), Some(t), Some(p)) = (v, m, t, p) else {
            return Err(malformed());
        };
        let variety = Variety::parse(variety).ok_or_else(malformed)?;
        Ok(Self {
            variety,
            version,
            memory_cost: m,
            time_cost: t,
            parallelism: p,
            salt,
            hash,
            text,
        })
    }

    /// Salt and hash, if the whole string is what the C library itself would have written.
    pub(super) fn canonical(&self) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let version = match self.version {
            IMPLIED_VERSION if !self.text.contains("$v=") => String::new(),
            version => format!("$v={version}"),
        };
        let written = format!(
            "${}{version}$m={},t={},p={}${}${}",
            self.variety.name(),
            self.memory_cost,
            self.time_cost,
            self.parallelism,
            self.salt,
            self.hash,
        );
        if written != self.text {
            return Err(Error::malformed("not a canonical Argon2 string"));
        }
        let bytes = |text| {
            STRICT
                .decode(text)
                .map_err(|_| Error::malformed("not base64"))
        };
        Ok((bytes(self.salt)?, bytes(self.hash)?))
    }

    /// The salt as Django sees it when it judges its strength.
    pub(super) fn salt(&self) -> Result<Vec<u8>, Error> {
        LENIENT
            .decode(self.salt)
            .map_err(|_| Error::malformed("salt is not base64"))
    }

    /// argon2-cffi computes it from the number of characters.
    pub(super) fn hash_length(&self) -> usize {
        self.hash.chars().count() * 3 / 4
    }

    pub(super) fn computed_version(&self) -> Result<Version, Error> {
        match self.version {
            0x13 => Ok(Version::V0x13),
            0x10 => Ok(Version::V0x10),
            IMPLIED_VERSION if !self.text.contains("$v=") => Ok(Version::V0x10),
            _ => Err(Error::malformed("unknown Argon2 version")),
        }
    }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    STRICT.encode(bytes)
}
