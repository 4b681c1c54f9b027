#!/bin/sh
# compare_fbgemm.sh BUILD FBGEMM LIBRARY... [-- WHAT [ROWS]]: embedding lookups, FBGEMM's JIT kernels and ours in turn.
# BUILD is a build folder of this project; FBGEMM a source tree of that one, built elsewhere; LIBRARY its libraries (fbgemm,
# asmjit, cpuinfo). WHAT: pooling1/threads1, pooling20/threads2, ..., fields; all of them when it is left out. ROWS: of the table, 1000000.
set -eu
if [ $# -lt 3 ]; then
    sed -n 2,4p "$0" >&2
    exit 2
fi
build=$1
fbgemm=$2
shift 2
libraries=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    libraries="$libraries $1"
    shift
done
[ $# -eq 0 ] || shift
here=$(cd "$(dirname "$0")" && pwd)
program=$(mktemp)
trap 'rm -f "$program"' EXIT
# shellcheck disable=SC2086 # several libraries
"${CXX:-c++}" -O2 -std=c++20 -fopenmp -I"$here/../../kernels/include" -I"$fbgemm/include" "$here/fbgemm_lookup.cc" \
    "$build/libadass.a" $libraries -lhwloc -ljansson -lxxhash -lz -lzstd -llzma -ldnnl -lm -lpthread -o "$program"
GOMP_SPINCOUNT=10000 "$program" "$@"
