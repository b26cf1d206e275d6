#!/usr/bin/env python3
"""Writes the database, the map of taxids and the taxdb of the cases to a folder; see README.md."""
import struct
import sys

edge_db, folder = sys.argv[1:]
with open(edge_db) as text:
    residues = ["".join(record.split("\n")[1:]) for record in text.read().split(">")[1:]]

# Definition lines, and the taxids of their names.
LINES = [
    ("sp|P00001.1|A_HUMAN a protein OS=Homo sapiens OX=9606", [("P00001", 9606)]),
    ("sp|P00002.1|B_MOUSE b\x01ref|NP_000003.2| c\x01sp|P00004.1|D_MOUSE d",
     [("P00002.1", 10090), ("NP_000003.2", 10116), ("P00004", 10090)]),
    ("lcl|mine e", []),
    ("gb|AAA00005.1| f\x01gb|AAA00006.1| g", [("AAA00005.1", 562), ("AAA00006.1", 9606)]),
    ("sp|P00007.1|G_ECOLI g", [("P00007", 562)]),
    # 77 is not in the taxdb.
    ("pdb|1ABC|A h\x01pdb|1ABC|B i", [("1ABC_A", 9606), ("1ABC_B", 77)]),
    # Names that are no names.
    ("sp|P00008.1|X x", [("P00008.1", 80)]),
    ("sp|P00009.1|Y y\x01gi|99|ref|NP_000099.1| z", [("P00009.1", 78), ("NP_000099.1", 79)]),
    # The first name has no taxid, and the one with a GI number, which stands for all, is not the first with one.
    ("sp|P00010.1|Z z\x01ref|NP_000011.1| z\x01gi|98|ref|NP_000012.1| z",
     [("NP_000011.1", 10116), ("NP_000012.1", 10090)]),
    ("sp|P00013.1|V v", [("P00013.1", 79)]),
    ("sp|P00014.1|W w", [("P00014.1", 81)]),
]
NAMES = {
    2: ("Bacteria", "eubacteria", "eubacteria", "Bacteria"),
    562: ("Escherichia coli", "E. coli", "enterobacteria", "Bacteria"),
    9606: ("Homo sapiens", "human", "primates", "Eukaryota"),
    10090: ("Mus musculus", "house mouse", "rodents", "Eukaryota"),
    10116: ("Rattus norvegicus", "Norway rat", "rodents", "Eukaryota"),
    78: ("unknown x", "-", "-", "-"),
    79: ("Homo sapiens", "human", "", "N/A"),
    80: ("N/A", "N/A", "N/A", "N/A"),
    81: ("xx", "unknown", "unknown", "unclassified"),
}

longest = sorted(range(len(residues)), key=lambda place: -len(residues[place]))[: 2 * len(LINES)]
with open(f"{folder}/taxa.fa", "w") as out:
    for (line, _), place in zip(LINES, longest[::2]):
        out.write(f">{line}\n{residues[place]}\n")
with open(f"{folder}/taxids.txt", "w") as out:
    for _, taxids in LINES:
        out.writelines(f"{accession}\t{taxid}\n" for accession, taxid in taxids)
index, names = b"", b""
for taxid in sorted(NAMES):
    index += struct.pack(">II", taxid, len(names))
    names += "\t".join(NAMES[taxid]).encode()
with open(f"{folder}/taxdb.bti", "wb") as out:
    out.write(struct.pack(">6I", 0x8739, len(NAMES), 0, 0, 0, 0) + index)
with open(f"{folder}/taxdb.btd", "wb") as out:
    out.write(names)
