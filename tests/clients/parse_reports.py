"""Reads reports of skyblast with the parsers that scientists use, and checks that they agree.

Usage: python parse_reports.py SKYBLAST QUERIES.fa DATABASE.fa[.gz]

SKYBLAST is the program. Needs the packages of requirements.txt. Exits with an error if a parser
fails or if two formats tell different hits.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")

import pandas
import pysam
from Bio import Blast, SearchIO
from Bio.Blast import NCBIXML

STANDARD = "qaccver saccver pident length mismatch gapopen qstart qend sstart send evalue bitscore".split()


def key(query, subject, query_range, subject_range):
    """What identifies an HSP in every format: titles' first words and 1-based ranges."""
    return (query.split()[0], subject.split()[0], *map(int, query_range), *map(int, subject_range))


def from_table(path, separator):
    table = pandas.read_csv(path, sep=separator, names=STANDARD)
    ranges = zip(table.qstart, table.qend), zip(table.sstart, table.send)
    return [key(*row) for row in zip(table.qaccver, table.saccver, *ranges)]


def from_search_io(path, form, **options):
    return [
        key(hsp.query_id, hsp.hit_id,
            (hsp.query_start + 1, hsp.query_end), (hsp.hit_start + 1, hsp.hit_end))
        for query in SearchIO.parse(path, form, **options)
        for hit in query
        for hsp in hit
    ]


def from_xml(path):
    with open(path) as handle:
        return [
            key(record.query, alignment.hit_def, (hsp.query_start, hsp.query_end), (hsp.sbjct_start, hsp.sbjct_end))
            for record in NCBIXML.parse(handle)
            for alignment in record.alignments
            for hsp in alignment.hsps
        ]


def from_bio_blast(path):
    with Blast.parse(path) as records:
        return sum(len(hit) for record in records for hit in record)


def from_json(path):
    searches = [entry["report"]["results"]["search"] for entry in json.load(open(path))["BlastOutput2"]]
    return [
        key(search["query_title"], hit["description"][0]["title"],
            (hsp["query_from"], hsp["query_to"]), (hsp["hit_from"], hsp["hit_to"]))
        for search in searches
        for hit in search["hits"]
        for hsp in hit["hsps"]
    ]


def from_sam(path):
    """HSPs as pysam reads them, and whether the head lists exactly the references that occur."""
    with pysam.AlignmentFile(path, check_sq=False) as alignments:
        lengths = dict(zip(alignments.references, alignments.lengths))
        lines = list(alignments)
    assert set(lengths) == {line.reference_name for line in lines}
    for line in lines:
        assert line.mapping_quality == 255 and not line.is_unmapped
        assert line.reference_end <= lengths[line.reference_name] == line.get_tag("ZL")
        assert line.get_tag("AS") == line.get_tag("ZR")
    def clipped(line):
        kind, residues = line.cigartuples[0]
        return residues if kind == pysam.CHARD_CLIP else 0
    return [
        key(line.query_name, line.reference_name,
            (clipped(line) + 1, clipped(line) + line.query_alignment_length),
            (line.reference_start + 1, line.reference_end))
        for line in lines
    ]


def through_bam(path):
    """The same after samtools has made BAM of it."""
    bam = f"{path}.bam"
    pysam.view("-b", "-o", bam, path, catch_stdout=False)
    return from_sam(bam)


def main():
    program, queries, database = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:4])
    with tempfile.TemporaryDirectory() as folder:
        def run(*arguments):
            subprocess.run([program, *arguments], check=True, cwd=folder, stdout=subprocess.DEVNULL)

        def report(form):
            path = f"{folder}/report.{form}"
            run("search", "--query", queries, "--db", "db", "--outfmt", form, "--out", path)
            return path

        run("makedb", "--in", database, "--out", "db")
        expected = from_table(report("6"), "\t")
        assert expected, "no hits: choose other files"
        found = {
            "7 by Bio.SearchIO": from_search_io(report("7"), "blast-tab", comments=True),
            "6 by Bio.SearchIO": from_search_io(report("6"), "blast-tab"),
            "10 by pandas": from_table(report("10"), ","),
            "5 by Bio.Blast.NCBIXML": from_xml(report("5")),
            "5 by Bio.SearchIO": from_search_io(report("5"), "blast-xml"),
            "15 by json": from_json(report("15")),
            "17 by pysam": from_sam(report("17")),
            "17 with sequences by pysam": from_sam(report("17 SQ")),
            "17 as BAM by pysam": through_bam(report("17")),
        }
        for reader, hsps in found.items():
            # Bio.SearchIO has an order of its own.
            same = sorted(hsps) == sorted(expected)
            print(f"format {reader}: {len(hsps)} HSPs, {'same' if same else 'DIFFERENT'}")
            if not same:
                sys.exit(1)
        count = from_bio_blast(f"{folder}/report.5")
        print(f"format 5 by Bio.Blast: {count} HSPs")
        if count != len(expected):
            sys.exit(1)


if __name__ == "__main__":
    main()
