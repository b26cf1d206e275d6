"""Packs an app folder so that the same files give the same bytes, and checks the zip by reading it again.

Usage: pack.py FOLDER ZIP
"""

import json
import stat
import sys
import zipfile
from pathlib import Path

# The oldest date that a zip can hold.
DATE = (1980, 1, 1, 0, 0, 0)
# Hosts have refused modes without the bits that say "a file".
PROGRAM, FILE = stat.S_IFREG | 0o755, stat.S_IFREG | 0o644


def entries(folder, executable):
    """Name, mode and content of every file, in the order of names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        name = path.relative_to(folder).as_posix()
        yield name, PROGRAM if name == executable else FILE, path.read_bytes()


def pack(folder, target, executable):
    with zipfile.ZipFile(target, "w") as archive:
        for name, mode, content in entries(folder, executable):
            entry = zipfile.ZipInfo(name, DATE)
            entry.create_system = 3  # Unix: only then do readers look at the mode
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=9)


def check(folder, target, executable):
    with zipfile.ZipFile(target) as archive:
        damaged = archive.testzip()
        if damaged:
            sys.exit(f"pack.py: {target}: {damaged} is damaged")
        packed = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    wanted = {name: mode for name, mode, _ in entries(folder, executable)}
    if packed != wanted:
        sys.exit(f"pack.py: {target} holds {packed}, but should hold {wanted}")
    if executable not in packed or "host.json" not in packed:
        sys.exit(f"pack.py: {folder} lacks host.json or the program that it names, {executable}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    host = json.loads((folder / "host.json").read_text())
    executable = host["customHandler"]["description"]["defaultExecutablePath"]
    pack(folder, target, executable)
    check(folder, target, executable)


main()
