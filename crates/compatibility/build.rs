//! Takes the paths of Rust from COMPATIBILITY.md.

use std::collections::BTreeSet;
use std::{env, fs, path::Path};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = root.join("COMPATIBILITY.md");
    println!("cargo::rerun-if-changed={}", page.display());
    let text = fs::read_to_string(&page).expect("COMPATIBILITY.md stands beside the crates");
    let code = text
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    let paths: BTreeSet<&str> = code
        .filter(|code| code.starts_with("djauth") && code.contains("::"))
        .collect();
    let links: String = paths.iter().map(|path| format!("- [`{path}`]\n")).collect();
    let out = env::var("OUT_DIR").expect("cargo names the folder");
    let intro = "Every path of Rust that COMPATIBILITY.md names.\n\n";
    fs::write(Path::new(&out).join("paths.md"), intro.to_owned() + &links).expect("can be written");
}
