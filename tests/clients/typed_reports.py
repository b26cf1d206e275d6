"""Reads typed reports of skyblast with what data scientists use, and checks that all find what a table says.

Usage: python typed_reports.py SKYBLAST QUERIES.fa DATABASE.fa[.gz]

SKYBLAST is the program. Needs the packages of requirements.txt. Exits with an error if a reader fails or finds
other values.
"""

import pathlib
import subprocess
import sys
import tempfile

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

COLUMNS = "qseqid sseqid pident length qstart qend evalue bitscore qcovs stitle qseq sskingdom".split()

# How far a table may be from the value, which it rounds or cuts.
ROUNDED = {
    "evalue": lambda found: (0.1 * found).clip(lower=1e-180).where((found < 0.0009) | (found > 0.1), 0.000501),
    "bitscore": lambda found: 1 + 0 * found,
    "pident": lambda found: 0.000501 + 0 * found,
}


def check(reader, frame, expected):
    """Compares a frame of pandas with the table."""
    assert list(frame.columns) == COLUMNS, list(frame.columns)
    assert len(frame) == len(expected), f"{len(frame)} rows, not {len(expected)}"
    for name in COLUMNS:
        found, said = frame[name], expected[name]
        if name in ROUNDED:
            far = (found.astype(float) - said).abs() > ROUNDED[name](found)
            assert not far.any(), f"{name}: {found[far].head()} {said[far].head()}"
        elif name == "sskingdom":
            assert found.isna().sum() == said.isna().sum(), name
        else:
            assert list(found) == list(said), name
    print(f"{reader}: {len(frame)} HSPs")


def main():
    program, queries, database = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:4])
    with tempfile.TemporaryDirectory() as folder:
        def run(*arguments):
            subprocess.run([program, *arguments], check=True, cwd=folder, stdout=subprocess.DEVNULL)

        def report(form):
            path = f"{folder}/report.{form}"
            run("search", "--query", queries, "--db", "db", "--outfmt", " ".join([form, *COLUMNS]), "--out", path)
            return path

        run("makedb", "--in", database, "--out", "db")
        expected = pandas.read_csv(report("6"), sep="\t", names=COLUMNS)
        assert len(expected) > 100, "few hits: choose other files"

        arrow, parquet = report("arrow"), report("parquet")
        with pyarrow.ipc.open_stream(arrow) as stream:
            check("arrow by pyarrow and pandas", stream.read_pandas(), expected)
        check("arrow by polars", polars.read_ipc_stream(arrow).to_pandas(), expected)
        with pyarrow.ipc.open_stream(arrow) as stream:
            hits = stream
            check("arrow by DuckDB", duckdb.sql("select * from hits").df(), expected)

        frame = pandas.read_parquet(parquet)
        assert frame.sseqid.dtype == "category" and frame.qstart.dtype == "int64", frame.dtypes
        check("parquet by pandas", frame, expected)
        check("parquet by polars", polars.read_parquet(parquet).to_pandas(), expected)
        check("parquet by DuckDB", duckdb.sql(f"select * from '{parquet}'").df(), expected)
        metadata = pyarrow.parquet.read_schema(parquet).metadata
        assert metadata[b"skyblast.database"] == b"db" and b"skyblast.database_version" in metadata, metadata
        best = duckdb.sql(
            f"select qseqid, min(evalue) as least from '{parquet}' group by qseqid order by qseqid").df()
        assert len(best) == expected.qseqid.nunique()
        print("parquet by a question of DuckDB's")


if __name__ == "__main__":
    main()
