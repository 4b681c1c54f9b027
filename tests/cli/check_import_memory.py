#!/usr/bin/env python3
"""An import keeps to --memory, whatever it would take without, and makes the same bytes.

check_import_memory.py ADASS        exits with 1 where it does not
"""
import os
import resource
import subprocess
import sys
import tempfile

ROWS, BOUND = "3e5", 52 << 20  # some 78 MB of text; without the bound its import takes about twice the bound


def run(*args):
    subprocess.run([sys.argv[1], "data", *args], check=True, stdout=subprocess.DEVNULL)


def import_peak(raw, out, *more):
    """Imports in a process whose only child is the import; gives the peak of its resident memory."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        run("import", "criteo", raw, out, "--threads", "2", *more)
        os.write(writer, str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        peak = answer.read()
    if os.wait()[1] != 0 or peak == "":
        sys.exit(f"FAILED: import {more}")
    return int(peak)


with tempfile.TemporaryDirectory() as work:
    raw, free, bound = (os.path.join(work, name) for name in ("raw", "free", "bound"))
    run("synth", "--shape", "criteo", "--rows", ROWS, "--raw", "tsv", raw)
    without, within = import_peak(raw, free), import_peak(raw, bound, "--memory", str(BOUND))
    print(f"peak {without / 2**20:.1f} MiB without a bound, {within / 2**20:.1f} MiB with one of {BOUND / 2**20:.1f} MiB")
    if without <= BOUND:
        sys.exit("FAILED: it does not need more than the bound: nothing is shown")
    if within > BOUND:
        sys.exit("FAILED: it takes more than the bound")
    with open(f"{free}/meta.json", "rb") as a, open(f"{bound}/meta.json", "rb") as b:  # it has the checksums of all files
        if a.read() != b.read():
            sys.exit("FAILED: the bound changes the dataset")
