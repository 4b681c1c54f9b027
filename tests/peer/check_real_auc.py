#!/usr/bin/env python3
"""Trains logistic regression and FM on real data, with AdaSS and again from the prepared files alone.

    check_real_auc.py ADASS LR_CONVERGED DATASET...      two programs, prepared datasets

1. PyTorch repeats the run: the model from its definition, in double precision, differentiated by autograd; torch.optim's
   optimizers; the same start values and order of rows, written here anew; early stopping on its own validation AUC.
2. scikit-learn fits logistic regression to the same one-hot rows by another method, L-BFGS, until it has converged. LR_CONVERGED does
   the same with AdaSS's training step: all rows at once, the same objective, no early stopping, which would keep another point.

The test AUCs may differ by less than 0.003. Exit status: 0 they agree, 1 they differ, 77 a module is missing.
"""
import json
import pathlib
import subprocess
import sys

try:
    import numpy as np
    import scipy.sparse
    import torch
    import torch.nn.functional as F
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

from check_deepfm import Optimizer

TOLERANCE = 0.003
SEED = 1
BATCH = 1024
EPOCHS = 60
PATIENCE = 2
STEP = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
# Larger steps and start values than the defaults, so that the smallest samples are learnt in a few epochs.
SETTINGS = {
    "lr": {"size": 0, "learning_rate": 1e-2, "l2": 1e-6, "init_std": 0.0},
    "fm": {"size": 8, "learning_rate": 3e-3, "l2": 1e-5, "init_std": 0.01},
}
CONVERGED = {"l2": 1e-3, "learning_rate": 0.03, "steps": 500}

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


# ---- random numbers, as kernels/include/adass/rng.h defines them ----

def mix64(x):
    """Of an array of uint64, which wraps around."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def mix_at(seed, places):
    places = np.asarray(places, dtype=np.uint64)
    return mix64(np.uint64(seed) + (places + np.uint64(1)) * np.uint64(GOLDEN))


def derive(seed, stream):
    return int(mix64(mix_at(seed, [stream]) ^ np.uint64(0xD1B54A32D192ED03))[0])


def normal(seed, places):
    total = np.full(places.shape, -6.0)
    for word in (mix_at(seed, places + np.uint64(i)) for i in range(3)):
        parts = sum((word >> np.uint64(16 * i)) & np.uint64(0xFFFF) for i in range(4))
        total += (parts.astype(np.float64) + 2.0) / 65536.0
    return total


def permutation(n, seed):
    """Fisher and Yates with xoshiro256**."""
    s0, s1, s2, s3 = (int(word) for word in mix_at(seed, np.arange(4)))
    order = list(range(n))
    for i in range(n, 1, -1):
        limit = MASK - MASK % i
        while True:
            x = s1 * 5 & MASK
            x = ((x << 7 | x >> 57) & MASK) * 9 & MASK
            t = s1 << 17 & MASK
            s2 ^= s0
            s3 ^= s1
            s1 ^= s2
            s0 ^= s3
            s2 ^= t
            s3 = (s3 << 45 | s3 >> 19) & MASK
            if x < limit:
                break
        j = x % i
        order[i - 1], order[j] = order[j], order[i - 1]
    return order


# ---- the data ----

class Dataset:
    """The prepared arrays; ids of all fields are numbered through."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        fields = json.loads((self.folder / "meta.json").read_text())["fields"]
        self.vocab = [field["vocab"] for field in fields]
        offsets = np.cumsum([0, *self.vocab])
        self.features = int(offsets[-1])
        self.ids, self.labels = {}, {}
        for split in ("train", "valid", "test"):
            ids = np.load(self.folder / split / "ids.npy").astype(np.int64) + offsets[:-1]
            self.ids[split] = torch.from_numpy(ids)
            self.labels[split] = np.load(self.folder / split / "labels.npy").astype(np.float64)

    def one_hot(self, split):
        ids = self.ids[split].numpy()
        ends = np.arange(0, ids.size + 1, ids.shape[1])
        return scipy.sparse.csr_matrix((np.ones(ids.size), ids.ravel(), ends), shape=(len(ids), self.features))


def run_adass(program, data, model, options):
    """The metrics of a run."""
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    done = subprocess.run([program, "train", str(data.folder), "--model", model, "--json", "--seed", str(SEED), *words],
                          check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)["metrics"]


# ---- PyTorch ----

class Model(torch.nn.Module):
    """z = bias + sum_f w_f + sum_{f<g} <e_f, e_g>; without embeddings it is logistic regression."""

    def __init__(self, data, setting):
        super().__init__()
        width = setting["size"]
        seed = derive(SEED, 1)
        rows = [normal(derive(seed, 1 + f), np.uint64(3) * (np.arange(n, dtype=np.uint64)[:, None] * np.uint64(256)
                                                           + np.arange(width, dtype=np.uint64)))
                for f, n in enumerate(data.vocab)]
        values = torch.from_numpy(setting["init_std"] * np.concatenate(rows))
        zeros = torch.zeros(data.features, 1, dtype=torch.float64)
        self.embedding = torch.nn.Embedding.from_pretrained(values, freeze=False, sparse=True) if width else None
        self.linear = torch.nn.Embedding.from_pretrained(zeros, freeze=False, sparse=True)
        self.bias = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def tables(self):
        return [e.weight for e in (self.embedding, self.linear) if e is not None]

    def dense(self):
        return [self.bias]

    def forward(self, ids):
        z = self.bias + self.linear(ids)[:, :, 0].sum(dim=1)
        if self.embedding is not None:
            rows = self.embedding(ids)
            products = torch.bmm(rows, rows.transpose(1, 2))
            z = z + torch.triu(products, diagonal=1).sum(dim=(1, 2))
        return z


@torch.no_grad()
def measure(model, data, split):
    logits = torch.cat([model(ids) for ids in torch.split(data.ids[split], 8192)])
    return roc_auc_score(data.labels[split], logits.numpy())


def train_epoch(model, optimizer, data, epoch):
    order = torch.tensor(permutation(len(data.ids["train"]), derive(derive(SEED, 2), epoch)))
    labels = torch.from_numpy(data.labels["train"])
    for rows in torch.split(order, BATCH):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(model(data.ids["train"][rows]), labels[rows]).backward()
        optimizer.step()


def run_torch(data, setting):
    """Epoch, validation AUC and test AUC of the best epoch."""
    model = Model(data, setting)
    optimizer = Optimizer(model, {**STEP, **setting})
    best = (0, -1.0, 0.0)
    for epoch in range(1, EPOCHS + 1):
        train_epoch(model, optimizer, data, epoch - 1)
        valid = measure(model, data, "valid")
        if valid > best[1]:
            best = (epoch, valid, measure(model, data, "test"))
        elif epoch >= best[0] + PATIENCE:
            break
    return best


def report(data, what, ours, theirs, note):
    gap = abs(ours - theirs)
    print(f"{data.folder.name:16} {what:22} test AUC {ours:.5f}, {theirs:.5f}, differs by {gap:.1e}  "
          f"{'ok' if gap < TOLERANCE else 'DIFFERS'}  ({note})", flush=True)
    return gap < TOLERANCE


def check_torch(program, data, name):
    setting = SETTINGS[name]
    options = {key: setting[key] for key in ("learning_rate", "l2", "init_std")}
    if setting["size"]:
        options["sizes"] = setting["size"]
    metrics = run_adass(program, data, name, {**options, "batch": BATCH, "epochs": EPOCHS, "patience": PATIENCE})
    epoch, valid, test = run_torch(data, setting)
    note = f"best epoch {epoch}, validation AUC {metrics['valid_auc']:.5f}, {valid:.5f}"
    return report(data, f"{name} and PyTorch", metrics["test_auc"], test, note)


# ---- scikit-learn ----

def check_sklearn(program, data):
    """C multiplies the sum of the losses, l2 the squares beside their mean."""
    done = subprocess.run([program, str(data.folder), *map(str, CONVERGED.values())], check=True, stdout=subprocess.PIPE)
    our_valid, our_test = map(float, done.stdout.split())
    fit = LogisticRegression(C=1.0 / (CONVERGED["l2"] * len(data.ids["train"])), tol=1e-6, max_iter=1000)
    fit.fit(data.one_hot("train"), data.labels["train"])
    valid, test = (roc_auc_score(data.labels[split], fit.decision_function(data.one_hot(split)))
                   for split in ("valid", "test"))
    return report(data, "lr and scikit-learn", our_test, test, f"converged; validation AUC {our_valid:.5f}, {valid:.5f}")


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    program, converged, folders = sys.argv[1], sys.argv[2], sys.argv[3:]
    results = []
    for data in map(Dataset, folders):
        results += [check_torch(program, data, name) for name in SETTINGS]
        results.append(check_sklearn(converged, data))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
