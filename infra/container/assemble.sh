#!/usr/bin/env bash
# Puts the root file system of the container image together: the program, the libraries that it is linked to,
# certificates of authorities, and nothing else. No shell, no package manager.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: infra/container/assemble.sh [--binary FILE] [--out FOLDER]

  --binary FILE    the program [default: target/release/skyblast]
  --out FOLDER     the root; replaced [default: target/container/root]

The image is built from it: docker build --file infra/container/Containerfile --tag skyblast target/container
TEXT
}

fail() {
    echo "infra/container/assemble.sh: $*" >&2
    exit 1
}

project=$(cd "$(dirname "$0")/../.." && pwd)
binary=$project/target/release/skyblast out=$project/target/container/root
while (($#)); do
    case $1 in
        --help | -h) usage && exit ;;
        --binary | --out)
            (($# > 1)) || fail "$1 needs a value; --help lists the options"
            case $1 in
                --binary) binary=$(realpath -- "$2") ;;
                --out) out=$(realpath -m -- "$2") ;;
            esac
            shift 2
            ;;
        *) fail "there is no option $1; --help lists the options" ;;
    esac
done
command -v strip >/dev/null || fail "strip is needed; install binutils"
[[ -x $binary ]] || fail "there is no program $binary; build it with cargo build --release, or give --binary"
certificates=/etc/ssl/certs/ca-certificates.crt
[[ -f $certificates ]] || fail "there is no $certificates; install the package ca-certificates"

# A folder that holds something else is not to be deleted.
if [[ -e $out && ! -e $out/usr/bin/skyblast && $(ls -A "$out") ]]; then
    fail "$out holds something else; give an empty folder with --out"
fi
rm -rf "$out"
install -d -m 755 "$out"/{usr/bin,etc/ssl/certs,data}
install -d -m 1777 "$out/tmp"
# Whoever runs the image as its own user can write there.
chmod 1777 "$out/data"
# Where in the source a panic was is told without debugging information, too.
strip --strip-debug -o "$out/usr/bin/skyblast" "$binary"
install -m 644 "$certificates" "$out$certificates"
# Names of users are asked for by libraries.
printf 'root:x:0:0::/:/\nskyblast:x:65532:65532::/data:/\n' >"$out/etc/passwd"
printf 'root:x:0:\nskyblast:x:65532:\n' >"$out/etc/group"

# What the dynamic loader finds here it must find there, by the same name.
ldd "$binary" | grep -o '/[^ ]*' | while read -r library; do
    install -D -m 755 "$library" "$out$library"
done
echo "$out"
