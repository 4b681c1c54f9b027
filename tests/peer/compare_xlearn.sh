#!/usr/bin/env bash
# compare_xlearn.sh ADASS XLEARN PYTHON [ROUNDS [ROWS]]: training of FM, size 16, on planted Criteo rows, here and by xLearn in turn: test
# AUC after the same passes, each side at the learning rate that is best for it on validation rows, and rows a second of a pass on two
# threads: the difference of runs of one pass and of more, so that neither reading nor making the model counts. Ours does count the
# validation after each pass. Medians of the rounds and their ratio, also by processor seconds, for machines
# that are not idle. XLEARN is the folder of xlearn_train and xlearn_predict, built elsewhere;
# PYTHON needs NumPy. Files go to $TMPDIR.
set -euo pipefail
if [[ $# -lt 3 ]]; then
    sed -n 2,7p "$0" >&2
    exit 2
fi
readonly adass=$1 xlearn=$2 python=$3 rounds=${4:-5} rows=${5:-1e6} passes=3
here=$(dirname "$0")
work=$(mktemp -d)
readonly here work
trap 'rm -rf "$work"' EXIT
export OMP_WAIT_POLICY=passive

# ours, peer PASSES RATE [MORE...]: one training. Both have Adagrad of elements; ours with RATE,EPSILON, where xLearn's sums begin at 1.
ours() {
    "$adass" train "$work/data" --model fm --sizes 16 --batch 512 --init-std 0.005 --l2 0 --patience 100 --threads 2 --epochs "$1" \
        --row-optimizer adagrad --row-rate "${2%,*}" --row-epsilon "${2#*,}" "${@:3}"
}

peer() {
    USER=${USER:-nobody} "$xlearn/xlearn_train" "$work/train.txt" -s 1 -k 16 -p adagrad -e "$1" -r "$2" -b "${lambda:-0}" -nthread 2 --quiet --dis-es \
        "${@:3}" >"$work/log"
}

# seconds NAME RATE: wall-clock and processor seconds of the passes beyond the first.
seconds() {
    local TIMEFORMAT='%R %U %S' more=()
    if [[ $1 == peer ]]; then more=(-m none); fi
    local one all
    one=$({ time "$1" 1 "$2" "${more[@]}" >/dev/null; } 2>&1)
    all=$({ time "$1" $((passes + 1)) "$2" "${more[@]}" >/dev/null; } 2>&1)
    echo "$one $all" | awk '{ printf "%.3f\t%.3f\n", $4 - $1, $5 + $6 - $2 - $3 }'
}

# peer_auc SPLIT: of the model made last.
peer_auc() {
    USER=${USER:-nobody} "$xlearn/xlearn_predict" "$work/$1.txt" "$work/model" -o "$work/predictions" >"$work/log"
    "$python" "$here/compare_xlearn.py" auc "$work/$1.txt" "$work/predictions"
}

# Lines "validation AUC, test AUC, rate" of a grid of learning rates.
try_ours() {
    for rate in 0.01,4 0.03,8 0.05,16; do
        ours $passes $rate --json | "$python" -c 'import json, sys
m = json.load(sys.stdin)["metrics"]
print("%.5f %.5f %s" % (m["valid_auc"], m["test_auc"], sys.argv[1]))' $rate
    done
}

try_peer() {
    for rate in 0.05 0.1 0.2 0.4; do
        peer $passes $rate -m "$work/model"
        echo "$(peer_auc valid) $(peer_auc test) $rate"
    done
}

"$adass" data synth --shape criteo --rows "$rows" "$work/data" >/dev/null
for split in train valid test; do
    "$python" "$here/compare_xlearn.py" text "$work/data" $split "$work/$split.txt"
done
echo "validation AUC, test AUC, learning rate after $passes passes"
try_ours | tee "$work/ours" | sed 's/^/ours   /'
try_peer | tee "$work/peer" | sed 's/^/xlearn /'
ours_rate=$(sort -r "$work/ours" | awk 'NR == 1 { print $3 }')
peer_rate=$(sort -r "$work/peer" | awk 'NR == 1 { print $3 }')
for ((round = 1; round <= rounds; round++)); do
    printf '%s\t%s\n' ours "$(seconds ours "$ours_rate")" xlearn "$(seconds peer "$peer_rate")"
done | tee "$work/lines"
total=$(($(wc -l <"$work/train.txt") * passes))
for column in 2 3; do
    sort -t $'\t' -k1,1 -k$column,${column}n "$work/lines" | awk -F'\t' -v rows="$total" -v column=$column '
        function finish() {
            if (n == 0) return
            rate[name] = rows / (n % 2 ? value[(n + 1) / 2] : (value[n / 2] + value[n / 2 + 1]) / 2)
            printf "%-7s %9.0f rows a %s  (%d rounds, %.2f to %.2f s)\n", name, rate[name], \
                column == 2 ? "second" : "processor second", n, value[1], value[n]
        }
        $1 != name { finish(); name = $1; n = 0 }
        { value[++n] = $column }
        END { finish(); printf "ours / xlearn %.2f\n", rate["ours"] / rate["xlearn"] }'
done
