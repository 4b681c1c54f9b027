#!/usr/bin/env bash
# Installs what is missing, builds with warnings as errors, and runs the tests.
#
#   scripts/test.sh [--all] [CTEST ARGUMENTS...]
#
#   --all   also with clang, and also with the address and undefined-behaviour sanitizers
#
# For example `scripts/test.sh -R cli`. Failing tests show their output.
set -euo pipefail

cd "$(dirname "$0")/.."

presets=(release)
setup=()
if [[ ${1:-} == --all ]]; then
    presets=(release clang asan)
    setup=(--clang)
    shift
fi

scripts/setup.sh "${setup[@]}"
for preset in "${presets[@]}"; do
    echo "== $preset"
    cmake --preset "$preset" --log-level=WARNING -DADASS_WERROR=ON
    cmake --build --preset "$preset"
    ctest --preset "$preset" "$@"
done
