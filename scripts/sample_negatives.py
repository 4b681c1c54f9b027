#!/usr/bin/env python3
"""A log of positives becomes a table with sampled negatives, for `adass data import csv`.

    scripts/sample_negatives.py LOG OUT --columns userID,artistID,tagID --sample tagID [--negatives 2] [--seed 1]

LOG is tab-separated with a header, plain, .gz or .xz. Each of its rows is written with label 1 and the named columns, and
after it N rows with label 0, in which the value of the sampled column is drawn uniformly from all its values that the log
never has together with the row's other columns, not the same twice. OUT.json is the schema of OUT. What is read and the
seed alone decide the bytes.
"""
import argparse
import gzip
import json
import lzma
import os
import pathlib
import random
import sys


def fail(message):
    sys.exit(f"sample_negatives: {message}")


def read_log(path, columns):
    """The named columns of each row."""
    opener = {".xz": lzma.open, ".gz": gzip.open}.get(path.suffix, open)
    try:
        with opener(path, "rt", encoding="utf-8", newline="\n") as file:
            lines = file.read().split("\n")
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        fail(f"{path}: {error}")
    header = lines[0].rstrip("\r").split("\t")
    missing = [name for name in columns if name not in header]
    if missing:
        fail(f"{path}:1: no column {missing[0]!r}; there are {', '.join(header)}")
    at = [header.index(name) for name in columns]
    rows = []
    for number, line in enumerate(lines[1:], 2):
        cells = line.rstrip("\r").split("\t")
        if cells == [""] and number == len(lines):
            break  # after the last line's end
        if len(cells) != len(header):
            fail(f"{path}:{number}: {len(cells)} columns where the header has {len(header)}")
        rows.append(tuple(cells[i] for i in at))
    if not rows:
        fail(f"{path}: no rows")
    return rows


def sampled(rows, place, negatives, seed):
    """Rows (label, cells...)."""
    seen = {}
    for row in rows:
        seen.setdefault(row[:place] + row[place + 1:], set()).add(row[place])
    values = sorted({row[place] for row in rows})
    rng = random.Random(seed)
    for row in rows:
        yield ("1",) + row
        known = seen[row[:place] + row[place + 1:]]
        if len(values) - len(known) < negatives:
            fail(f"{row}: the log has it with all values but {len(values) - len(known)}")
        drawn = set()
        while len(drawn) < negatives:
            value = rng.choice(values)
            if value not in known:
                drawn.add(value)
        for value in sorted(drawn):
            yield ("0",) + row[:place] + (value,) + row[place + 1:]


def write(path, text):
    partial = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        fail(f"{path}: {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--columns", required=True, help="with commas between")
    parser.add_argument("--sample", required=True, help="one of the columns")
    parser.add_argument("--negatives", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    columns = a.columns.split(",")
    if a.sample not in columns:
        parser.error(f"--sample {a.sample}: not one of --columns")
    if a.negatives < 1:
        parser.error("--negatives: at least 1")
    rows = sampled(read_log(a.log, columns), columns.index(a.sample), a.negatives, a.seed)
    write(a.out, "".join("\t".join(row) + "\n" for row in [("label", *columns), *rows]))
    schema = {"header": True, "separator": "\t",
              "columns": [{"name": "label", "kind": "label"}] + [{"name": name, "kind": "categorical"} for name in columns]}
    write(a.out.with_name(a.out.name + ".json"), json.dumps(schema, indent=2) + "\n")


main()
