//! What several test programs need.

#![allow(dead_code, reason = "no test program uses all of it")]

pub(crate) mod azurite;
pub(crate) mod chaotic_queue;
pub(crate) mod in_process;
pub(crate) mod local_pipeline;
