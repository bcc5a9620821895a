//! What `cargo xtask bench` measures in processes of our own: `measured NAME ARGUMENT…`. One program, because
//! linking it takes longer than all the rest.

mod functions;
mod hashers;
mod request_path;
mod with_perm;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments = std::env::args().skip(1);
    let arguments: Vec<String> = arguments.filter(|a| a != "--bench").collect();
    match arguments.split_first() {
        Some((name, arguments)) if name == "functions" => functions::run(arguments),
        Some((name, arguments)) if name == "request_path" => request_path::run(arguments),
        Some((name, arguments)) if name == "with_perm" => with_perm::run(arguments),
        Some((name, _)) if name == "hashers" => hashers::run(),
        _ => Err("usage: measured functions|hashers|request_path|with_perm ARGUMENT…".into()),
    }
}
