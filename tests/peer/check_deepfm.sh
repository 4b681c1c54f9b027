#!/bin/sh
# check_deepfm.sh DEEPFM_TRACE: check_deepfm.py under a Python that has PyTorch and NumPy. Exit status 77: skipped.
set -eu
here=$(dirname "$0")
python=$("$here/python_with.sh" torch numpy)
exec "$python" "$here/check_deepfm.py" "$1"
