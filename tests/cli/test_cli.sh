#!/usr/bin/env bash
# Drives the program `adass` as a user would: what it prints, where, and its exit status.
#
#   tests/cli/test_cli.sh ADASS     path of the program
set -euo pipefail

readonly adass=$1
work=$(mktemp -d)
readonly work
trap 'rm -rf "$work"' EXIT
unset ADASS_ISA
cd "$work"
failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# run <arguments...>: leaves $status, and the two streams in the files out and err.
run() {
    status=0
    "$adass" "$@" >"$work/out" 2>"$work/err" || status=$?
}

# expect <status> <out|err> <extended regular expression> <arguments...>
expect() {
    local want=$1 stream=$2 pattern=$3
    shift 3
    run "$@"
    ((status == want)) || fail "adass $*: status $status instead of $want; $(head -c 300 "$work/err")"
    grep -qE -- "$pattern" "$work/$stream" ||
        fail "adass $*: no '$pattern' in its $stream: $(head -c 300 "$work/$stream")"
}

# expect_json <arguments...>: standard output is one JSON value.
expect_json() {
    run "$@"
    ((status == 0)) || fail "adass $*: status $status; $(head -c 300 "$work/err")"
    python3 -m json.tool <"$work/out" >/dev/null || fail "adass $*: the output is not JSON"
}

# The working folder holds these files and nothing else, the streams of run() aside.
expect_files() {
    local found
    found=$(find . -mindepth 1 -maxdepth 1 ! -name out ! -name err -printf '%f\n' | sort | tr '\n' ' ')
    [[ $found == "$*${*:+ }" ]] || fail "left behind: '$found' instead of '$*'"
}

test_usage() {
    expect 0 out '^usage: adass COMMAND' --help
    expect 0 out '^adass [0-9]+\.[0-9]+\.[0-9]+ \(.+\)$' --version
    expect 2 err '^adass: a command is missing$'
    expect 2 err "^adass: unknown option '--nonsense'$" --nonsense
    expect 2 err "^adass: unknown command 'serach': did you mean 'search'\?$" serach
    expect 2 err "^adass: unknown command 'xyzzy'$" xyzzy
    expect 2 err "^try 'adass --help'$" xyzzy
    expect 2 err "^adass data: unknown command 'shwo': did you mean 'show'\?$" data shwo
    expect 2 err "^adass data import: a command is missing$" data import
    expect 0 out '^usage: adass data synth OUT' help data synth
    expect 2 err "^adass: unknown command 'xyzzy'$" help xyzzy
}

test_help() {
    local command
    for command in '' info data 'data import' 'data import movielens' 'data synth' 'data show' \
        train search reproduce; do
        # shellcheck disable=SC2086 # words of a command
        expect 0 out '^EXAMPLE$' $command --help
        grep -q "^  adass $command" "$work/out" || fail "adass $command --help: another's example"
        [[ ! -s $work/err ]] || fail "adass $command --help writes to standard error"
    done
}

test_options() {
    expect 2 err "^adass info: unknown option '--nonsense'$" info --nonsense
    expect 2 err "^adass info: unknown option '-x'$" info -x
    expect 2 err "^adass info: unexpected argument 'more'$" info more
    expect 2 err "^adass info: --json takes no value$" info --json=1
    expect 2 err "^adass info: --threads: its value is missing$" info --threads
    expect 2 err "^adass data show: DATASET is missing$" data show
    expect 2 err "^try 'adass data show --help'$" data show
    local text
    for text in abc '' ' 4' 4x 0x4 -1 1.5 1e-1 nan inf 18446744073709551616 1e300; do
        expect 2 err "^adass info: --threads: '$text' is not a whole number$" info --threads "$text"
    done
    expect 2 err '^adass info: --threads: must be at least 1$' info --threads 0
    expect 2 err '^adass info: --threads: must be at most [0-9]+$' info --threads 1e6
    expect 0 out '^placement +2 threads$' info --threads 0.2e1
    expect 0 out '^ +NUMA node 1: processing units 16 18$' info --threads 4 --topology 'package:2 [numa(memory=1073741824)] core:8 pu:2'
    expect 0 out '^tables +on 2 NUMA nodes: replicated up to 1\.0 GiB, sharded by field up to 2\.0 GiB$' \
        info --threads 4 --topology 'package:2 [numa(memory=1073741824)] core:8 pu:2'
    expect 1 err "^adass info: hwloc does not understand the topology 'two sockets'" info --topology 'two sockets'
}

test_isa() {
    expect 2 err "^adass info: no ISA named 'avx3'.*scalar" info --isa avx3
    ADASS_ISA=avx3 expect 2 err "^adass info: no ISA named 'avx3'.*scalar" info
    expect 0 out 'scalar +yes, in force: named by --isa$' info --isa scalar
    ADASS_ISA=scalar expect 0 out 'scalar +yes, in force: named by ADASS_ISA$' info
    expect 0 out 'yes, in force: the best that runs here$' info
    expect_json info --json
}

test_dataset() {
    expect 0 out '^d: 8 fields, [0-9]+ train rows, [0-9]+ valid rows, [0-9]+ test rows$' \
        data synth --shape tiny --rows 5e3 --seed 7 d
    expect 0 out '^f0 +2001 +0 +2$' data show d
    expect 0 out '^teacher +AUC 0\.' data show d
    expect 0 out '^checksum +[0-9a-f]{32}  \(every file' data show --verify d
    expect_json data show d --json
    ln -s d $'caf\xe9' # not UTF-8, as JSON would have to be
    expect_json data show $'caf\xe9' --json
    rm $'caf\xe9'
    expect 1 err '^adass data synth: .*d' data synth --shape tiny --rows 5e3 d
    expect 0 out '^checksum' data show --verify d
    expect 1 err '^adass data synth: .*nonsense' data synth --shape nonsense e
    expect 1 err '^adass data synth: .*nowhere' data synth --rows 5e3 nowhere/e
    expect 1 err '^adass data show: .*nowhere' data show nowhere
    expect 1 err '^adass data import movielens: .*nowhere' data import movielens nowhere e
    expect_files d
}

# One byte of each file in turn, in its data.
test_damage() {
    local file size
    for file in meta.json train/ids.npy train/labels.npy test/ids.npy; do
        rm -rf damaged
        cp -r d damaged
        size=$(stat -c %s "damaged/$file")
        printf '\377' | dd of="damaged/$file" bs=1 seek=$((size - 3)) conv=notrunc status=none
        expect 1 err "^adass data show: .*damaged/$file" data show --verify damaged
    done
    rm -rf damaged
    cp -r d damaged
    truncate -s -1 damaged/test/ids.npy
    expect 1 err '^adass data show: .*damaged/test/ids.npy' data show damaged
    rm -rf damaged
}

test_full_output() {
    local arguments
    for arguments in --help 'info --json' 'data show d' 'data show d --json'; do
        status=0
        # shellcheck disable=SC2086 # words of a command
        "$adass" $arguments >/dev/full 2>"$work/err" || status=$?
        ((status == 1)) || fail "adass $arguments >/dev/full: status $status instead of 1"
        grep -q '^adass: standard output cannot be written: No space left' "$work/err" ||
            fail "adass $arguments >/dev/full: $(head -c 300 "$work/err")"
    done
}

# Ctrl-C ends the work in good order.
# --foreground: without it timeout signals twice, and the second Ctrl-C kills at once.
test_interrupt() {
    status=0
    timeout --foreground --preserve-status -k 60 -s INT 3 "$adass" train d --epochs 1e6 --patience 1e6 \
        >"$work/out" 2>"$work/err" || status=$?
    ((status == 130)) || fail "interrupted adass train: status $status instead of 130"
    grep -q '^adass train: stopped on request' "$work/err" ||
        fail "interrupted adass train: $(head -c 300 "$work/err")"
    status=0 # and no temporary folder is left, as expect_files sees in the end
    timeout --foreground --preserve-status -k 60 -s INT 1 "$adass" data synth --rows 1e9 e \
        >"$work/out" 2>"$work/err" || status=$?
    ((status == 130)) || fail "interrupted adass data synth: status $status instead of 130"
}

# A handler's frame would be written below the stack pointer, which oneDNN has in the heap at times (progress.h).
test_no_handlers() {
    local caught
    "$adass" train d --epochs 1e6 --patience 1e6 >"$work/out" 2>"$work/err" &
    sleep 1
    caught=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$!/status")
    ((${#caught} == 16 && (0x$caught & 0x4002) == 0)) || fail "handlers of SIGINT or SIGTERM: '$caught'"
    kill -TERM $!
    status=0
    wait $! || status=$?
    ((status == 130)) || fail "adass train ended by SIGTERM: status $status instead of 130"
}

# The record of a run without its times.
untimed() {
    python3 -c 'import json, sys
run = json.load(open(sys.argv[1]))
del run["seconds"]
del run["provenance"]["threads"]
print(json.dumps(run))' "$1"
}

test_train() {
    local small=(--epochs 2 --hidden 16,8 --batch 512)
    expect 0 out '^test +AUC 0\.[0-9]{4}' train d --sizes 4 "${small[@]}" --out a.json --save model.safetensors
    grep -qE '"window_rows": [1-9]' a.json || fail "the record does not tell how the rows were ordered"
    run train d --sizes 4 "${small[@]}" --out b.json --threads 1
    [[ $(untimed a.json) == "$(untimed b.json)" ]] || fail "the same seed gave two runs"
    run train d --sizes 4 "${small[@]}" --out b.json --seed 2
    [[ $(untimed a.json) != "$(untimed b.json)" ]] || fail "another seed gave the same run"
    python3 - model.safetensors <<'CHECK' || fail "model.safetensors is not what its header says"
import json, struct, sys
data = open(sys.argv[1], "rb").read()
length, = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + length])
header.pop("__metadata__")
assert header["embedding.f0"]["shape"][1] == 4
assert max(t["data_offsets"][1] for t in header.values()) == len(data) - 8 - length
CHECK
    expect_json train d --sizes 4 "${small[@]}" --json
    rm a.json b.json model.safetensors

    expect 1 err "^adass train: .*from 1 to 256" train d --sizes 0
    expect 1 err "^adass train: .*from 1 to 256" train d --sizes 257
    expect 1 err "^adass train: nowhere\.json: cannot be opened" train d --sizes nowhere.json
    expect 1 err "^adass train: no/folder/run\.json: cannot be written" train d --out no/folder/run.json
    expect 1 err "^adass train: /dev/null/m: cannot be written" train d --save /dev/null/m
    expect 2 err "deepfm and lr" train d --model transformer
    expect 0 out '^parameters +0 in embeddings, ' train d --model lr --epochs 1
    expect 0 out '^test +AUC 0\.[0-9]{4}' train d --model dcnv2 --sizes 4 "${small[@]}" --out a.json --save model.safetensors
    grep -q '"cross_layers": 3' a.json || fail "the record does not tell the cross layers"
    grep -aq '"cross.0.weight":{"dtype":"F32","shape":\[32,32\]' model.safetensors || fail "cross layers are not saved"
    rm a.json model.safetensors
    expect 2 err "alignment project maps embeddings in front of FM" train d --model dnn --align project
    expect 2 err "no alignment named 'pad'; there are slice and project" train d --align pad
    expect 2 err "^adass train: --sizes: lr has no embeddings" train d --model lr --sizes 8
    expect 2 err "^adass train: --hidden '8,x'" train d --hidden 8,x
    echo '{"format": "adass-sizes-1", "sizes": {"user": 4}}' >other.json
    expect 1 err "^adass train: other\.json: field 'f0' of d needs a size" train d --sizes other.json --out run.json
    rm other.json
}

test_search() {
    local small=(--hidden 16,8 --batch 512 --supernet-epochs 1 --iterations 2 --population 3 --eval-rows 500)
    expect 0 out '^parameters +[0-9]+ of a budget of' search d "${small[@]}" --budget 0.3 --out sizes.json
    python3 -c 'import json
s = json.load(open("sizes.json"))
assert s["params"] <= s["budget"] and len(s["sizes"]) == 8' || fail "sizes.json exceeds its budget"
    expect 0 out '^test +AUC' train d --sizes sizes.json --epochs 1 --hidden 16,8
    echo '{"format": "adass-sizes-1", "sizes": {"f0": 2, "f1": 8, "f2": 4, "f3": 0, "f4": 2, "f5": 4, "f6": 8, "f7": 1}}' >mixed.json
    expect 0 out '^projections +[1-9][0-9]* parameters more' train d --sizes mixed.json --epochs 1 --hidden 16,8 --align project --out run.json --save model.safetensors
    python3 - <<'CHECK' || fail "the record or the model does not tell the maps"
import json
sizes = [n for n in json.load(open("mixed.json"))["sizes"].values() if n > 0]
run = json.load(open("run.json"))
metrics = run["metrics"]
maps = sum(n * max(sizes) for n in sizes if n < max(sizes))
assert run["config"]["model"]["align"] == "project" and metrics["projection_params"] == maps
assert metrics["bytes"] == 4 * (metrics["params"] + metrics["other_params"] + maps)
header = open("model.safetensors", "rb").read().split(b"}}", 1)[0]
assert header.count(b'"projection.f') == sum(n < max(sizes) for n in sizes)
CHECK
    rm run.json model.safetensors mixed.json
    expect_json search d "${small[@]}" --json
    rm sizes.json
    expect 0 out "^test +AUC 0\.[0-9]+, log-loss 0\.[0-9]+, with the supernet's weights" search d "${small[@]}" --inherit m.safetensors
    [ -s m.safetensors ] || fail "search --inherit wrote no model"
    rm m.safetensors
    expect 0 out "^test +AUC 0\.[0-9]+, log-loss 0\.[0-9]+, trained from (start values|the supernet's weights)" \
        search d "${small[@]}" --trained m.safetensors
    [ -s m.safetensors ] || fail "search --trained wrote no model"
    rm m.safetensors
    expect 0 out '^test +AUC' train d --sizes 4 --model fm --epochs 1 --row-optimizer adagrad --row-rate 0.1 --row-epsilon 8 --out run.json
    grep -q '"row_optimizer": "adagrad"' run.json || fail "the record does not tell the row optimizer"
    rm run.json
    expect 2 err "no row optimizer named .sgd.; there are adam, adagrad" train d --row-optimizer sgd
    expect 2 err "write models of different weights: give one" search d --inherit a.safetensors --trained b.safetensors
    expect 1 err "method 'mde' has no supernet whose weights could be inherited" search d --method mde --inherit m.safetensors
    expect 1 err "^adass search: a budget of 100 parameters cannot be kept" search d "${small[@]}" --candidates 2,4 --budget 100
    expect 2 err "^adass search: candidate sizes '4,2' must rise" search d --candidates 4,2
    expect 2 err "no method named .magic.; there are given, uniform, random, heuristic, mde" search d --method magic
    expect 2 err "no searcher named .magic.; there are rl, evolution, random, knapsack" search d --searcher magic
    expect 2 err "zeroes single weights and finds no sizes" search d --method magprune
    expect 2 err "no sampler named .magic.; there are adaptive, uniform, sandwich" search d --sampler magic
    expect 1 err "^adass search: backbone lr has no embeddings" search d --model lr
    expect 1 err "^adass search: no/sizes\.json: cannot be written" search d --out no/sizes.json
}

test_reproduce() {
    expect 2 err "shard 3/2: I/N is expected" reproduce --shard 3/2 --out r
    expect 1 err "no suite named 'quik'; there are quick" reproduce --suite quik --out r
    expect 1 err "suite 'fidelity' has no rows whose settings" reproduce --suite fidelity --trials 2 --out r
    expect 1 err "no backbone named 'dcn'; there are fm, dnn, wdl, dcnv2" reproduce --models fm,dcn --out r
    expect 1 err "backbone fm is named twice" reproduce --models fm,dcnv2,fm --out r
    expect 1 err "suite quick has no row named 'ada'; there are random, mde, sseds, adass" reproduce --rows adass,ada --out r
    expect 1 err "backbone lr has no embeddings" reproduce --models lr --out r
    expect 1 err "needs a dataset: prepare one with 'adass data import movielens" reproduce --suite movielens --out r
    expect 0 out "^. random at 0.5" reproduce --models fm --rows random --seeds 1 --scale 0.02 --out r
    grep -q "^. adass at" r/table.md && fail "reproduce --rows random did another row"
    [ "$(ls r/runs/*.json | wc -l)" = 10 ] || fail "reproduce --rows random: not 8 uniform sizes and 2 budgets"
    expect 0 out "^### Settings of fm" reproduce --models fm --rows random --seeds 1 --scale 0.02 --trials 2 --out r
    [ "$(ls r/runs/*-trial[01].json | wc -l)" = 18 ] || fail "reproduce --trials 2: not 8 uniform sizes and a method"
    grep -q "^3[0-9][0-9][0-9] training" r/table.md || fail "reproduce --scale 0.02 of 200,000 rows: $(sed -n 3p r/table.md)"
    rm -r r
    expect 1 err "^adass reproduce: /dev/null: the folder cannot be created: Not a directory" reproduce --out /dev/null/r
}

# Raw files that are cut off, empty or not of the format: file and line are named, and nothing is left.
test_import() {
    mkdir raw
    printf '1::F::25::3::12345\n' >raw/users.dat
    printf '7::Some Film (1999)::Drama\n' >raw/movies.dat
    printf '1::7::5::1\n1::7::' >raw/ratings.dat
    expect 1 err "^adass data import movielens: raw/ratings\.dat:2:" data import movielens raw e
    printf '1::7::five::1\n' >raw/ratings.dat
    expect 1 err "raw/ratings\.dat:1:7: the rating is no number.*'five'" data import movielens raw e
    printf '1::7::5\n' >raw/ratings.dat
    expect 1 err "raw/ratings\.dat:1:.*3 columns instead of 4" data import movielens raw e
    : >raw/ratings.dat
    expect 1 err "raw/ratings\.dat:.*no rows" data import movielens raw e
    rm -r raw
}

# Tables: options that cannot be used, bad rows that are left out, and a vocabulary that is taken again.
test_import_table() {
    printf '{"columns": [{"name": "y", "kind": "label"}, {"name": "a", "kind": "categorical"}]}\n' >schema
    printf '1,x\n0,z\n1,x\nno,x\n' >raw
    local csv=(data import csv --schema schema)
    expect 2 err "^adass data import csv: --schema is missing$" data import csv raw e
    expect 2 err "unknown option '--schema'" data import criteo --schema schema raw e
    expect 2 err "^adass data import csv: --protocol: 'x5' is none of random, chronological, x4$" "${csv[@]}" raw e --protocol x5
    for ratio in 8:1 0:0:0 8:1:1:1 -8:1:1 a:b:c; do
        expect 2 err "^adass data import csv: --ratio: '$ratio' is no ratio such as 8:1:1$" "${csv[@]}" raw e --ratio=$ratio
    done
    expect 2 err '^adass data import csv: --min-count' "${csv[@]}" raw e --min-count 0
    expect 2 err '^adass data import csv: --memory' "${csv[@]}" raw e --memory much
    expect 2 err '^adass data import csv: --max-bad-rows' "${csv[@]}" raw e --max-bad-rows -1
    expect 1 err '^adass data import csv: a memory bound of 1\.0 MiB is too low' "${csv[@]}" raw e --memory 1M
    expect 1 err '^adass data import csv: nowhere: ' "${csv[@]}" nowhere e
    expect 1 err "^adass data import csv: raw:4:1: .*'no'" "${csv[@]}" raw e
    expect 1 err '^adass data import csv: .*--write-vocab' "${csv[@]}" raw e --max-bad-rows 1 --vocab d
    expect 0 err 'warning: 1 bad rows were left out$' "${csv[@]}" raw t --max-bad-rows 1 --write-vocab --ratio 1:0:0
    grep -q 'raw:4:1: ' err || fail 'the bad row is not named'
    [[ $(cat t/vocabulary.tsv) == $'field\tid\tvalue\na\t1\tx\na\t2\tz' ]] || fail "vocabulary.tsv: $(cat t/vocabulary.tsv)"
    printf '0,z\n1,new\n' >raw
    expect 0 out ' 2 train rows' "${csv[@]}" - t2 --vocab t --ratio 1:0:0 <raw
    [[ $(od -An -v -tu4 -j128 t2/train/ids.npy | xargs) == '2 0' ]] || fail 'ids by the vocabulary of another dataset'
    python3 -c 'import json
source, made = json.load(open("t/meta.json"))["files"]["vocabulary.tsv"], json.load(open("t2/meta.json"))["made"]
assert made["vocabulary"] == source["checksum"]' || fail 'meta.json does not name the vocabulary'
    rm -r schema raw t t2
}

# A read-only folder stops nobody who is root.
test_unwritable() {
    ((EUID != 0)) || return 0
    mkdir locked
    chmod a-w locked
    expect 1 err '^adass data synth: .*locked' data synth --rows 5e3 locked/e
    rmdir locked
}

test_usage
test_help
test_options
test_isa
test_dataset
test_damage
test_full_output
test_interrupt
test_no_handlers
test_train
test_search
test_reproduce
test_import
test_import_table
test_unwritable
expect_files d
((failures == 0)) || { echo "$failures failed"; exit 1; }
echo "all passed"
