//! `argon2_kernels MIB [KERNEL]` prints the seconds in which so much memory is filled once, each block
//! from the one before it and from another that its first word names, with the best kernel or the named
//! one. Without arguments it prints the names of the kernels that this machine can run, the best first.

use std::error::Error;
use std::time::Instant;

use djauth_pbkdf2::argon2::{Block, Kernel};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let mut arguments = arguments.iter().map(String::as_str);
    let Some(mebibytes) = arguments.next() else {
        for kernel in Kernel::all() {
            println!("{}", kernel.name());
        }
        return Ok(());
    };
    let kernel = match arguments.next() {
        None => Kernel::detect(),
        Some(name) => named(name)?,
    };
    let mut memory = vec![Block::ZERO; 1024 * mebibytes.parse::<usize>()?];
    // Once, so that the pages are there.
    fill(kernel, &mut memory);
    println!("{:.6}", fill(kernel, &mut memory));
    Ok(())
}

fn named(name: &str) -> Result<Kernel, String> {
    let found = Kernel::all().find(|kernel| kernel.name() == name);
    found.ok_or_else(|| format!("this machine has no kernel {name}"))
}

fn fill(kernel: Kernel, memory: &mut [Block]) -> f64 {
    memory[0].words_mut()[0] = 1;
    let start = Instant::now();
    for index in 1..memory.len() {
        let (done, rest) = memory.split_at_mut(index);
        let last = &done[index - 1];
        let named = ((last.words()[0] & 0xffff_ffff) as usize * index) >> 32;
        kernel.compress(last, &done[named], &mut rest[0]);
    }
    std::hint::black_box(memory);
    start.elapsed().as_secs_f64()
}
