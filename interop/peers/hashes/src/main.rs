//! Other crates beside djauth's hashers: `hashes CRATE` verifies what comes in, one JSON line
//! `{"password": …, "encoded": …}` at a time, and answers the nanoseconds that it took, as the benchmark
//! `hashers` does. Without an argument it prints a line for each crate: its name, and what it can verify.

mod rustcrypto;

use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::time::Instant;

/// Whether a password is the one of a hash in Django's form.
type Verify = fn(&str, &str) -> Result<bool, Box<dyn Error>>;

const CRATES: [(&str, Verify, &str); 2] = [
    (
        "djangohashers",
        djangohashers,
        // It takes Django's Argon2id for wrong.
        "pbkdf2_sha256 pbkdf2_sha1 bcrypt_sha256 bcrypt scrypt",
    ),
    (
        "rustcrypto",
        rustcrypto::verify,
        "pbkdf2_sha256 pbkdf2_sha1 argon2 scrypt",
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let Some(wanted) = std::env::args().nth(1) else {
        for (name, _, algorithms) in CRATES {
            println!("{name} {algorithms}");
        }
        return Ok(());
    };
    let found = CRATES.iter().find(|(name, ..)| *name == wanted);
    let (_, verify, _) = found.ok_or("no such crate")?;
    for line in std::io::stdin().lock().lines() {
        let task: serde_json::Value = serde_json::from_str(&line?)?;
        let text = |name: &str| task[name].as_str().ok_or("a value is missing");
        let start = Instant::now();
        let right = verify(text("password")?, text("encoded")?)?;
        let took = start.elapsed();
        if !right {
            return Err("a right password was refused".into());
        }
        println!("{}", took.as_nanos());
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn djangohashers(password: &str, encoded: &str) -> Result<bool, Box<dyn Error>> {
    djangohashers::check_password(password, encoded).map_err(|error| format!("{error:?}").into())
}
