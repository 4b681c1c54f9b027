#!/usr/bin/env python3
"""How time and memory of training grow with rows, fields, sizes and batch: a table and a plot.

scale.py ADASS DATA [OUT]      writes OUT/scale.csv and OUT/scale.svg

The datasets are made in DATA, where they are missing; without OUT nothing is measured. Each point is one epoch of
`adass train` on one thread; seconds are those of the CPU, of the whole process, the least of three runs, so that other
work on the machine matters little. Memory is the peak of what the process has for itself (RssAnon: mapped data files
are not counted), sampled; `expected` is parameters, Adam's two moments and the best epoch's weights.
"""
import csv
import json
import os
import pathlib
import random
import subprocess
import sys
import threading

import svg


def anon_mib(pid):
    try:
        for line in open("/proc/%d/status" % pid):
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def train(adass, data, size=16, batch=2048, model="fm"):
    """The best time and the highest peak of three runs."""
    best = None
    for _ in range(3):
        process = subprocess.Popen([adass, "train", data, "--model", model, "--sizes", str(size), "--batch", str(batch),
                                    "--epochs", "1", "--hidden", "128,64", "--threads", "1", "--json"],
                                   stdout=subprocess.PIPE, text=True)
        peak, over = 0.0, threading.Event()

        def watch():
            nonlocal peak
            while not over.wait(0.002):
                peak = max(peak, anon_mib(process.pid))
        watcher = threading.Thread(target=watch)
        watcher.start()
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        over.set()
        watcher.join()
        if status != 0:
            raise SystemExit("scale.py: adass train failed")
        seconds, metrics = usage.ru_utime + usage.ru_stime, json.loads(out)["metrics"]
        if best is None or seconds < best[0]:
            best = seconds, metrics["params"] + metrics["other_params"], max(peak, best[2] if best else 0.0)
    return best


def rows_of(data):
    meta = json.loads((data / "meta.json").read_text())
    return meta["rows"]["train"], len(meta["fields"])


def synth(adass, work, rows, shape="tiny"):
    path = work / ("%s%d" % (shape, rows))
    if not path.exists():
        subprocess.run([adass, "data", "synth", "--shape", shape, "--rows", str(rows), path], check=True,
                       stdout=subprocess.DEVNULL)
    return path


def table(adass, work, n_fields, rows=60000):
    """A dataset of n_fields fields of 1000 values."""
    path = work / ("fields%d" % n_fields)
    if path.exists():
        return path
    rng, raw, schema = random.Random(n_fields), work / "raw.csv", work / "schema.json"
    columns = [{"name": "y", "kind": "label"}] + [{"name": "f%d" % f, "kind": "categorical"} for f in range(n_fields)]
    schema.write_text(json.dumps({"columns": columns}))
    with raw.open("w") as file:
        for _ in range(rows):
            values = [rng.randrange(2), *rng.choices(range(1000), k=n_fields)]
            file.write(",".join(map(str, values)) + "\n")
    subprocess.run([adass, "data", "import", "csv", "--schema", schema, raw, path, "--ratio", "8:1:1"], check=True,
                   stdout=subprocess.DEVNULL)
    return path


ROWS = 100000, 300000, 1000000, 3000000, 10000000
BATCHES = 256, 1024, 4096, 16384
SIZES = 4, 8, 16, 32, 64
FIELD_COUNTS = 5, 10, 20, 40, 80


def plan(adass, work):
    """Every dataset, with what is to be measured on it."""
    for n in ROWS:
        yield synth(adass, work, n), "rows", n, {}
    for batch in BATCHES:
        yield synth(adass, work, 1000000), "batch", batch, {"batch": batch, "model": "deepfm"}
    for size in SIZES:
        yield synth(adass, work, 200000, "criteo"), "size", size, {"size": size}
    for n_fields in FIELD_COUNTS:
        yield table(adass, work, n_fields), "fields", n_fields, {}


def panel(points, title, column, unit, left):
    """Axes from 0, so that what is linear is a line through the origin."""
    xs, ys = [p["value"] for p in points], [p[column] for p in points]
    axes = svg.Axes(left, 50, 210, 150, (0, 1.05 * max(xs)), (0, 1.05 * max(ys)))
    places = [axes.place(x, y) for x, y in zip(xs, ys)]
    return (axes.frame(f"{title}, {unit}", most_x=5, most_y=4) + [svg.series(0, places)] +
            [svg.marker(0, *place, 3.0) for place in places])


def plot(results, path):
    panels = [("rows", "CPU time of an epoch, by rows", "seconds", "s"),
              ("fields", "time of a row, by fields", "ns_per_row", "ns"),
              ("size", "time of a row, by size", "ns_per_row", "ns"),
              ("batch", "peak memory, by batch (DeepFM)", "peak_mib", "MiB")]
    pieces = []
    for i, (axis, title, column, unit) in enumerate(panels):
        pieces += panel([r for r in results if r["axis"] == axis], title, column, unit, 50 + 275 * i)
    path.write_text(svg.document(50 + 275 * len(panels), 225, pieces))


def main():
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    adass, work = sys.argv[1], pathlib.Path(sys.argv[2])
    work.mkdir(parents=True, exist_ok=True)
    points, results = list(plan(adass, work)), []
    if len(sys.argv) == 3:
        return
    out = pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    for data, axis, value, setting in points:
        rows, fields = rows_of(data)
        seconds, params, peak = train(adass, data, **setting)
        results.append({"axis": axis, "value": value, "rows": rows, "fields": fields, "size": setting.get("size", 16),
                        "batch": setting.get("batch", 2048), "params": params, "seconds": round(seconds, 3),
                        "ns_per_row": round(seconds / rows * 1e9, 1), "expected_mib": round(params * 16 / 2**20, 1),
                        "peak_mib": round(peak, 1)})
        print(*results[-1].values(), flush=True)
    with (out / "scale.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, results[0])
        writer.writeheader()
        writer.writerows(results)
    plot(results, out / "scale.svg")


if __name__ == "__main__":
    main()
