"""What compare_xlearn.sh needs of files: a prepared dataset as libsvm text, and the AUC of predictions.

    compare_xlearn.py text DATASET SPLIT FILE    one index for every feature of every field
    compare_xlearn.py auc FILE PREDICTIONS       of libsvm text's labels
"""
import json
import sys

import numpy as np


def text(dataset, split, path):
    with open(f"{dataset}/meta.json", encoding="utf-8") as f:
        vocab = [field["vocab"] for field in json.load(f)["fields"]]
    offsets = np.concatenate([[0], np.cumsum(vocab)[:-1]])
    ids = np.load(f"{dataset}/{split}/ids.npy", mmap_mode="r")
    labels = np.load(f"{dataset}/{split}/labels.npy", mmap_mode="r")
    with open(path, "w", encoding="ascii") as out:
        for begin in range(0, len(ids), 10000):
            rows = (ids[begin:begin + 10000] + offsets).tolist()
            for label, row in zip(labels[begin:begin + 10000], rows):
                out.write(f"{int(label)} " + " ".join([f"{i}:1" for i in row]) + "\n")


def auc(path, predictions):
    with open(path, encoding="ascii") as f:
        positive = np.array([line[0] == "1" for line in f])
    scores = np.loadtxt(predictions)
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2.0)[place]  # ties share the mean of their ranks
    n = positive.sum()
    print(f"{(rank[positive].sum() - n * (n + 1) / 2) / (n * (len(positive) - n)):.5f}")


{"text": text, "auc": auc}[sys.argv[1]](*sys.argv[2:])
