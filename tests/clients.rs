//! What scientists have: parsers that read our reports, and clients of NCBI's server that ask ours. `tests/run`
//! installs them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::command::{end, run};
use common::examples::{self, DATABASE};
use common::in_process::project_file;
use common::process::Server;

/// Python with the packages of `tests/clients/requirements.txt`.
fn python() -> PathBuf {
    let python = project_file(".cache/clients-checks/bin/python");
    assert!(
        python.exists(),
        "Biopython is not installed: run `tests/run`, which installs it and runs all tests"
    );
    python
}

/// Perl with BioPerl, which the system has or `tests/run` has unpacked.
fn perl() -> Command {
    let unpacked = project_file(".cache/bioperl/usr");
    let inside = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder)
            .map_or_else(|_| Vec::new(), |list| list.map(|entry| entry.unwrap().path()).collect())
    };
    let libraries = inside(&unpacked.join("lib"));
    let mut modules = vec![unpacked.join("share/perl5")];
    modules.extend(libraries.iter().flat_map(|library| inside(&library.join("perl5"))));
    let mut perl = Command::new("perl");
    if unpacked.exists() {
        perl.env("PERL5LIB", std::env::join_paths(modules).unwrap());
        perl.env("LD_LIBRARY_PATH", std::env::join_paths(libraries).unwrap());
    }
    perl
}

/// Fails unless the client succeeds and prints each of `lines`.
#[track_caller]
fn prints(client: &mut Command, lines: &[&str]) {
    let ended = end(client);
    let printed = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.code, Some(0), "{printed}{}", ended.stderr);
    for line in lines {
        assert!(printed.contains(line), "{line} is missing:\n{printed}");
    }
}

/// A server on a folder of its own with the example database.
fn serve(key: Option<&str>) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    examples::publish(examples::database(), folder.path().to_str().unwrap());
    let key = key.map(str::to_owned);
    let server = Server::start_by(
        |mut command| {
            command.envs(key.map(|key| ("SKYBLAST_URL_API_KEY", key)));
            command
        },
        folder.path(),
        &[],
    );
    (folder, server)
}

/// A script of `tests/clients` that asks a server.
fn asks(interpreter: Command, script: &str, mode: &str, server: &Server) -> Command {
    let mut client = interpreter;
    client.arg(project_file("tests/clients").join(script)).arg(mode);
    client.arg(format!("{}/Blast.cgi", server.url)).arg(examples::queries()).arg(DATABASE);
    client
}

#[test]
fn biopython_pandas_and_pysam_read_the_same_hits_from_every_format() {
    let mut reader = Command::new(python());
    reader
        .arg(project_file("tests/clients/parse_reports.py"))
        .arg(env!("CARGO_BIN_EXE_skyblast"))
        .args(["examples/queries.fa", "examples/database.fa.gz"].map(project_file));
    let readers = [
        "7 by Bio.SearchIO",
        "10 by pandas",
        "5 by Bio.Blast.NCBIXML",
        "15 by json",
        "5 by Bio.Blast:",
        "17 by pysam",
        "17 as BAM by pysam",
    ];
    prints(&mut reader, &readers.map(|reader| format!("format {reader}")).each_ref().map(String::as_str));
}

#[test]
fn pandas_polars_and_duckdb_read_the_same_rows_from_typed_reports() {
    let mut reader = Command::new(python());
    reader
        .arg(project_file("tests/clients/typed_reports.py"))
        .arg(env!("CARGO_BIN_EXE_skyblast"))
        .args(["examples/queries.fa", "examples/database.fa.gz"].map(project_file));
    let readers = [
        "arrow by pyarrow and pandas: ",
        "arrow by polars: ",
        "arrow by DuckDB: ",
        "parquet by pandas: ",
        "parquet by polars: ",
        "parquet by DuckDB: ",
        "parquet by a question of DuckDB's",
    ];
    prints(&mut reader, &readers);
}

#[test]
fn biopython_and_a_script_like_ncbis_search_here_as_they_search_there() {
    let (_folder, server) = serve(None);
    let lines = [
        "Biopython, NCBIWWW.qblast: XML\n",
        "Biopython, NCBIWWW.qblast: Tabular\n",
        "Biopython, NCBIWWW.qblast: Text\n",
        "Biopython, NCBIWWW.qblast: JSON2_S\n",
        "Biopython, NCBIWWW.qblast: unknown database: ValueError\n",
        "Biopython, Bio.Blast.qblast: XML\n",
        "Biopython, Bio.Blast.qblast: Text\n",
        "Biopython, Bio.Blast.qblast: Tabular\n",
        "Biopython, Bio.Blast.qblast: JSON2\n",
        "Biopython, Bio.Blast.qblast: XML2\n",
        "NCBI's sample in Python: Text\n",
        "NCBI's sample in Python: no hits\n",
    ];
    prints(&mut asks(Command::new(python()), "url_api.py", "whole", &server), &lines);
}

#[test]
fn bioperl_and_a_script_like_ncbis_search_here_as_they_search_there() {
    has_bioperl();
    let (_folder, server) = serve(None);
    let lines = [
        "BioPerl, RemoteBlast: Text\n",
        "BioPerl, RemoteBlast: Tabular\n",
        "BioPerl, RemoteBlast: a search per sequence\n",
        "BioPerl, RemoteBlast: unknown database\n",
        "NCBI's sample in Perl: Text\n",
        "NCBI's sample in Perl: no hits\n",
    ];
    prints(&mut asks(perl(), "url_api.pl", "whole", &server), &lines);
}

/// Fails, and says what to do, where there is no BioPerl.
fn has_bioperl() {
    let found = perl().args(["-MBio::Tools::Run::RemoteBlast", "-e", "1"]).output();
    assert!(
        found.is_ok_and(|output| output.status.success()),
        "BioPerl is not installed: run `tests/run`, which unpacks it where there is apt-get, or install \
         Bio::Tools::Run::RemoteBlast"
    );
}

#[test]
fn no_client_waits_for_a_report_that_lacks_shards() {
    has_bioperl();
    let folder = tempfile::tempdir().unwrap();
    examples::publish(examples::database(), folder.path().to_str().unwrap());
    let damaged = damage_a_volume(folder.path());
    let server = Server::start(folder.path(), &[]);
    let python_lines = [
        "Biopython, NCBIWWW.qblast: partial failure: HTTPError\n",
        "Biopython, Bio.Blast.qblast: partial failure: HTTPError\n",
        "NCBI's sample in Python: partial failure\n",
    ];
    assert!(damaged > 0, "no volume was found");
    prints(&mut asks(Command::new(python()), "url_api.py", "broken", &server), &python_lines);
    let perl_lines = ["BioPerl, RemoteBlast: partial failure\n", "NCBI's sample in Perl: partial failure\n"];
    prints(&mut asks(perl(), "url_api.pl", "broken", &server), &perl_lines);
}

/// Changes a byte in one volume below a folder; returns how many there are.
fn damage_a_volume(folder: &Path) -> usize {
    let mut volumes = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.parent().unwrap().ends_with("volumes") {
                volumes.push(path);
            }
        }
    }
    if let Some(volume) = volumes.first() {
        let mut bytes = fs::read(volume).unwrap();
        bytes[100] ^= 1;
        fs::write(volume, bytes).unwrap();
    }
    volumes.len()
}

#[test]
fn a_client_made_from_the_description_of_the_api_calls_every_operation() {
    let (_folder, server) = serve(None);
    let mut client = Command::new(python());
    client.arg(project_file("tests/clients/openapi.py"));
    client.arg(&server.url).arg(examples::queries()).arg(DATABASE);
    // Of links of earlier versions none is left to call, and of NCBI's API one method is enough.
    let left_out = ["shared_results_of_old_link", "blast_cgi_post", "blast_cgi_put"];
    let document: serde_json::Value = serde_json::from_str(skyblast::functions::openapi_document()).unwrap();
    let items = document["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let names = operations.map(|operation| operation["operationId"].as_str().unwrap());
    let lines: Vec<String> =
        names.filter(|name| !left_out.contains(name)).map(|name| format!("{name} 2")).collect();
    assert!(lines.len() > 15, "{lines:?}");
    prints(&mut client, &lines.iter().map(String::as_str).collect::<Vec<_>>());
}

/// The blocks of Python in README, in their order.
fn snippets() -> Vec<String> {
    let readme = fs::read_to_string(project_file("README.md")).unwrap();
    let blocks = readme.split("```python\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_snippets_of_the_readme_work() {
    let (folder, server) = serve(None);
    let here = folder.path();
    fs::copy(examples::queries(), here.join("queries.fa")).unwrap();
    let database = project_file("examples/database.fa.gz");
    let columns = ["--outfmt", "parquet std qcovs stitle", "--out", "hits.parquet"];
    let mut search = Command::new(env!("CARGO_BIN_EXE_skyblast"));
    search.current_dir(here).args(["search", "--query", "queries.fa", "--db"]).arg(database).args(columns);
    prints(&mut search, &[]);
    let snippets = snippets();
    let [of_pandas, of_biopython] = &snippets[..] else { panic!("README has other snippets: {snippets:?}") };
    let runs = |snippet: &str| {
        let mut client = Command::new(python());
        client.current_dir(here).args(["-c", snippet]);
        client
    };
    prints(&mut runs(of_pandas), &["qaccver", "Name: bitscore"]);
    let asking = of_biopython
        .replace("http://127.0.0.1:8765", &server.url)
        .replace("\"proteins\"", &format!("\"{DATABASE}\""));
    assert_ne!(&asking, of_biopython);
    let hits = end(&mut runs(&asking));
    assert_eq!(hits.code, Some(0), "{}", hits.stderr);
    assert!(String::from_utf8_lossy(&hits.stdout).lines().count() > 22, "a line for each hit of 22 queries");
}

#[test]
fn prometheus_reads_the_metrics() {
    let (_folder, server) = serve(None);
    let search = ["submit", "--wait", "--database", DATABASE, "--server", &server.url, "--query"];
    let queries = examples::queries();
    run(search.iter().copied().chain([queries.to_str().unwrap()])).ok();
    let mut parser = Command::new(python());
    parser.arg(project_file("tests/clients/metrics.py")).arg(&server.url);
    let lines = [
        "gauge process_start_time_seconds{} 1",
        "info skyblast_build_info{version=0.1.0} 1",
        "counter skyblast_searches_ended_total{state=completed} 1\n",
        "counter skyblast_searches_ended_total{state=failed} 0\n",
        "counter skyblast_shards_failed_total{} 0\n",
        "counter skyblast_http_requests_total{method=POST,route=/api/searches,status=202} 1\n",
        "histogram skyblast_http_request_duration_seconds_count{route=/api/searches} 1\n",
        "gauge skyblast_storage_answers{} 1\n",
        "gauge skyblast_searches_active{} 0\n",
        "gauge skyblast_queue_messages{queue=shards} 0\n",
        "counter skyblast_comparisons_total{} 32780\n",
    ];
    prints(&mut parser, &lines);
}

#[test]
fn biopython_gives_the_key_of_a_server_that_asks_for_it() {
    const KEY: &str = "correct-horse-battery";
    let (_folder, server) = serve(Some(KEY));
    let mut client = asks(Command::new(python()), "url_api.py", "keyed", &server);
    let lines = [
        "Biopython, NCBIWWW.qblast: without the key: HTTPError\n",
        "Biopython, NCBIWWW.qblast: key in the path\n",
        "Biopython, NCBIWWW.qblast: password\n",
    ];
    prints(client.arg(KEY), &lines);
}
