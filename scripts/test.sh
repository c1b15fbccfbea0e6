#!/usr/bin/env bash
# Everything that CI runs.  Called by `make test`.  The last lines say what ran, what was skipped and why,
# and how long each step took.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=$(nproc)
python=build/python-tests/bin/python
results=$(mktemp -d)
began=$SECONDS step="" step_began=0 finished=()
ran() { finished+=("$(printf '%5d s  %-52s %s' $((SECONDS - step_began)) "$step" "$1")"); }
step() { step=$1 step_began=$SECONDS; printf '\n== %s  (%d s so far)\n' "$step" $((SECONDS - began)); }

summary() {
    local status=$?
    [ $status -eq 0 ] || ran "FAILED"
    printf '\n== what ran\n'
    printf '%s\n' "${finished[@]}"
    python3 scripts/test_summary.py "$results" $((SECONDS - began)) $status
    rm -rf "$results"
    exit $status
}
trap summary EXIT

# c_tests NAME BUILD [ctest's options]: ctest, and what cmocka said it skipped.
c_tests() {
    ctest --test-dir "$2" -j "$jobs" --output-on-failure "${@:3}" | tee "$results/ctest.txt"
    ran "$(python3 scripts/test_summary.py --ctest "$1" "$results" "$results/ctest.txt" "$2/Testing/Temporary/LastTest.log")"
}

# python_tests NAME PYTHON [pytest's options]: what measures times runs alone, behind the others.
python_tests() {
    local name=$1 interpreter=$2 marks=${EXRAY_TEST_MARKS:-} part
    for part in "not alone" "alone"; do
        local parallel=()
        [ "$part" = alone ] || parallel=(-n "$jobs" --dist loadscope)
        EXRAY_TEST_RESULTS=$results/$name-${part// /-}.json "$interpreter" -m pytest -q -p no:cacheprovider "${parallel[@]}" \
            -m "($part)${marks:+ and ($marks)}" "${@:3}" || [ $? -eq 5 ] # 5: none has the mark
    done
    ran "$(python3 scripts/test_summary.py --pytest "$results" "$name")"
}

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1

step "lint"
EXRAY_TIDY_NODES=20000 scripts/lint.sh # `make lint` looks deeper
ran clean

step "C tests with address and undefined-behaviour sanitizers"
cmake --preset asan >/dev/null
cmake --build --preset asan -j "$jobs"
c_tests asan build/asan

step "C tests with the thread sanitizer"
cmake --preset tsan >/dev/null
cmake --build --preset tsan -j "$jobs" --target threads
# Without two long ones that have no threads.
c_tests tsan build/tsan -R 'core|test_log$' -E 'test_(budget|refusals)$'

step "Python and command-line tests"
# The optimized build with its tests: what users run, at the speed they run it.
cmake -G Ninja -S . -B build/test -DEXRAY_BUILD_TESTS=ON -DEXRAY_WERROR=ON >/dev/null
cmake --build build/test -j "$jobs"
export EXRAY_BUILD_DIR=$PWD/build/test EXRAY_ASAN_DIR=$PWD/build/asan
python_tests python "$python" tests

step "the Python package, from a fresh environment"
scripts/python_package.sh build fresh
python_tests package build/python-fresh/bin/python bindings/python/tests

step "cases beside the checkout"
EXRAY_WHEEL=built scripts/cases.sh --every 3 --no-timed | tee "$results/cases.txt"
ran "$(tail -n 1 "$results/cases.txt" | sed 's/^cases: //')"

# Where there are more data than everybody has: what depends on data once more, with what everybody has.
if [ -n "$(python3 tests/testdata.py assets)" ]; then
    step "Python tests, with the data of packages alone"
    EXRAY_ASSETS=none EXRAY_TEST_MARKS=data python_tests python-packages "$python" tests
    step "the Python package, with the data of packages alone"
    EXRAY_ASSETS=none EXRAY_TEST_MARKS=data python_tests package-packages build/python-fresh/bin/python bindings/python/tests
fi

step "fuzzers, briefly"
scripts/fuzz.sh 10 1
ran "no findings"
