#!/usr/bin/env python3
"""Embedding lookups and the factorization machine in PyTorch and by adass-bench, in turn.

    tests/peer/compare_torch_kernels.py ADASS_BENCH [--work lookup fm] [--sizes 4 8 16 32 64 128] [--rounds N]

lookup: torch.nn.functional.embedding_bag (sums; int32 ids, whose kernels are FBGEMM's) against `lookup`: f32, 1e6 rows, uniform ids,
4096 bags a call. fm: the second-order term of 39 fields and its gradient by autograd against `fm_forward` and `fm_backward`; of sizes
2 to 64 mixed, PyTorch gets a matrix that is already padded to 64. Every round runs both once; the table has the medians of the rounds, the median of
their ratios, and each one's share of the limit that adass-bench measured in the same rounds (bench/README.md). One thread is timed by its CPU time, which leaves out what neighbours had of its core; two are timed by the clock and need a quiet
machine: other programs' share of the CPUs is printed.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch

ROWS, BATCH, POOL_IDS, FIELDS = 1_000_000, 4096, 1 << 20, 39


def busy_seconds():
    ticks = [int(n) for n in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK"), sum(ticks) / os.sysconf("SC_CLK_TCK")


def seconds_a_call(next_call, threads, least=0.1):
    """Median over the calls that `next_call` gives for `least` seconds, after one that warms up; making a call is not timed."""
    torch.set_num_threads(threads)
    clock = time.thread_time if threads == 1 else time.perf_counter
    next_call()()
    times, begin = [], time.perf_counter()
    while time.perf_counter() - begin < least or len(times) < 3:
        call, before = next_call(), clock()
        call()
        times.append(clock() - before)
    return statistics.median(times)


# ---- PyTorch ----

class Bags:
    """Lookups in one table; calls walk through a pool of ids larger than the caches."""

    def __init__(self, size):
        self.table = torch.rand(ROWS, size)
        self.ids = torch.randint(ROWS, (POOL_IDS,), dtype=torch.int32)
        self.at = 0

    def call(self, pooling):
        ids_a_call = BATCH * pooling
        if self.at + ids_a_call > POOL_IDS:
            self.at = 0
        ids = self.ids[self.at:self.at + ids_a_call]
        self.at += ids_a_call
        offsets = torch.arange(0, ids_a_call, pooling, dtype=torch.int32)
        return lambda: torch.nn.functional.embedding_bag(ids, self.table, offsets, mode="sum")

    def nanoseconds(self, pooling, threads):
        """Of an id; the offsets are made outside the time."""
        with torch.no_grad():
            return seconds_a_call(lambda: self.call(pooling), threads) / (BATCH * pooling) * 1e9


def fm_nanoseconds(batch, size, threads):
    """Forward and backward, of a sample."""
    x = torch.rand(batch, FIELDS, 64 if size == "mixed2-64" else int(size), requires_grad=True)
    dy = torch.rand(batch)

    def step():
        sums = x.sum(1)
        y = 0.5 * (sums * sums - (x * x).sum(1)).sum(1)
        x.grad = None
        y.backward(dy)
    return seconds_a_call(lambda: step, threads) / batch * 1e9


# ---- ours ----

def item_nanoseconds(row):
    share = row["cpu_time"] / row["real_time"] if "threads:1" in row["name"].split("/") else 1.0
    return 1e9 / row["items_per_second"] * share


def run_bench(program, pattern):
    """{name: (nanoseconds an item, nanoseconds of the machine's limit)} of the benchmarks that match."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run([program, f"--benchmark_filter={pattern}", "--benchmark_min_time=0.1", "--adass_pin=core",
                        f"--benchmark_out={out.name}", "--benchmark_out_format=json"],
                       check=True, capture_output=True)
        rows = json.load(open(out.name))["benchmarks"]
    return {row["name"].replace("/manual_time", ""): (item_nanoseconds(row), 1e9 / row["items_per_second"] * row["of_limit"]) for row in rows}


def best_isa(program):
    done = subprocess.run([program, "--benchmark_list_tests", "--benchmark_filter=^fm_forward/.*impl:ours"],
                          check=True, capture_output=True, text=True)
    return done.stdout.split("isa:")[1].split("/")[0]


# ---- both ----

def lookup_cases(program, isa, size, rounds, times):
    bags = Bags(size)
    poolings = (1, 20)
    for _ in range(rounds):
        ours = run_bench(program, f"^lookup/isa:{isa}/type:f32/size:{size}/rows:1e6/batch:{BATCH}/ids:uniform/pooling:.*impl:ours/")
        for name, (ns, limit) in ours.items():
            keys = dict(part.split(":", 1) for part in name.split("/")[1:])
            pooling, threads = int(keys["pooling"]), int(keys["threads"])
            if pooling in poolings:
                times.setdefault(f"lookup, pooling {pooling}, size {size}, threads {threads}", []).append(
                    (ns, bags.nanoseconds(pooling, threads), limit))


def fm_cases(program, isa, rounds, times):
    for _ in range(rounds):
        parts = run_bench(program, f"^fm_(forward|backward)/isa:{isa}/.*fields:{FIELDS}/size:(16|64|mixed2-64)/batch:1024/impl:ours/")
        for name, (ns, limit) in parts.items():
            if not name.startswith("fm_forward"):
                continue
            backward = parts[name.replace("fm_forward", "fm_backward")]
            keys = dict(part.split(":", 1) for part in name.split("/")[1:])
            times.setdefault(f"fm forward + backward, size {keys['size']}, batch {keys['batch']}, threads {keys['threads']}", []).append(
                (ns + backward[0], fm_nanoseconds(int(keys["batch"]), keys["size"], int(keys["threads"])), limit + backward[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=pathlib.Path, metavar="ADASS_BENCH")
    parser.add_argument("--work", nargs="+", choices=("lookup", "fm"), default=["lookup", "fm"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[4, 8, 16, 32, 64, 128])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    program, times = args.bench.resolve(), {}
    isa = best_isa(program)
    before = busy_seconds()
    own = os.times()
    if "lookup" in args.work:
        for size in args.sizes:
            lookup_cases(program, isa, size, args.rounds, times)
    if "fm" in args.work:
        fm_cases(program, isa, args.rounds, times)
    print(f"| work ({isa}; PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}) | ours, ns | PyTorch, ns | times faster | limit, ns | ours of it | PyTorch of it |")
    print("|---|---|---|---|---|---|---|")
    for name, pairs in times.items():
        ours, theirs, limit = (statistics.median(side) for side in zip(*pairs))
        times_faster = statistics.median(theirs / ours for ours, theirs, _ in pairs)
        print(f"| {name} | {ours:.2f} | {theirs:.2f} | {times_faster:.2f} | {limit:.2f} | {limit / ours:.2f} | {limit / theirs:.2f} |")
    after, used = busy_seconds(), os.times()
    mine = sum(used[:4]) - sum(own[:4])
    print(f"\nOther programs had {max(0.0, after[0] - before[0] - mine) / (after[1] - before[1]):.0%} of the CPUs.")


if __name__ == "__main__":
    main()
