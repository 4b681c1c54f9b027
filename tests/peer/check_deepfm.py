#!/usr/bin/env python3
"""Repeats the training runs of deepfm_trace in PyTorch and compares losses and AUC.

    check_deepfm.py DEEPFM_TRACE        the program; its files go to a temporary folder

The model is written from its definition (pairs of fields over the components that both have, one matrix a layer) and
differentiated by autograd; the optimizers are torch.optim's own.
Exit status: 0 they agree, 1 they differ, 77 PyTorch or NumPy is missing.
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

STEPS = 200  # compared; then rounding has had time to grow
LOSS_TOLERANCE = 1e-4  # relative, each step
AUC_TOLERANCE = 1e-3


class Model(torch.nn.Module):
    """A backbone over mixed sizes, with the start values of a run."""

    def __init__(self, run, start_value):
        super().__init__()
        self.sizes = run["sizes"]
        lr = run["backbone"] == "lr"  # first-order weights alone, of all fields
        self.kept = [f for f, size in enumerate(self.sizes) if size > 0 or lr]
        self.has_linear = run["backbone"] not in ("dnn", "dcnv2")
        self.has_fm = run["backbone"] in ("fm", "deepfm")
        self.has_mlp = run["backbone"] in ("dnn", "wdl", "deepfm", "dcnv2")

        def table(name):
            values = start_value(name)
            return torch.nn.Embedding.from_pretrained(values, freeze=False, sparse=True)

        def parameter(name):
            return torch.nn.Parameter(start_value(name))

        self.embeddings = torch.nn.ModuleList(table(f"embedding.{f}") for f in self.kept if not lr)
        self.linear = torch.nn.ModuleList()
        if self.has_linear:
            for f in self.kept:
                values = start_value(f"linear.{f}").reshape(-1, 1)
                self.linear.append(torch.nn.Embedding.from_pretrained(values, freeze=False, sparse=True))
        layers = range(len(run["hidden"]) + 1 if self.has_mlp else 0)
        self.weights = torch.nn.ParameterList([parameter(f"mlp.{i}.weight") for i in layers])
        self.biases = torch.nn.ParameterList([parameter(f"mlp.{i}.bias") for i in layers])
        crosses = range(3 if run["backbone"] == "dcnv2" else 0)
        self.cross_weights = torch.nn.ParameterList([parameter(f"cross.{i}.weight") for i in crosses])
        self.cross_biases = torch.nn.ParameterList([parameter(f"cross.{i}.bias") for i in crosses])
        self.cross_out = parameter("cross.out") if crosses else None
        if not self.has_mlp:
            self.biases.append(parameter("bias"))

    def tables(self):
        return [e.weight for e in [*self.embeddings, *self.linear]]

    def dense(self):
        cross = [] if self.cross_out is None else [*self.cross_weights, *self.cross_biases, self.cross_out]
        return [*self.weights, *self.biases, *cross]

    def pairs(self, rows):
        """sum over f < g of <e_f, e_g>; beyond a field's size its components are 0."""
        widest = max(self.sizes)
        padded = torch.stack([F.pad(e, (0, widest - e.shape[1])) for e in rows], dim=1)
        products = torch.bmm(padded, padded.transpose(1, 2))
        return torch.triu(products, diagonal=1).sum(dim=(1, 2))

    def cross(self, x0):
        x = x0
        for weight, bias in zip(self.cross_weights, self.cross_biases):
            x = x0 * (x @ weight + bias) + x
        return (x @ self.cross_out)[:, 0]

    def mlp(self, x):
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            x = x @ weight + bias
            x = torch.relu(x) if i < last else x
        return x[:, 0]

    def forward(self, ids):
        rows = [e(ids[:, f]) for f, e in zip(self.kept, self.embeddings)]
        z = self.mlp(torch.cat(rows, dim=1)) if self.has_mlp else self.biases[0][0]
        if self.cross_out is not None:
            z = z + self.cross(torch.cat(rows, dim=1))
        if self.has_fm:
            z = z + self.pairs(rows)
        if self.has_linear:
            for f, e in zip(self.kept, self.linear):
                z = z + e(ids[:, f])[:, 0]
        return z


class Optimizer:
    """Adam on the dense parameters, SparseAdam on the tables, with L2 on the touched rows."""

    def __init__(self, model, run):
        self.model = model
        self.run = run
        self.step_count = 0
        settings = {"lr": run["learning_rate"], "betas": (run["beta1"], run["beta2"]), "eps": run["epsilon"]}
        self.sparse = torch.optim.SparseAdam(model.tables(), **settings)
        self.dense = torch.optim.Adam(model.dense(), **settings)

    def zero_grad(self):
        self.sparse.zero_grad()
        self.dense.zero_grad()

    @torch.no_grad()
    def add_l2(self):
        for table in self.model.tables():
            table.grad = table.grad.coalesce()
            touched = table[table.grad.indices()[0]]
            table.grad.values().add_(touched, alpha=self.run["l2"])

    def match_epsilon(self):
        """SparseAdam adds epsilon before it corrects the second moment, Adam (and AdaSS) after."""
        correction = math.sqrt(1.0 - self.run["beta2"] ** self.step_count)
        for group in self.sparse.param_groups:
            group["eps"] = self.run["epsilon"] * correction

    def step(self):
        self.step_count += 1
        if self.run["l2"] > 0.0:
            self.add_l2()
        self.match_epsilon()
        self.sparse.step()
        self.dense.step()


def auc(scores, labels):
    """Share of (positive, negative) pairs in the right order, ties counted half."""
    positive = scores[labels > 0.5]
    negative = np.sort(scores[labels <= 0.5])
    below = np.searchsorted(negative, positive, "left").sum()
    not_above = np.searchsorted(negative, positive, "right").sum()
    return (int(below) + int(not_above)) / (2 * len(positive) * len(negative))


def train(model, run, data):
    """The loss of every step."""
    optimizer = Optimizer(model, run)
    losses = []
    for order in data["order"]:
        for rows in torch.split(order, run["batch"]):
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(model(data["train_ids"][rows]), data["train_labels"][rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return np.array(losses)


def check_run(folder, name, data):
    """Prints a line for one run; true when it agrees."""
    run = json.loads((folder / f"{name}.json").read_text())

    def start_value(tensor):
        values = torch.from_numpy(np.load(folder / f"{name}.{tensor}.npy"))
        return values[0] if tensor.endswith("bias") else values

    model = Model(run, start_value)
    losses = train(model, run, data)
    with torch.no_grad():
        logits = model(data["test_ids"]).numpy()
    expected = np.load(folder / f"{name}.losses.npy")[0]
    loss_gap = np.abs(losses - expected) / np.abs(expected)
    labels = data["test_labels"].numpy()
    own_auc = auc(np.load(folder / f"{name}.logits.npy")[:, 0], labels)
    auc_gap = abs(auc(logits, labels) - run["auc"])
    ok = (len(losses) == len(expected) >= STEPS and loss_gap[:STEPS].max() <= LOSS_TOLERANCE
          and auc_gap <= AUC_TOLERANCE and abs(own_auc - run["auc"]) < 1e-12)
    print(f"{name:16} loss {expected[0]:.4f} -> {expected[-1]:.4f}  worst relative difference in {STEPS} steps "
          f"{loss_gap[:STEPS].max():.1e}, in all {len(losses)} {loss_gap.max():.1e}; "
          f"AUC {run['auc']:.5f}, differs by {auc_gap:.1e}  {'ok' if ok else 'DIFFERS'}", flush=True)
    return bool(ok)


def load(folder):
    data = {name: np.load(folder / f"{name}.npy") for name in
            ("train_ids", "train_labels", "test_ids", "test_labels", "order")}
    for name in ("train_ids", "test_ids", "order"):
        data[name] = data[name].astype(np.int64)
    for name in ("train_labels", "test_labels"):
        data[name] = data[name][:, 0]
    return {name: torch.from_numpy(values) for name, values in data.items()}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch.set_num_threads(1)  # the pieces are small: more threads only wait for each other
    with tempfile.TemporaryDirectory(prefix="adass-peer-") as folder:
        folder = pathlib.Path(folder)
        # Threads that sleep when they wait: on a busy machine spinning ones cost many times their work.
        subprocess.run([sys.argv[1], str(folder)], check=True, env={**os.environ, "OMP_WAIT_POLICY": "passive"})
        data = load(folder)
        names = sorted(path.stem for path in folder.glob("*.json"))
        isa = json.loads((folder / f"{names[0]}.json").read_text())["isa"]
        print(f"AdaSS on {isa}, PyTorch {torch.__version__}")
        results = [check_run(folder, name, data) for name in names]
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
