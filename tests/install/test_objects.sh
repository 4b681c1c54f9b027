#!/usr/bin/env bash
# No instruction set leaks and no name does: only the objects of an ISA hold AVX instructions, and the library exports
# only names that begin with adass_.
#
#   tests/install/test_objects.sh LIBRARY
#
# LIBRARY: libadass, static or shared; instructions are looked at in a static one, whose objects can be told apart.
# Status 77, skipped: no binutils here.
set -euo pipefail

readonly library=$1
for tool in nm objdump; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done

check_names() {
    local table=(-g) names
    [[ $library != *.so* ]] || table=(-D)
    # Critical sections and reductions of OpenMP are shared between objects under names of the compiler's making.
    names=$(nm "${table[@]}" --defined-only "$library" | awk 'NF == 3 { print $3 }' | sed '/^\.gomp_critical_user_\.\(reduction\.\)\?var$/d; s/^\.gomp_critical_user_//')
    [[ $names == *adass_auc* ]] || { echo "nm shows no adass_auc in $library"; exit 1; }
    if grep -v '^adass_' <<<"$names"; then
        echo "exported by $library without the prefix adass_"
        exit 1
    fi
    echo "$(wc -l <<<"$names") names"
}

# The objects of the archive that hold AVX: a wide register, or an instruction with AVX's encoding.
objects_with_avx() {
    objdump -d --no-show-raw-insn "$library" | awk '
        / file format / { object = $1 }
        /%[yz]mm/ || /\tv[a-z0-9]+ .*%xmm/ { found[object] = 1 }
        END { for (object in found) print object }' | sort
}

check_instructions() {
    local object objects
    objects=$(objects_with_avx)
    for object in $objects; do
        [[ $object == isa_avx2.* || $object == isa_avx512.* ]] || {
            echo "$object holds AVX instructions, and would run on a CPU without them"
            exit 1
        }
    done
    [[ $(wc -w <<<"$objects") == 2 ]] || { echo "AVX was found in '$objects', not in its two objects"; exit 1; }
    echo "AVX only in" $objects
}

check_names
if [[ $library == *.a && $(uname -m) == x86_64 ]]; then
    check_instructions
fi
