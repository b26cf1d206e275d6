//! What keeps a deployment safe and checkov does not see: no keys, no public blobs, narrow roles whose names are
//! known before anything is deployed.

use crate::bicep::{Expr, Kind, Source};

/// Resource type, path of a property, and what must stand there.
const REQUIRED: [(&str, &str, Expr); 11] = [
    (ACCOUNT, "properties.allowSharedKeyAccess", Expr::Bool(false)),
    (ACCOUNT, "properties.allowBlobPublicAccess", Expr::Bool(false)),
    (ACCOUNT, "properties.allowCrossTenantReplication", Expr::Bool(false)),
    (ACCOUNT, "properties.defaultToOAuthAuthentication", Expr::Bool(true)),
    (BLOBS, "properties.deleteRetentionPolicy.enabled", Expr::Bool(true)),
    (BLOBS, "properties.containerDeleteRetentionPolicy.enabled", Expr::Bool(true)),
    ("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "properties.allow", Expr::Bool(false)),
    ("Microsoft.Insights/components", "properties.DisableLocalAuth", Expr::Bool(true)),
    ("Microsoft.Web/serverfarms", "properties.reserved", Expr::Bool(true)),
    ("Microsoft.Storage/storageAccounts/managementPolicies", "properties.policy.rules", Expr::Null),
    ("Microsoft.Storage/storageAccounts/blobServices/containers", "properties.publicAccess", Expr::Null),
];

/// The same for texts.
const REQUIRED_TEXTS: [(&str, &str, &str); 5] = [
    (SITE, "properties.siteConfig.minTlsVersion", "1.2"),
    (SITE, "identity.type", "UserAssigned"),
    (SITE, "properties.functionAppConfig.runtime.name", "custom"),
    (SITE, "properties.functionAppConfig.deployment.storage.authentication.type", "UserAssignedIdentity"),
    ("Microsoft.Storage/storageAccounts/blobServices/containers", "properties.publicAccess", "None"),
];

const ACCOUNT: &str = "Microsoft.Storage/storageAccounts";
const BLOBS: &str = "Microsoft.Storage/storageAccounts/blobServices";
const SITE: &str = "Microsoft.Web/sites";

/// What must not be written anywhere: ways to a key, and settings that Flex Consumption does not bear.
const FORBIDDEN: [&str; 15] = [
    "listKeys(",
    "listAccountSas(",
    "listServiceSas(",
    "AccountKey=",
    "SharedAccessSignature",
    "clientSecret",
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_CONTENT",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "WEBSITE_TIME_ZONE",
    "linuxFxVersion",
    "ftpsState",
];

/// Built-in roles and their ids.
pub(crate) const ROLES: [(&str, &str); 5] = [
    ("storageBlobDataOwner", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),
    ("storageBlobDataContributor", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
    ("storageBlobDelegator", "db58b8e5-c6ad-4a2a-8342-4190687cbf4a"),
    ("storageQueueDataContributor", "974c5e8b-45b9-4653-ba55-5f855dd0fb88"),
    ("monitoringMetricsPublisher", "3913510d-42f4-4e42-8a64-420c390055eb"),
];

/// Problems of a file.
pub(crate) fn problems(source: &Source) -> Vec<String> {
    let mut found: Vec<String> = FORBIDDEN
        .iter()
        .filter(|word| source.text.contains(*word))
        .map(|word| format!("{word} must not be used"))
        .collect();
    for (name, ty, _, existing, body) in source.resources().filter(|(_, _, _, existing, _)| !existing) {
        debug_assert!(!existing);
        for (_, path, wanted) in REQUIRED.iter().filter(|(of, ..)| *of == ty) {
            let value = body.at(path);
            let right = if *wanted == Expr::Null { value.is_some() } else { value == Some(wanted) };
            if !right {
                found.push(format!("{name}.{path} must be {wanted:?}"));
            }
        }
        for (_, path, wanted) in REQUIRED_TEXTS.iter().filter(|(of, ..)| *of == ty) {
            if body.at(path).and_then(Expr::text) != Some(wanted) {
                found.push(format!("{name}.{path} must be '{wanted}'"));
            }
        }
        if ty == SITE && body.at("properties.siteConfig").map(Expr::keys) != Some(vec!["minTlsVersion"]) {
            found.push(format!("{name}: Flex Consumption takes no siteConfig but minTlsVersion"));
        }
        if ty == "Microsoft.Authorization/roleAssignments" {
            check_role(name, body, &mut found);
        }
    }
    check_roles(source, &mut found);
    found.extend(secret_outputs(source));
    found
}

/// A role is given on a resource, to somebody of a known kind, under a name that stays the same.
fn check_role(name: &str, body: &Expr, found: &mut Vec<String>) {
    for property in ["scope", "properties.principalType"] {
        if body.at(property).is_none() {
            found.push(format!("{name} lacks {property}"));
        }
    }
    let known_at_the_start = |part: &Expr| match part {
        Expr::Member(resource, property) => matches!(**resource, Expr::Symbol(_)) && property == "id",
        Expr::Symbol(symbol) => symbol != "appPrincipalId",
        _ => false,
    };
    if !matches!(body.get("name"), Some(Expr::Call(function, parts))
        if function == "guid" && parts.len() == 3 && parts.iter().all(known_at_the_start))
    {
        found.push(format!("{name}.name must be guid(scope, principal, role) of values known at the start"));
    }
}

/// Every text that looks like a role's id is one, under its name.
fn check_roles(source: &Source, found: &mut Vec<String>) {
    for declaration in &source.declarations {
        let Kind::Var { value: Expr::Text(id) } = &declaration.kind else { continue };
        if id.len() == 36
            && declaration.name != "azureCli"
            && !ROLES.contains(&(declaration.name.as_str(), id.as_str()))
        {
            found.push(format!("{} is not the id of a role of that name", declaration.name));
        }
    }
}

fn secret_outputs(source: &Source) -> Vec<String> {
    let secret = |name: &str| {
        let name = name.to_lowercase();
        ["key", "secret", "password", "token", "sas"].iter().any(|word| name.ends_with(word))
    };
    let outputs = source.outputs().filter(|output| secret(&output.name));
    outputs.map(|output| format!("the output {} looks like a secret", output.name)).collect()
}
