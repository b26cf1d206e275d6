//! The `skyblast` command.
fn main() {}
