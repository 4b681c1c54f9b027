#!/usr/bin/env bash
# From a fresh copy to a table: installs what is missing, builds, runs the suite `quick` on planted data and shows the
# table of its results. Started again, it goes on where it stopped.
#
#   scripts/run.sh [OPTIONS OF adass reproduce]
set -euo pipefail

cd "$(dirname "$0")/.."
scripts/setup.sh
cmake --preset release --log-level=WARNING
cmake --build --preset release --target adass-cli
mkdir -p out
exec build/release/bin/adass reproduce --suite quick --out out/quick "$@"
