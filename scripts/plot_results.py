#!/usr/bin/env python3
"""Plots of a folder that `adass reproduce` wrote, as SVG files beside its table.json.

    scripts/plot_results.py RESULTS_FOLDER

budget_curve.svg                        test AUC against embedding parameters, each row of the table a mark, with its
                                        95 % intervals over seeds; the grey steps are the Pareto front of the means
probabilities-BACKBONE-VARIANT.svg      the sampler's p_f over the steps of the supernet, of the first seed, one for
                                        each supernet whose probabilities change
sizes-BACKBONE-budgetB.svg              the size of each field, a column for each run

The last two come from RESULTS_FOLDER/runs; a folder without runs gets the first only.
"""
import argparse
import json
import math
import os
import pathlib
import re
import sys

import svg


def read_json(path, wanted):
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        sys.exit(f"plot_results: {path}: {error}")
    if not isinstance(value, dict) or value.get("format") != wanted:
        sys.exit(f"plot_results: {path}: not of format {wanted}; "
                 "give the folder of a suite whose table compares methods")
    return value


def write(path, width, height, pieces):
    """To a temporary name first, so that no half a file is ever there."""
    temporary = path.with_name(path.name + f".tmp-{os.getpid()}")
    temporary.write_text(svg.document(width, height, pieces))
    os.replace(temporary, path)
    print(path)


# Of a run's file: variant; budget, unless it is a uniform size.
RUN_NAME = re.compile(r"[^-]+-(.+)-(?:budget(.+)|size\d+)-seed\d+")


# ---- AUC against parameters

def pareto(points):
    """Of (parameters, AUC): those that no other beats in one without losing in the other, in order."""
    front = []
    for params, auc in sorted(points, key=lambda p: (p[0], -p[1])):
        if not front or auc > front[-1][1]:
            front.append((params, auc))
    return front


def span_of_aucs(rows):
    """Room for the means, and for intervals as far as they are not longer than that."""
    means = [row["auc_mean"] for row in rows]
    room = max(max(means) - min(means), 1e-3)
    half = [min(row.get("auc_ci95", 0.0), room / 2) for row in rows]
    return (min(m - h for m, h in zip(means, half)) - 0.05 * room,
            max(m + h for m, h in zip(means, half)) + 0.05 * room)


def whisker(axes, row, colour):
    """The interval of the mean AUC; where it leaves the frame it is cut."""
    x, y, half = max(row["params_mean"], 1.0), row["auc_mean"], row.get("auc_ci95", 0.0)
    return svg.line([axes.place(x, y - half), axes.place(x, y + half)], colour, 1.0, opacity=0.5)


def name_row(row):
    which = "size %d" % row["size"] if row["budget"] is None else "budget %g" % row["budget"]
    return "%s, %s: AUC %.4f, %s parameters, %d seeds" % (
        row["method"], which, row["auc_mean"], svg.short(row["params_mean"]), row["seeds"])


def budget_panel(rows, backbone, left, numbers):
    params = [max(row["params_mean"], 1.0) for row in rows]
    axes = svg.Axes(left, 58, 420, 340, (min(params) / 1.4, max(params) * 1.4), span_of_aucs(rows), log_x=True)
    front = pareto([(p, row["auc_mean"]) for p, row in zip(params, rows)])
    steps = [front[0]] + [p for a, b in zip(front, front[1:]) for p in ((b[0], a[1]), b)] + [
        (axes.x[1], front[-1][1])]
    inside = [svg.line([axes.place(*p) for p in steps], "#bbbbbb", 5.0, class_="front")]
    marks = []
    for method, number in numbers.items():
        own = sorted((row for row in rows if row["method"] == method), key=lambda row: row["params_mean"])
        places = [axes.place(max(row["params_mean"], 1.0), row["auc_mean"]) for row in own]
        inside.append(svg.series(number, places))
        inside += [whisker(axes, row, svg.colour(number)) for row in own]
        marks += [svg.marker(number, *place, title=name_row(row), class_="point") for row, place in zip(own, places)]
    return axes.frame(backbone, "embedding parameters (mean over seeds)", "test AUC") + axes.clip(
        "frame-" + backbone, inside) + marks


def budget_curve(table, path):
    rows = table["rows"]
    backbones = sorted({row["backbone"] for row in rows})
    methods = list(dict.fromkeys(row["method"] for row in rows))
    numbers = {method: i for i, method in enumerate(methods)}
    title = f"{table['dataset']['name']}, suite {table['suite']}: test AUC against parameters"
    pieces = [svg.text(14, 20, title, bold=True)]
    for i, backbone in enumerate(backbones):
        own = [row for row in rows if row["backbone"] == backbone]
        pieces += budget_panel(own, backbone, 72 + 500 * i, numbers)
    left = 72 + 500 * len(backbones) - 56
    for method, number in numbers.items():
        y = 66 + 18 * number
        pieces += [svg.series(number, [(left, y), (left + 24, y)]), svg.marker(number, left + 12, y),
                   svg.text(left + 32, y + 4, method)]
    y = 66 + 18 * len(methods)
    pieces += [svg.line([(left, y), (left + 24, y)], "#bbbbbb", 5.0), svg.text(left + 32, y + 4, "Pareto front"),
               svg.text(72, 450, "Bars: 95 % intervals of the mean AUC over seeds, cut at the frame.", fill="#555555")]
    write(path, left + 180, max(466, y + 20), pieces)


# ---- the sampler's probabilities

def read_runs(folder):
    """{'deepfm-adass-budget0.5-seed7': record}, by number of seed, then by name."""
    paths = (p for p in (folder / "runs").glob("*.json") if RUN_NAME.fullmatch(p.stem))
    runs = {p.stem: read_json(p, "adass-run-1") for p in paths}
    return dict(sorted(runs.items(), key=lambda item: (item[1]["seed"], item[0])))


def variant_of(name):
    """'deepfm-adass-budget0.5-seed7' -> 'adass'."""
    return RUN_NAME.fullmatch(name).group(1)


def changes(trace):
    return any(row != rows[0] for rows in trace["thousandths"].values() for row in rows)


def bands(axes, steps, rows, shades):
    """Stacked shares: the lowest band is the smallest size."""
    below, pieces = [0.0] * len(rows), []
    for k, fill in enumerate(shades):
        above = [b + row[k] / max(sum(row), 1e-9) for b, row in zip(below, rows)]
        outline = [axes.place(*p) for p in zip(steps, below)] + [
            axes.place(*p) for p in reversed(list(zip(steps, above)))]
        pieces.append(svg.element("polygon", points=" ".join("%.5g,%.5g" % p for p in outline), fill=fill,
                                  stroke="white", stroke_width=0.5, class_="band"))
        below = above
    return pieces


def size_shades(sizes, largest=None):
    """A colour and that of a text on it for each size; a doubling is a step of the same length."""
    largest = max(largest or max(sizes), 1)
    return [svg.shade(math.log2(1 + size) / math.log2(1 + largest)) for size in sizes]


def size_legend(sizes, left, top, largest=None):
    pieces = [svg.text(left, top + 11, "size")]
    for i, (size, (fill, ink)) in enumerate(zip(sizes, size_shades(sizes, largest))):
        x = left + 34 + 30 * i
        pieces += [svg.rectangle(x, top, 28, 15, fill), svg.text(x + 14, top + 11.5, size, "middle", fill=ink)]
    return pieces


def probabilities(name, run, path):
    found, sizes = run["found"], run["config"]["candidates"]
    trace, end = found["sampling_over_time"], found["supernet_steps"]
    fields = list(trace["thousandths"])
    columns = min(4, len(fields))
    n_rows = math.ceil(len(fields) / columns)
    pieces = [svg.text(14, 20, f"{run['dataset']['name']}, {run['backbone']}, {variant_of(name)}, seed {run['seed']}: "
                       f"probability of each size, over the supernet's steps", bold=True)] + size_legend(sizes, 14, 32)
    shades = [fill for fill, _ in size_shades(sizes)]
    for i, field in enumerate(fields):
        rows = trace["thousandths"][field]
        # Before the first point the sampler has seen nothing: uniform.
        rows = [[1.0] * len(sizes)] + rows + [[1000.0 * p for p in found["sampling_probability"][field]]]
        steps = [trace["interval"] * j for j in range(len(rows) - 1)] + [end]
        axes = svg.Axes(44 + 220 * (i % columns), 80 + 140 * (i // columns), 180, 92, (0, end), (0, 1))
        pieces += bands(axes, steps, rows, shades) + axes.frame(field, most_x=4, most_y=2)
    write(path, max(44 + 220 * columns, 660), 70 + 140 * n_rows, pieces)


def plot_probabilities(runs, folder):
    drawn, names = [], set()
    for name, run in runs.items():
        trace = (run.get("found") or {}).get("sampling_over_time")
        key = f"{run['backbone']}-{variant_of(name)}"
        first = min(other["seed"] for other in runs.values() if other["backbone"] == run["backbone"])
        if trace is None or run["seed"] != first or not changes(trace) or key in names or trace in drawn:
            continue
        names.add(key)
        drawn.append(trace)
        probabilities(name, run, folder / f"probabilities-{key}.svg")


# ---- sizes

def has_sizes(run):
    """Methods that leave out single elements store indices beside them, and have no size a field."""
    metrics = run["metrics"]
    others = metrics.get("other_params", 0) + metrics.get("projection_params", 0)
    return metrics.get("bytes") == 4 * (metrics["params"] + others)


CELL_WIDTH, CELL_HEIGHT = 22, 17


def heat_column(x, top, run, fields, shades):
    pieces = []
    for i, field in enumerate(fields):
        size = run["sizes"][field]
        fill, ink = shades[size]
        y = top + CELL_HEIGHT * i
        pieces += [svg.rectangle(x, y, CELL_WIDTH - 1, CELL_HEIGHT - 1, fill, class_="size"),
                   svg.text(x + CELL_WIDTH / 2 - 0.5, y + 12.5, size, "middle", fill=ink, font_size=10)]
    return pieces


def heat_map(title, groups, left_out, path):
    """groups: {variant: [run of each seed]}; left_out: variants that have no sizes."""
    all_runs = [run for runs in groups.values() for run in runs]
    fields = list(all_runs[0]["sizes"])
    sizes = sorted({size for run in all_runs for size in run["sizes"].values()})
    shown = [0] + [2 ** i for i in range(max(sizes[-1], 1).bit_length())]
    shades = dict(zip(sizes, size_shades(sizes)))
    left, top = 20 + 7 * max(map(len, fields)), 86 + 7 * max(map(len, groups))
    bottom, x = top + CELL_HEIGHT * len(fields), left
    pieces = [svg.text(14, 20, title, bold=True)] + size_legend(shown, 14, 32, sizes[-1])
    pieces += [svg.text(left - 6, top + CELL_HEIGHT * i + 12.5, field, "end") for i, field in enumerate(fields)]
    for variant, runs in groups.items():
        pieces.append(svg.text(x + (CELL_WIDTH * len(runs)) / 2 + 4, top - 22, variant, turned=True))
        for run in runs:
            pieces.append(svg.text(x + CELL_WIDTH / 2 - 0.5, top - 5, run["seed"], "middle", font_size=10,
                                   fill="#555555"))
            pieces += heat_column(x, top, run, fields, shades)
            x += CELL_WIDTH
        x += 8
    note = "A column for each run, with its seed."
    if left_out:
        note += f" Single elements, no sizes: {', '.join(left_out)}."
    pieces.append(svg.text(14, bottom + 18, note, fill="#555555"))
    write(path, max(x + 12, 64 + 30 * len(shown), 30 + 7 * max(len(title), len(note))), bottom + 30, pieces)


def plot_sizes(runs, methods, folder):
    """methods: the order of the variants, that of the table."""
    maps = {}
    for name, run in runs.items():
        variant, budget = RUN_NAME.fullmatch(name).groups()
        if budget:
            groups = maps.setdefault((run["backbone"], budget), {})
            groups.setdefault(variant, []).append(run)
    for (backbone, budget), groups in maps.items():
        order = sorted(groups, key=lambda v: methods.index(v) if v in methods else len(methods))
        sized = {variant: groups[variant] for variant in order if all(map(has_sizes, groups[variant]))}
        if sized:
            dataset = next(iter(sized.values()))[0]["dataset"]["name"]
            heat_map(f"{dataset}, {backbone}, budget {budget}: size of each field", sized,
                     [v for v in order if v not in sized], folder / f"sizes-{backbone}-budget{budget}.svg")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", metavar="RESULTS_FOLDER", type=pathlib.Path)
    folder = parser.parse_args().results
    table = read_json(folder / "table.json", "adass-table-1")
    if not table.get("rows"):
        sys.exit(f"plot_results: {folder / 'table.json'}: no rows")
    budget_curve(table, folder / "budget_curve.svg")
    runs = read_runs(folder)
    if not runs:
        print(f"plot_results: no runs in {folder / 'runs'}: neither probabilities nor sizes are drawn", file=sys.stderr)
    plot_probabilities(runs, folder)
    plot_sizes(runs, [row["method"] for row in table["rows"]], folder)


if __name__ == "__main__":
    main()
