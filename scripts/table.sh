#!/usr/bin/env bash
# The table of tasks, models and faults, docs/table.md.  Called by `make table`; options go to tests/table/table.py, such as
#   scripts/table.sh --only face,ssd --parts tasks      some of it, printed
set -euo pipefail
cd "$(dirname "$0")/.."
python=build/python-tests/bin/python
[ -x "$python" ] || { echo "table: $python is missing; run scripts/bootstrap.sh test" >&2; exit 2; }
if [ -z "${EXRAY_BUILD_DIR:-}" ]; then
    export EXRAY_BUILD_DIR=$PWD/build/test
    cmake -G Ninja -S . -B "$EXRAY_BUILD_DIR" -DEXRAY_BUILD_TESTS=ON >/dev/null
    cmake --build "$EXRAY_BUILD_DIR" --target exray camera_app exray_kernels -j "$(nproc)" >/dev/null
fi
exec nice -n 5 "$python" tests/table/table.py "$@" 2> >(grep -v '^INFO: ' >&2)
