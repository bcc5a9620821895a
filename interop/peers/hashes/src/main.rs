//! Other crates' PBKDF2-HMAC-SHA256, beside djauth's: `hashes ITERATIONS PEER` prints the seconds of one
//! derivation. Without arguments it prints the peers' names.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::error::Error;
use std::time::Instant;

const PEERS: [&str; 2] = ["djangohashers", "rustcrypto"];
const PASSWORD: &str = "correct horse battery staple";
const SALT: &str = "seasaltseasaltseasalts";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [iterations, peer] = arguments.as_slice() else {
        println!("{}", PEERS.join("\n"));
        return Ok(());
    };
    let iterations = iterations.parse()?;
    let seconds = match peer.as_str() {
        "djangohashers" => djangohashers(iterations)?,
        "rustcrypto" => rustcrypto(iterations),
        other => return Err(format!("no peer is called {other}").into()),
    };
    println!("{seconds:.6}");
    Ok(())
}

fn rustcrypto(iterations: u32) -> f64 {
    let start = Instant::now();
    std::hint::black_box(derived(iterations));
    start.elapsed().as_secs_f64()
}

fn derived(iterations: u32) -> [u8; 32] {
    pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(PASSWORD.as_bytes(), SALT.as_bytes(), iterations)
}

/// It verifies a stored password as Django does; a wrong answer is an error.
fn djangohashers(iterations: u32) -> Result<f64, Box<dyn Error>> {
    let hash = BASE64_STANDARD.encode(derived(iterations));
    let stored = format!("pbkdf2_sha256${iterations}${SALT}${hash}");
    let start = Instant::now();
    let right = djangohashers::check_password(PASSWORD, &stored).map_err(|e| format!("{e:?}"))?;
    let seconds = start.elapsed().as_secs_f64();
    if right {
        Ok(seconds)
    } else {
        Err("a right password was refused".into())
    }
}
