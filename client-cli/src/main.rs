//! `motet`: parses, and calls the command.

fn main() {}
