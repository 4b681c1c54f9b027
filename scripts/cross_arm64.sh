#!/usr/bin/env bash
# Builds for 64-bit Arm with Debian's cross compiler and runs the tests under QEMU.
#
#   scripts/cross_arm64.sh [CTEST ARGUMENTS...]
#
# The arm64 libraries are unpacked into build/arm64-sysroot, once; nothing of them is installed on this machine.
# Afterwards `cmake --build --preset arm64` and `ctest --preset arm64` work by themselves.
#
# Status 77: compiler, emulator or libraries cannot be had here (no network, for example).
set -euo pipefail

cd "$(dirname "$0")/.."
readonly sysroot=$PWD/build/arm64-sysroot
packages=(
    libc6-dev libgomp1 libstdc++6
    libdnnl-dev libhwloc-dev libbenchmark-dev libjansson-dev
    zlib1g-dev libzstd-dev liblzma-dev libxxhash-dev libcmocka-dev
)

unavailable() {
    echo "${0##*/}: NOT RUN: $*" >&2
    exit 77
}

# apt for a machine of another architecture that has nothing installed, with this machine's sources.
foreign_apt() {
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User="$(id -un)" \
        -o Dir::State="$new/apt" -o Dir::State::status="$new/apt/status" -o Dir::Cache="$new/apt/cache" "$@"
}

unpack_sysroot() {
    local new=$sysroot.new package
    rm -rf "$new"
    mkdir -p "$new"/apt/{lists,cache/archives}/partial
    touch "$new/apt/status"
    echo "${0##*/}: downloading the arm64 libraries into ${sysroot#"$PWD"/}"
    foreign_apt update >/dev/null || unavailable "apt-get update failed"
    foreign_apt install --yes --no-install-recommends --download-only "${packages[@]}" >/dev/null ||
        unavailable "the arm64 packages cannot be downloaded"
    for package in "$new"/apt/cache/archives/*.deb; do
        dpkg-deb -x "$package" "$new"
    done
    rm -rf "$new/apt" "$sysroot"
    mv "$new" "$sysroot"
}

scripts/setup.sh --arm64 || unavailable "scripts/setup.sh --arm64 failed"
[[ -d $sysroot ]] || unpack_sysroot
cmake --preset arm64 --log-level=WARNING -DADASS_WERROR=ON
cmake --build --preset arm64
ctest --preset arm64 "$@"
