//! What several test programs need.

#![allow(dead_code, reason = "no test program uses all of it")]

pub(crate) mod azurite;
pub(crate) mod faulty;
pub(crate) mod in_process;
