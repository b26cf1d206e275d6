"""A client made from /api/openapi.json calls each operation of a server once.

    openapi.py URL QUERIES DATABASE

Prints a line for each call.
"""

import importlib
import pathlib
import subprocess
import sys
import tempfile

url, queries, database = sys.argv[1], pathlib.Path(sys.argv[2]).read_text(), sys.argv[3]


def generated(folder):
    """The client's package, made in a folder."""
    maker = pathlib.Path(sys.executable).with_name("openapi-python-client")
    made = subprocess.run(
        [maker, "generate", "--url", f"{url}/api/openapi.json", "--output-path", folder / "made", "--meta", "none"],
        capture_output=True,
        text=True,
        env={"PATH": str(maker.parent)},
    )
    print(made.stdout, made.stderr, file=sys.stderr)
    made.check_returncode()
    sys.path.insert(0, str(folder))
    return importlib.import_module("made")


with tempfile.TemporaryDirectory() as name:
    made = generated(pathlib.Path(name))
    client = made.Client(base_url=url, timeout=250, follow_redirects=True)
    models = importlib.import_module("made.models")
    types = importlib.import_module("made.types")

    def call(tag, operation, *place, status=200, **wishes):
        """Calls an operation, and gives what the client has read."""
        module = importlib.import_module(f"made.api.{tag}.{operation}")
        answer = module.sync_detailed(*place, client=client, **wishes)
        assert answer.status_code == status, (operation, answer)
        print(operation, status)
        return answer.parsed

    def submit(**options):
        request = models.SearchRequest(database=database, query=queries, **options)
        return call("searches", "submit_search", status=202, body=request, idempotency_key="0123456789abcdef")

    assert call("server", "health").status == "ok"
    assert any(entry.name == database for entry in call("server", "list_databases"))
    assert all(check.ok for check in call("server", "doctor"))
    assert call("server", "openapi") is not None
    assert "<main" in call("server", "docs")
    # Makers of clients do not know that these are text; metrics.py reads them.
    call("server", "metrics")

    accepted = submit(evalue=1e-5, max_target_seqs=5)
    assert submit(evalue=1e-5, max_target_seqs=5).id == accepted.id, "the same key"
    search = accepted.id
    assert not call("searches", "retry_search", search, status=202).begun, "it has not ended"
    status = call("searches", "search_status", search, wait=200, map_=True)
    assert status.state == models.State.COMPLETED, status
    assert status.options.to_dict() == {"evalue": "0.00001", "max_target_seqs": "5"}, status.options
    assert call("searches", "label_search", search, body=models.LabelWish(label="mine")).label == "mine"
    assert search in [entry.id for entry in call("searches", "list_searches", limit=10).searches]

    report = call("results", "search_results", search)
    assert report.count("\n") > 1
    assert call("results", "search_results", search, outfmt="7").startswith("# BLASTP")
    assert call("results", "search_results", search, range_="bytes=0-9", status=206) == report[:10]
    page = call("results", "list_queries", search, with_hits=True)
    place = page.queries[0].place
    hits = call("results", "list_hits", search, place, limit=1, plots=True)
    assert hits.hits[0].rank == 1
    aligned = call("results", "list_alignments", search, place, subjects=str(hits.hits[0].ordinal))
    assert aligned.hits[0].alignments[0].midline
    assert call("results", "list_species", search, limit=5).total >= 0
    fasta = call("results", "search_sequences", search, part="aligned", query=place)
    assert fasta.startswith(">") and fasta.count(">") == page.queries[0].hsps, fasta
    link = call("results", "share_results", search, seconds=60, status=201).link
    assert call("results", "shared_results", token=link.split("token=")[1]) == report

    upload = call("uploads", "begin_upload", status=201).id
    content = types.File(payload=queries.encode())
    call("uploads", "upload_part", upload, 0, body=content, status=204)

    problem = call("searches", "search_status", "0" * 32, status=404)
    assert problem.type_ == "urn:skyblast:problem:unknown-search", problem
    ended = call("searches", "cancel_search", search)
    assert ended.ended_before
    assert "nothing-to-retry" in call("searches", "retry_search", search, status=409).type_
    call("searches", "cancel_search", search, purge=True, status=204)
    call("ncbi", "blast_cgi")
    call("page", "page")
    call("page", "page_file", "style.css")
