//! Signing in to a server with the login of the Azure CLI.

use anyhow::{Context, bail, ensure};
use tokio::process::Command;
use tokio::sync::Mutex;

/// A token for a server, renewed when it has expired.
pub(super) struct SignIn {
    audience: String,
    token: Mutex<String>,
}

impl SignIn {
    /// Gets a token for `audience`, which the server or the user has named.
    pub(super) async fn new(audience: String) -> anyhow::Result<Self> {
        ensure!(
            !audience.is_empty(),
            "the server wants its users to sign in, but does not say to what: give --audience, such as \
             api://CLIENT_ID of its app registration"
        );
        let token = Mutex::new(token_for(&audience).await?);
        Ok(Self { audience, token })
    }

    /// The token.
    pub(super) async fn token(&self) -> String {
        self.token.lock().await.clone()
    }

    /// Gets another token.
    pub(super) async fn renew(&self) -> anyhow::Result<()> {
        *self.token.lock().await = token_for(&self.audience).await?;
        Ok(())
    }
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("audience", &self.audience).finish_non_exhaustive()
    }
}

/// Asks the Azure CLI for a token.
async fn token_for(audience: &str) -> anyhow::Result<String> {
    let mut az = Command::new("az");
    az.args(["account", "get-access-token", "--resource", audience]);
    az.args(["--query", "accessToken", "--output", "tsv"]).kill_on_drop(true);
    let output = az.output().await.context(
        "the server wants its users to sign in, but the Azure CLI could not be run: install it \
         (https://aka.ms/azure-cli) and run az login",
    )?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why").trim();
        bail!(
            "the Azure CLI gives no token for {audience}: {said}; run az login, or az login --scope \
             {audience}/.default if it asks for consent"
        );
    }
    let token = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    ensure!(!token.is_empty(), "the Azure CLI gives an empty token for {audience}; run az login");
    Ok(token)
}
