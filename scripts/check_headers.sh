#!/usr/bin/env bash
# The public headers in C and C++, each alone, in every standard they promise (ctest's label `headers`; part of every
# run of the C tests).  `make headers-test` installs what it needs.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v "${CXX:-c++}" >/dev/null || { echo "check_headers: no C++ compiler here: scripts/bootstrap.sh build test" >&2; exit 2; }
folder=${EXRAY_BUILD:-build}/test
cmake -G Ninja -S . -B "$folder" -DEXRAY_BUILD_TESTS=ON -DEXRAY_WERROR=ON --no-warn-unused-cli >/dev/null
cmake --build "$folder" -j "${JOBS:-$(nproc)}"
ctest --test-dir "$folder" -L headers -j "${JOBS:-$(nproc)}" --no-tests=error --output-on-failure
