#!/usr/bin/env bash
# Every public header compiles alone, without a warning, as C11, C17 and C++17.
#
#   CC=... CXX=... tests/install/test_headers.sh SOURCE_DIR
set -euo pipefail

readonly source=$1 warnings=(-Wall -Wextra -Wpedantic -Werror)
readonly include=(-I"$source/kernels/include" -I"$source/datasets/include" -I"$source/search/include")

compile() { # <language> <standard> <compiler> <header>
    echo "#include \"$4\"" | "$3" -x "$1" -std="$2" "${warnings[@]}" "${include[@]}" -fsyntax-only - || {
        echo "$4 does not compile alone as $2"
        exit 1
    }
}

n=0
for path in "$source"/{kernels,datasets,search}/include/adass/*.h; do
    header=adass/${path##*/}
    compile c c11 "${CC:-cc}" "$header"
    compile c c17 "${CC:-cc}" "$header"
    compile c++ c++17 "${CXX:-c++}" "$header"
    n=$((n + 1))
done
((n > 0)) || { echo "no headers under $source"; exit 1; }
echo "$n headers"
