#!/usr/bin/env bash
# Sees that the gate has its tools, and installs what is missing from the system's packages, saying so.
# Silent when nothing is missing. Rust itself is not installed from here: https://rustup.rs says how.
set -euo pipefail

declare -A package_of=(
    [gcc]=gcc [g++]=g++ [clang]=clang [x86_64-w64-mingw32-gcc]=gcc-mingw-w64-x86-64
    [curl]=curl [python3]=python3 [nm]=binutils
)

missing=()
for tool in "${!package_of[@]}"; do
    command -v "$tool" >/dev/null 2>&1 || missing+=("${package_of[$tool]}")
done
# A compiler without the C library's headers is a compiler of nothing.
[ -e /usr/include/stdio.h ] || missing+=(libc6-dev)

command -v cargo >/dev/null 2>&1 || { echo "cargo is missing: install Rust (https://rustup.rs)"; exit 1; }
for part in rustfmt cargo-clippy; do
    command -v "$part" >/dev/null 2>&1 || rustup component add "${part#cargo-}"
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing: ${missing[*]} (named as in Debian); please install them"
    exit 1
fi
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "installing from the system's packages: ${missing[*]}" >&2
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
