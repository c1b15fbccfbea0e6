#!/usr/bin/env bash
# Builds the benchmark programs and prints the table.  Called by `make bench`.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/bootstrap.sh demo
cmake -G Ninja -S . -B build/bench -DEXRAY_BUILD_TESTS=OFF -DEXRAY_BUILD_BENCH=ON >/dev/null
cmake --build build/bench -j "$(nproc)" >/dev/null
exec build/python-tests/bin/python scripts/bench.py "$@"
