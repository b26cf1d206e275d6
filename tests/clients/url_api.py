"""Searches a server of skyblast with clients that were written for NCBI's, of which only the base URL is changed.

Usage: python url_api.py whole  BASE_URL QUERIES.fa DATABASE
       python url_api.py broken BASE_URL QUERIES.fa DATABASE     in which every search lacks shards
       python url_api.py keyed  BASE_URL QUERIES.fa DATABASE KEY

Needs the packages of requirements.txt. Prints a line per client and thing done; exits with an error if one of them
does not get what it expects. Clients wait for 20 seconds and more between two requests; that they sleep is
hurried, nothing else.
"""

import io
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
import zipfile

warnings.simplefilter("ignore")

from Bio import Blast, SearchIO
from Bio.Blast import NCBIWWW, NCBIXML

patience = time.monotonic() + 300
really_sleep = time.sleep


def hurried(seconds):
    """Sleeps for a moment; fails a client that would wait for ever."""
    if time.monotonic() > patience:
        raise TimeoutError("a client waits for ever")
    really_sleep(min(seconds, 0.2))


time.sleep = hurried


def told(client, what):
    print(f"{client}: {what}", flush=True)


def same(client, what, found, expected):
    assert found == expected, f"{client}, {what}: {found} is not {expected}"
    told(client, what)


def refused(client, what, error, part, call):
    try:
        call()
    except error as refusal:
        text = str(refusal)
        if isinstance(refusal, urllib.error.HTTPError):
            text += refusal.read().decode()
        assert part in text, text
        told(client, f"{what}: {type(refusal).__name__}")
    else:
        raise AssertionError(f"{client}, {what}: not refused")


def hits_of_xml(text):
    records = NCBIXML.parse(io.StringIO(text))
    return [[alignment.hit_def.split()[0] for alignment in record.alignments] for record in records]


def hits_of_table(text):
    table = text[text.index("# BLASTP"):text.index("</PRE>")]
    results = list(SearchIO.parse(io.StringIO(table), "blast-tab", comments=True))
    return [[hit.id for hit in result] for result in results]


def hits_of_json(search):
    return [hit["description"][0]["title"].split()[0] for hit in search["hits"]]


def old_biopython(base, database, fasta):
    """`Bio.Blast.NCBIWWW.qblast`, which looks for a status in all of a decoded report."""
    client = "Biopython, NCBIWWW.qblast"

    def ask(**options):
        return NCBIWWW.qblast("blastp", database, fasta, url_base=base, **options).read()

    expected = hits_of_xml(ask(hitlist_size=7))
    assert any(expected) and max(map(len, expected)) == 7, expected
    told(client, "XML")
    # Of a table it leaves out queries without hits.
    found = [hits for hits in expected if hits]
    same(client, "Tabular", [hits for hits in hits_of_table(ask(hitlist_size=7, format_type="Tabular")) if hits], found)
    table = ask(hitlist_size=7, format_type="Text", alignment_view="Tabular")
    same(client, "Text as a table", [hits for hits in hits_of_table(table) if hits], found)
    text = ask(hitlist_size=7, format_type="Text", descriptions=7, alignments=7)
    same(client, "Text", text.count("Query= "), len(expected))
    assert ask(format_type="HTML").startswith("<!DOCTYPE html")
    told(client, "HTML")
    searches = json.loads(ask(hitlist_size=7, format_type="JSON2_S"))["BlastOutput2"]
    same(client, "JSON2_S", [hits_of_json(entry["report"]["results"]["search"]) for entry in searches], expected)
    assert ask(hitlist_size=7, format_type="XML2_S").startswith("<?xml ")
    told(client, "XML2_S")
    report = ask(hitlist_size=7, expect=1e-9, matrix_name="BLOSUM45", gapcosts="14 2", filter="L")
    for parameter in ["expect>1e-09", "matrix>BLOSUM45", "gap-open>14", "filter>L;"]:
        assert f"<Parameters_{parameter}</" in report, report[:2000]
    records = list(NCBIXML.parse(io.StringIO(report)))
    hsps = [hsp for record in records for alignment in record.alignments for hsp in alignment.hsps]
    assert hsps and all(hsp.expect <= 1e-9 for hsp in hsps)
    told(client, "options")
    refused(client, "unknown database", ValueError, "Message ID#56 Error",
            lambda: NCBIWWW.qblast("blastp", "nothing", fasta, url_base=base))
    refused(client, "no sequence", ValueError, "Message ID#24 Error",
            lambda: NCBIWWW.qblast("blastp", database, "P12345", url_base=base))
    refused(client, "another program", ValueError, "Message ID#901 Error",
            lambda: NCBIWWW.qblast("blastn", database, fasta, url_base=base))
    return expected


def new_biopython(base, database, fasta, expected):
    """`Bio.Blast.qblast`, which looks at the first bytes of a report."""
    client = "Biopython, Bio.Blast.qblast"

    def ask(**options):
        return Blast.qblast("blastp", database, fasta, url_base=base, hitlist_size=7, **options)

    def names(records):
        return [[hit.target.description.split()[0] for hit in record] for record in records]

    stream = ask()
    assert re.fullmatch("[A-Z0-9]{26}", stream.rid) and stream.rtoe >= 1
    same(client, "XML", names(Blast.parse(stream)), expected)
    text = ask(format_type="Text").read().decode()
    same(client, "Text", text.count("Query= "), len(expected))
    table = ask(format_type="Tabular").read().decode()
    same(client, "Tabular", [hits for hits in hits_of_table(table) if hits], [hits for hits in expected if hits])
    stream = ask(format_type="JSON2")
    archive = zipfile.ZipFile(io.BytesIO(stream.read()))
    assert archive.testzip() is None
    files = archive.namelist()
    assert files == [f"{stream.rid}.json"] + [f"{stream.rid}_{n + 1}.json" for n in range(len(expected))], files
    manifest = json.loads(archive.read(files[0]))
    assert [entry["File"] for entry in manifest["BlastJSON"]] == files[1:]
    searches = [json.loads(archive.read(file))["BlastOutput2"]["report"]["results"]["search"] for file in files[1:]]
    same(client, "JSON2", [hits_of_json(search) for search in searches], expected)
    stream = ask(format_type="XML2")
    archive = zipfile.ZipFile(io.BytesIO(stream.read()))
    found = []
    for file in archive.namelist()[1:]:
        with archive.open(file) as content:
            found += names(Blast.parse(io.BytesIO(content.read())))
    same(client, "XML2", found, expected)
    refused(client, "unknown database", ValueError, "Message ID#56 Error",
            lambda: Blast.qblast("blastp", "nothing", fasta, url_base=base))


def poll_loop(base, database, fasta):
    """What NCBI's sample in Python does, written anew: returns the RID and how its loop ended."""
    form = urllib.parse.urlencode({"CMD": "Put", "PROGRAM": "blastp", "DATABASE": database, "QUERY": fasta})
    page = urllib.request.urlopen(base, form.encode()).read().decode()
    rid = re.search("^    RID = (.*)$", page, re.M)[1]
    time.sleep(int(re.search("^    RTOE = (.*)$", page, re.M)[1]))
    while True:
        time.sleep(5)
        page = urllib.request.urlopen(f"{base}?CMD=Get&FORMAT_OBJECT=SearchInfo&RID={rid}").read().decode()
        if re.search(r"\s+Status=WAITING", page):
            continue
        if re.search(r"\s+Status=FAILED", page):
            return rid, "failed"
        if re.search(r"\s+Status=UNKNOWN", page):
            return rid, "expired"
        if re.search(r"\s+Status=READY", page):
            return rid, "hits" if re.search(r"\s+ThereAreHits=yes", page) else "no hits"
        return rid, "something unexpected"


def sample(base, database, fasta, expected):
    client = "NCBI's sample in Python"
    rid, end = poll_loop(base, database, fasta)
    same(client, "status", end, "hits")
    text = urllib.request.urlopen(f"{base}?CMD=Get&FORMAT_TYPE=Text&RID={rid}").read().decode()
    same(client, "Text", text.count("Query= "), len(expected))
    same(client, "no hits", poll_loop(base, database, ">none\nWWWWWWWWWWWWWWWWWW\n")[1], "no hits")


def broken(base, database, fasta):
    for client, ask in [
        ("Biopython, NCBIWWW.qblast", NCBIWWW.qblast),
        ("Biopython, Bio.Blast.qblast", Blast.qblast),
    ]:
        refused(client, "partial failure", urllib.error.HTTPError, "shards failed",
                lambda: ask("blastp", database, fasta, url_base=base))
    same("NCBI's sample in Python", "partial failure", poll_loop(base, database, fasta)[1], "failed")


def keyed(base, database, fasta, key):
    client = "Biopython, NCBIWWW.qblast"
    refused(client, "without the key", urllib.error.HTTPError, "401",
            lambda: NCBIWWW.qblast("blastp", database, fasta, url_base=base))
    with_key = base.replace("/Blast.cgi", f"/{key}/Blast.cgi")
    hits = hits_of_xml(NCBIWWW.qblast("blastp", database, fasta, url_base=with_key).read())
    assert any(hits)
    told(client, "key in the path")
    found = hits_of_xml(NCBIWWW.qblast("blastp", database, fasta, url_base=base, password=key).read())
    same(client, "password", found, hits)


def main():
    mode, base, queries, database = sys.argv[1:5]
    with open(queries) as file:
        # A few of them: every client searches many times.
        fasta = "".join(f">{record}" for record in file.read().split(">")[1::4])
    if mode == "keyed":
        keyed(base, database, fasta, sys.argv[5])
    elif mode == "broken":
        broken(base, database, fasta)
    else:
        expected = old_biopython(base, database, fasta)
        new_biopython(base, database, fasta, expected)
        sample(base, database, fasta, expected)


if __name__ == "__main__":
    main()
