#!/usr/bin/env bash
# Everything built by clang, its warnings as errors, and the C tests.  `make clang-test` installs what it needs.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${EXRAY_BUILD:-build}/clang
cmake -G Ninja -S . -B "$folder" -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DEXRAY_BUILD_TESTS=ON \
    -DEXRAY_BUILD_BENCH=ON -DEXRAY_WERROR=ON --no-warn-unused-cli >/dev/null
cmake --build "$folder" -j "${JOBS:-$(nproc)}"
ctest --test-dir "$folder" -j "${JOBS:-$(nproc)}" --output-on-failure
