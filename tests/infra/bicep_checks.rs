//! The templates are right as far as that can be seen without Azure, and every check is shown to bite.

use crate::bicep::{Expr, Kind};
use crate::templates::Templates;

#[test]
fn the_templates_have_no_problem() {
    assert_eq!(Templates::read().problems(), Vec::<String>::new());
}

/// A fault: its name, file, text that is there, text that replaces it, and what must be said.
type Fault = (&'static str, &'static str, &'static str, &'static str, &'static str);

const FAULTS: &[Fault] = &[
    ("syntax", "storage.bicep", "kind: 'StorageV2'", "kind = 'StorageV2'", "is not Bicep"),
    (
        "unknown property",
        "storage.bicep",
        "accessTier:",
        "accesTier:",
        "account.properties.accesTier is no property",
    ),
    (
        "wrong type",
        "app.bicep",
        "httpsOnly: true",
        "httpsOnly: 'true'",
        "site.properties.httpsOnly is string, not bool",
    ),
    (
        "bad literal",
        "storage.bicep",
        "'TLS1_2'",
        "'TLS1_4'",
        "account.properties.minimumTlsVersion is 'TLS1_4', not one of",
    ),
    ("missing required", "identity.bicep", "  location: location\n", "", "identity lacks location"),
    (
        "duplicate key",
        "identity.bicep",
        "  tags: tags\n",
        "  tags: tags\n  tags: tags\n",
        "the key tags is there twice",
    ),
    (
        "undefined symbol",
        "app.bicep",
        "serverFarmId: plan.id",
        "serverFarmId: plane.id",
        "nothing is named plane",
    ),
    ("unknown function", "main.bicep", "uniqueString(", "uniqeString(", "there is no function uniqeString"),
    (
        "wrong default",
        "main.bicep",
        "httpAlwaysReady int = 0",
        "httpAlwaysReady int = '0'",
        "the default of parameter httpAlwaysReady is string, not int",
    ),
    (
        "bad version",
        "app.bicep",
        "sites@2024-11-01",
        "sites@2031-11-01",
        "Microsoft.Web/sites has no version 2031-11-01",
    ),
    (
        "unknown resource type",
        "app.bicep",
        "Microsoft.Web/serverfarms",
        "Microsoft.Web/serverfarm",
        "there is no resource type Microsoft.Web/serverfarm",
    ),
    (
        "module parameters",
        "main.bicep",
        "    redundancy: stage",
        "    redundance: stage",
        "modules/storage.bicep has no parameter redundance",
    ),
    (
        "shared keys",
        "storage.bicep",
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
        "account.properties.allowSharedKeyAccess must be Bool(false)",
    ),
    // Beyond the list: what the checks claim besides.
    (
        "missing module parameter",
        "main.bicep",
        "    logChanges: logStorageChanges\n",
        "",
        "module storage is not given logChanges",
    ),
    (
        "wrong module parameter",
        "main.bicep",
        "signInClientId: signInClientId",
        "signInClientId: 3",
        "is given signInClientId as int, not string",
    ),
    (
        "unknown output",
        "main.bicep",
        "identity.outputs.clientId",
        "identity.outputs.clientID",
        "has no output clientID",
    ),
    (
        "default out of bounds",
        "main.bicep",
        "maximumInstanceCount int = 100",
        "maximumInstanceCount int = 2000",
        "maximumInstanceCount is out of bounds",
    ),
    (
        "default not allowed",
        "main.bicep",
        "instanceMemoryMB int = 4096",
        "instanceMemoryMB int = 1024",
        "instanceMemoryMB is not allowed",
    ),
    (
        "property of an alert",
        "alerts.bicep",
        "windowSize:",
        "windowsSize:",
        "alert.properties.windowsSize is no property",
    ),
    ("property below an array", "storage.bicep", "type: 'Lifecycle'", "typ: 'Lifecycle'", "is no property"),
    (
        "property of a form",
        "app.bicep",
        "requireHttps: true",
        "requireHttps: 'yes'",
        "requireHttps is string, not bool",
    ),
    (
        "read-only property",
        "identity.bicep",
        "  tags: tags\n",
        "  tags: tags\n  properties: {}\n",
        "identity.properties cannot be set",
    ),
    (
        "wrong role",
        "access.bicep",
        "b7e6dc6d",
        "b7e6dc6e",
        "storageBlobDataOwner is not the id of a role of that name",
    ),
    ("role without scope", "access.bicep", "  scope: component\n", "", "appTelemetry lacks scope"),
    (
        "key in an output",
        "storage.bicep",
        "output id string",
        "output accountKey string",
        "the output accountKey looks like a secret",
    ),
    (
        "way to a key",
        "storage.bicep",
        "= account.id",
        "= account.listKeys().keys[0].value",
        "listKeys( must not be used",
    ),
    (
        "setting that Flex refuses",
        "app.bicep",
        "minTlsVersion: '1.2'",
        "minTlsVersion: '1.2'\n      ftpsState: 'Disabled'",
        "ftpsState must not be used",
    ),
    (
        "plain passwords",
        "app.bicep",
        "allow: false",
        "allow: true",
        "ftp.properties.allow must be Bool(false)",
    ),
];

#[test]
fn every_seeded_fault_is_named() {
    for (name, file, old, new, expected) in FAULTS {
        let templates = Templates::with(|at, text| {
            if at != *file {
                return text;
            }
            assert!(text.contains(old), "{name}: {file} no longer holds {old:?}");
            text.replacen(old, new, 1)
        });
        let found = templates.problems();
        assert!(
            found.iter().any(|problem| problem.starts_with(file) && problem.contains(expected)),
            "{name}: {found:#?}"
        );
    }
}

#[test]
fn every_parameter_and_output_is_described_and_numbers_are_bounded() {
    for source in Templates::read().all() {
        for declaration in source.params().chain(source.outputs()) {
            let place = format!("{}: {}", source.path.display(), declaration.name);
            assert!(declaration.decorator("description").is_some(), "{place} is not described");
            if let Kind::Param { ty, .. } = &declaration.kind
                && ty == "int"
            {
                let bounded =
                    ["minValue", "allowed"].iter().any(|name| declaration.decorator(name).is_some());
                assert!(bounded, "{place} has no bound");
            }
        }
    }
}

#[test]
fn everything_that_can_have_tags_has_them() {
    for source in Templates::read().all() {
        for (name, _, _, existing, body) in source.resources() {
            let located = body.get("location").is_some();
            if located && !existing {
                let tags = body.get("tags");
                assert_eq!(tags, Some(&Expr::Symbol("tags".into())), "{name} in {}", source.path.display());
            }
        }
    }
}

#[test]
fn parameter_files_give_values_that_the_parameters_take() {
    let main = Templates::read().main;
    for stage in ["dev", "prod"] {
        let path = crate::templates::folder().join(format!("{stage}.parameters.json"));
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let given = json["parameters"].as_object().unwrap();
        assert_eq!(given["stage"]["value"], stage);
        for (name, value) in given {
            let param = main.params().find(|param| param.name == *name);
            let param = param.unwrap_or_else(|| panic!("{stage}: there is no parameter {name}"));
            let Kind::Param { ty, .. } = &param.kind else { unreachable!("params() gives parameters") };
            let value = &value["value"];
            let fits = match ty.as_str() {
                "string" => value.is_string(),
                "int" => value.is_i64(),
                "bool" => value.is_boolean(),
                _ => value.is_object(),
            };
            assert!(fits, "{stage}: {name} is {value}, not {ty}");
            if let Some([Expr::Array(allowed)]) = param.decorator("allowed") {
                let known = allowed.iter().any(|allowed| match allowed {
                    Expr::Text(text) => value == text,
                    Expr::Number(number) => value == number,
                    _ => false,
                });
                assert!(known, "{stage}: {name} may not be {value}");
            }
            let limit = |name| match param.decorator(name) {
                Some([Expr::Number(limit)]) => Some(*limit),
                _ => None,
            };
            if let Some(number) = value.as_i64() {
                assert!(limit("minValue").is_none_or(|least| number >= least), "{stage}: {name}");
                assert!(limit("maxValue").is_none_or(|most| number <= most), "{stage}: {name}");
            }
        }
    }
}
