//! `argon2 [ROUNDS]` prints the milliseconds of a hash at Django's default costs, wall and processor time:
//! ours, and that of RustCrypto's library with memory that is kept as ours is.

use std::time::Instant;

use djauth_hashers::{Hashers, Parameters};

const SALT: &str = "abcdefghijklmnopqrstuv";

fn main() {
    let rounds = std::env::args().find_map(|argument| argument.parse().ok());
    let hashers = Hashers::from_names(&["argon2"], &Parameters::default()).unwrap();
    let ours = hashers.get_hasher("argon2").unwrap();
    let params = argon2::Params::new(102_400, 2, 8, None).unwrap();
    let mut memory = vec![argon2::Block::new(); params.block_count()];
    let library = argon2::Argon2::from(params);
    for _ in 0..rounds.unwrap_or(5) {
        timed("ours", || {
            drop(ours.encode(b"correct horse", SALT).unwrap());
        });
        timed("library", || {
            let (mut hash, salt) = ([0; 32], SALT.as_bytes());
            let made = library.hash_password_into_with_memory(
                b"correct horse",
                salt,
                &mut hash,
                &mut memory,
            );
            made.unwrap();
        });
    }
}

fn timed(name: &str, hash: impl FnOnce()) {
    let (begun, before) = (Instant::now(), processor());
    hash();
    let wall = begun.elapsed().as_secs_f64() * 1e3;
    println!("{name} {wall:.1} {:.0}", processor() - before);
}

/// Milliseconds that the process has had, where Linux tells.
fn processor() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let nanos = tasks.filter_map(|task| {
        let told = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        told.split(' ').next()?.parse::<f64>().ok()
    });
    nanos.sum::<f64>() / 1e6
}
