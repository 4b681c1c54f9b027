#!/usr/bin/env bash
# Compares the benchmarks of two revisions; scripts/bench_regress.sh --help says how.
exec python3 "$(dirname "$0")/bench_regress.py" "$@"
