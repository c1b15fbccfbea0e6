#!/usr/bin/env bash
# Damages logs in every way that crashes, storage and links have, and reads them: the table of `make torture`.
#     torture.sh CASES      of each kind of damage
set -euo pipefail
cd "$(dirname "$0")/.."
cmake -S . -B build/test -DEXRAY_BUILD_TESTS=ON >/dev/null
cmake --build build/test --target torture_tool >/dev/null
build/test/tests/torture_tool "${1:-1000}"
