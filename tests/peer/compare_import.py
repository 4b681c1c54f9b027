#!/usr/bin/env python3
"""Criteo's TSV to ids with pandas, in the steps of the FuxiCTR code: read, numeric rule, count, filter, encode, save.

compare_import.py columns RAW OUT       whole columns at once; writes OUT/<split>/ids.npy and labels.npy; prints the seconds from reading to saved
compare_import.py values RAW OUT        the same value by value, as that code does: a function for each number, Counter, a dict's get()
compare_import.py check OURS PANDAS     the same rows, labels and vocabularies, and ids that differ by a renaming a field; exits with 1 else

Chronological split 8:1:1, minimum count 10 in the training split; missing categories are OOV (id 0), missing integers 0.
"""
import collections
import json
import math
import os
import sys
import time

import numpy as np
import pandas as pd

INTEGERS = [f"I{i}" for i in range(1, 14)]
CATEGORIES = [f"C{i}" for i in range(1, 27)]
SPLITS = ("train", "valid", "test")
MIN_COUNT = 10


def bucket(column):
    """floor(ln(x)^2) above 2, else the integer; all rows at once."""
    x = column.fillna(0).to_numpy(dtype=np.float64)
    return pd.Series(np.where(x > 2, np.floor(np.log(np.maximum(x, 1)) ** 2), x).astype(np.int64))


def ids_of_column(column, n_train):
    counts = column.iloc[:n_train].value_counts()
    kept = counts.index[counts.to_numpy() >= MIN_COUNT]
    return column.map(pd.Series(np.arange(1, len(kept) + 1), kept)).fillna(0).to_numpy(dtype=np.uint32)


def bucket_of_value(value):
    return int(math.floor(math.log(value) ** 2)) if value > 2 else int(value)


def ids_of_values(column, n_train):
    counts = collections.Counter(column.iloc[:n_train].dropna())
    kept = (value for value, count in counts.most_common() if count >= MIN_COUNT)
    ids = {value: k for k, value in enumerate(kept, 1)}
    return np.array([ids.get(value, 0) for value in column], dtype=np.uint32)


def encode(raw, out, way):
    began = time.perf_counter()
    types = {"label": np.uint8, **dict.fromkeys(INTEGERS, np.float64), **dict.fromkeys(CATEGORIES, str)}
    table = pd.read_csv(raw, sep="\t", header=None, names=list(types), dtype=types, na_values=[""], keep_default_na=False)
    n_train, n_valid = int(len(table) * 0.8), int(len(table) * 0.9)
    ids = np.empty((len(table), len(types) - 1), np.uint32)
    for f, name in enumerate(INTEGERS + CATEGORIES):
        column = table[name]
        if name in INTEGERS:
            column = bucket(column) if way == "columns" else column.fillna(0).map(bucket_of_value)
        ids[:, f] = ids_of_column(column, n_train) if way == "columns" else ids_of_values(column, n_train)
    labels = table["label"].to_numpy()
    for split, begin, end in zip(SPLITS, (0, n_train, n_valid), (n_train, n_valid, len(table))):
        os.makedirs(f"{out}/{split}")
        np.save(f"{out}/{split}/ids.npy", ids[begin:end])
        np.save(f"{out}/{split}/labels.npy", labels[begin:end])
    print(f"{time.perf_counter() - began:.3f}")


def load(folder, what):
    return np.concatenate([np.load(f"{folder}/{split}/{what}.npy") for split in SPLITS])


def check(ours, theirs):
    wrong = []
    for split in SPLITS:
        if not np.array_equal(*(np.load(f"{folder}/{split}/labels.npy") for folder in (ours, theirs))):
            wrong.append(f"labels of {split} differ")
    with open(f"{ours}/meta.json", encoding="utf-8") as file:
        fields = json.load(file)["fields"]
    a, b = load(ours, "ids"), load(theirs, "ids")
    if a.shape != b.shape:
        sys.exit(f"FAILED: {a.shape} and {b.shape} ids")
    for f, field in enumerate(fields):
        pairs = np.unique(a[:, f].astype(np.uint64) << np.uint64(32) | b[:, f])
        left, right = pairs >> np.uint64(32), pairs & np.uint64(0xFFFFFFFF)
        if len(np.unique(left)) != len(pairs) or len(np.unique(right)) != len(pairs) or np.any((left == 0) != (right == 0)):
            wrong.append(f"{field['name']}: ids are no renaming of each other")
        if field["vocab"] != int(b[:, f].max()) + 1:
            wrong.append(f"{field['name']}: {field['vocab']} and {int(b[:, f].max()) + 1} ids")
    for line in wrong:
        print(f"FAILED: {line}")
    if wrong:
        sys.exit(1)
    print(f"equal: {len(a)} rows, {len(fields)} fields, {sum(field['vocab'] for field in fields)} ids, "
          f"{100 * float((a == 0).mean()):.1f} % of the values OOV")


if len(sys.argv) != 4 or sys.argv[1] not in ("columns", "values", "check"):
    sys.exit(__doc__)
if sys.argv[1] == "check":
    check(*sys.argv[2:])
else:
    encode(*sys.argv[2:], sys.argv[1])
