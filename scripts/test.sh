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
    wait "$getting" || true # nothing is left half got
    [ $status -eq 0 ] || ran "FAILED"
    printf '\n== what ran\n'
    printf '%s\n' "${finished[@]}"
    python3 scripts/test_summary.py "$results" $((SECONDS - began)) $status
    rm -rf "$results"
    exit $status
}

# What comes out of packages (engines, Python environments, models and pictures) is for the tests in Python; it is got
# beside the first builds.
get() {
    scripts/bootstrap.sh engine test python demo || return
    scripts/bootstrap.sh arm64 || echo "no arm64 device here: its tests are skipped"
    scripts/cases.sh environment
}
get >"$results/bootstrap.txt" 2>&1 &
getting=$!
trap summary EXIT

got() {
    wait "$getting" || { cat "$results/bootstrap.txt"; return 1; }
    cat "$results/bootstrap.txt"
}

# c_tests NAME BUILD [ctest's options]: ctest, and what cmocka said it skipped.
c_tests() {
    ctest --test-dir "$2" -j "$jobs" --output-on-failure "${@:3}" | tee "$results/ctest.txt"
    ran "$(python3 scripts/test_summary.py --ctest "$1" "$results" "$results/ctest.txt" "$2/Testing/Temporary/LastTest.log")"
}

# python_tests NAME PYTHON FOLDER: what measures times runs alone, behind the others.
python_tests() {
    local name=$1 interpreter=$2 marks=${EXRAY_TEST_MARKS:-} part where
    for part in "not alone" "alone"; do
        local parallel=()
        where=("$3")
        if [ "$part" = alone ]; then
            mapfile -t where < <(grep -rl --include='test_*.py' 'mark\.alone' "$3") # the others need not be read again
            [ ${#where[@]} -gt 0 ] || continue
        else
            parallel=(-n "$jobs" --dist loadscope --no-loadscope-reorder) # tests/data_hooks.py has the order
        fi
        EXRAY_TEST_RESULTS=$results/$name-${part// /-}.json "$interpreter" -m pytest -q -p no:cacheprovider "${parallel[@]}" \
            -m "($part)${marks:+ and ($marks)}" "${where[@]}" || [ $? -eq 5 ] # 5: none has the mark
    done
    ran "$(python3 scripts/test_summary.py --pytest "$results" "$name")"
}

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1

# The program, the build of its tests and the package have the same options, but for -Werror: what one of them compiled is
# taken by the next.  The strict one comes first, so that what the others take had no warning.
launcher=""
if command -v ccache >/dev/null; then
    export CCACHE_DIR=$PWD/build/ccache CCACHE_MAXSIZE=1G CCACHE_DEPEND=1 CCACHE_NOHASHDIR=1 CCACHE_IGNOREOPTIONS=-Werror
    launcher=ccache
fi
# By one name: the package's build would take Python's compiler, gcc, which is another to ccache.
sharing() { CC=${CC:-cc} CMAKE_C_COMPILER_LAUNCHER=$launcher "$@"; }

step "the optimized build: what users run, with its tests"
sharing cmake -G Ninja -S . -B build/test -DEXRAY_BUILD_TESTS=ON -DEXRAY_WERROR=ON >/dev/null
cmake --build build/test -j "$jobs"
ran "no warning"

step "lint"
EXRAY_LINT_BUILD=build/test EXRAY_TIDY_NODES=20000 scripts/lint.sh # `make lint` looks deeper
ran clean

step "C tests with address and undefined-behaviour sanitizers"
cmake --preset asan >/dev/null
cmake --build --preset asan -j "$jobs"
got
c_tests asan build/asan

step "C tests with the thread sanitizer"
cmake --preset tsan >/dev/null
cmake --build --preset tsan -j "$jobs" --target threads
# Without two long ones that have no threads.
c_tests tsan build/tsan -R 'core|test_log$' -E 'test_(budget|refusals)$'

step "Python and command-line tests"
sharing cmake -G Ninja -S . -B build -DEXRAY_BUILD_TESTS=OFF >/dev/null
cmake --build build -j "$jobs"
export EXRAY_BUILD_DIR=$PWD/build/test EXRAY_ASAN_DIR=$PWD/build/asan
python_tests python "$python" tests

step "the Python package, from a fresh environment"
sharing scripts/python_package.sh build fresh
sharing python_tests package build/python-fresh/bin/python bindings/python/tests

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
scripts/fuzz.sh 10 1 200000 # quick ones have been far around by then, and walk the same way each time
ran "no findings"
