//! Reports with typed columns, as Arrow streams and as Parquet files: the rows of format 6, whatever sequences are
//! called and however the search is cut.
//!
//! `clients.rs` reads them with pandas, polars and DuckDB.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_schema::DataType;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use skyblast::database::VolumeLimit;
use skyblast::engine::SearchOptions;
use skyblast::report::{Column, OutputFormat};

mod common;

use common::command::{end, run, skyblast};
use common::examples::{self, DATABASE};
use common::in_process::{OpenDatabase, assert_same_report, build_database, chunks, chunks_of, project_file};
use common::process::Server;

/// Every column, for a format that is called so.
fn with_all_columns(format: &str) -> String {
    Column::ALL.iter().fold(format.to_owned(), |text, column| text + " " + column.name())
}

/// Queries and databases: plain ones, and names and letters of all kinds on either side.
fn settings() -> Vec<[PathBuf; 2]> {
    let edge = |name: &str| project_file(&format!("tests/golden/edge/{name}.fa"));
    let mut settings = vec![["examples/queries.fa", "examples/database.fa.gz"].map(project_file)];
    for odd in
        ["ambig", "pipes", "ctrl_a", "tab_in_header", "long_id", "commas", "no_header", "nonascii_utf8"]
    {
        settings.push([edge(odd), edge("edge_db")]);
        settings.push([edge("edge_db"), edge(odd)]);
    }
    settings
}

/// The report of a search in chunks of so many residues and volumes of so many sequences.
fn report([queries, database]: &[PathBuf; 2], format: &str, residues: u64, sequences: u64) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let database =
        build_database(folder.path(), std::slice::from_ref(database), VolumeLimit::Sequences(sequences));
    OpenDatabase::new(&database).report(
        &chunks(queries, chunks_of(residues)),
        SearchOptions { evalue: 100.0, ..SearchOptions::default() },
        &format.parse().unwrap(),
        2,
        &mut |order| order,
    )
}

fn of_arrow(report: &[u8]) -> Vec<RecordBatch> {
    StreamReader::try_new(report, None).unwrap().map(Result::unwrap).collect()
}

/// The values of a column as text.
fn texts(column: &ArrayRef) -> Vec<Option<String>> {
    let all = 0..column.len();
    match column.data_type() {
        DataType::Dictionary(..) => {
            let values = column.as_dictionary::<Int32Type>();
            let texts = values.downcast_dict::<arrow_array::StringArray>().unwrap();
            texts.into_iter().map(|text| text.map(str::to_owned)).collect()
        }
        DataType::Utf8 => column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect(),
        DataType::Int64 => {
            let numbers = column.as_primitive::<Int64Type>();
            all.map(|row| numbers.is_valid(row).then(|| numbers.value(row).to_string())).collect()
        }
        DataType::Float64 => {
            let numbers = column.as_primitive::<Float64Type>();
            all.map(|row| Some(format!("{:e}", numbers.value(row)))).collect()
        }
        other => panic!("a column of {other}"),
    }
}

/// Whether a text of a table stands for a value.
fn says(table: &str, value: Option<&str>, column: Column) -> bool {
    let Some(value) = value else { return table == "N/A" };
    let rounded = matches!(column, Column::Evalue | Column::Bitscore | Column::Pident | Column::Ppos);
    if !rounded {
        return table == value;
    }
    let (shown, exact): (f64, f64) = (table.trim().parse().unwrap(), value.parse().unwrap());
    // Half a unit of the last digit that is shown.
    let unit = match column {
        Column::Evalue if exact < 1e-180 => 1e-180,
        Column::Evalue if exact < 0.0009 => exact / 100.0,
        Column::Evalue if exact < 0.1 => 1e-3,
        Column::Evalue if exact < 1.0 => 1e-2,
        Column::Evalue if exact < 10.0 => 1e-1,
        Column::Pident => 1e-3,
        Column::Ppos => 1e-2,
        Column::Bitscore if exact <= 99.9 => 1e-1,
        // Cut, not rounded.
        Column::Bitscore => 2.0,
        _ => 1.0,
    };
    (shown - exact).abs() <= 0.501 * unit
}

#[test]
fn rows_are_those_of_a_table() {
    let mut rows_seen = 0;
    for setting in settings() {
        let table = report(&setting, &with_all_columns("6"), u64::MAX, u64::MAX);
        let table = String::from_utf8_lossy(&table).into_owned();
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split('\t').collect()).collect();
        let batches = of_arrow(&report(&setting, &with_all_columns("arrow"), u64::MAX, u64::MAX));
        for (place, &column) in Column::ALL.iter().enumerate() {
            let found: Vec<_> = batches.iter().flat_map(|batch| texts(batch.column(place))).collect();
            assert_eq!(found.len(), rows.len(), "{setting:?}");
            for (row, value) in rows.iter().zip(&found) {
                // A tab in a title makes more cells of it.
                if row.len() == Column::ALL.len() {
                    let said = row[place];
                    assert!(
                        says(said, value.as_deref(), column),
                        "{setting:?} {column:?}: {said:?} {value:?}"
                    );
                }
            }
        }
        rows_seen += rows.len();
    }
    assert!(rows_seen > 300, "{rows_seen}");
}

#[test]
fn a_stream_does_not_depend_on_how_the_search_was_cut() {
    for setting in settings() {
        let whole = report(&setting, "arrow", u64::MAX, u64::MAX);
        for (residues, sequences) in [(1_000, 20), (1, 1_000), (u64::MAX, 7)] {
            assert_same_report("arrow", &report(&setting, "arrow", residues, sequences), &whole);
        }
    }
}

/// A server has the same bytes as one search, whether the job was asked for so or not.
#[test]
fn a_server_gives_the_same_files_as_the_command() {
    let storage = tempfile::tempdir().unwrap();
    examples::publish(examples::database(), storage.path().to_str().unwrap());
    let server = Server::start(storage.path(), &[]);
    let queries = examples::queries();
    let query = queries.to_str().unwrap();
    let columns = "std qcovs stitle qseq";
    // The command searches the very version that is published.
    let expected = |format: &str| {
        let db = examples::database().to_str().unwrap();
        run(["search", "--query", query, "--db", db, "--outfmt", format]).ok()
    };
    let submitted = |format: &str| {
        let submit = ["submit", "--query", query, "--database", DATABASE, "--server", &server.url, "--wait"];
        run(submit.iter().chain(&["--outfmt", format])).ok()
    };
    for format in ["arrow", "parquet"] {
        let format = &format!("{format} {columns}");
        assert_same_report(format, &submitted(format), &expected(format));
    }
    let submit = ["submit", "--query", query, "--database", DATABASE, "--server", &server.url];
    let id = String::from_utf8(run(submit).ok()).unwrap();
    let id = id.trim();
    run(["status", id, "--watch", "--server", &server.url]).ok();
    for format in ["parquet", "arrow qseqid btop"] {
        let got = run(["results", id, "--outfmt", format, "--server", &server.url]).ok();
        assert_same_report(format, &got, &expected(format));
    }
}

#[test]
fn a_file_says_of_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("hits.parquet");
    let (query, db) = (examples::queries(), examples::database());
    let mut search = skyblast(["search", "--outfmt", "parquet qseqid evalue", "--evalue", "1e-20", "--out"]);
    end(search.arg(&out).arg("--query").arg(query).arg("--db").arg(db)).ok();
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(fs::read(&out).unwrap())).unwrap();
    let metadata = builder.schema().metadata().clone();
    let said = |name: &str| metadata.get(&format!("skyblast.{name}")).cloned().unwrap_or_default();
    assert_eq!(said("database"), DATABASE);
    assert_eq!(said("options"), "-evalue 1e-20");
    assert!(said("program").starts_with("BLASTP 2.12.0+ (skyblast "), "{}", said("program"));
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(db.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(said("database_version"), manifest["version"].as_str().unwrap());
    assert_eq!(said("database_sequences"), manifest["sequences"].to_string());
    let rows: usize = builder.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    let table = examples::search(&examples::queries(), &["--evalue", "1e-20"]);
    assert_eq!(rows, table.iter().filter(|&&byte| byte == b'\n').count());
}

#[test]
fn no_queries_make_a_table_without_rows() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("none.fa"), "").unwrap();
    let db = examples::database().to_str().unwrap();
    let search = |format: &str| {
        let arguments = ["search", "--query", "none.fa", "--db", db, "--outfmt", format];
        end(skyblast(arguments).current_dir(folder.path())).ok()
    };
    assert_eq!(of_arrow(&search("arrow")).len(), 0);
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(search("parquet"))).unwrap();
    let OutputFormat::Parquet(columns) = "parquet".parse().unwrap() else { panic!("another format") };
    assert_eq!(builder.schema().fields().len(), columns.len());
    assert_eq!(builder.metadata().file_metadata().num_rows(), 0);
}

#[test]
fn a_terminal_is_not_filled_with_bytes() {
    let (query, db) = (examples::queries(), examples::database());
    let mut python = Command::new("python3");
    python.args(["-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"]);
    python.arg(env!("CARGO_BIN_EXE_skyblast")).args(["search", "--outfmt", "parquet", "--query"]);
    let ended = end(python.arg(query).arg("--db").arg(db));
    let shown = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.code, Some(2), "{shown}");
    assert!(shown.contains("is no text for a terminal; give --out FILE"), "{shown}");
}
