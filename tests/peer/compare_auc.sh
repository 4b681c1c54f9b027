#!/bin/sh
# compare_auc.sh AUC_SECONDS PYTHON [SCORES] [ROUNDS]: exact AUC here, on 1 thread and on all, and scikit-learn's roc_auc_score, in turn on
# the same scores; medians of the rounds and their ratios. Fails where the AUCs differ by more than 1e-12.
set -eu
if [ $# -lt 2 ]; then
    sed -n 2,3p "$0" >&2
    exit 2
fi
program=$1
python=$2
n=${3:-10000000}
rounds=${4:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Logits of a model with an AUC of about 0.76, a quarter positive, some of them tied.
"$python" - "$work/data" "$n" <<'PYTHON'
import sys
import numpy as np
n = int(float(sys.argv[2]))
rng = np.random.default_rng(1)
labels = (rng.random(n) < 0.25).astype(np.float32)
scores = (rng.standard_normal(n) + labels - 1).astype(np.float32)
np.concatenate([scores, labels]).tofile(sys.argv[1])
PYTHON

sklearn() {
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE "$python" - "$work/data" <<'PYTHON'
import sys, time
import numpy as np
from sklearn.metrics import roc_auc_score
scores, labels = np.fromfile(sys.argv[1], np.float32).reshape(2, -1)
start = time.perf_counter()
auc = roc_auc_score(labels, scores)
print(f"{auc:.15f} {time.perf_counter() - start:.4f}")
PYTHON
}

round=1
while [ "$round" -le "$rounds" ]; do
    {
        echo "scikit-learn $(sklearn)"
        echo "1-thread $(OMP_NUM_THREADS=1 "$program" "$work/data" "$n")"
        echo "all-threads $("$program" "$work/data" "$n")"
    } | tee -a "$work/lines" >&2
    round=$((round + 1))
done

sort -k1,1 -k3,3n "$work/lines" | awk -v n="$n" '
    $1 != name { name = $1; count[name] = 0 }
    {
        value[name, ++count[name]] = $3
        if (first == "") first = $2
        if ($2 !~ /^[01]\.[0-9]+$/ || $2 - first > 1e-12 || first - $2 > 1e-12) different = 1 # NaN and nothing are no AUC
    }
    END {
        for (name in count) median[name] = value[name, int((count[name] + 1) / 2)]
        for (name in median) printf "%-13s %8.4f s for %d scores (median of %d)\n", name, median[name], n, count[name]
        for (name in median) if (name != "scikit-learn")
            printf "%s: %.1f times scikit-learn\n", name, median["scikit-learn"] / median[name]
        if (different) { print "the AUCs differ" > "/dev/stderr"; exit 1 }
    }'
