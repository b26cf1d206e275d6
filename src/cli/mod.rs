//! The subcommands of `skyblast`: arguments in, library calls, text out.

pub mod makedb;
