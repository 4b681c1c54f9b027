#!/usr/bin/env bash
# scripts/fetch_dataset.sh against a server of its own: fetched and unpacked, gone on with after a break, a wrong
# checksum, a server that cannot resume, files that came by hand, no network.
#
#   tests/scripts/test_fetch.sh SOURCE_DIR
set -euo pipefail

readonly fetch=$1/scripts/fetch_dataset.sh
for tool in python3 curl; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: skipped"; exit 77; }
done
work=$(mktemp -d)
readonly work
server=''
trap '[[ ! $server ]] || kill "$server"; rm -rf "$work"' EXIT
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
cd "$work"
failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# expect <status> <extended regular expression in standard error> <arguments...>
expect() {
    local want=$1 pattern=$2 status=0
    shift 2
    "$fetch" "$@" >out 2>err || status=$?
    ((status == want)) || fail "$*: status $status instead of $want; $(cat err)"
    grep -qE -- "$pattern" err || fail "$*: no '$pattern' in: $(cat err)"
}

# Archives as the publishers pack them, with values of our own.
make_archives() {
    mkdir -p files/ml-1m files/ml-100k files/Mobile_Frappe/frappe files/track2
    seq 1 200000 | sed 's/.*/&::1::5::&/' >files/ml-1m/ratings.dat
    echo "1::F::25::3::12345" >files/ml-1m/users.dat
    echo "1::A Film (1999)::Drama" >files/ml-1m/movies.dat
    printf '1\t1\t5\t1\n' >files/ml-100k/u.data
    echo x >files/Mobile_Frappe/frappe/frappe.csv
    echo x >files/track2/training.txt
    printf '0\t1\n' >files/train.txt
    (cd files &&
        python3 -m zipfile -c ml-1m.zip ml-1m && python3 -m zipfile -c ml-100k.zip ml-100k &&
        python3 -m zipfile -c Mobile_Frappe.zip Mobile_Frappe && python3 -m zipfile -c track2.zip track2 &&
        tar -czf criteo-research-kaggle-display-advertising-challenge-dataset.tar.gz train.txt)
    echo "MD5 (ml-1m.zip) = $(md5sum files/ml-1m.zip | cut -c1-32)" >files/ml-1m.zip.md5
    echo "MD5 (ml-100k.zip) = 00000000000000000000000000000000" >files/ml-100k.zip.md5
}

# Serves the folder `files`. Under /once/ a file breaks off in the middle the first time it is asked for from its
# beginning; under /plain/ the server knows no ranges. Every request for an archive is a line of requests.log.
start_server() {
    python3 - >port 2>server.log <<'SERVER' &
import http.server, os, re, sys

class Handler(http.server.BaseHTTPRequestHandler):
    broken = set()

    def do_GET(self):
        way, name = self.path.lstrip("/").split("/", 1)
        if not os.path.isfile("files/" + name):
            return self.send_error(404)
        content = open("files/" + name, "rb").read()
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(asked.group(1)) if asked and way != "plain" else 0
        if not name.endswith(".md5"):
            print(way, name, first, file=open("requests.log", "a"))
        if first > 0 and first >= len(content):
            return self.send_error(416)
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(content) - 1, len(content)))
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        body = content[first:]
        if way == "once" and first == 0 and not name.endswith(".md5"):
            body = body[:len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
SERVER
    server=$!
    while [[ ! -s port ]]; do
        kill -0 "$server" || { cat server.log; exit 1; }
        sleep 0.05
    done
    base=http://127.0.0.1:$(<port)
}

test_usage() {
    expect 2 '^usage: fetch_dataset.sh movielens-1m'
    expect 2 '^usage: ' movielens-2m
    expect 2 '^usage: ' movielens-1m a b
}

test_fetched() {
    export ADASS_MIRROR=$base/all/
    expect 0 "terms: GroupLens' terms" movielens-1m ml
    grep -q 'MD5 as its publisher says' err || fail "not compared: $(cat err)"
    grep -q "SHA-256 $(sha256sum files/ml-1m.zip | cut -c1-64)" err || fail "no SHA-256: $(cat err)"
    grep -q 'ready: adass data import movielens ml/ml-1m ' err || fail "no next step: $(cat err)"
    cmp -s ml/ml-1m/ratings.dat files/ml-1m/ratings.dat || fail "ml-1m is not what was packed"
    expect 0 'ready' movielens-1m ml # nothing is fetched again
    [[ $(wc -l <requests.log) == 1 ]] || fail "fetched again: $(cat requests.log)"
    expect 0 'no checksum: not compared' criteo criteo
    cmp -s criteo/train.txt files/train.txt || fail "criteo is not what was packed"
    expect 0 'ready: adass data import frappe frappe/Mobile_Frappe/frappe/frappe.csv' frappe frappe
}

test_resumed() {
    local half
    half=$(($(stat -c %s files/ml-1m.zip) / 2))
    export ADASS_MIRROR=$base/once
    : >requests.log
    expect 1 'what has come is kept' movielens-1m broken
    [[ ! -e broken/ml-1m.zip ]] || fail "half an archive has the name of a whole one"
    [[ $(stat -c %s broken/ml-1m.zip.part) == "$half" ]] || fail "the half was not kept"
    expect 0 'MD5 as its publisher says' movielens-1m broken
    [[ $(tail -n 1 requests.log) == "once ml-1m.zip $half" ]] || fail "not gone on with: $(cat requests.log)"
    cmp -s broken/ml-1m/ratings.dat files/ml-1m/ratings.dat || fail "the two halves do not fit"
    export ADASS_MIRROR=$base/plain # from the beginning where the server cannot go on
    mkdir plain
    head -c 1000 files/ml-1m.zip >plain/ml-1m.zip.part
    expect 0 'from the beginning' movielens-1m plain
    cmp -s plain/ml-1m/ratings.dat files/ml-1m/ratings.dat || fail "not what was packed after a new beginning"
}

test_damaged() {
    export ADASS_MIRROR=$base/all
    expect 1 'wrong/ml-100k.zip is damaged: its MD5 is [0-9a-f]{32}, its publisher says 0{32}; remove it' movielens-100k wrong
    [[ ! -e wrong/ml-100k ]] || fail "a damaged archive was unpacked"
    mkdir cut
    head -c 60 files/criteo-*.tar.gz >cut/dac.tar.gz
    expect 1 'cut/dac.tar.gz is damaged or no archive' criteo cut
    [[ ! -e cut/train.txt ]] || fail "half an archive was unpacked"
    mkdir other
    cp files/Mobile_Frappe.zip other/track2.zip
    expect 1 'does not hold track2/training.txt' kdd12 other
    expect 1 'the transfer failed' movielens-latest absent # 404
}

test_by_hand() {
    unset ADASS_MIRROR
    expect 1 'open https://www.kaggle.com/c/avazu-ctr-prediction/data' avazu avazu
    grep -q 'download train.gz, put it into avazu/' err || fail "avazu: $(cat err)"
    echo x >avazu/train.gz
    expect 0 'ready: adass data import avazu avazu/train.gz' avazu avazu
    expect 1 'log in and accept the rules' kdd12 kdd12
    cp files/track2.zip kdd12/
    expect 0 'ready: adass data import kdd12 kdd12/track2/training.txt' kdd12 kdd12
}

test_offline() {
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=''
    export ADASS_MIRROR=$base/all
    expect 1 'open https://grouplens.org/datasets/movielens/' movielens-1m offline
    cp files/ml-1m.zip offline/ # it came by hand: there is nobody to ask for the checksum
    expect 0 'cannot be fetched: not compared' movielens-1m offline
    cmp -s offline/ml-1m/ratings.dat files/ml-1m/ratings.dat || fail "a file that came by hand was not unpacked"
}

make_archives
start_server
test_usage
test_fetched
test_resumed
test_damaged
test_by_hand
test_offline
((failures == 0)) || { echo "$failures failed"; exit 1; }
echo "all passed"
