#!/usr/bin/env bash
# Builds the fuzz targets (clang, address and undefined-behaviour sanitizers) and runs them for some seconds each, as
# many at a time as there are processors.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]      60 seconds, all targets
#
# Each starts from tests/fuzz/corpus/<target> and keeps what it learns in build/fuzz/corpus/<target>, so that the next run
# goes on from there. Prints a line a target; an input that fails is kept, and the line says how to repeat it.
set -euo pipefail

cd "$(dirname "$0")/.."
readonly seconds=${1:-60}
shift || true
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: ${0##*/} [SECONDS [TARGET...]]" >&2; exit 2; }

scripts/setup.sh --clang
cmake --preset fuzz --log-level=WARNING -DADASS_WERROR=ON >/dev/null
cmake --build --preset fuzz

# The last line of a log that tells what was reached.
show() {
    local log=$1 executions reached
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    reached=$(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -n 1)
    printf '%-20s %10s executions, %s\n' "$2" "${executions:-?}" "$reached"
}

run() {
    local target=$1 seconds=$2 folder=build/fuzz
    local log=$folder/$target.log dictionary=tests/fuzz/dict/$target.dict options=()
    mkdir -p "$folder/corpus/$target"
    [[ ! -f $dictionary ]] || options+=(-dict="$dictionary")
    # A thread of its own for each target; an input may take 20 s and 2 GiB.
    if OMP_NUM_THREADS=1 "$folder/bin/fuzz_$target" "${options[@]}" -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$folder/$target-" \
        "$folder/corpus/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
        show "$log" "$target"
    else
        tail -n 40 "$log"
        echo "FAILED: $target; repeat with $folder/bin/fuzz_$target $(grep -oE "$folder/$target-[a-z]+-[0-9a-f]+" "$log" | tail -n 1)"
        return 1
    fi
}
export -f run show

targets=("$@")
if ((${#targets[@]} == 0)); then
    targets=(tests/fuzz/fuzz_*.c)
    targets=("${targets[@]##*/fuzz_}")
    targets=("${targets[@]%.c}")
fi
printf '%s\n' "${targets[@]}" | xargs -I{} -P "$(nproc)" bash -c 'run {} '"$seconds"
