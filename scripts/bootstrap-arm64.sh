#!/usr/bin/env bash
# What the demo's arm64 device and the tests of arm64 need on a machine that is none: a cross
# compiler, an emulator, and arm64 libraries (JPEG, cJSON) in build/sysroot-aarch64.  Does nothing
# where all is there; exit status 1, and one line that says why, where it cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${EXRAY_BUILD:-build}
cache=${EXRAY_CACHE:-$HOME/.cache/exray}
sysroot=$build/sysroot-aarch64
tools=(gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross libstdc++6-arm64-cross qemu-user)
libraries=(libjpeg62-turbo libjpeg62-turbo-dev libcjson1 libcjson-dev)

cannot() { echo "bootstrap: no arm64 device: $*" >&2; exit 1; }

have_tools() {
    command -v aarch64-linux-gnu-gcc >/dev/null && command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64 >/dev/null \
        && [ -e /usr/aarch64-linux-gnu/lib/libstdc++.so.6 ]
}

install_tools() {
    local root=()
    command -v apt-get >/dev/null || cannot "install an arm64 cross compiler and qemu-aarch64 by hand"
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || cannot "run as root once: apt-get install ${tools[*]}"
        root=(sudo -n)
    fi
    echo "bootstrap: installing ${tools[*]}"
    "${root[@]}" apt-get update -qq || cannot "apt-get update failed"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${tools[@]}" >/dev/null \
        || cannot "apt-get install ${tools[*]} failed"
}

# Downloads the arm64 packages with package lists of their own, so that it needs
# no root and the machine's own configuration stays as it is.
download_libraries() {
    local state=$cache/apt-arm64 debs=$cache/debs-arm64
    mkdir -p "$state/lists/partial" "$state/archives/partial" "$debs"
    state=$(realpath "$state")
    : >"$state/status"
    local options=(-qq -o "Dir::State=$state" -o "Dir::State::lists=$state/lists" -o "Dir::State::status=$state/status"
        -o "Dir::Cache=$state" -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root)
    echo "bootstrap: downloading ${libraries[*]} for arm64"
    apt-get "${options[@]}" update || cannot "apt-get update for arm64 failed"
    (cd "$debs" && apt-get "${options[@]}" download "${libraries[@]}" >/dev/null) \
        || cannot "apt-get download ${libraries[*]} for arm64 failed"
    rm -rf "$state"
}

make_sysroot() {
    local debs=$cache/debs-arm64 program library
    for program in apt-get dpkg; do
        command -v "$program" >/dev/null || cannot "needs $program for Debian's arm64 packages"
    done
    for library in "${libraries[@]}"; do
        compgen -G "$debs/${library}_*_arm64.deb" >/dev/null || { download_libraries; break; }
    done
    rm -rf "$sysroot.new"
    mkdir -p "$sysroot.new"
    for library in "${libraries[@]}"; do
        local deb
        deb=$(find "$debs" -name "${library}_*_arm64.deb" | sort -V | tail -n 1)
        dpkg -x "$deb" "$sysroot.new" || cannot "$deb cannot be unpacked; remove it and try again"
    done
    rm -rf "$sysroot"
    mv "$sysroot.new" "$sysroot"
    echo "bootstrap: arm64 libraries in $sysroot"
}

[ "$(uname -m)" != aarch64 ] || cannot "this machine is one itself"
have_tools || install_tools
have_tools || cannot "the cross compiler or qemu-aarch64 is still missing"
libs=$sysroot/usr/lib/aarch64-linux-gnu
[ -s "$libs/libjpeg.a" ] && [ -s "$libs/libcjson.so.1" ] || make_sysroot
