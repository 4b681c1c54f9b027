#!/usr/bin/env python3
"""Shows on this machine that bench_regress.sh finds a planted slow-down and stays quiet on identical builds.

    scripts/bench_regress_selftest.py [--rounds N] [--builds FOLDER] [REVISION]

REVISION (HEAD) is built three times: as it is, twice, and with a lookup kernel that looks up every tenth row once more. Each of the N
rounds (20) makes two decisions as bench_regress.sh does by default: base against its twin, and base against the slower one.
Exit status: 0 when all of them were right, 1 when one was wrong, 2 when it cannot be done.
"""
import argparse
import contextlib
import pathlib
import re
import sys

import bench_regress

KERNEL = "kernels/lookup.tpl.h"
FILTER = "^lookup/isa:scalar/type:f32/size:16/rows:1e3/batch:4096/ids:uniform/pooling:1/impl:ours/threads:1$"
PAIRS, THRESHOLD, ALPHA = 30, 0.05, 0.01


def plant(source):
    """The kernel's text with one more function, which calls the original for all rows and then for the first tenth of them."""
    found = re.search(r"static void ADASS_FN\(lookup\)\(([^)]*)\)", source)
    if found is None:
        raise bench_regress.Failure(f"{KERNEL} has no function ADASS_FN(lookup): the self-test must follow it")
    names = [re.search(r"(\w+)$", parameter.strip()).group(1) for parameter in found[1].split(",")]
    once_more = ["n / 10" if name == "n" else name for name in names]
    original = source.replace("ADASS_FN(lookup)(", "ADASS_FN(lookup_once)(", 1)
    return (f"{original}\nstatic void ADASS_FN(lookup)({found[1]})\n{{\n"
            f"    ADASS_FN(lookup_once)({', '.join(names)});\n"
            f"    ADASS_FN(lookup_once)({', '.join(once_more)});\n}}\n")


def make_builds(folder, revision):
    commit = bench_regress.resolve(revision)
    programs = {}
    for name in ("base", "twin", "slow"):
        tree = folder / name
        if not tree.exists():
            bench_regress.check_out(commit, tree)
            if name == "slow":
                kernel = tree / KERNEL
                kernel.write_text(plant(kernel.read_text()))
        programs[name] = bench_regress.build(tree)
    return programs


def decide_once(programs, other):
    """(whether a regression was found, the ratios and the neighbours' share as text)."""
    pair = (programs["base"], programs[other])
    names = bench_regress.choose_benchmarks(pair, FILTER)
    neighbours = {}
    with bench_regress.watch_neighbours(neighbours):
        times = bench_regress.measure(pair, names, PAIRS, ["--adass_pin=core"])
    rows = bench_regress.decide(times, THRESHOLD, ALPHA)
    text = ", ".join(f"{row['ratio']:.3f} p {row['p']:.1g}" for row in rows)
    return bench_regress.has_regression(rows), f"{text}; others {neighbours['others']:.0%}"


def run(args, folder):
    programs = make_builds(folder, args.revision)
    right = {"twin": 0, "slow": 0}
    for _ in range(args.rounds):
        for other in right:
            found, text = decide_once(programs, other)
            right[other] += found == (other == "slow")
            print(f"{other}: {'regression' if found else 'quiet'} ({text})", flush=True)
    print(f"identical builds: quiet in {right['twin']} of {args.rounds}; planted 10 %: found in {right['slow']} of {args.rounds}")
    return 0 if all(n == args.rounds for n in right.values()) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", metavar="REVISION", nargs="?", default="HEAD")
    parser.add_argument("--rounds", type=int, default=20, metavar="N")
    parser.add_argument("--builds", metavar="FOLDER", help="builds are kept there and used again")
    args = parser.parse_args()
    keep = args.builds and contextlib.nullcontext(pathlib.Path(args.builds).resolve())
    try:
        with keep or bench_regress.temporary_folder() as folder:
            return run(args, folder)
    except bench_regress.Failure as failure:
        print(f"bench_regress_selftest: {failure}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
