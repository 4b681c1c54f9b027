#!/usr/bin/env python3
"""Results of adass-bench on several CPUs as one Markdown table and one plot a kernel.

    scripts/bench_compare_cpus.py [--out DIR] results/cpus/*/bench.json

A row of a table is a kernel's shape on a CPU and an ISA: the time of a call's item with the plain loop
without vectoriser (scalar), as the compiler vectorises it (auto) and with the library's kernel (ours), the
speed-ups, and the share of the machine's measured limit. Without --out the tables go to standard output;
with it DIR/cpus.md and DIR/<kernel>.svg are written.
"""
import argparse
import json
import pathlib
import statistics
import sys

import svg


def parse_name(name):
    """'lookup/isa:avx2/size:16' -> ('lookup', {'isa': 'avx2', 'size': '16'})."""
    family, *parts = name.split("/")
    return family, dict(part.split(":", 1) for part in parts if ":" in part)


def read_rows(path):
    """The successful rows of one file: (family, keys, cpu, ns an item, of_limit), medians over repetitions."""
    try:
        result = json.loads(path.read_text())
        benchmarks = result["benchmarks"]
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"bench_compare_cpus: {path}: not a result of adass-bench ({error})")
    found = {}
    for row in benchmarks:
        if row.get("error_occurred") or row.get("run_type") == "aggregate":
            continue
        if "impl:" not in row["name"]:
            continue
        found.setdefault(row["name"].replace("/manual_time", ""), []).append(row)
    for name, repeated in found.items():
        family, keys = parse_name(name)
        ns = statistics.median(1e9 / row["items_per_second"] for row in repeated)
        yield family, keys, path.parent.name, ns, statistics.median(r["of_limit"] for r in repeated)


def collect(paths):
    """{kernel: {(shape, cpu, isa, threads): {impl: (ns, of_limit)}}}; plain scalar stands with every ISA."""
    kernels, scalar = {}, {}
    for path in paths:
        for family, keys, cpu, ns, of_limit in read_rows(path):
            isa, impl, threads = keys.pop("isa"), keys.pop("impl"), keys.pop("threads")
            shape = " ".join(f"{key}:{value}" for key, value in keys.items())
            if impl == "scalar":
                scalar[family, shape, cpu, threads] = (ns, of_limit)
            else:
                rows = kernels.setdefault(family, {})
                rows.setdefault((shape, cpu, isa, threads), {})[impl] = (ns, of_limit)
    for family, rows in kernels.items():
        for (shape, cpu, _, threads), impls in rows.items():
            if (family, shape, cpu, threads) in scalar:
                impls["scalar"] = scalar[family, shape, cpu, threads]
    return kernels


def cell(value, digits="{:.3g}"):
    return "" if value is None else digits.format(value)


def table(rows):
    lines = ["| shape | CPU | ISA | threads | scalar, ns | auto, ns | ours, ns | over scalar | over auto | of limit |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    for (shape, cpu, isa, threads), impls in sorted(rows.items()):
        scalar, auto, ours = (impls.get(name, (None, None)) for name in ("scalar", "auto", "ours"))
        over = [None if ours[0] is None or base[0] is None else base[0] / ours[0] for base in (scalar, auto)]
        cells = [shape, cpu, isa, threads, cell(scalar[0]), cell(auto[0]), cell(ours[0]),
                 cell(over[0], "{:.2f}"), cell(over[1], "{:.2f}"), cell(ours[1], "{:.2f}")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def bars(values, unit, title, left, labels):
    """A bar for each value, from above to below; labels stand on the left of them, or nothing."""
    axes = svg.Axes(left, 40, 300, 18 * len(values), (0, 1.05 * max(max(values), 1e-9)), (len(values), 0))
    pieces = axes.frame(f"{title}, {unit}" if unit else title, most_x=5, most_y=0)
    for i, value in enumerate(values):
        x, y = axes.place(0, i)
        pieces.append(svg.rectangle(x, y + 3, axes.place(value, i)[0] - x, 12, svg.colour(0), class_="bar"))
        if labels:
            pieces.append(svg.text(left - 6, y + 13, labels[i], "end"))
    return pieces


def plot(kernel, rows, path):
    labels = [" ".join(key) + (" thread" if key[3] == "1" else " threads") for key in sorted(rows)]
    ours = [rows[key].get("ours", (0, 0)) for key in sorted(rows)]
    left = 20 + 7 * max(map(len, labels))
    pieces = bars([ns for ns, _ in ours], "ns", f"{kernel}: time of an item", left, labels)
    pieces += bars([share for _, share in ours], "", "share of the measured limit", left + 330, None)
    path.write_text(svg.document(left + 650, 70 + 18 * len(labels), pieces))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, help="folder for cpus.md and the plots")
    parser.add_argument("results", type=pathlib.Path, nargs="+", help="bench.json of each CPU, in a folder of its name")
    args = parser.parse_args()
    kernels = collect(args.results)
    if not kernels:
        sys.exit("bench_compare_cpus: no kernel's rows in these files; run adass-bench with --benchmark_out=bench.json")
    text = "\n\n".join(f"## {kernel}\n\n{table(rows)}" for kernel, rows in sorted(kernels.items())) + "\n"
    if args.out is None:
        print(text, end="")
        return
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "cpus.md").write_text(text)
    for kernel, rows in kernels.items():
        plot(kernel, rows, args.out / f"{kernel}.svg")


if __name__ == "__main__":
    main()
