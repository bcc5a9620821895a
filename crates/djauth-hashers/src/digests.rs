//! Single digests, from the days before key stretching. Only for old rows and for tests.

use md5::Md5;
use sha1::Sha1;
use sha2::Digest;

use crate::hasher::must_update_salt;
use crate::text::{check_salt, expect_algorithm, fields_rest, hex, same};
use crate::{Decoded, Error, ErrorKind, PasswordHasher};

/// `md5$<salt>$<hex>`; mirrors `MD5PasswordHasher`. Fast to guess: for test suites only.
#[derive(Clone, Debug, Default)]
pub struct MD5PasswordHasher;

/// `sha1$<salt>$<hex>`; mirrors `SHA1PasswordHasher`, which Django had until 5.0.
#[derive(Clone, Debug, Default)]
pub struct SHA1PasswordHasher;

/// Bare MD5 in hexadecimal, also as `md5$$<hex>`; mirrors `UnsaltedMD5PasswordHasher`, which
/// Django had until 5.0.
#[derive(Clone, Debug, Default)]
pub struct UnsaltedMD5PasswordHasher;

/// `sha1$$<hex>`; mirrors `UnsaltedSHA1PasswordHasher`, which Django had until 5.0.
#[derive(Clone, Debug, Default)]
pub struct UnsaltedSHA1PasswordHasher;

fn digest<D: Digest>(salt: &str, password: &[u8]) -> String {
    hex(&D::new_with_prefix(salt).chain_update(password).finalize())
}

fn split<'a>(encoded: &'a str, algorithm: &str) -> Result<(&'a str, &'a str), Error> {
    let [found, salt, hash] = fields_rest(encoded)?;
    expect_algorithm(found, algorithm)?;
    Ok((salt, hash))
}

fn encode<D: Digest>(algorithm: &str, password: &[u8], salt: &str) -> Result<String, Error> {
    check_salt(salt)?;
    Ok(format!(
        "{algorithm}${salt}${}",
        digest::<D>(salt, password)
    ))
}

fn refuse_salt(salt: &str) -> Result<(), Error> {
    if salt.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidSalt, "this format has none"))
}

impl PasswordHasher for MD5PasswordHasher {
    fn algorithm(&self) -> &'static str {
        "md5"
    }

    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error> {
        encode::<Md5>(self.algorithm(), password, salt)
    }

    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error> {
        let (salt, _) = split(encoded, self.algorithm())?;
        Ok(same(encoded, &self.encode(password, salt)?))
    }

    fn decode(&self, encoded: &str) -> Result<Decoded, Error> {
        let (salt, hash) = split(encoded, self.algorithm())?;
        Ok(Decoded::new(self.algorithm(), Some(salt.into()), hash).shown(2, 6))
    }

    fn must_update(&self, encoded: &str) -> Result<bool, Error> {
        Ok(must_update_salt(
            split(encoded, self.algorithm())?.0.chars().count(),
        ))
    }

    /// Nothing: a digest has no cost to make up for.
    fn harden_runtime(&self, _password: &[u8], _encoded: &str) -> Result<(), Error> {
        Ok(())
    }
}

impl PasswordHasher for SHA1PasswordHasher {
    fn algorithm(&self) -> &'static str {
        "sha1"
    }

    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error> {
        encode::<Sha1>(self.algorithm(), password, salt)
    }

    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error> {
        let (salt, _) = split(encoded, self.algorithm())?;
        Ok(same(encoded, &self.encode(password, salt)?))
    }

    fn decode(&self, encoded: &str) -> Result<Decoded, Error> {
        let (salt, hash) = split(encoded, self.algorithm())?;
        Ok(Decoded::new(self.algorithm(), Some(salt.into()), hash).shown(2, 6))
    }

    fn must_update(&self, encoded: &str) -> Result<bool, Error> {
        Ok(must_update_salt(
            split(encoded, self.algorithm())?.0.chars().count(),
        ))
    }

    /// Nothing: a digest has no cost to make up for.
    fn harden_runtime(&self, _password: &[u8], _encoded: &str) -> Result<(), Error> {
        Ok(())
    }
}

impl PasswordHasher for UnsaltedMD5PasswordHasher {
    fn algorithm(&self) -> &'static str {
        "unsalted_md5"
    }

    fn salt(&self) -> Result<String, Error> {
        Ok(String::new())
    }

    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error> {
        refuse_salt(salt)?;
        Ok(digest::<Md5>("", password))
    }

    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error> {
        let bare = encoded.strip_prefix("md5$$").unwrap_or(encoded);
        Ok(same(bare, &digest::<Md5>("", password)))
    }

    fn decode(&self, encoded: &str) -> Result<Decoded, Error> {
        Ok(Decoded::new(self.algorithm(), None, encoded).shown(0, 3))
    }

    fn must_update(&self, _encoded: &str) -> Result<bool, Error> {
        Ok(false)
    }

    /// Nothing: a digest has no cost to make up for.
    fn harden_runtime(&self, _password: &[u8], _encoded: &str) -> Result<(), Error> {
        Ok(())
    }
}

impl PasswordHasher for UnsaltedSHA1PasswordHasher {
    fn algorithm(&self) -> &'static str {
        "unsalted_sha1"
    }

    fn salt(&self) -> Result<String, Error> {
        Ok(String::new())
    }

    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error> {
        refuse_salt(salt)?;
        Ok(format!("sha1$${}", digest::<Sha1>("", password)))
    }

    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error> {
        Ok(same(encoded, &self.encode(password, "")?))
    }

    fn decode(&self, encoded: &str) -> Result<Decoded, Error> {
        let hash = encoded
            .strip_prefix("sha1$$")
            .ok_or(Error::malformed("no sha1$$"))?;
        Ok(Decoded::new(self.algorithm(), None, hash))
    }

    fn must_update(&self, _encoded: &str) -> Result<bool, Error> {
        Ok(false)
    }

    /// Nothing: a digest has no cost to make up for.
    fn harden_runtime(&self, _password: &[u8], _encoded: &str) -> Result<(), Error> {
        Ok(())
    }
}
