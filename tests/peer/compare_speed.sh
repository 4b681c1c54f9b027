#!/bin/sh
# compare_speed.sh ADASS_BENCH PYTHON [ROUNDS [WORK]]: adass-bench and PyTorch in turn; medians of the rounds and their ratios.
# WORK: train (default), predict and supernet of DeepFM, or fm, the training of FM. Arguments for speed_deepfm.py (which
# variants) may be given in $SPEED_ARGS. BY=cpu compares samples by the second of CPU on one thread, for a machine that
# others use as well; the default, BY=wall, is the honest one where it is idle.
set -eu
if [ $# -lt 2 ]; then
    sed -n 2,5p "$0" >&2
    exit 2
fi
bench=$1
python=$2
rounds=${3:-5}
work=${4:-train}
by=${BY:-wall}
here=$(dirname "$0")
isa=$("$bench" --benchmark_list_tests=true --benchmark_filter='^train/.*deepfm' | head -n 1 | cut -d / -f 2) # the best comes first
case $work in
train) cases="^train/$isa/.*:deepfm/.*size:16/batch:4096/" peer_args= ;;
fm) cases="^train/$isa/.*:fm/" peer_args='--backbone fm' ;;
predict) cases="^predict/$isa/.*size:16/batch:4096/" peer_args='--work predict' ;;
supernet) cases="^supernet/$isa/" peer_args='--work supernet --optimizer dense sparse' ;;
*) echo "compare_speed.sh: no work named $work" >&2 && exit 2 ;;
esac
case $by in
wall) cases="$cases.*threads:" column=2 threads=2 ;;
cpu) cases="$cases.*threads:1\$" column=4 threads=1 ;;
*) echo "compare_speed.sh: BY is wall or cpu" >&2 && exit 2 ;;
esac
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT

# name, samples a second of wall time or of CPU
ours() {
    "$bench" --benchmark_filter="$cases" --benchmark_min_time=1 --benchmark_format=csv 2>/dev/null |
        awk -F, -v by="$by" '
            $1 == "name" { for (i = 1; i <= NF; i++) at[$i] = i; next }
            at["items_per_second"] && $at["items_per_second"] > 0 {
                gsub(/"/, "", $1)
                printf "%s\t%.0f\n", $1, $at["items_per_second"] * (by == "cpu" ? $at["real_time"] / $at["cpu_time"] : 1)
            }'
}

# PyTorch's best settings: no leftover tuning of OpenBLAS, short spinning (a neighbour makes long spinning very slow), and
# freed memory kept, since fresh pages for the gradients of whole tables cost as much as the update.
peer() {
    # shellcheck disable=SC2086 # several words
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE GOMP_SPINCOUNT=10000 MALLOC_MMAP_MAX_=0 \
        MALLOC_TRIM_THRESHOLD_=8000000000 MALLOC_TOP_PAD_=268435456 \
        "$python" "$here/speed_deepfm.py" --threads "$threads" $peer_args ${SPEED_ARGS:-} |
        awk -F'\t' -v column="$column" '{ sub(/^by CPU second /, "", $column); printf "%s\t%s\n", $1, $column }'
}

round=1
while [ "$round" -le "$rounds" ]; do
    echo "round $round of $rounds" >&2
    ours | tee -a "$lines" >&2
    peer | tee -a "$lines" >&2
    round=$((round + 1))
done

sort -t "$(printf '\t')" -k1,1 -k2,2n "$lines" | awk -F'\t' '
    function finish() {
        if (n == 0) return
        median[name] = n % 2 ? value[(n + 1) / 2] : (value[n / 2] + value[n / 2 + 1]) / 2
        printf "%-90s %9.0f samples/s  (%d rounds, %.0f to %.0f)\n", name, median[name], n, value[1], value[n]
    }
    $1 != name { finish(); name = $1; n = 0 }
    { value[++n] = $2 }
    END {
        finish()
        for (our in median) if (our !~ /^pytorch-/)
            for (peer in median) if (peer ~ /^pytorch-/) {
                printf "%.2f times %s: %s\n", median[our] / median[peer], peer, our
                compared = 1
            }
        if (!compared) { print "nothing to compare: one of the two gave no result" > "/dev/stderr"; exit 1 }
    }'
