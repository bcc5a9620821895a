//! RustCrypto's functions, with all that makes them fast: more than one core, and memory that is kept.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use std::cell::RefCell;
use std::error::Error;

thread_local!(static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) });

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) fn verify(password: &str, encoded: &str) -> Result<bool> {
    let parts: Vec<&str> = encoded.split('$').collect();
    match parts.as_slice() {
        ["pbkdf2_sha256", iterations, salt, hash] => {
            let found = pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>;
            same(
                hash,
                &found(password.as_bytes(), salt.as_bytes(), iterations.parse()?),
            )
        }
        ["pbkdf2_sha1", iterations, salt, hash] => {
            let found = pbkdf2::pbkdf2_hmac_array::<sha1::Sha1, 20>;
            same(
                hash,
                &found(password.as_bytes(), salt.as_bytes(), iterations.parse()?),
            )
        }
        ["scrypt", n, salt, r, p, hash] => {
            let log_n = u8::try_from(n.parse::<u64>()?.ilog2())?;
            let params = scrypt::Params::new(log_n, r.parse()?, p.parse()?)?;
            let mut found = [0; 64];
            scrypt::scrypt(password.as_bytes(), salt.as_bytes(), &params, &mut found)?;
            same(hash, &found)
        }
        ["argon2", "argon2id", "v=19", costs, salt, hash] => argon2id(password, costs, salt, hash),
        _ => Err("a hash of another algorithm".into()),
    }
}

fn argon2id(password: &str, costs: &str, salt: &str, hash: &str) -> Result<bool> {
    let cost = |name: &str| {
        let found = costs.split(',').find_map(|cost| cost.strip_prefix(name));
        Ok::<u32, Box<dyn Error>>(found.ok_or("a cost is missing")?.parse()?)
    };
    let params = Params::new(cost("m=")?, cost("t=")?, cost("p=")?, Some(32))?;
    let blocks = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = BASE64_STANDARD_NO_PAD.decode(salt)?;
    let mut found = [0; 32];
    MEMORY.with_borrow_mut(|memory| {
        memory.resize_with(blocks, Block::new);
        argon2.hash_password_into_with_memory(password.as_bytes(), &salt, &mut found, memory)
    })?;
    Ok(BASE64_STANDARD_NO_PAD.decode(hash)? == found)
}

fn same(hash: &str, found: &[u8]) -> Result<bool> {
    Ok(BASE64_STANDARD.decode(hash)? == found)
}
