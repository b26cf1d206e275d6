//! What several test programs need.

#![allow(dead_code, reason = "no test program uses all of it")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

pub(crate) mod azurite;
pub(crate) mod command;
pub(crate) mod examples;
pub(crate) mod faulty;
pub(crate) mod folder;
pub(crate) mod in_process;
pub(crate) mod intercepted;
pub(crate) mod local_pipeline;
pub(crate) mod made_alike;
pub(crate) mod mangled;
pub(crate) mod memory_blobs;
pub(crate) mod memory_queue;
pub(crate) mod memory_store;
pub(crate) mod process;
pub(crate) mod storm;
