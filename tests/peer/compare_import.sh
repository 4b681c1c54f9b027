#!/usr/bin/env bash
# compare_import.sh ADASS PYTHON [ROUNDS [ROWS]]: planted Criteo text to ids, here and by pandas in turn; that both made the same, then
# medians of the rounds and their ratios. Files go to $TMPDIR. PYTHON needs pandas and NumPy.
set -euo pipefail
if [[ $# -lt 2 ]]; then
    sed -n 2,3p "$0" >&2
    exit 2
fi
readonly adass=$1 python=$2 rounds=${3:-3} rows=${4:-1e6}
here=$(dirname "$0")
work=$(mktemp -d)
readonly here work
trap 'rm -rf "$work"' EXIT

# peer, ours THREADS: prints the seconds taken; the result is in $work/<name>.
peer() {
    rm -rf "$work/pandas"
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE "$python" "$here/compare_import.py" encode "$work/raw.tsv" "$work/pandas"
}

ours() {
    local TIMEFORMAT=%R
    rm -rf "$work/ours"
    { time "$adass" data import criteo "$work/raw.tsv" "$work/ours" --protocol chronological --threads "$1" >/dev/null; } 2>&1
}

"$adass" data synth --shape criteo --rows "$rows" --raw tsv "$work/raw.tsv"
: >"$work/lines"
for ((round = 1; round <= rounds; round++)); do
    printf '%s\t%s\n' "1 thread" "$(ours 1)" "2 threads" "$(ours 2)" pandas "$(peer)" | tee -a "$work/lines"
done
"$python" "$here/compare_import.py" check "$work/ours" "$work/pandas"

sort -t $'\t' -k1,1 -k2,2n "$work/lines" | awk -F'\t' -v rows="$(wc -l <"$work/raw.tsv")" '
    function finish() {
        if (n == 0) return
        rate[name] = rows / (n % 2 ? value[(n + 1) / 2] : (value[n / 2] + value[n / 2 + 1]) / 2)
        printf "%-10s %9.0f rows/s  (%d rounds, %.2f to %.2f s)\n", name, rate[name], n, value[1], value[n]
    }
    $1 != name { finish(); name = $1; n = 0 }
    { value[++n] = $2 }
    END {
        finish()
        printf "1 thread: %.1f times pandas; 2 threads: %.1f times pandas, %.2f times 1 thread\n", rate["1 thread"] / rate["pandas"],
            rate["2 threads"] / rate["pandas"], rate["2 threads"] / rate["1 thread"]
    }'
