//! Whether the infrastructure fits the program and is safe, as far as that can be seen without Azure.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "infra/bicep.rs"]
mod bicep;
#[path = "infra/bicep_checks.rs"]
mod bicep_checks;
#[path = "infra/contract.rs"]
mod contract;
#[path = "infra/deploy.rs"]
mod deploy;
#[path = "infra/hardening.rs"]
mod hardening;
#[path = "infra/package.rs"]
mod package;
#[path = "infra/settings.rs"]
mod settings;
#[path = "infra/templates.rs"]
mod templates;
#[path = "infra/tools.rs"]
mod tools;
