#!/bin/sh
# check_deepfm.sh DEEPFM_TRACE: check_deepfm.py under the first Python that has PyTorch and NumPy, which $ADASS_PEER_PYTHON may name.
# The system's own is tried too, since a python3 put before it in PATH seldom has the distribution's modules. Exit status 77: skipped.
set -eu
trace=$1
here=$(dirname "$0")
if [ -n "${ADASS_PEER_PYTHON:-}" ]; then
    set -- "$ADASS_PEER_PYTHON"
else
    set -- python3 /usr/bin/python3
fi
has_modules='import sys; from importlib.util import find_spec; sys.exit(not (find_spec("torch") and find_spec("numpy")))'
for python in "$@"; do
    if "$python" -c "$has_modules" 2>/dev/null; then
        exec "$python" "$here/check_deepfm.py" "$trace"
    fi
done
echo "skipped: no PyTorch and NumPy in $*; name another Python in ADASS_PEER_PYTHON"
exit 77
