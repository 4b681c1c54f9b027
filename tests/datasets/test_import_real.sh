#!/usr/bin/env bash
# Imports the real files that are at hand, and counts rows, positive labels and distinct values of each column a second time with awk.
#
#   tests/datasets/test_import_real.sh ADASS     path of the program; skipped (77) where there is no data
set -euo pipefail

readonly adass=$1
readonly data=${ADASS_DATA:-${ADASS_SOURCE_DIR:-$(dirname "$0")/../..}/../shared/data}
[[ -d $data ]] || exit 77
work=$(mktemp -d)
readonly work
trap 'rm -rf "$work"' EXIT
: >"$work/failures" # a line each: check() runs behind pipes, whose variables are lost
: >"$work/imported"

fail() {
    echo "FAILED: $*" | tee -a "$work/failures"
}

# text <file...>: their rows, unpacked.
text() {
    local file
    for file in "$@"; do
        case $file in
        *.xz) xz -dc "$file" ;;
        *) cat "$file" ;;
        esac
    done
}

# check <name> <rows> <positives> <separator> <awk test of a positive row> <columns as field=number...> -- <import arguments...>
# The input of the awk count is standard input, without header; empty values are no feature.
check() {
    local name=$1 rows=$2 positives=$3 separator=$4 positive=$5
    shift 5
    local columns=()
    while [[ $1 != -- ]]; do
        columns+=("$1")
        shift
    done
    shift
    rm -rf "$work/out"
    cat >"$work/plain"
    if ! "$adass" data import "$@" "$work/out" --ratio 1:0:0 --min-count 1 >/dev/null 2>"$work/err"; then
        fail "$name: $(head -c 300 "$work/err")"
        return
    fi
    "$adass" data show "$work/out" --verify --json >"$work/show.json" || fail "$name: does not verify"
    awk -F"$separator" -v columns="${columns[*]}" '
        BEGIN { n = split(columns, list, " ")
                for (i = 1; i <= n; i++) { split(list[i], pair, "="); name[i] = pair[1]; at[i] = pair[2] } }
        $0 == "" { next }
        { rows++; if ('"$positive"') positives++
          for (i = 1; i <= n; i++) if ($at[i] != "" && !seen[i, $at[i]]++) distinct[i]++ }
        END { print "rows", rows + 0; print "positives", positives + 0
              for (i = 1; i <= n; i++) print name[i], distinct[i] + 1 }' "$work/plain" >"$work/counted"
    python3 - "$work/show.json" "$work/counted" "$name" "$rows" "$positives" <<'PYTHON' | tee -a "$work/failures"
import json, sys
show, name = json.load(open(sys.argv[1])), sys.argv[3]
counted = dict(line.split() for line in open(sys.argv[2]))
train = show["splits"]["train"]
found = {"rows": train["rows"], "positives": round(train["rows"] * train["label_rate"])}
found.update((f["name"], f["vocab"]) for f in show["fields"])
stated = {"rows": int(sys.argv[4]), "positives": int(sys.argv[5])}
wrong = [f"{k}: imported {found.get(k)}, counted {v}" for k, v in counted.items() if found.get(k) != int(v)]
wrong += [f"{k}: imported {found[k]}, stated {v}" for k, v in stated.items() if found[k] != v]
for line in wrong:
    print(f"FAILED: {name}: {line}")
PYTHON
    echo "$name" >>"$work/imported"
}

# schema <header> <separator> <column as name:kind[:more JSON members]...>: writes $work/schema.json.
schema() {
    local header=$1 separator=$2 column name kind more list=
    shift 2
    for column in "$@"; do
        IFS=: read -r name kind more <<<"$column"
        list+="${list:+, }{\"name\": \"$name\", \"kind\": \"$kind\"${more:+, $more}}"
    done
    printf '{"header": %s, "separator": "%s", "columns": [%s]}\n' "$header" "$separator" "$list" >"$work/schema.json"
}

# numbered <first> <names...>: name=number for each.
numbered() {
    local number=$1 name
    shift
    for name in "$@"; do
        echo "$name=$((number++))"
    done
}

# expect_distinct <name> <counts...>: distinct texts of the columns of standard input from the second on, the empty one included.
expect_distinct() {
    local name=$1 counted
    shift
    counted=$(awk -F'\t' -v n=$# '{ for (i = 1; i <= n; i++) if (!seen[i, $(i + 1)]++) distinct[i]++ }
        END { for (i = 1; i <= n; i++) printf("%s%d", i > 1 ? " " : "", distinct[i]) }')
    [[ $counted == "$*" ]] || fail "$name: $counted distinct values, stated are $*"
}

criteo() {
    local file=$data/criteo-dac/raw-8k/rows_00000-07999.tsv.xz
    text "$file" | expect_distinct 'criteo, integers' 69 777 286 72 4454 747 229 63 780 6 52 25 122
    # The integers by the rule of the benchmark: 0 where one is missing, floor(ln(x)^2) above 2.
    # shellcheck disable=SC2046 # words
    text "$file" | awk -F'\t' -v OFS='\t' '{ for (i = 2; i <= 14; i++) $i = $i > 2 ? int(log($i) ^ 2) : int($i); print }' |
        check criteo 8000 1728 '\t' '$1 == 1' $(numbered 2 I{1..13} C{1..26}) -- criteo "$file"
}

avazu() {
    local files=("$data"/avazu/{train.csv.xz,dev.csv,test.csv})
    # shellcheck disable=SC2046 # words
    text "${files[@]}" | grep -v '^id,' | check avazu 8999 1563 , '$2 == 1' $(numbered 3 hour C1 banner_pos site_id \
        site_domain site_category app_id app_domain app_category device_id device_ip device_model device_type \
        device_conn_type C{14..21}) -- avazu "${files[@]}"
}

kdd12() {
    local file=$data/kddcup2012-click/Click_prediction_small.csv.xz
    # shellcheck disable=SC2046 # words
    text "$file" | tail -n +2 | tr -d '"' | check kdd12 39948 6728 , '$1 > 0' $(numbered 3 url_hash ad_id \
        advertiser_id depth position query_id keyword_id title_id description_id user_id) -- kdd12 "$file"
}

# Every row three times, as with its negatives; then each negative must be an app that the user did not use in the context.
frappe() {
    local file=$data/frappe/frappe.csv.xz contexts=(daytime weekday isweekend homework cost weather country city)
    # shellcheck disable=SC2046 # words
    text "$file" | tail -n +2 | awk '{ print "1\t" $0; print "0\t" $0; print "0\t" $0 }' | check frappe 288609 96203 \
        '\t' '$1 == 1' $(numbered 2 user item) $(numbered 5 "${contexts[@]}") -- frappe --write-vocab "$file"
    text "$file" | python3 -c '
import array, collections, sys
folder = sys.argv[1]
used = collections.defaultdict(set)
for line in list(sys.stdin)[1:]:
    cells = line.rstrip("\n").split("\t")
    used[(cells[0], *cells[3:])].add(cells[1])
names, values = [], {}
for line in list(open(folder + "/vocabulary.tsv"))[1:]:
    field, id, value = line.rstrip("\n").split("\t")
    names += [] if field in names else [field]
    values[field, int(id)] = value
with open(folder + "/train/ids.npy", "rb") as f:
    header = f.read(10)
    f.read(int.from_bytes(header[8:10], "little"))
    ids = array.array("I", f.read())
wrong = 0
for i in range(0, len(ids), len(names)):
    row = [values[name, id] for name, id in zip(names, ids[i : i + len(names)])]
    wrong += (row[1] in used[(row[0], *row[2:])]) != (i // len(names) % 3 == 0)
sys.exit(wrong and f"{wrong} rows are used against their label, or unused")' "$work/out" ||
        fail "frappe: negatives"
}

adult() {
    local positive=label:'"positive": [">50K", ">50K."]' names=(age workclass fnlwgt education education-num
        marital-status occupation relationship race sex capital-gain capital-loss hours-per-week native-country)
    schema false ', ' "${names[@]/%/:categorical}" "income:$positive"
    # shellcheck disable=SC2046 # words
    text "$data/adult/adult.data.xz" | check adult 32561 7841 ', ' '$15 == ">50K"' $(numbered 1 "${names[@]}") -- \
        csv --schema "$work/schema.json" "$data/adult/adult.data.xz"
    # shellcheck disable=SC2046 # words
    text "$data/adult/adult.test.xz" | check adult.test 16281 3846 ', ' '$15 == ">50K."' \
        $(numbered 1 "${names[@]}") -- csv --schema "$work/schema.json" "$data/adult/adult.test.xz"
}

talkingdata() {
    local file=$data/talkingdata/train_sample.csv.xz
    schema true , ..ip:categorical {app,device,os,channel,click_time}:categorical attributed_time:ignore \
        is_attributed:label
    # shellcheck disable=SC2046 # words
    text "$file" | tail -n +2 | check talkingdata 100000 227 , '$8 == 1' \
        $(numbered 1 ..ip app device os channel click_time) -- csv --schema "$work/schema.json" "$file"
}

open_bandit() {
    local name names clicks columns column list file
    for name in random_men:46 random_women:46 bts_men:69 bts_women:46; do
        clicks=${name#*:} file=$data/open-bandit/${name%:*}.csv.xz list=() columns=()
        IFS=, read -r -a names <<<"$(text "$file" | head -1)"
        for column in "${!names[@]}"; do
            case ${names[column]} in
            click) list+=(click:label) ;;
            '') list+=(:ignore) ;;
            timestamp) list+=('timestamp:time:"format": "YYYY-MM-DD?HH*", "parts": ["day"]') ;;
            *)
                list+=("${names[column]}:categorical")
                columns+=("${names[column]}=$((column + 1))")
                ;;
            esac
        done
        schema true , "${list[@]}"
        text "$file" | tail -n +2 | check "open-bandit ${name%:*}" 10000 "$clicks" , '$5 == 1' "${columns[@]}" -- \
            csv --schema "$work/schema.json" "$file"
    done
}

ipinyou() {
    local split names=(BiddingPrice IP Region City AdExchange Domain URL AdSlotId AdSlotWidth AdSlotHeight
        AdSlotVisibility AdSlotFormat CreativeID PayingPrice Adid)
    schema true '\t' IsClick:label BidID:ignore "${names[@]/%/:categorical}" UserTag:categorical
    for split in train:2363:83 test:2207:65; do
        IFS=: read -r part rows clicks <<<"$split"
        # shellcheck disable=SC2046 # words
        text "$data/ipinyou-sample/ipinyou_$part.tsv" | tail -n +2 | check "ipinyou $part" "$rows" "$clicks" '\t' \
            '$1 == 1' $(numbered 3 "${names[@]}" UserTag) -- \
            csv --schema "$work/schema.json" "$data/ipinyou-sample/ipinyou_$part.tsv"
    done
}

amazon() {
    local file=$data/amazon-hin/user_item.dat.xz
    schema false '\t' user:categorical item:categorical rating:label:'"threshold": 4' time:categorical
    text "$file" | check amazon 195791 146230 '\t' '$3 >= 4' user=1 item=2 time=4 -- \
        csv --schema "$work/schema.json" "$file"
}

lastfm() {
    local file=$data/lastfm-hetrec2011/user_artists.dat.xz positives
    schema true '\t' userID:categorical artistID:categorical weight:label:'"threshold": 100'
    positives=$(text "$file" | tail -n +2 | awk -F'\t' '$3 + 0 >= 100' | wc -l)
    text "$file" | tail -n +2 | check lastfm 92834 "$positives" '\t' '$3 + 0 >= 100' userID=1 artistID=2 -- \
        csv --schema "$work/schema.json" "$file"
}

for pair in criteo-dac:criteo avazu:avazu kddcup2012-click:kdd12 frappe:frappe adult:adult \
    talkingdata:talkingdata open-bandit:open_bandit ipinyou-sample:ipinyou amazon-hin:amazon lastfm-hetrec2011:lastfm; do
    [[ ! -d $data/${pair%:*} ]] || "${pair#*:}"
done
echo "$(wc -l <"$work/imported") files imported, $(wc -l <"$work/failures") failures"
[[ -s $work/imported ]] || [[ -s $work/failures ]] || exit 77
[[ ! -s $work/failures ]]
