#!/usr/bin/env bash
# Gets the raw files of a public data set from its official home, checks and unpacks them, and says what to do next.
#
#   scripts/fetch_dataset.sh NAME [FOLDER]     FOLDER: out/raw/NAME
#
# NAME: movielens-1m, movielens-100k, movielens-latest, criteo, avazu, frappe or kdd12.
#
# A broken transfer goes on where it stopped when the script is started again. A file that was downloaded by hand and put
# into FOLDER is taken as if it had been fetched here; for data behind a login that is the way, and the script says what
# to get. Where the publisher gives a checksum it is compared; the SHA-256 is printed in any case. Each data set has
# terms of its own, which are named: none of them allows the files to be passed on.
#
#   ADASS_MIRROR   take the archives from <this URL>/<name of the archive> instead of from their home
#
# Exit status: 0 the files are there, 1 not, 2 used wrongly.
set -euo pipefail

readonly script=${0##*/}
note() { printf '%s: %s\n' "$script" "$*" >&2; }
fail() { note "$@"; exit 1; }
usage() {
    echo "usage: $script movielens-1m|movielens-100k|movielens-latest|criteo|avazu|frappe|kdd12 [FOLDER]" >&2
    exit 2
}

# What is known of a data set. archives: names under which it is handed out, the one that is fetched first. url: empty
# where a login is needed. md5: whether the publisher puts <archive>.md5 beside it. wanted: the file that tells that the
# data is there. raw: what the importer is given, within FOLDER.
describe() {
    md5='' url=''
    case $1 in
        movielens-1m) movielens ml-1m ratings.dat ;;
        movielens-100k) movielens ml-100k u.data ;;
        movielens-latest) movielens ml-latest ratings.csv ;;
        criteo)
            home=https://ailab.criteo.com/ressources/
            archives=(criteo-research-kaggle-display-advertising-challenge-dataset.tar.gz dac.tar.gz)
            url=https://go.criteo.net/${archives[0]}
            terms="Criteo's terms of use (in the archive): research, not commercial, no passing on, no attempt to reverse the hashing"
            wanted=train.txt importer=criteo raw=train.txt
            ;;
        avazu)
            home=https://www.kaggle.com/c/avazu-ctr-prediction/data
            archives=(train.gz avazu-ctr-prediction.zip)
            terms="the rules of the Kaggle competition: its purposes and research, not commercial, no passing on"
            wanted=train.gz importer=avazu raw=train.gz
            ;;
        frappe)
            home=https://www.baltrunas.info/context-aware
            archives=(Mobile_Frappe.zip)
            url='https://www.baltrunas.info/_files/archives/be17b7_474755a5e9684a749a012516d04fb456.zip?dn=Mobile_Frappe.zip'
            terms="research with citation (arXiv 1505.03014), not commercial, no passing on, no attempt to identify people"
            wanted=Mobile_Frappe/frappe/frappe.csv importer=frappe raw=$wanted
            ;;
        kdd12)
            home=https://www.kaggle.com/c/kddcup2012-track2/data
            archives=(track2.zip)
            terms="the rules of the Kaggle competition: its purposes and research, not commercial, no passing on"
            wanted=track2/training.txt importer=kdd12 raw=$wanted
            ;;
        *) usage ;;
    esac
}

movielens() {
    home=https://grouplens.org/datasets/movielens/
    archives=("$1.zip")
    url=https://files.grouplens.org/datasets/movielens/$1.zip
    md5=yes
    terms="GroupLens' terms (README in the archive): research with citation (doi 10.1145/2827872), not commercial, no passing on"
    wanted=$1/$2 importer=movielens raw=$1
}

explain() {
    note "get it by hand: open $home in a browser${url:+ (or $url)},"
    [[ $url ]] || note "log in and accept the rules,"
    note "download ${archives[0]}, put it into $folder/, and start this again"
}

# The archive that is there, however it came.
find_archive() {
    local archive
    for archive in "${archives[@]}"; do
        [[ ! -f $folder/$archive ]] || { echo "$folder/$archive"; return; }
    done
}

# transfer URL FILE: goes on where FILE ends; status of curl.
transfer() { curl -fL --retry 3 --connect-timeout 20 -C - -o "$2" "$1"; }

fetch() {
    local file=$folder/${archives[0]} from=$url status=0
    from=${ADASS_MIRROR:+${ADASS_MIRROR%/}/${archives[0]}}
    from=${from:-$url}
    [[ $from ]] || { note "$name cannot be fetched without a login"; explain; exit 1; }
    command -v curl >/dev/null || fail "curl is missing: apt-get install curl"
    note "$from"
    transfer "$from" "$file.part" || status=$?
    # 33: the server cannot go on in the middle of a file; 22 with a part: it has nothing behind the part.
    if [[ -s $file.part ]] && ((status == 33 || status == 22)); then
        note "the transfer cannot go on where it stopped: from the beginning"
        rm "$file.part"
        status=0
        transfer "$from" "$file.part" || status=$?
    fi
    if ((status != 0)); then
        note "the transfer failed (curl: $status)"
        [[ ! -s $file.part ]] || note "what has come is kept: start this again to go on, or"
        explain
        exit 1
    fi
    mv "$file.part" "$file"
}

# Compares with what the publisher says of the archive.
check() {
    local archive=$1 from=${ADASS_MIRROR:-${url%/*}} said is
    note "$(sha256sum "$archive" | awk '{ print "SHA-256 " $1 }')"
    [[ $md5 ]] || { note "its publisher gives no checksum: not compared"; return 0; }
    if ! said=$(curl -fsL --connect-timeout 20 "${from%/}/${archive##*/}.md5"); then
        note "its checksum cannot be fetched: not compared"
        return 0
    fi
    said=$(grep -oE '[0-9a-f]{32}' <<<"$said" | head -n 1)
    is=$(md5sum "$archive" | cut -c1-32)
    [[ $said == "$is" ]] || fail "$archive is damaged: its MD5 is $is, its publisher says $said; remove it and start again"
    note "MD5 as its publisher says"
}

# Unpacked beside the target and moved when complete.
unpack() {
    local archive=$1 new=$folder/unpack.part
    rm -rf "$new"
    mkdir "$new"
    case $archive in
        *.tar.gz) tar -xzf "$archive" -C "$new" ;;
        *.zip) python3 -m zipfile -e "$archive" "$new" ;;
    esac || fail "$archive is damaged or no archive: remove it and start again"
    mv -f "$new"/* "$folder/"
    rm -rf "$new"
    [[ -e $folder/$wanted ]] || fail "$archive does not hold $wanted: is it the right archive?"
}

(($# == 1 || $# == 2)) || usage
readonly name=$1
describe "$name"
root=$(cd "$(dirname "$0")/.." && pwd)
readonly folder=${2:-$root/out/raw/$name}
mkdir -p "$folder" || fail "$folder cannot be created"

note "$name, from $home"
note "terms: $terms"
if [[ ! -e $folder/$wanted ]]; then
    archive=$(find_archive)
    if [[ ! $archive ]]; then
        fetch
        archive=$folder/${archives[0]}
    fi
    check "$archive"
    unpack "$archive"
fi
note "ready: adass data import $importer $folder/$raw out/$name"
