//! djauth as a server.

fn main() {}
