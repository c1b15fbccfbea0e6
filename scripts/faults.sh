#!/usr/bin/env bash
# The fault bench: every fault, model and severity through `exray validate`, a table, and
# BUILD/faults/report.json.  Called by `make faults`; options go to tests/faults/run.py, such as
#   scripts/faults.sh --seed 7 --cases 200           mixtures that are not in the bench
#   scripts/faults.sh --layers -o docs/faults.md     faults inside models, and the fixes done
#   scripts/faults.sh --accuracy -o docs/results.md  accuracy recovered
set -euo pipefail
cd "$(dirname "$0")/.."
python=build/python-tests/bin/python
[ -x "$python" ] || { echo "faults: $python is missing; run scripts/bootstrap.sh test" >&2; exit 2; }
if [ -z "${EXRAY_BUILD_DIR:-}" ]; then
    # The optimized build with its tests, as `make test` has it.
    export EXRAY_BUILD_DIR=$PWD/build/test
    cmake -G Ninja -S . -B "$EXRAY_BUILD_DIR" -DEXRAY_BUILD_TESTS=ON >/dev/null
    cmake --build "$EXRAY_BUILD_DIR" --target exray camera_app exray_kernels -j "$(nproc)" >/dev/null
fi
exec "$python" tests/faults/run.py "$@" 2> >(grep -v '^INFO: ' >&2)
