"""Makes parsed.fa, whole.fa and twin.*.fa from tests/golden/edge/edge_db.fa; see README.md."""

import sys

source, out = sys.argv[1:]
records = open(source).read().lstrip(">").split("\n>")
sequences = ["".join(record.split("\n")[1:]) for record in records]

# Every kind of identifier that makeblastdb parses, several names, rare titles.
parsed = [
    "sp|P01013|OVALX_CHICK Gene X protein",
    "gi|129295|sp|P01014.1|OVALY_CHICK Gene Y protein",
    "lcl|mine local",
    "word a plain word",
    "gnl|mydb|thing general",
    "gnl|mydb|123 general with a number",
    "pdb|1ABC|A one chain",
    "pdb|2ABC| no chain",
    "pdb|3ABC|aa a chain of two letters",
    "pdb|4ABC|b a lower-case chain",
    "ref|NP_000001.2| RefSeq",
    "gb|AAA12345.1|LOCUS1 GenBank",
    "emb|CAA12345.1| EMBL",
    "dbj|BAA12345.1| DDBJ",
    "pir||A12345 PIR",
    "prf||1234567A PRF",
    "pat|US|RE33188|1 patent",
    "tpg|DAA12345.1| third party",
    "tr|Q55861|Q55861_SYNY3 TrEMBL",
    "notitle",
    "NP_000002.3 a bare accession of RefSeq",
    "P12345 a bare accession of Swiss-Prot",
    "1ABD_B a bare chain",
    "gi|555 only a GI",
    "multi1 first\1multi2 second\1multi3",
    "sp|P11111.2|A_B t1\1gi|99|ref|NP_111111.1| t2 with\ttab\1gb|AAB11111.1| t3",
    "accented prot\u00e9ine \u03b1",
    "spacey   three   spaces  ",
    "long " + "long title " * 60,
]
whole = parsed + ["", "  leads with blanks", "gi|99|whatever\1second", "lcl|my"]


def write(name, ids, residues):
    with open(f"{out}/{name}.fa", "w") as file:
        for number, defline in enumerate(ids):
            file.write(f">{defline}\n{sequences[number][:residues]}\n")


write("parsed", parsed, 120)
write("whole", whole, 120)
for twin in "abc":
    write(f"twin.{twin}", [f"{twin}{number} twin" for number in range(6)], None)
