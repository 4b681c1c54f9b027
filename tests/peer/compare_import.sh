#!/usr/bin/env bash
# compare_import.sh ADASS PYTHON [ROUNDS [ROWS]]: planted Criteo text to ids, here and by pandas in turn (by whole columns, and value by value); that
# all made the same, then medians of the rounds and their ratios. Files go to $TMPDIR. PYTHON needs pandas and NumPy.
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

# peer WAY, ours THREADS: prints the seconds taken; the result is in $work/<way> or $work/ours.
peer() {
    rm -rf "${work:?}/$1"
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE "$python" "$here/compare_import.py" "$1" "$work/raw.tsv" "$work/$1"
}

ours() {
    local TIMEFORMAT=%R
    rm -rf "$work/ours"
    { time "$adass" data import criteo "$work/raw.tsv" "$work/ours" --protocol chronological --threads "$1" >/dev/null; } 2>&1
}

"$adass" data synth --shape criteo --rows "$rows" --raw tsv "$work/raw.tsv"
: >"$work/lines"
for ((round = 1; round <= rounds; round++)); do
    printf '%s\t%s\n' "1 thread" "$(ours 1)" "2 threads" "$(ours 2)" columns "$(peer columns)" \
        values "$(peer values)" | tee -a "$work/lines"
done
for way in columns values; do
    "$python" "$here/compare_import.py" check "$work/ours" "$work/$way"
done

sort -t $'\t' -k1,1 -k2,2n "$work/lines" | awk -F'\t' -v rows="$(wc -l <"$work/raw.tsv")" '
    function finish() {
        if (n == 0) return
        rate[name] = rows / (n % 2 ? value[(n + 1) / 2] : (value[n / 2] + value[n / 2 + 1]) / 2)
        printf "%-10s %9.0f rows/s  (%d rounds, %.2f to %.2f s)\n", name, rate[name], n, value[1], value[n]
    }
    $1 != name { finish(); name = $1; n = 0 }
    { value[++n] = $2 }
    $1 ~ /columns|values/ { ways[$1] }
    END {
        finish()
        for (way in ways)
            printf "%-10s 1 thread %.1f times, 2 threads %.1f times as fast\n", way, rate["1 thread"] / rate[way], rate["2 threads"] / rate[way]
        printf "2 threads  %.2f times 1 thread\n", rate["2 threads"] / rate["1 thread"]
    }'
