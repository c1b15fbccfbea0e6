#!/usr/bin/env bash
# Situations from life with the right answer, beside the checkout where somebody has them (../shared/cases): what
# validate says of each.  `make faults` runs all of them, `make test` every third.
#
#   scripts/cases.sh                      all, by module
#   scripts/cases.sh --every 3 --no-timed every third of each module, without those that measure times
#   scripts/cases.sh environment          their environment alone
#
# They run in an environment of their own, build/cases-env, with the package that is built here.  Exit status 1:
# a case is wrong that tests/faults/known_misses.txt does not name.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${EXRAY_BUILD:-build}
cases=../shared/cases
environment=$build/cases-env
[ -r "$cases/run.py" ] || { echo "cases: skipped, there are none beside the checkout"; exit 0; }

stamp=$(sha256sum "$cases/requirements.txt" | cut -d' ' -f1)
if [ "$(cat "$environment/stamp" 2>/dev/null)" != "$stamp" ]; then
    echo "cases: Python environment $environment"
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/python" -m pip install -q --disable-pip-version-check -r "$cases/requirements.txt" cffi \
        || { echo "cases: skipped, what they need could not be installed"; exit 0; }
    echo "$stamp" >"$environment/stamp"
fi
[ "${1:-}" != environment ] || exit 0
[ "${EXRAY_WHEEL:-}" = built ] || { scripts/bootstrap.sh python && scripts/python_package.sh build; }
"$environment/bin/python" -m pip install -q --disable-pip-version-check --no-deps --no-index --force-reinstall \
    "$build"/wheels/exray-*.whl
exec "$environment/bin/python" scripts/cases.py "$cases" --jobs "$(nproc)" "$@"
