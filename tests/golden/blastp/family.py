#!/usr/bin/env python3
"""Makes family.fa and family_queries.fa: one protein's large family, to strain the list limits.

Usage: family.py FOLDER. The same bytes every time: all chance comes from the generator below.
"""

import sys
from pathlib import Path

# Residues 1 to 200 of sp|P09424 (mannitol-1-phosphate 5-dehydrogenase of E. coli).
PARENT = (
    "MKALHFGAGNIGRGFIGKLLADAGIQLTFADVNQVVLDALNARHSYQVHV"
    "VGETEQVDTVSGVNAVSSIGDDVVDLIAQVDLVTTAVGPVVLERIAPAIA"
    "KGQVKRKEQGNESPLNIIACENMVRGTTQLKGHVMNALPEDAKAWVEEHV"
    "GFVDSAVDRIVPPSASATNDPLEVTVETFSEWIVDKTQFKGALPNIPGME"
)
LETTERS = "ARNDCQEGHILKMFPSTWYV"

state = 2014


def below(limit):
    """A number from 0 to limit - 1, from a linear congruential generator (Knuth's MMIX)."""
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    return (state >> 33) % limit


def random_text(length):
    return "".join(LETTERS[below(20)] for _ in range(length))


def mutate(text, percent):
    """Replaces letters by chance; now and then drops one or puts one in."""
    out = []
    for letter in text:
        if below(100) < percent:
            letter = LETTERS[below(20)]
        if below(100) < 2:
            letter = ["", letter + LETTERS[below(20)]][below(2)]
        out.append(letter)
    return "".join(out)


def fragment():
    """A mutated piece of the parent: the bulk, from close to hardly related."""
    length = 45 + below(60)
    start = below(len(PARENT) - length)
    return mutate(PARENT[start : start + length], 5 + below(50))


def bridged():
    """Two pieces with noise between: only the final alignment, with its larger drop-off, joins them."""
    first, last = mutate(PARENT[:70], 10 + below(35)), mutate(PARENT[125:], 10 + below(35))
    return first + mutate(PARENT[70:125], 75 + below(20)) + last


def copies():
    """Six identical sequences."""
    return [fragment()] * 6


def repetitive():
    """A few letters over and over."""
    unit = ["Q", "QQH", "GA", "GAGS", "EEK", "KE"][below(6)]
    return mutate(unit * (60 // len(unit)), below(15))


def main(folder):
    members = [fragment() for _ in range(1100)] + [bridged() for _ in range(150)]
    members += [copy for _ in range(40) for copy in copies()]
    members += [repetitive() for _ in range(60)] + [random_text(80) for _ in range(50)]
    for last in range(len(members) - 1, 0, -1):  # Fisher-Yates
        other = below(last + 1)
        members[last], members[other] = members[other], members[last]
    records = [f">m{number} member {number}\n{text}\n" for number, text in enumerate(members)]
    (folder / "family.fa").write_text("".join(records))
    queries = {
        "parent": PARENT,
        "half the parent, reversed ends": PARENT[100:] + PARENT[:40],
        "repeats": "QQQQQPQQQQHQQQQAQQQQQQ" + "GAGAGSGAGAGYGAGAGS" + "EEKEEKEEEKKEEKEEKK",
        "unsearchable": "X" * 40,
        "tiny": PARENT[30:42],
        "close member": mutate(PARENT, 15),
    }
    records = [f">q{number} {title}\n{text}\n" for number, (title, text) in enumerate(queries.items(), 1)]
    (folder / "family_queries.fa").write_text("".join(records))


main(Path(sys.argv[1]))
