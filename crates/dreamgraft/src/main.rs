//! The dreamgraft program.
fn main() {}
