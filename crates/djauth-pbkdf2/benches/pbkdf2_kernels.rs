//! `pbkdf2_kernels ITERATIONS STREAMS [KERNEL [HASH]]` prints the seconds in which so many derivations
//! run together, each of so many iterations, with the best kernel or the named one; HASH is `sha256`
//! (the default) or `sha1`. Without arguments it prints the names of the kernels that this machine can
//! run, the best first, and how many streams each wants.

use djauth_pbkdf2::{Hash, Job, Kernel, Sha1, Sha256};
use std::error::Error;
use std::time::Instant;

/// As long as the callers of the kernels let them run before they look up.
const ROUNDS: u32 = 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let mut arguments = arguments.iter().map(String::as_str);
    let Some(iterations) = arguments.next() else {
        for kernel in Kernel::all() {
            println!("{} {}", kernel.name(), kernel.streams());
        }
        return Ok(());
    };
    let (iterations, streams) = (
        iterations.parse()?,
        arguments.next().unwrap_or("1").parse()?,
    );
    let kernel = match arguments.next() {
        None => Kernel::detect(),
        Some(name) => named(name)?,
    };
    let seconds = match arguments.next().unwrap_or("sha256") {
        "sha256" => derive::<Sha256>(kernel, iterations, streams),
        "sha1" => derive::<Sha1>(kernel, iterations, streams),
        other => return Err(format!("no hash is called {other}").into()),
    };
    println!("{seconds:.6}");
    Ok(())
}

fn named(name: &str) -> Result<Kernel, String> {
    let found = Kernel::all().find(|kernel| kernel.name() == name);
    found.ok_or_else(|| format!("this machine has no kernel {name}"))
}

fn derive<H: Hash>(kernel: Kernel, iterations: u64, streams: usize) -> f64 {
    let start = Instant::now();
    let job = |number: usize| {
        Job::<H>::new(
            b"correct horse battery staple",
            &number.to_be_bytes(),
            iterations,
        )
    };
    let mut jobs: Vec<_> = (0..streams).map(job).collect();
    let mut together: Vec<_> = jobs.iter_mut().collect();
    while together.iter().any(|job| !job.is_done()) {
        kernel.advance(&mut together, ROUNDS);
    }
    let outputs: Vec<_> = jobs.iter().map(Job::output).collect();
    std::hint::black_box(outputs);
    start.elapsed().as_secs_f64()
}
