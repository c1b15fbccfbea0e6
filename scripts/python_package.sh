#!/usr/bin/env bash
# The Python package, as users get it: a wheel, installed into an environment that has nothing of ours.
#
#   scripts/python_package.sh build        build/wheels/exray-*.whl
#   scripts/python_package.sh fresh        types (mypy --strict), and build/python-fresh: an environment with that wheel
#   scripts/python_package.sh test         the same, and its tests
#   scripts/python_package.sh frameworks   taps against PyTorch and Keras
#
# `make` installs what these need (scripts/bootstrap.sh python, python-frameworks).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${EXRAY_BUILD:-build}
tools=$build/python-tests

# Builds with the pinned tools, so that no registry is needed; auditwheel then puts the system's libraries into
# the wheel (libjpeg, zstd, ...), so that it runs where they are not installed.
build_wheel() {
    # This one keeps its build folder, so one after the other.  (`pip wheel .` takes a folder of its own.)
    exec 8>"$build/wheel.lock"
    flock 8
    rm -rf "$build/wheels" "$build/wheels-linked"
    "$tools/bin/python" -m pip wheel -q --disable-pip-version-check --no-build-isolation --no-deps \
        --config-settings=build-dir="$build/wheel" -w "$build/wheels-linked" .
    PATH="$(realpath "$tools/bin"):$PATH" "$tools/bin/python" -m auditwheel repair -w "$build/wheels" "$build"/wheels-linked/*.whl \
        >"$build/wheels-linked/auditwheel.log" 2>&1 \
        || { cat "$build/wheels-linked/auditwheel.log" >&2; echo "python_package: auditwheel failed, see above" >&2; exit 2; }
    "$tools/bin/python" scripts/wheel_licenses.py "$build"/wheels/*.whl
}

# install PYTHON: the wheel into an environment.
install() { "$1" -m pip install -q --disable-pip-version-check --no-deps --no-index --force-reinstall "$build"/wheels/exray-*.whl; }

# An environment with the wheel alone, which sees the tests' packages behind it.
fresh_environment() {
    "$tools/bin/python" -m venv --clear "$build/python-fresh"
    "$tools/bin/python" -c 'import site; print(site.getsitepackages()[0])' \
        >"$("$build/python-fresh/bin/python" -c 'import site; print(site.getsitepackages()[0])')/pinned.pth"
    install "$build/python-fresh/bin/python"
}

run_tests() { "$1/bin/python" -m pytest -q -ra -p no:cacheprovider "${@:2}"; }

[ $# -gt 0 ] || { echo "python_package: which?  build, fresh, test, frameworks" >&2; exit 2; }
for stage in "$@"; do
    case $stage in
    build) build_wheel ;;
    fresh | test)
        "$tools/bin/python" -m mypy --cache-dir="$build/mypy"
        fresh_environment
        [ "$stage" = fresh ] || run_tests "$build/python-fresh" bindings/python/tests
        ;;
    frameworks)
        export KERAS_BACKEND=jax
        for name in torch keras; do
            install "$build/python-$name/bin/python"
            "$build/python-$name/bin/python" -c "import $name" # a test that is skipped tells nothing
            run_tests "$build/python-$name" bindings/python/tests/heavy_taps.py -k "$name"
        done
        ;;
    *) echo "python_package: there is no stage '$stage'" >&2; exit 2 ;;
    esac
done
