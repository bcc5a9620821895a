//! What the project does beside compiling: tests, vectors, interop, benchmarks.

fn main() {}
