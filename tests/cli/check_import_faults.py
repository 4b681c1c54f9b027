#!/usr/bin/env python3
"""What is left of an import that is killed, that finds the disk full, or whose files are changed afterwards.

    tests/cli/check_import_faults.py ADASS [KILLS]

- kill -9 at 50 moments (or KILLS) drawn over the whole duration: there is no dataset or a sound one, never a half one; in the end an
  import succeeds, with the bytes of one that was never disturbed, and nothing else is left.
- a full disk (a limit on the size of files, and a small file system where one may be mounted): status 1, a message that
  names file and cause, nothing left.
- 100 of 100 changed bits are found.
"""
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ADASS = str(pathlib.Path(sys.argv[1]).resolve())
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 50
FLIPS, SEED = 100, 1


def make_movielens(folder, ratings):
    """A release in the layout `latest`."""
    rng = random.Random(SEED)
    folder.mkdir()
    movies = range(1, 5001)
    with open(folder / "movies.csv", "w") as file:
        file.write("movieId,title,genres\n")
        file.writelines('%d,"Film, the %d (19%02d)",G%d\n' % (m, m, m % 100, m % 19) for m in movies)
    with open(folder / "ratings.csv", "w") as file:
        file.write("userId,movieId,rating,timestamp\n")
        for row in range(ratings):
            word = rng.getrandbits(64)
            file.write("%d,%d,%d.%d,%d\n" % (1 + word % 20011, 1 + (word >> 15) % 5000, 1 + (word >> 30) % 4,
                                             5 * (word >> 33 & 1), 10**9 + (word >> 40)))


def run(arguments, **options):
    return subprocess.run([ADASS, *arguments], capture_output=True, text=True, **options)


def bytes_of(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def check_killed(command, work):
    """`command` makes its dataset in the folder that it gets as the last argument."""
    reference, out = work / "reference", work / "out"
    start = time.monotonic()
    done = run([*command, reference])
    duration = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    expected = bytes_of(reference)
    rng = random.Random(SEED)
    killed = complete = 0
    for _ in range(KILLS):
        moment = rng.uniform(0, 1.05 * duration)
        process = subprocess.Popen([ADASS, *command, out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.kill()
        killed += process.wait() == -9
        if out.exists():
            assert bytes_of(out) == expected, "half a dataset after a kill at %.3f s" % moment
            shown = run(["data", "show", "--verify", out])
            assert shown.returncode == 0, shown.stderr
            shutil.rmtree(out)
            complete += 1
        left = [p.name for p in work.glob("out*")]
        assert len(left) <= 1, "leftovers gather: %s" % left
    assert killed > 0, "the import was never killed"
    done = run([*command, out])
    assert done.returncode == 0, done.stderr
    assert bytes_of(out) == expected, "the import after the kills made other bytes"
    left = [p.name for p in work.glob("out*")]
    assert left == ["out"], left
    shutil.rmtree(out)
    print("%s: %.2f s undisturbed; %d of %d killed before the end, %d complete" %
          (" ".join(command[:3]), duration, killed, KILLS, complete))
    return expected


def check_file_limits(command, work, expected):
    largest = max(len(content) for content in expected.values())
    for limit in (4096, 1 << 15, 1 << 17, largest // 2, largest - 1):  # OpenMP of clang needs a KiB itself
        done = run([*command, work / "out"],
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        assert done.returncode == 1, "limit %d: status %d; %s" % (limit, done.returncode, done.stderr)
        assert re.search(r"^adass data import .*%s.*: File too large" % re.escape(str(work)), done.stderr), done.stderr
        assert not list(work.glob("out*")), "limit %d: something is left" % limit
    print("a limit on files: told, nothing left")


def check_full_disk(command, work):
    """A file system of its own, seen by the processes of this command alone."""
    disk = work / "disk"
    disk.mkdir(exist_ok=True)
    script = 'mount -t tmpfs -o size=$1 none "$2" || exit 77; shift 2; "$@"; echo status $?; find "$DISK" -mindepth 1'
    unshare = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    for size in ("16k", "256k", "900k"):
        try:
            done = subprocess.run([*unshare, "sh", "-c", script, "sh", size, disk, ADASS, *command, disk / "out"],
                                  capture_output=True, text=True, env={**os.environ, "DISK": str(disk)})
        except FileNotFoundError:
            done = None
        if done is None or "status" not in done.stdout:
            print("a full disk: skipped, no file system can be mounted here")
            return
        assert done.stdout == "status 1\n", "%s: %s%s" % (size, done.stdout, done.stderr)
        assert re.search(r"^adass data import .*%s.*: No space left on device" % re.escape(str(disk)), done.stderr), done.stderr
    print("a full disk: told, nothing left")


def check_flips(expected, work):
    """Bits of every file in turn; every other time in the first 128 bytes, where headers are."""
    rng = random.Random(SEED)
    folder = work / "flips"
    for name, content in expected.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    names = sorted(expected)
    found = 0
    for k in range(FLIPS):
        name = names[k % len(names)]
        content = expected[name]
        at = rng.randrange(min(len(content), 128) if k // len(names) % 2 else len(content))
        changed = bytearray(content)
        changed[at] ^= 1 << rng.randrange(8)
        (folder / name).write_bytes(changed)
        shown = run(["data", "show", "--verify", folder])
        assert shown.returncode == 1, "byte %d of %s: not found" % (at, name)
        assert name in shown.stderr, "byte %d of %s: %s" % (at, name, shown.stderr)
        found += 1
        (folder / name).write_bytes(content)
    assert run(["data", "show", "--verify", folder]).returncode == 0
    print("%d of %d changed bits found, over %d files" % (found, FLIPS, len(names)))


def check_all(command, small, work):
    """Kills of the long `command`; the other faults with the short `small`."""
    check_killed(command, work)
    done = run([*small, work / "small-dataset"])
    assert done.returncode == 0, done.stderr
    expected = bytes_of(work / "small-dataset")
    shutil.rmtree(work / "small-dataset")
    check_file_limits(small, work, expected)
    check_full_disk(small, work)
    check_flips(expected, work)


def check_movielens(work):
    make_movielens(work / "large", 600000)
    make_movielens(work / "small", 40000)
    importer = ["data", "import", "movielens"]
    check_all([*importer, work / "large"], [*importer, work / "small"], work)


def check_criteo(work):
    """With a memory bound that sends counts and ids to temporary files, and a vocabulary."""
    for name, rows in ("large", "100000"), ("small", "30000"):
        done = run(["data", "synth", "--shape", "criteo", "--rows", rows, "--raw", "tsv", work / name])
        assert done.returncode == 0, done.stderr
    importer = ["data", "import", "criteo", "--memory", "64M", "--threads", "2", "--min-count", "1", "--write-vocab"]
    check_all([*importer, work / "large"], [*importer, work / "small"], work)


for check in check_movielens, check_criteo:
    with tempfile.TemporaryDirectory() as name:
        check(pathlib.Path(name))
