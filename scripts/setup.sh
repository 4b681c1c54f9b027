#!/usr/bin/env bash
# Installs the Debian packages that building and testing need, where they are missing. Quick and silent when all are there.
#
#   scripts/setup.sh [--clang] [--arm64] [--peers]
#
#   --clang  also the second compiler
#   --arm64  also the cross compiler and the emulator of scripts/cross_arm64.sh
#   --peers  also PyTorch and NumPy, for the comparison with other programs
set -euo pipefail

packages=(
    build-essential cmake ninja-build pkg-config git python3 curl
    libdnnl-dev libhwloc-dev libbenchmark-dev libjansson-dev
    zlib1g-dev libzstd-dev liblzma-dev libxxhash-dev libcmocka-dev
)
for argument in "$@"; do
    case $argument in
        --clang) packages+=(clang libomp-dev libclang-rt-dev) ;;
        --arm64) packages+=(gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user) ;;
        --peers) packages+=(python3-torch python3-numpy) ;;
        *)
            echo "usage: ${0##*/} [--clang] [--arm64] [--peers]" >&2
            exit 2
            ;;
    esac
done

if ! command -v dpkg-query >/dev/null; then
    echo "${0##*/}: not a Debian system: install the counterparts of ${packages[*]}" >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done
((${#missing[@]} > 0)) || exit 0

as_root=()
if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
        echo "${0##*/}: run as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "${0##*/}: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq --no-install-recommends "${missing[@]}" >/dev/null
