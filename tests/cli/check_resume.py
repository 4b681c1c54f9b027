#!/usr/bin/env python3
"""Training, supernet, searches and methods that are killed, stopped, or run into a limit, and go on from checkpoints.

check_resume.py ADASS RUN_METHOD [KILLS]        exits with 1 where the result is not that of an undisturbed run
"""
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ADASS, RUN_METHOD, KILLS = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 6
SEED = 1


def run(*args, program=ADASS):
    return subprocess.run([program, *map(str, args)], capture_output=True, text=True)


def untimed(text):
    record = json.loads(text)
    del record["seconds"]
    return record


class Job:
    """A command whose result can be compared; `kept` are the options that keep checkpoints."""

    def __init__(self, work, name, args, kept, program=ADASS):
        self.ck, self.out, self.name, self.program = work / "ck", work / "out", name, program
        self.args, self.kept = [*args, self.out], [*kept, self.ck]

    @classmethod
    def command(cls, work, command, model, *more):
        common = [work / "data", "--model", model, "--hidden", "16,8", "--dropout", "0.2", "--batch", "256", "--json"]
        if command == "train":
            args = ["train", *common, "--epochs", "12", "--patience", "12", "--save"]
        else:
            args = ["search", *common, "--supernet-epochs", "5", "--iterations", "25", "--population", "6",
                    "--eval-rows", "1000", "--budget", "0.4", *more, "--out"]
        return cls(work, " ".join([command, model, *more]), args,
                   ["--checkpoint-every", "0.01", "--resume", "--checkpoints"])

    @classmethod
    def method(cls, work, method):
        """The whole run, of the methods too that `adass search` does not have."""
        return cls(work, "method " + method, [work / "data", method], [], RUN_METHOD)

    def result(self, done):
        assert done.returncode == 0, done.stderr
        found = untimed(done.stdout), self.out.read_bytes()
        self.out.unlink()
        return found

    def start(self, *more, **popen):
        return subprocess.Popen([self.program, *map(str, [*self.args, *self.kept, *more])], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **popen)

    def finish(self, process):
        out, err = process.communicate()
        return self.result(subprocess.CompletedProcess(process.args, process.returncode, out, err))

    def stages(self):
        return {p.stem for p in self.ck.glob("*.safetensors")}


def wait_for(process, seconds):
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def interrupt(job, duration, rng, *more, number=signal.SIGINT):
    """Stops a job that is under way; gives what it says. It is tried until it is neither too early nor too late."""
    while True:
        process = job.start(*more)
        if wait_for(process, rng.uniform(0, duration / 2)):
            job.finish(process)
            continue
        process.send_signal(number)
        out, err = process.communicate()
        if process.returncode == 0:
            job.result(subprocess.CompletedProcess(process.args, 0, out, err))
        elif process.returncode != -number and job.stages():
            return process.returncode, err


def check_killed(job, rng):
    """Kills a job until that has happened KILLS times with a checkpoint there to go on from."""
    expected = job.result(run(*job.args, program=job.program))
    began = time.monotonic()
    assert job.finish(job.start()) == expected, job.name + ": checkpoints change the result"
    duration = time.monotonic() - began
    assert not job.ck.exists(), "checkpoints are left"
    killed, complete, stages = 0, 0, set()
    while killed < KILLS:
        process = job.start()
        if wait_for(process, rng.uniform(0.02, duration)):
            assert job.finish(process) == expected, "%s: other bits after %d kills" % (job.name, killed)
            complete += 1
            continue
        process.kill()
        process.communicate()
        killed += bool(job.stages())
        stages |= job.stages()
        left = list(job.ck.glob("*.tmp-*"))
        assert len(left) <= 1, "leftovers gather: %s" % left
    assert job.finish(job.start()) == expected, "%s: other bits after %d kills" % (job.name, killed)
    assert not job.ck.exists(), "checkpoints are left"
    print("%s: %.2f s with checkpoints; killed %d times, ended %d times, each with the same bits; killed with "
          "checkpoints of %s" % (job.name, duration, killed, complete + 1, ", ".join(sorted(stages))))
    return expected, duration


def check_interrupted(job, expected, duration, rng, *others):
    """`others`: options of runs that may not go on from the job's checkpoints."""
    for number in signal.SIGINT, signal.SIGTERM:
        # saved by the signal alone
        status, err = interrupt(job, duration, rng, "--checkpoint-every", "1e6", number=number)
        assert status == 130, "status %d: %s" % (status, err)
        goes_on = r"stopped on request.*\n.*%s; the same command with --resume goes on" % re.escape(str(job.ck))
        assert re.search(goes_on, err), err
    refused = run(*job.args, "--checkpoints", job.ck)
    assert refused.returncode == 1 and "--resume" in refused.stderr, refused.stderr
    for other in ["--seed", "9"], *others:
        refused = run(*job.args, *job.kept, *other)
        assert refused.returncode == 1 and "another configuration" in refused.stderr, refused.stderr
    assert job.finish(job.start()) == expected, job.name + ": other bits after Ctrl-C"
    print("%s: Ctrl-C told, saved, gone on with" % job.name)


def check_twice(work):
    """The second Ctrl-C ends a step of many seconds at once."""
    process = subprocess.Popen([ADASS, "train", work / "data", "--batch", "2e4", "--hidden", "8192,8192"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert not wait_for(process, 2), "it ended too early"
    process.send_signal(signal.SIGINT)
    assert not wait_for(process, 0.3), "the step was not finished"
    process.send_signal(signal.SIGINT)
    assert wait_for(process, 5), "the second Ctrl-C did not end it"
    assert process.returncode == -signal.SIGINT, process.returncode
    print("a second Ctrl-C ends at once")


def stopped(job, duration, rng):
    """Stops a job with a checkpoint; gives the files."""
    interrupt(job, duration, rng)
    return {p: p.read_bytes() for p in job.ck.glob("*.safetensors")}


def check_file_limit(job, expected, duration, rng):
    before = stopped(job, duration, rng)
    limit = max(map(len, before.values())) - 1
    done = job.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    _, err = done.communicate()
    told = r"%s/.*cannot be written: File too large; raise the limit" % re.escape(str(job.ck))
    assert done.returncode == 1 and re.search(told, err), err
    assert "--resume goes on" in err, err
    assert all(p.read_bytes() == before[p] for p in before), "the last checkpoint has changed"
    assert not list(job.ck.glob("*.tmp-*")), "something is left"
    assert job.finish(job.start()) == expected, "other bits after a full disk"
    print("%s: a limit on files told, the last checkpoint intact" % job.name)


def check_full_disk(job, expected, duration, rng, work):
    """A file system of its own, seen by the processes of this command alone, that is too small for two checkpoints."""
    before = stopped(job, duration, rng)
    size = sum(map(len, before.values())) * 3 // 2 // 1024
    script = ('mount -t tmpfs -o size=$1 none "$DISK" || exit 77; cp "$CK"/*.safetensors "$DISK"; shift 1; '
              '"$@"; echo status $?; '
              'rm -f "$CK"/*; ls "$DISK" | grep tmp; cp "$DISK"/* "$CK"')
    disk = work / "disk"
    disk.mkdir(exist_ok=True)
    args = [*job.args, "--checkpoints", disk, "--checkpoint-every", "0", "--resume"]
    unshare = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    try:
        done = subprocess.run([*unshare, "sh", "-c", script, "sh", "%dk" % size, ADASS, *map(str, args)],
                              capture_output=True, text=True, env={**os.environ, "DISK": str(disk), "CK": str(job.ck)})
    except FileNotFoundError:
        done = None
    if done is None or "status" not in done.stdout:
        print("a full disk: skipped, no file system can be mounted here")
    else:
        assert done.stdout == "status 1\n", done.stdout + done.stderr
        told = r"%s/.*cannot be written: No space left on device; make room" % re.escape(str(disk))
        assert re.search(told, done.stderr), done.stderr
        assert all(p.read_bytes() == before[p] for p in before), "the last checkpoint has changed"
        print("%s: a full disk told, the last checkpoint intact" % job.name)
    assert job.finish(job.start()) == expected, "other bits after a full disk"


def check_memory(job, expected, duration, rng):
    """Limits on memory, from too little to enough: told, and what was reached is gone on with."""
    stopped(job, duration, rng)
    told = 0
    for mebibytes in range(60, 1200, 10):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))
        done = job.start("--threads", "2", preexec_fn=limit)
        out, err = done.communicate()
        if done.returncode == 0:
            assert job.result(subprocess.CompletedProcess(done.args, 0, out, err)) == expected
            break
        started = "shared lib" not in err and "shared object" not in err
        assert done.returncode == 1 or not started, "%d MiB: status %d; %s" % (mebibytes, done.returncode, err)
        why = re.search("out of memory|annot allocate|no thread .*unavailable", err)
        assert not started or why, "%d MiB: %s" % (mebibytes, err)
        told += started
    else:
        sys.exit("FAILED: it never has enough memory")
    assert told > 0
    print("%s: out of memory told at %d limits, gone on with under %d MiB" % (job.name, told, mebibytes))


def check_damage(job, expected, duration, rng):
    before = stopped(job, duration, rng)
    for path, content in before.items():
        for at in [rng.randrange(64)] + [rng.randrange(len(content)) for _ in range(3)]:
            changed = bytearray(content)
            if at >= 8 and changed[at] == 0x20:  # the header's padding
                continue
            changed[at] ^= 1 << rng.randrange(8)
            path.write_bytes(changed)
            done = run(*job.args, *job.kept)
            assert done.returncode == 1 and str(path) in done.stderr and "remove it" in done.stderr, done.stderr
        path.write_bytes(content)
    assert job.finish(job.start()) == expected
    print("%s: damaged checkpoints told" % job.name)


sanitized = os.environ.get("ADASS_SANITIZED") == "1"
with tempfile.TemporaryDirectory() as name:
    work = pathlib.Path(name)
    made = run("data", "synth", "--shape", "tiny", "--rows", "1e4", work / "data")
    assert made.returncode == 0, made.stderr
    rng = random.Random(SEED)
    for model in "fm", "deepfm":
        for command in "search", "train":
            job = Job.command(work, command, model)
            expected, duration = check_killed(job, rng)
            check_interrupted(job, expected, duration, rng)
    plain = job, expected, duration
    for searcher in "evolution", "random", "knapsack":
        check_killed(Job.command(work, "search", "deepfm", "--searcher", searcher, "--supernet-epochs", "1",
                                 "--iterations", "60"), rng)
    for method in "autodim", "dimgrow", "magprune", "optembed", "pep", "sseds":
        check_killed(Job.method(work, method), rng)
    job = Job.command(work, "search", "deepfm", "--method", "dimgrow")
    expected, duration = check_killed(job, rng)
    check_interrupted(job, expected, duration, rng, ["--budget", "0.3"], ["--candidates", "0,2,4"])
    job, expected, duration = plain
    check_damage(job, expected, duration, rng)
    check_file_limit(job, expected, duration, rng)
    check_full_disk(job, expected, duration, rng, work)
    if not sanitized:  # sanitizers have memory of their own
        check_memory(job, expected, duration, rng)
    check_twice(work)
