#!/usr/bin/env python3
"""Makes long_batch.fa.gz and long_db.fa.gz from the protein of ../edge/long.fa.gz, and reach*.fa.gz and tiny*.fa
by chance.

Usage: long.py FOLDER. The same bytes every time: all chance comes from the generator below.
"""

import gzip
import sys
from pathlib import Path

LETTERS = "ARNDCQEGHILKMFPSTWYV"
# Where blastp cuts the protein: the second and the third piece begin here.
SEAMS = [11_705, 23_410]

state = 19_800


def below(limit):
    """A number from 0 to limit - 1, from a linear congruential generator (Knuth's MMIX)."""
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    return (state >> 33) % limit


def mutate(text, percent):
    """Replaces letters by chance; now and then drops one or puts some in."""
    out = []
    for letter in text:
        if below(100) < percent:
            letter = LETTERS[below(20)]
        if below(100) < 3:
            letter = ["", letter + "".join(LETTERS[below(20)] for _ in range(1 + below(5)))][below(2)]
        out.append(letter)
    return "".join(out)


def partly_lower(text):
    """Writes a stretch in lower case now and then, of one to a hundred letters."""
    out, lower = [], 0
    for letter in text:
        if lower == 0 and below(400) == 0:
            lower = 1 + below(100)
        out.append(letter.lower() if lower else letter)
        lower = max(lower - 1, 0)
    return "".join(out)


def write(path, records):
    lines = []
    for name, text in records:
        lines += [f">{name}"] + [text[i : i + 60] for i in range(0, len(text), 60)]
    content = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def random_text(length):
    return "".join(LETTERS[below(20)] for _ in range(length))


def reach(folder):
    """An alignment with 25 residues of gap after every 30, more than 3,000 in all, in a subject that is just
    long enough for blastp to look at a part of it only, and in one that is not."""
    parts = [random_text(30) for _ in range(160)]
    gapped = "".join(part + random_text(25) for part in parts)
    whole = ("whole", "".join(parts))
    write(folder / "reach.fa.gz", [whole, ("half", whole[1][:2_400])])
    filled = lambda length: "X" * (length - len(gapped) - 1_000) + gapped + "X" * 1_000
    write(folder / "reach_db.fa.gz", [("short", filled(89_999)), ("long", filled(90_000))])


def tiny(folder):
    """Pairs of short sequences, which align in one or two residues at their ends."""
    pairs = [random_text(3 + below(30)) for _ in range(60)]
    write(folder / "tiny.fa", [(f"q{i}", text) for i, text in enumerate(pairs)])
    write(folder / "tiny_db.fa", [(f"s{i}", mutate(text, 50)) for i, text in enumerate(pairs)])


def main():
    folder = Path(sys.argv[1])
    text = gzip.decompress((folder / "../edge/long.fa.gz").read_bytes()).decode()
    protein = "".join(line for line in text.split("\n") if not line.startswith(">"))

    # 20,899 residues: a batch of two pieces. The third and the fourth query lie in both of them,
    # the third as a whole.
    ends = [(0, 7_968), (7_968, 10_400), (10_400, 10_460), (10_460, 10_599), (8_000, 18_300)]
    batch = [(f"part{i}", partly_lower(protein[start:end])) for i, (start, end) in enumerate(ends)]
    batch[0] = ("part0", protein[:7_968])
    write(folder / "long_batch.fa.gz", batch)

    subjects = []
    for i in range(60):
        seam = SEAMS[i % 2] if i % 3 else 8_000 + below(3_000)
        start, end = seam - 10 - below(300), seam + 20 + below(300)
        subjects.append((f"seam{i} residues {start} to {end}", mutate(protein[start:end], 10 + below(55))))
    write(folder / "long_db.fa.gz", subjects)
    reach(folder)
    tiny(folder)


main()
