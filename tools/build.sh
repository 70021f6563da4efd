#!/usr/bin/env bash
# cargo build, and beside the library the name that programs look for when they run (its SONAME).
# Usage: tools/build.sh [--release]
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet "$@"
folder=target/debug
[ "${1:-}" = --release ] && folder=target/release
ln -sf libnthttp.so "$folder/libnthttp.so.0"
