//! What a compiler does not ask of the templates: that they are safe, described, tagged. Every check is shown to
//! bite; types, names and modules are the compiler's matter, which `.ci/run` calls where there is one.

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
        "shared keys",
        "storage.bicep",
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
        "account.properties.allowSharedKeyAccess must be Bool(false)",
    ),
    (
        "wrong role",
        "access.bicep",
        "b7e6dc6d",
        "b7e6dc6e",
        "storageBlobDataOwner is not the id of a role of that name",
    ),
    (
        "role named after what a deployment makes",
        "access.bicep",
        "guid(account.id, appIdentity.id, role)",
        "guid(account.id, appPrincipalId, role)",
        "appStorage.name must be guid(scope, principal, role) of values known at the start",
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
fn parameter_files_are_for_their_stage_and_name_parameters_that_there_are() {
    let main = Templates::read().main;
    for stage in ["dev", "prod"] {
        let file = crate::templates::folder().join(format!("{stage}.bicepparam"));
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.starts_with("using 'main.bicep'\n"), "{stage}");
        let given: Vec<(&str, &str)> =
            text.lines().filter_map(|line| line.strip_prefix("param ")?.split_once(" = ")).collect();
        assert!(given.contains(&("stage", &*format!("'{stage}'"))), "{given:?}");
        for (name, _) in given {
            assert!(main.params().any(|param| param.name == name), "{stage}: there is no parameter {name}");
        }
    }
}
