//! Verifies what comes in, one JSON line `{"password": …, "encoded": …}` at a time, and answers the
//! nanoseconds that it took. `cargo xtask bench` asks Python's libraries the same in turn.

use djauth_hashers::Hashers;
use std::io::{BufRead as _, Write as _};
use std::time::Instant;

use crate::Failure;

pub(crate) fn run() -> Result<(), Failure> {
    let names = [
        "pbkdf2_sha256",
        "pbkdf2_sha1",
        "argon2",
        "bcrypt_sha256",
        "bcrypt",
        "scrypt",
    ];
    let hashers = Hashers::from_names(&names, &djauth_hashers::Parameters::default())?;
    for line in std::io::stdin().lock().lines() {
        let task: serde_json::Value = serde_json::from_str(&line?)?;
        let text = |name: &str| task[name].as_str().ok_or("a value is missing");
        let start = Instant::now();
        let verified = hashers.verify_password(text("password")?, text("encoded")?);
        let took = start.elapsed();
        if !verified.correct {
            return Err("a right password was refused".into());
        }
        println!("{}", took.as_nanos());
        std::io::stdout().flush()?;
    }
    Ok(())
}
