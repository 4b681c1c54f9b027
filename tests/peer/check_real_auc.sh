#!/bin/sh
# check_real_auc.sh ADASS LR_CONVERGED: check_real_auc.py on data sets prepared from the raw files in $ADASS_DATA. Exit status 77: a Python with PyTorch
# and scikit-learn, or the raw files, are missing.
set -eu
adass=$1 converged=$2
here=$(dirname "$0")
data=${ADASS_DATA:-$here/../../../shared/data}
criteo=$data/criteo-dac/raw-8k/rows_00000-07999.tsv.xz
frappe=$data/frappe/frappe.csv.xz
for raw in "$criteo" "$frappe"; do
    if [ ! -e "$raw" ]; then
        echo "skipped: $raw is not there (ADASS_DATA names the folder of the raw data)"
        exit 77
    fi
done
python=$("$here/python_with.sh" torch sklearn scipy numpy)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$adass" data import criteo "$criteo" "$work/criteo" --min-count 2
"$adass" data import frappe "$frappe" "$work/frappe"
"$python" -B "$here/check_real_auc.py" "$adass" "$converged" "$work/criteo" "$work/frappe"
