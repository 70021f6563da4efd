#!/usr/bin/env bash
# make fuzz: builds the fuzz targets of fuzz/ and runs each for FUZZ_SECONDS (default 30). `--build` only builds them.
# Needs the nightly toolchain for the sanitizer; not cargo-fuzz: its environment is set up here.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"

seconds=${FUZZ_SECONDS:-30}
target=x86_64-unknown-linux-gnu
export RUSTFLAGS="--cfg fuzzing -Zsanitizer=address -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"

cargo +nightly build --quiet --bins --target "$target" --target-dir ../target/fuzz
[ "${1:-}" = --build ] && exit 0

names=$(sed -n '/^\[\[bin\]\]/,/^$/s/^name *= *"\(.*\)"/\1/p' Cargo.toml)
for name in $names; do
    echo "== $name, $seconds seconds"
    mkdir -p "corpus/$name" "artifacts/$name"
    seeds=()
    [ -d "seeds/$name" ] && seeds=("seeds/$name")
    "../target/fuzz/$target/debug/$name" -max_total_time="$seconds" -artifact_prefix="artifacts/$name/" -verbosity=0 \
        -print_final_stats=1 "corpus/$name" "${seeds[@]}"
done
