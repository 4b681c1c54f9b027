#!/usr/bin/env bash
# The tests given, on an emulated CPU of 2008 that has no AVX: dispatch must see that, and nothing may need it.
#
#   tests/kernels/test_no_avx.sh TEST_KERNELS [TEST...]
#
# Status 77, skipped: no qemu-x86_64 here.
set -euo pipefail

command -v qemu-x86_64 >/dev/null || { echo "skipped: no qemu-x86_64"; exit 77; }
unset ADASS_ISA
old_cpu() { qemu-x86_64 -cpu Nehalem "$@"; }

output=$(old_cpu "$1") || { echo "$output"; exit 1; }
grep -q '^not run: avx2: ' <<<"$output" || { echo "AVX2 was not refused:"; echo "$output"; exit 1; }
grep -q '^ok  *lookup_scalar' <<<"$output" || { echo "the scalar kernels were not run:"; echo "$output"; exit 1; }
shift
for test in "$@"; do
    output=$(old_cpu "$test" 2>&1) || { echo "$output"; exit 1; }
done
