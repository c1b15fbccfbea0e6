#!/usr/bin/env bash
# Runs every fuzzer for some seconds (default 600) on its seeds and on what
# earlier runs found (build/fuzz/corpus).  scripts/fuzz.sh [SECONDS [SEED [RUNS]]]
# With a seed it walks the same way each time: a change is not failed for what
# was there before it.  Without one it looks for more.  RUNS (no limit): one that is
# through with so many ends before its time.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
seed=${2:-0}
runs=${3:--1}
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz

# fuzz NAME: a finding is written to build/fuzz/findings and ends the run with its report.
fuzz() {
    local name=$1 found=build/fuzz/corpus/${1#fuzz_} seeds=fuzz/corpus/${1#fuzz_}
    mkdir -p "$found" build/fuzz/findings
    [ -d "$seeds" ] || seeds=
    [ "$name" = fuzz_log ] && seeds="$seeds tests/compat/v1"
    # shellcheck disable=SC2086 # several folders
    if ! "build/fuzz/fuzz/$name" -seed="$seed" -max_total_time="$seconds" -runs="$runs" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
        -artifact_prefix=build/fuzz/findings/ "$found" $seeds >build/fuzz/"$name".log 2>&1; then
        tail -n 40 build/fuzz/"$name".log
        echo "fuzz: $name found something; see build/fuzz/findings"
        exit 255 # xargs begins no further one
    fi
    echo "fuzz: $name, at most $seconds s: $(grep -E '^Done|stat::number_of_executed' build/fuzz/"$name".log | tail -n 1)"
}
export -f fuzz
export seconds seed runs

# Each has one thread.
printf '%s\n' fuzz/fuzz_*.c | xargs -n 1 basename -s .c | xargs -n 1 -P "$(nproc)" bash -c 'set -euo pipefail; fuzz "$1"' fuzz
