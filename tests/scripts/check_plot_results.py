"""plot_results.py on a made-up folder of results, and on tables that stand in results/.

    check_plot_results.py SCRIPT TABLE..
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
from xml.etree import ElementTree

FIELDS, SIZES, SEEDS = ("user", "item & <tag>"), (0, 2, 8), (5, 6)


def row(backbone, method, size, budget, auc, params, ci=0.01):
    found = {"backbone": backbone, "method": method, "size": size, "budget": budget, "seeds": 2, "auc_mean": auc,
             "params_mean": params}
    return found if ci is None else {**found, "auc_ci95": ci}


ROWS = [row("fm", "uniform", 2, None, 0.70, 1000, 0.4), row("fm", "uniform", 8, None, 0.72, 4000),
        row("fm", "pep", None, 0.5, 0.71, 2000, None), row("fm", "adass", None, 0.5, 0.73, 2000),
        row("fm", "adass", None, 0.02, 0.50, 0), row("deepfm", "uniform", 8, None, 0.71, 4000)]


def run(method, seed, sampling, bytes_more=0):
    trace = {"interval": 10, "thousandths": {field: sampling for field in FIELDS}}
    end = {field: [p / 1000 for p in sampling[-1]] for field in FIELDS}
    return {"format": "adass-run-1", "dataset": {"name": "made up"}, "backbone": "fm", "method": method, "seed": seed,
            "config": {"candidates": SIZES}, "sizes": {field: 2 for field in FIELDS},
            "metrics": {"params": 10, "other_params": 5, "projection_params": 2, "bytes": 68 + bytes_more},
            "found": {"supernet_steps": 25, "sampling_over_time": trace, "sampling_probability": end}}


CHANGING, CONSTANT = [[333, 333, 333], [200, 300, 500]], [[333, 333, 333], [333, 333, 333]]


def check(condition, what):
    if not condition:
        sys.exit(f"check_plot_results: {what}")


def plot(script, folder):
    return subprocess.run([sys.executable, "-B", script, folder], capture_output=True, text=True)


def parts(path, name):
    """Elements of a class; every text of the file must lie inside of it."""
    root = ElementTree.parse(path).getroot()
    for element in root.iter("{http://www.w3.org/2000/svg}text"):
        x, y = float(element.get("x")), float(element.get("y"))
        check(0 <= x <= float(root.get("width")) and 0 <= y <= float(root.get("height")), f"{path}: text outside")
    return root.findall(f".//*[@class='{name}']")


def check_made_up(script, folder):
    table = {"format": "adass-table-1", "suite": "small", "dataset": {"name": "made up"}, "rows": ROWS}
    (folder / "table.json").write_text(json.dumps(table))
    (folder / "runs").mkdir()
    for seed in SEEDS:
        for name, record in (("fm-adass-budget0.5", run("adass", seed, CHANGING)),
                             ("fm-uniform-rl-budget0.5", run("adass", seed, CONSTANT)),
                             ("fm-pep-budget0.5", {**run("pep", seed, CONSTANT, 9), "found": None})):
            (folder / "runs" / f"{name}-seed{seed}.json").write_text(json.dumps(record))
    done = plot(script, folder)
    check(done.returncode == 0, done.stderr)
    files = {path.name for path in folder.glob("*.svg*")}
    check(files == {"budget_curve.svg", "probabilities-fm-adass.svg", "sizes-fm-budget0.5.svg"}, files)
    check(len(parts(folder / "budget_curve.svg", "point")) == len(ROWS), "a mark for each row is expected")
    check(len(parts(folder / "budget_curve.svg", "front")) == 2, "a front for each backbone is expected")
    bands = parts(folder / "probabilities-fm-adass.svg", "band")
    check(len(bands) == len(FIELDS) * len(SIZES), f"{len(bands)} bands")
    cells = parts(folder / "sizes-fm-budget0.5.svg", "size")
    check(len(cells) == len(FIELDS) * 2 * len(SEEDS), f"{len(cells)} cells")
    check("pep" in (folder / "sizes-fm-budget0.5.svg").read_text(), "what is left out is not named")


def check_front(script):
    sys.path.insert(0, str(pathlib.Path(script).parent))
    sys.dont_write_bytecode = True
    import plot_results
    front = plot_results.pareto([(4, 0.9), (1, 0.5), (2, 0.4), (4, 0.8), (3, 0.9), (2, 0.7), (5, 0.95)])
    check(front == [(1, 0.5), (2, 0.7), (3, 0.9), (5, 0.95)], front)


def main():
    script, *tables = sys.argv[1:]
    check_front(script)
    with tempfile.TemporaryDirectory() as name:
        check_made_up(script, pathlib.Path(name))
    for table in tables:
        with tempfile.TemporaryDirectory() as name:
            shutil.copy(table, pathlib.Path(name, "table.json"))
            done = plot(script, name)
            check(done.returncode == 0 and "no runs" in done.stderr, done.stderr)
            marks = parts(pathlib.Path(name, "budget_curve.svg"), "point")
            expected = len(json.loads(pathlib.Path(table).read_text())["rows"])
            check(len(marks) == expected, f"{table}: {len(marks)} marks")
    with tempfile.TemporaryDirectory() as name:
        check("table.json" in plot(script, name).stderr, "the missing table is not named")
        pathlib.Path(name, "table.json").write_text("{}")
        check("give the folder of" in plot(script, name).stderr, "a file that is no table is not refused")


main()
