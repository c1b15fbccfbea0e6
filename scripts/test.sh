#!/usr/bin/env bash
# Everything that CI runs, each step with its time.  Called by `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=$(nproc)
python=build/python-tests/bin/python
began=$SECONDS
step() { printf '\n== %s  (%d s so far)\n' "$*" $((SECONDS - began)); }

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1

step "lint"
scripts/lint.sh

step "C tests with address and undefined-behaviour sanitizers"
cmake --preset asan >/dev/null
cmake --build --preset asan -j "$jobs"
ctest --test-dir build/asan -j "$jobs" --output-on-failure

step "C tests with the thread sanitizer"
cmake --preset tsan >/dev/null
cmake --build --preset tsan -j "$jobs"
ctest --test-dir build/tsan -R 'core|test_log$' -j "$jobs" --output-on-failure

step "Python and command-line tests"
# The optimized build with its tests: what users run, at the speed they run it.
cmake -G Ninja -S . -B build/test -DEXRAY_BUILD_TESTS=ON -DEXRAY_WERROR=ON >/dev/null
cmake --build build/test -j "$jobs"
EXRAY_BUILD_DIR=$PWD/build/test EXRAY_ASAN_DIR=$PWD/build/asan "$python" -m pytest -q -ra -p no:cacheprovider tests/python

step "the Python package, from a fresh environment"
scripts/python_package.sh build test

step "fuzzers, briefly"
scripts/fuzz.sh 20 1

step "done"
