"""bench_compare_cpus.py on two made-up CPUs.

    check_compare_cpus.py SCRIPT
"""
import json
import pathlib
import subprocess
import sys
import tempfile
from xml.etree import ElementTree

SHAPE = "type:f32/size:16/rows:1e3"


def row(isa, impl, rate, of_limit, **more):
    return {"name": f"lookup/isa:{isa}/{SHAPE}/impl:{impl}/threads:1", "run_type": "iteration",
            "items_per_second": rate, "of_limit": of_limit, **more}


FIRST = [row("scalar", "scalar", 1e8, 0.1), row("avx2", "auto", 2e8, 0.2), row("avx2", "ours", 3e8, 0.5),
         row("avx2", "ours", 4e8, 0.6), row("avx2", "ours", 9e8, 0.9),
         {"name": "train/isa:avx2/type:f32/threads:1", "items_per_second": 1.0}]
SECOND = [row("avx512", "ours", 8e8, 0.75), row("avx512", "auto", 0, 0, error_occurred=True)]


def check(condition, what):
    if not condition:
        sys.exit(f"check_compare_cpus: {what}")


def run(script, *args):
    return subprocess.run([sys.executable, "-B", script, *map(str, args)], capture_output=True, text=True)


def main():
    script = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for cpu, rows in (("first", FIRST), ("second", SECOND)):
            path = pathlib.Path(folder, cpu, "bench.json")
            path.parent.mkdir()
            path.write_text(json.dumps({"context": {}, "benchmarks": rows}))
            files.append(path)
        done = run(script, *files)
        check(done.returncode == 0, done.stderr)
        shape = SHAPE.replace("/", " ")
        check(f"| {shape} | first | avx2 | 1 | 10 | 5 | 2.5 | 4.00 | 2.00 | 0.60 |" in done.stdout, done.stdout)
        check(f"| {shape} | second | avx512 | 1 |  |  | 1.25 |  |  | 0.75 |" in done.stdout, done.stdout)
        check("train" not in done.stdout, "a row without an implementation is in the table")
        out = pathlib.Path(folder, "out")
        drawn = run(script, "--out", out, *files)
        check(drawn.returncode == 0, drawn.stderr)
        check((out / "cpus.md").read_text() == done.stdout, "the file differs from what is printed")
        bars = ElementTree.parse(out / "lookup.svg").findall(".//*[@class='bar']")
        check(len(bars) == 2 * 2, f"{len(bars)} bars, not two for each row with a kernel of ours")
        files[0].write_text("{")
        check("not a result" in run(script, *files).stderr, "a broken file is not named")


main()
