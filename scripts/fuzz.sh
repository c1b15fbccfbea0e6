#!/usr/bin/env bash
# Runs every fuzzer for some seconds (default 600) on its seeds and on what
# earlier runs found (build/fuzz/corpus).  scripts/fuzz.sh [SECONDS [SEED]]
# With a seed it walks the same way each time: a change is not failed for what
# was there before it.  Without one it looks for more.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
seed=${2:-0}
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
for fuzzer in fuzz/fuzz_*.c; do
    name=$(basename "$fuzzer" .c)
    found=build/fuzz/corpus/${name#fuzz_}
    mkdir -p "$found" build/fuzz/findings
    seeds=fuzz/corpus/${name#fuzz_}
    [ -d "$seeds" ] || seeds=
    [ "$name" = fuzz_log ] && seeds="$seeds tests/compat/v1"
    echo "fuzz: $name for $seconds s"
    # A finding is written to build/fuzz/findings and ends the run with its report.
    if ! "build/fuzz/fuzz/$name" -seed="$seed" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
        -artifact_prefix=build/fuzz/findings/ "$found" $seeds >build/fuzz/"$name".log 2>&1; then
        tail -n 40 build/fuzz/"$name".log
        echo "fuzz: $name found something; see build/fuzz/findings"
        exit 1
    fi
    grep -E '^Done|stat::number_of_executed' build/fuzz/"$name".log | tail -n 1
done
