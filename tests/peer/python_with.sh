#!/bin/sh
# python_with.sh MODULE...: prints the first Python that has all the modules; $ADASS_PEER_PYTHON may name it. Exit status 77: there is none.
# The system's own is tried too, since a python3 put before it in PATH seldom has the distribution's modules.
set -eu
has_modules='import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, sys.argv[1:])))'
for python in ${ADASS_PEER_PYTHON:-python3 /usr/bin/python3}; do
    if "$python" -c "$has_modules" "$@" 2>/dev/null; then
        echo "$python"
        exit 0
    fi
done
echo "skipped: no ${ADASS_PEER_PYTHON:-python3} has all of: $*; name another Python in ADASS_PEER_PYTHON" >&2
exit 77
