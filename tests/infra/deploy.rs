//! deploy.sh and teardown.sh with an `az` that only writes down what it is asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Answers as a subscription would; `$GROUP` says whether the group exists, `$FOREIGN` what else is in it.
const AZ: &str = r#"#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
    "account show"*) [ "$SIGNED_IN" = yes ] ;;
    "group exists"*) echo "$GROUP" ;;
    "ad signed-in-user show"*) echo 00000000-1111-2222-3333-444444444444 ;;
    "provider show"*Microsoft.App*) echo NotRegistered ;;
    "provider show"*) echo Registered ;;
    "deployment group show"*budgetStart*) [ "$BUDGET" ] && echo "$BUDGET" ;;
    "deployment group show"*appUrl*) echo https://func.example ;;
    "deployment group show"*appName*) echo func ;;
    "deployment group show"*volumeSize*) echo 128MiB ;;
    "resource list"*tags.workload*) printf '%s' "$FOREIGN" ;;
esac
"#;

const CURL: &str = "#!/bin/sh\necho '{\"status\":\"ok\"}'\n";

/// A folder with the two programs, and where calls are written down.
struct Desk {
    folder: TempDir,
}

struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
    calls: Vec<String>,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("az", AZ), ("curl", CURL)] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(folder.path().join("app.zip"), "").unwrap();
        Self { folder }
    }

    fn run(&self, script: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        let calls = self.folder.path().join("calls");
        let _ = fs::remove_file(&calls);
        let path = format!("{}:{}", self.folder.path().display(), std::env::var("PATH").unwrap());
        let output = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("infra").join(script))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("CALLS", &calls)
            .env("SIGNED_IN", "yes")
            .env("GROUP", "true")
            .env("FOREIGN", "")
            .env("BUDGET", "")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        Ended {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            calls: fs::read_to_string(&calls).unwrap_or_default().lines().map(str::to_owned).collect(),
        }
    }
}

impl Ended {
    /// The calls that change something.
    fn changes(&self) -> Vec<&str> {
        let verbs = ["group create", "provider register", "config-zip", "group delete"];
        let changes = self.calls.iter().filter(|call| verbs.iter().any(|verb| call.contains(verb)));
        changes.map(String::as_str).collect()
    }
}

const DEPLOY: [&str; 4] = ["--group", "g", "--package", "app.zip"];

#[test]
fn a_first_deployment_makes_group_resources_and_program_in_this_order() {
    let arguments =
        [&DEPLOY[..], &["--location", "westeurope", "--set", "alertEmail=a@example.org"]].concat();
    let ended = Desk::new().run("deploy.sh", &arguments, &[("GROUP", "false")]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let [group, provider, resources, program] = ended.changes()[..] else { panic!("{:?}", ended.calls) };
    assert_eq!(group, "group create --name g --location westeurope --output none");
    assert_eq!(provider, "provider register --namespace Microsoft.App --wait");
    assert!(resources.starts_with("deployment group create --name skyblast-dev --resource-group g"));
    assert!(resources.contains("--parameters infra/dev.bicepparam alertEmail=a@example.org"), "{resources}");
    assert!(resources.contains("operatorPrincipalId=00000000-1111-2222-3333-444444444444"), "{resources}");
    assert!(program.contains("config-zip --resource-group g --name func --src /"), "{program}");
    for line in ["skyblast is at https://func.example", "keys list -g g -n func", "--volume-size 128MiB"] {
        assert!(ended.stdout.contains(line), "{}", ended.stdout);
    }
}

#[test]
fn a_second_deployment_leaves_the_group_alone() {
    let ended = Desk::new().run("deploy.sh", &DEPLOY, &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.changes()[0].starts_with("provider register"), "{:?}", ended.changes());
}

#[test]
fn what_if_changes_nothing() {
    let arguments = [&DEPLOY[..], &["--what-if", "--stage", "prod"]].concat();
    let ended = Desk::new().run("deploy.sh", &arguments, &[]);
    assert_eq!((ended.code, ended.changes()), (0, Vec::new()), "{}", ended.stderr);
    let asked = ended.calls.last().unwrap();
    assert!(asked.starts_with("deployment group what-if") && asked.contains("prod.bicepparam"), "{asked}");
    let missing = Desk::new().run("deploy.sh", &arguments, &[("GROUP", "false")]);
    assert_eq!((missing.code, missing.changes()), (1, Vec::new()));
    assert!(missing.stderr.contains("there is no resource group g yet"), "{}", missing.stderr);
}

#[test]
fn a_budget_keeps_its_first_day() {
    let create = |arguments: &[&str]| {
        let arguments = [&DEPLOY[..], arguments].concat();
        let ended = Desk::new().run("deploy.sh", &arguments, &[("BUDGET", "2026-03-01")]);
        ended.calls.into_iter().find(|call| call.starts_with("deployment group create")).unwrap()
    };
    assert!(create(&[]).contains(" budgetStart=2026-03-01"));
    let moved = create(&["--set", "budgetStart=2026-05-01"]);
    assert!(moved.contains(" budgetStart=2026-05-01") && !moved.contains("2026-03-01"), "{moved}");
}

#[test]
fn an_operator_that_is_named_is_not_replaced() {
    let arguments = [&DEPLOY[..], &["--set", "operatorPrincipalId=other"]].concat();
    let ended = Desk::new().run("deploy.sh", &arguments, &[]);
    let create = ended.calls.iter().find(|call| call.starts_with("deployment group create")).unwrap();
    assert!(create.contains("operatorPrincipalId=other") && !create.contains("444444444444"), "{create}");
}

#[test]
fn wrong_use_is_explained_before_anything_happens() {
    for (arguments, variables, expected) in [
        (&["--package", "app.zip"] as &[&str], ("SIGNED_IN", "yes"), "--group is missing"),
        (&DEPLOY, ("SIGNED_IN", "no"), "not signed in; run: az login"),
        (&DEPLOY, ("GROUP", "false"), "give --location to create it"),
        (&["--group", "g", "--stage", "demo"], ("GROUP", "true"), "there is no infra/demo.bicepparam"),
        (&["--group", "g", "--set", "stage"], ("GROUP", "true"), "--set stage: write NAME=VALUE"),
        (&["--grup", "g"], ("GROUP", "true"), "there is no option --grup"),
    ] {
        let ended = Desk::new().run("deploy.sh", arguments, &[variables]);
        assert_eq!((ended.code, ended.changes()), (1, Vec::new()), "{arguments:?}");
        assert!(ended.stderr.contains(expected), "{arguments:?}: {}", ended.stderr);
    }
}

/// What the question of teardown.sh says of a group with these resources.
fn foreign(resources: &str) -> String {
    let ended = Desk::new().run("teardown.sh", &["--group", "g", "--yes"], &[]);
    let asked = ended.calls.iter().find(|call| call.contains("tags.workload")).unwrap();
    let question = asked.split_once("--query ").unwrap().1;
    // The package that az itself puts such questions to.
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/infra-checks/bin/python");
    assert!(python.exists(), "jmespath is not installed; run tests/run once");
    let search =
        "import jmespath, json, sys; print(*jmespath.search(sys.argv[1], json.loads(sys.argv[2])), sep=',')";
    let output = Command::new(python).args(["-c", search, question, resources]).output().unwrap();
    assert!(output.status.success(), "{question}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn teardown_takes_for_foreign_only_what_neither_the_templates_nor_azure_have_made() {
    let ours = r#"{"name": "app", "type": "Microsoft.Web/sites", "tags": {"workload": "skyblast"}}"#;
    let of_azure = [
        ("privatelink.blob.core.windows.net/vnet", "Microsoft.Network/privateDnsZones/virtualNetworkLinks"),
        ("st-blob.nic.0f2c", "Microsoft.Network/networkInterfaces"),
        ("Failure Anomalies - appi", "microsoft.alertsmanagement/smartDetectorAlertRules"),
        ("Application Insights Smart Detection", "microsoft.insights/actiongroups"),
    ];
    let foreign_ones = [
        ("vm", "Microsoft.Compute/virtualMachines", "null"),
        ("st", "Microsoft.Storage/storageAccounts", r#"{"owner": "me"}"#),
    ];
    let of_azure = of_azure.iter().map(|(n, t)| format!(r#"{{"name": "{n}", "type": "{t}", "tags": null}}"#));
    let made: Vec<String> = std::iter::once(ours.to_owned()).chain(of_azure).collect();
    assert_eq!(foreign(&format!("[{}]", made.join(","))), "");
    let others =
        foreign_ones.map(|(n, t, tags)| format!(r#"{{"name": "{n}", "type": "{t}", "tags": {tags}}}"#));
    assert_eq!(foreign(&format!("[{},{}]", made.join(","), others.join(","))), "vm,st");
}

#[test]
fn teardown_deletes_only_what_it_was_asked_to() {
    let desk = Desk::new();
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let ended = desk.run("teardown.sh", &[&["--group", "g"], arguments].concat(), variables);
        let deletes = ended.changes().contains(&"group delete --name g --yes");
        assert_eq!(deletes, !ended.changes().is_empty());
        (ended.code, deletes, ended.stderr + &ended.stdout)
    };
    assert!(run(&["--yes"], &[]).1);
    // Nobody answers the question.
    assert!(!run(&[], &[]).1);
    let (code, deleted, text) = run(&["--yes"], &[("FOREIGN", "somebodys-vm\n")]);
    assert_eq!((code, deleted), (1, false));
    assert!(text.contains("not skyblast's: somebodys-vm"), "{text}");
    assert!(run(&["--yes", "--all"], &[("FOREIGN", "somebodys-vm\n")]).1);
    let (code, deleted, text) = run(&["--yes"], &[("GROUP", "false")]);
    assert_eq!((code, deleted), (0, false));
    assert!(text.contains("nothing to do"), "{text}");
}
