"""Compares the benchmarks of two revisions and fails when the second is slower.

Both revisions are checked out into a temporary folder and built there (Release, adass-bench only). Every benchmark runs in pairs of
processes, base and head, and a pair's times are compared with each other only, because machines drift:

  one thread      The processes of a pair take turns of 10 ms (stopped and continued), so that a neighbour slows both alike. A
                  process's value is the median CPU time of its repetitions.
  several threads They run one after the other, in the order base head head base. The value is the median wall-clock time.

A benchmark has regressed when the centre of its pairs' ratios (Hodges-Lehmann) is above the threshold and Mann-Whitney's test, on the
times over their pair's mean, gives p < alpha (rank_test.py). With many benchmarks p is Holm's: the chance of any false alarm in the whole table is
below alpha. The table goes to standard output as Markdown.

Exit status: 0 no regression, 1 a regression, 2 used wrongly, or a build or benchmark failed.
"""
import argparse
import contextlib
import json
import math
import os
import pathlib
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import rank_test

ROOT = pathlib.Path(__file__).resolve().parent.parent
TURN_SECONDS = 0.01
# A process: long enough to be worth its start, short enough to be as disturbed as its partner.
MEASURE = ["--benchmark_min_time=0.1", "--benchmark_repetitions=3", "--benchmark_format=json"]


class Failure(Exception):
    """Said to the user; exit status 2."""


# ---- builds ----

def run_tool(*command, cwd=ROOT):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failure(f"{shlex.join(command)}: status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout.strip()


def resolve(revision):
    try:
        return run_tool("git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except Failure:
        raise Failure(f"git knows no commit '{revision}'; in a shallow copy: git fetch --unshallow") from None


def check_out(commit, folder):
    run_tool("git", "worktree", "add", "--detach", "--force", str(folder), commit)


def build(folder):
    """The path of the adass-bench that is built from the sources in `folder`."""
    run_tool("cmake", "--preset", "release", "-DADASS_BUILD_TESTS=OFF", "-DADASS_BUILD_BENCH=ON", cwd=folder)
    run_tool("cmake", "--build", "build/release", "--target", "adass-bench", cwd=folder)
    return folder / "build/release/bin/adass-bench"


@contextlib.contextmanager
def temporary_folder():
    """A folder for worktrees, which git forgets with it."""
    with tempfile.TemporaryDirectory(prefix="adass-regress-") as folder:
        try:
            yield pathlib.Path(folder)
        finally:
            for tree in pathlib.Path(folder).iterdir():
                subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, capture_output=True)


# ---- measurements ----

def list_benchmarks(program, pattern):
    done = subprocess.run([program, "--benchmark_list_tests", f"--benchmark_filter={pattern}"],
                          capture_output=True, text=True)
    # No match is no failure of the program: the other revision may have the benchmark.
    names = [line for line in done.stdout.splitlines() if "/" in line and " " not in line]
    if done.returncode not in (0, 1) or (done.returncode == 0 and not names):
        raise Failure(f"{program} --benchmark_list_tests: status {done.returncode}\n{done.stderr}")
    return names


def is_single(name):
    """Whether CPU time is the benchmark's time: one thread, and no time of its own making."""
    return "threads:1" in name.split("/") and "manual_time" not in name.split("/")


def start(program, name, flags):
    pattern = "".join("\\" + c if c in ".+*?()[]{}|^$\\" else c for c in name)
    return subprocess.Popen([program, f"--benchmark_filter=^{pattern}$", *MEASURE, *flags],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process, name):
    """The median time, in nanoseconds, of the repetitions that the process printed."""
    out, err = process.communicate()
    try:
        rows = [row for row in json.loads(out)["benchmarks"] if row["run_type"] == "iteration"]
        failed = [row["error_message"] for row in rows if row.get("error_occurred")]
        unit = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
        key = "cpu_time" if is_single(name) else "real_time"
        if process.returncode == 0 and rows and not failed:
            return statistics.median(row[key] * unit[row["time_unit"]] for row in rows)
    except (ValueError, KeyError) as error:
        failed = [f"its output is no result of Google Benchmark ({error!r})"]
    raise Failure(f"{process.args[0]}: {name}: status {process.returncode}: {' '.join(failed[:1])} {err[-1000:]}")


def take_turns(processes):
    """Lets one run at a time until one of them has ended; the other then runs on."""
    for process in processes[1:]:
        process.send_signal(signal.SIGSTOP)
    turn = 0
    while all(process.poll() is None for process in processes):
        time.sleep(TURN_SECONDS)
        processes[turn].send_signal(signal.SIGSTOP)
        turn = (turn + 1) % len(processes)
        processes[turn].send_signal(signal.SIGCONT)
    for process in processes:
        process.send_signal(signal.SIGCONT)


def measure_pair(programs, name, flags, swapped):
    """(base, head), in nanoseconds; `swapped`: head goes first."""
    order = [1, 0] if swapped else [0, 1]
    times, processes = [0.0, 0.0], []
    try:
        if is_single(name):
            processes = [start(programs[side], name, flags) for side in order]
            take_turns(processes)
        for i, side in enumerate(order):
            if not is_single(name):
                processes.append(start(programs[side], name, flags))
            times[side] = finish(processes[i], name)
    finally:
        for process in processes:
            process.kill()  # a stopped process as well
            process.wait()
    return tuple(times)


def measure(programs, names, pairs, flags, progress=lambda text: None):
    """{name: [(base, head), ...]}; rounds over all benchmarks, so that a bad minute does not hit one of them only."""
    times = {name: [] for name in names}
    for i in range(pairs):
        for name in names:
            progress(f"pair {i + 1} of {pairs}: {name}")
            times[name].append(measure_pair(programs, name, flags, swapped=i % 2 == 1))
    return times


def read_cpu_seconds():
    """(busy, steal, all) of all CPUs since the machine started; busy includes what this program and its children used."""
    ticks = [int(n) for n in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, idle, iowait, irq, softirq, steal = (n / os.sysconf("SC_CLK_TCK") for n in ticks)
    busy = user + nice + system + irq + softirq
    return busy, steal, busy + steal + idle + iowait


@contextlib.contextmanager
def watch_neighbours(out):
    """Fills `out` with the shares of the CPUs that other programs, and other virtual machines, had."""
    def own():
        used = os.times()
        return used.user + used.system + used.children_user + used.children_system
    before, own_before = read_cpu_seconds(), own()
    yield
    busy, steal, whole = (b - a for a, b in zip(before, read_cpu_seconds()))
    out["others"] = max(0.0, busy - (own() - own_before)) / whole if whole > 0 else 0.0
    out["steal"] = steal / whole if whole > 0 else 0.0


# ---- the decision ----

def verdict(ratio, p, threshold, alpha):
    if ratio > 1 + threshold:
        return "regression" if p < alpha else "unclear"
    if ratio < 1 / (1 + threshold) and p < alpha:
        return "faster"
    return "same"


def decide(times, threshold, alpha):
    """A row for each benchmark of `times`: {name: [(base, head), ...]}."""
    p_values = rank_test.holm([rank_test.mann_whitney([([b], [h]) for b, h in pairs]) for pairs in times.values()])
    rows = []
    for (name, pairs), p in zip(times.items(), p_values):
        ratio, low, high = map(math.exp, rank_test.centre([math.log(head / base) for base, head in pairs]))
        rows.append({"name": name, "base_ns": statistics.median(b for b, _ in pairs),
                     "head_ns": statistics.median(h for _, h in pairs), "ratio": ratio,
                     "interval": [low, high], "p": p,
                     "verdict": verdict(ratio, p, threshold, alpha)})
    return rows


def least_pairs(benchmarks, alpha):
    """How many pairs it takes for Holm's smallest p among so many benchmarks to be below alpha."""
    return math.floor(math.log2(2 * benchmarks / alpha)) + 1


def format_time(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.4g} {unit}"
    return f"{nanoseconds:.4g} ns"


def format_table(rows):
    lines = ["| benchmark | base | head | head / base | 95 % interval | p (Holm) | verdict |",
             "|---|---|---|---|---|---|---|"]
    for row in rows:
        low, high = row["interval"]
        strong = "**" if row["verdict"] == "regression" else ""
        lines.append(f"| {row['name']} | {format_time(row['base_ns'])} | {format_time(row['head_ns'])} | {row['ratio']:.3f} "
                     f"| {low:.3f} to {high:.3f} | {row['p']:.2g} | {strong}{row['verdict']}{strong} |")
    return "\n".join(lines)


def has_regression(rows):
    return any(row["verdict"] == "regression" for row in rows)


# ---- the program ----

def parse(argv):
    parser = argparse.ArgumentParser(
        prog="bench_regress.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: scripts/bench_regress.sh --filter='^lookup/.*rows:1e3/.*threads:1$' origin/main HEAD")
    parser.add_argument("base", metavar="BASE", help="revision to compare with")
    parser.add_argument("head", metavar="HEAD", nargs="?", default="HEAD", help="revision in question (HEAD)")
    parser.add_argument("--filter", default=".", help="regular expression of benchmarks' names (all)")
    parser.add_argument("--threshold", type=float, default=5.0, metavar="PERCENT", help="smallest slow-down that counts (5)")
    parser.add_argument("--alpha", type=float, default=0.01, help="chance of a false alarm that is accepted (0.01)")
    parser.add_argument("--repetitions", type=int, default=30, metavar="N", help="pairs of processes a benchmark (30)")
    parser.add_argument("--bench-args", default="--adass_pin=core", metavar="FLAGS",
                        help="further flags of adass-bench, in one string (--adass_pin=core)")
    parser.add_argument("--json", metavar="FILE", help="writes all times and decisions there too")
    args = parser.parse_args(argv)
    if args.threshold < 0 or not 0 < args.alpha < 1 or args.repetitions < 1:
        parser.error("--threshold is at least 0, --alpha between 0 and 1, --repetitions at least 1")
    return args


def choose_benchmarks(programs, pattern):
    base, head = (list_benchmarks(program, pattern) for program in programs)
    common = [name for name in head if name in base]
    if not common:
        raise Failure(f"no benchmark that both revisions have matches '{pattern}'")
    for side, names, others in (("base", base, head), ("head", head, base)):
        only = [name for name in names if name not in others]
        if only:
            print(f"bench_regress: only {side} has {len(only)} benchmarks, such as {only[0]}: not compared", file=sys.stderr)
    return common


def show_progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def compare(args):
    """Exit status."""
    commits = [resolve(args.base), resolve(args.head)]
    if args.head == "HEAD" and run_tool("git", "status", "--porcelain", "--untracked-files=no"):
        print("bench_regress: uncommitted changes are not part of HEAD and are not measured", file=sys.stderr)
    with temporary_folder() as folder:
        programs = []
        # Names of one length: the place of a program's stack depends on the length of its path.
        for side, commit in zip(("base", "head"), commits):
            show_progress(f"building {side}, {commit[:12]}")
            check_out(commit, folder / side)
            programs.append(build(folder / side))
        names = choose_benchmarks(programs, args.filter)
        needed = least_pairs(len(names), args.alpha)
        if args.repetitions < needed:
            raise Failure(f"{len(names)} benchmarks at alpha {args.alpha} need --repetitions of {needed} at least, "
                          "or no p can be small enough")
        neighbours = {}
        with watch_neighbours(neighbours):
            times = measure(programs, names, args.repetitions, shlex.split(args.bench_args), show_progress)
        show_progress("")
    return report(args, commits, times, neighbours)


def report(args, commits, times, neighbours):
    rows = decide(times, args.threshold / 100, args.alpha)
    print(format_table(rows))
    print(f"\nBase {commits[0][:12]}, head {commits[1][:12]}; {args.repetitions} pairs of processes a benchmark; a regression is "
          f"more than {args.threshold:g} % with p < {args.alpha:g}. Other programs had {neighbours['others']:.0%} of the CPUs, "
          f"other machines {neighbours['steal']:.0%}.")
    if args.json:
        record = {"base": commits[0], "head": commits[1], "threshold_percent": args.threshold, "alpha": args.alpha,
                  "bench_args": args.bench_args, "neighbours": neighbours, "benchmarks": rows, "times_ns": times}
        try:
            pathlib.Path(args.json).write_text(json.dumps(record, indent=1) + "\n")
        except OSError as error:
            raise Failure(f"--json {args.json}: {error.strerror}") from None
    return 1 if has_regression(rows) else 0


def main(argv):
    # Ended from outside, it still removes its folders and continues what it has stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    args = parse(argv)
    try:
        return compare(args)
    except Failure as failure:
        print(f"bench_regress: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
