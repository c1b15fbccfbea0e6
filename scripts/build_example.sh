#!/usr/bin/env bash
# Builds examples/classify.c against the recorder and TensorFlow Lite's library.
#
#   scripts/build_example.sh native     build/demo/classify
#   scripts/build_example.sh aarch64    build/demo/classify-aarch64 (see bootstrap-arm64.sh)
#   scripts/build_example.sh libraries-aarch64   the libraries for arm64 alone, in build/aarch64
set -euo pipefail
cd "$(dirname "$0")/.."
build=${EXRAY_BUILD:-build}
warnings="-Wall -Wextra -Wpedantic -Wshadow"

case ${1:-} in
native)
    compiler=${CC:-cc} arch=$(uname -m) tree=$build output=$build/demo/classify jpeg=(-ljpeg)
    # Link the archives that the program itself is made of.
    [ -e "$tree/CMakeCache.txt" ] || cmake -G Ninja -S . -B "$tree" -DEXRAY_BUILD_TESTS=OFF >/dev/null
    ;;
aarch64 | libraries-aarch64)
    exec 9>"$build/aarch64.lock" # of tests that run side by side one builds
    flock 9
    compiler=aarch64-linux-gnu-gcc arch=aarch64 tree=$build/aarch64 output=$build/demo/classify-aarch64
    sysroot=$build/sysroot-aarch64/usr
    jpeg=("-I$sysroot/include" "-I$sysroot/include/aarch64-linux-gnu" "$sysroot/lib/aarch64-linux-gnu/libjpeg.a")
    # The device gets the recorder and the tap, and no more.
    [ -e "$tree/CMakeCache.txt" ] || cmake -G Ninja -S . -B "$tree" -DCMAKE_SYSTEM_NAME=Linux \
        -DCMAKE_SYSTEM_PROCESSOR=aarch64 "-DCMAKE_C_COMPILER=$compiler" \
        -DEXRAY_BUILD_HOST=OFF -DEXRAY_BUILD_TESTS=OFF >/dev/null
    ;;
*)
    echo "build_example: which machine?  native, aarch64 or libraries-aarch64" >&2
    exit 2
    ;;
esac

if [ "$1" = libraries-aarch64 ]; then
    cmake --build "$tree" --target exray_core exray_models exray_taps exray_tflite exray_litert exray_ort >/dev/null
    exit
fi
engine=$build/engines/tflite-$arch
[ -s "$engine/libtensorflowlite_c.so" ] || {
    echo "build_example: no $engine/libtensorflowlite_c.so; run scripts/bootstrap.sh engine (or arm64)" >&2
    exit 2
}
cmake --build "$tree" --target exray_core exray_models exray_tflite >/dev/null
archives=("$tree/src/engines/libexray_tflite.a" "$tree/src/models/libexray_models.a" "$tree/src/core/libexray_core.a")
mkdir -p "$build/demo"
for source in examples/*.[ch] include/exray/*.h "${archives[@]}" "$engine/libtensorflowlite_c.so" "$0"; do
    [ "$output" -nt "$source" ] && continue
    # shellcheck disable=SC2086 # warnings are several words
    "$compiler" -std=c11 -O2 -g $warnings -Iinclude examples/classify.c -o "$output" "${archives[@]}" \
        "-L$engine" -ltensorflowlite_c "${jpeg[@]}" -lm -lpthread -ldl \
        "-Wl,-rpath,\$ORIGIN/../engines/tflite-$arch"
    break
done
