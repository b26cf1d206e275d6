#!/usr/bin/env bash
# Builds the app folder that the Functions host runs, and its zip.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: infra/package.sh [--binary FILE] [--glibc VERSION] [--out FOLDER]

Builds skyblast for the hosting image, puts the script root together (host.json, a folder per function, the
binary) and packs it: FOLDER/app and FOLDER/app.zip. Equal input gives an equal zip.

  --binary FILE    package this binary instead of building one
  --glibc VERSION  newest glibc that the binary may ask for [default: 2.28]
  --out FOLDER     where to write; the app folder and the zip in it are replaced [default: target/package]

Needs Python 3, binutils, and for building Rust. The compiler for an older glibc (cargo-zigbuild and zig, at
the versions of infra/build-requirements.txt) is installed into .cache/build on first use.
TEXT
}

fail() {
    echo "infra/package.sh: $*" >&2
    exit 1
}

start=$PWD
project=$(cd "$(dirname "$0")/.." && pwd)
target=x86_64-unknown-linux-gnu
binary='' glibc=2.28 out=$project/target/package

while (($#)); do
    case $1 in
        --help | -h) usage && exit ;;
        --binary | --glibc | --out)
            (($# > 1)) || fail "$1 needs a value; --help lists the options"
            case $1 in
                --binary) binary=$(cd "$start" && realpath -- "$2") ;;
                --glibc) glibc=$2 ;;
                --out) out=$(cd "$start" && realpath -m -- "$2") ;;
            esac
            shift 2
            ;;
        *) fail "there is no option $1; --help lists the options" ;;
    esac
done
[[ $glibc =~ ^2\.[0-9]+$ ]] || fail "--glibc $glibc is no version of glibc; give one such as 2.28"
for tool in python3 objdump strip; do
    command -v "$tool" >/dev/null || fail "$tool is needed; install Python 3 and binutils"
done
cd "$project"

build() {
    local tools=.cache/build
    if ! cmp --silent infra/build-requirements.txt "$tools/.installed"; then
        python3 -m venv --clear "$tools"
        "$tools/bin/pip" install --quiet --require-hashes -r infra/build-requirements.txt
        cp infra/build-requirements.txt "$tools/.installed"
    fi
    PATH=$PWD/$tools/bin:$PATH cargo zigbuild --locked --profile dist --target "$target.$glibc" >&2
    binary=${CARGO_TARGET_DIR:-target}/$target/dist/skyblast
}

# The newest version of glibc that a symbol of the binary asks for.
newest_glibc() {
    objdump -T "$1" | grep -o 'GLIBC_2[0-9.]*' | sort -Vu | tail -n 1 | cut -d_ -f2
}

[[ $binary ]] || build
[[ -f $binary ]] || fail "there is no binary $binary"
asked=$(newest_glibc "$binary") || fail "$binary is no Linux program that uses glibc"
if [[ $(printf '%s\n' "$asked" "$glibc" | sort -V | tail -n 1) != "$glibc" ]]; then
    fail "$binary asks for glibc $asked, newer than $glibc: the hosting image may lack it; build without --binary"
fi

app=$out/app
rm -rf "$app" "$app.zip"
mkdir -p "$app"
cp host.json "$app/"
for folder in functions/*/; do
    name=$(basename "$folder")
    mkdir "$app/$name"
    cp "$folder/function.json" "$app/$name/"
done
# Names of functions stay, for the places in a panic's message; line tables would make up three quarters.
strip --strip-debug -o "$app/skyblast" "$binary"
chmod 755 "$app/skyblast"

python3 infra/pack.py "$app" "$app.zip"
printf '%s\n  %s bytes, glibc %s or newer\n' "$app.zip" "$(stat -c %s "$app.zip")" "$asked"
