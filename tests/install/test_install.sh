#!/usr/bin/env bash
# Installs a build into a temporary folder, and builds and runs a program against it: once through pkg-config, once
# through the CMake package.
#
#   CC=... CFLAGS=... tests/install/test_install.sh BUILD_DIR LIBDIR
#
# LIBDIR: the folder of libraries, relative to the prefix.
set -euo pipefail

readonly build=$1 libdir=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
readonly here work
trap 'rm -rf "$work"' EXIT
export PKG_CONFIG_PATH=$work/prefix/$libdir/pkgconfig LD_LIBRARY_PATH=$work/prefix/$libdir

# Shows what a command printed only when it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || {
        cat "$work/log"
        exit 1
    }
}

quietly cmake --install "$build" --prefix "$work/prefix"
"$work/prefix/bin/adass" --version

echo "pkg-config: $(pkg-config --modversion adass)"
# shellcheck disable=SC2046,SC2086 # lists of flags
${CC:-cc} -std=c11 ${CFLAGS:-} "$here/consumer.c" -o "$work/consumer" $(pkg-config --cflags --libs adass)
"$work/consumer"

echo "find_package"
quietly cmake -S "$here/cmake_consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_C_COMPILER="${CC:-cc}" -DCMAKE_C_FLAGS="${CFLAGS:-}"
quietly cmake --build "$work/build"
"$work/build/consumer"
