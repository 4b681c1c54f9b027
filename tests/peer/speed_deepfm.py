#!/usr/bin/env python3
"""Speed of DeepFM in PyTorch on Criteo's shape, as a peer of `adass-bench`'s families train, predict and supernet.

Prints one line a variant: name, samples a second over all steps, in the fastest one and by the second of CPU, and the
share of the machine that other processes took meanwhile.
compare_speed.sh runs it with the settings that PyTorch likes best.

Work:       train     a training step at size 16 (and FM alone with --backbone fm)
            predict   the forward pass
            supernet  a training step at size 64 with each field's columns beyond a drawn size masked to zero

Optimizers: dense   torch.optim.Adam on everything
            sparse  torch.optim.SparseAdam on the tables
            rows    lazy Adam on the touched rows, written with unique, index_add and index_copy: the arithmetic of
                    SparseAdam without its sparse tensors
Tables:     joint   one table of all fields; the first-order weight is a row's 17th column
            one     one table for the embeddings, one for the first-order weights
            field   both for each field
"""
import argparse
import os
import sys
import time

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as error:
    print(f"skipped: {error}", file=sys.stderr)
    sys.exit(77)

# Rows a field of Criteo_x4_001 (github.com/reczoo/BARS), rare values grouped.
VOCAB = [44, 99, 122, 41, 220, 112, 80, 69, 92, 6, 27, 37, 72, 1446, 554, 157339, 117822, 306, 18, 11882, 630, 5, 39530,
         5131, 156656, 3176, 28, 11043, 148913, 12, 4560, 2003, 5, 154564, 18, 17, 53031, 82, 40955]
SIZE = 16
WIDTH = 64  # of the supernet
CANDIDATES = [2, 4, 8, 16, 32, 64]
HIDDEN = [400, 400, 400]
POWER = -1.05  # p(id) ~ (id + 1)^POWER
POOL_ROWS = 32 * 4096  # batches in turn, so that no cache holds the rows of the next one
LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def batches(vocab, batch):
    """Batches of (ids counted over all fields, labels)."""
    rng = np.random.default_rng(1)
    first = np.cumsum([0, *vocab[:-1]])
    ids = np.empty((POOL_ROWS, len(vocab)), np.int64)
    for f, n in enumerate(vocab):
        share = np.cumsum(np.arange(1, n + 1, dtype=np.float64) ** POWER)
        ids[:, f] = first[f] + np.searchsorted(share / share[-1], rng.random(len(ids)), side="right").clip(0, n - 1)
    labels = (rng.random(len(ids)) < 0.25).astype(np.float32)
    return list(zip(torch.from_numpy(ids).split(batch), torch.from_numpy(labels).split(batch)))


class JointTable(torch.nn.Module):
    def __init__(self, vocab, size, sparse):
        super().__init__()
        self.rows = torch.nn.Embedding(sum(vocab), size + 1, sparse=sparse)

    def forward(self, ids):
        return split_columns(self.rows(ids))


class OneTable(torch.nn.Module):
    def __init__(self, vocab, size, sparse):
        super().__init__()
        self.rows = torch.nn.Embedding(sum(vocab), size, sparse=sparse)
        self.linear = torch.nn.Embedding(sum(vocab), 1, sparse=sparse)

    def forward(self, ids):
        return self.rows(ids), self.linear(ids)[..., 0]


class FieldTables(torch.nn.Module):
    def __init__(self, vocab, size, sparse):
        super().__init__()
        self.first = torch.from_numpy(np.cumsum([0, *vocab[:-1]]))
        self.rows = torch.nn.ModuleList(torch.nn.Embedding(n, size, sparse=sparse) for n in vocab)
        self.linear = torch.nn.ModuleList(torch.nn.Embedding(n, 1, sparse=sparse) for n in vocab)

    def forward(self, ids):
        columns = (ids - self.first).unbind(1)
        rows = torch.stack([table(column) for table, column in zip(self.rows, columns)], dim=1)
        return rows, torch.cat([table(column) for table, column in zip(self.linear, columns)], dim=1)


TABLES = {"joint": JointTable, "one": OneTable, "field": FieldTables}


def split_columns(rows):
    return rows[..., :-1], rows[..., -1]


class Net(torch.nn.Module):
    """What follows the lookup, up to the logits."""

    def __init__(self, backbone, size):
        super().__init__()
        layers, inputs = [], len(VOCAB) * size
        for outputs in HIDDEN:
            layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU(inplace=True)]
            inputs = outputs
        self.bias = torch.nn.Parameter(torch.zeros(()))
        self.mlp = torch.nn.Sequential(*layers, torch.nn.Linear(inputs, 1)) if backbone == "deepfm" else None

    def forward(self, x, first_order):
        sums = x.sum(1)
        z = 0.5 * (sums * sums - (x * x).sum(1)).sum(1) + first_order.sum(1) + self.bias
        return z if self.mlp is None else z + self.mlp(x.flatten(1))[:, 0]


class Mask:
    """Ones in each field's first columns, as many as a size drawn at every call."""

    def __init__(self):
        self.rng = np.random.default_rng(2)
        self.candidates = torch.tensor(CANDIDATES)
        self.columns = torch.arange(WIDTH)

    def __call__(self):
        sizes = self.candidates[torch.from_numpy(self.rng.integers(len(CANDIDATES), size=len(VOCAB)))]
        return (self.columns[None, :] < sizes[:, None]).float()


def adam(parameters):
    """The fastest Adam of this version: fused since 2.4 on CPUs."""
    parameters = list(parameters)
    try:
        return torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
    except (RuntimeError, TypeError):
        return torch.optim.Adam(parameters, lr=LEARNING_RATE)


class ModuleStep:
    """A training step with optimizers of torch.optim."""

    def __init__(self, net, compute, tables, sparse, mask):
        self.tables = tables
        self.compute = compute
        self.mask = mask
        if sparse:
            self.optimizers = [adam(net.parameters()),
                               torch.optim.SparseAdam(list(self.tables.parameters()), lr=LEARNING_RATE)]
        else:
            self.optimizers = [adam([*net.parameters(), *self.tables.parameters()])]

    def __call__(self, ids, labels):
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        rows, first_order = self.tables(ids)
        if self.mask is not None:
            rows = rows * self.mask()
        F.binary_cross_entropy_with_logits(self.compute(rows, first_order), labels).backward()
        for optimizer in self.optimizers:
            optimizer.step()


class RowsStep:
    """A training step with lazy Adam on the touched rows of a joint table."""

    def __init__(self, net, compute, vocab, size, mask):
        shape = (sum(vocab), size + 1)
        self.weights = 0.01 * torch.randn(shape)
        self.m, self.v = torch.zeros(shape), torch.zeros(shape)
        self.compute = compute
        self.mask = mask
        self.dense = adam(net.parameters())
        self.steps = 0

    def __call__(self, ids, labels):
        self.dense.zero_grad(set_to_none=True)
        unique, place = torch.unique(ids, return_inverse=True)
        touched = self.weights.index_select(0, unique)
        rows = touched.index_select(0, place.view(-1)).view(*ids.shape, -1).requires_grad_()
        x, first_order = split_columns(rows)
        if self.mask is not None:
            x = x * self.mask()
        F.binary_cross_entropy_with_logits(self.compute(x, first_order), labels).backward()
        self.dense.step()
        grads = rows.grad.view(-1, rows.shape[-1])
        self.update(unique, touched, torch.zeros_like(touched).index_add_(0, place.view(-1), grads))

    def update(self, unique, touched, grads):
        self.steps += 1
        m = self.m.index_select(0, unique).mul_(BETA1).add_(grads, alpha=1 - BETA1)
        v = self.v.index_select(0, unique).mul_(BETA2).addcmul_(grads, grads, value=1 - BETA2)
        self.m.index_copy_(0, unique, m)
        self.v.index_copy_(0, unique, v)
        root = v.sqrt_().div_((1 - BETA2 ** self.steps) ** 0.5).add_(EPSILON)
        touched.addcdiv_(m, root, value=-LEARNING_RATE / (1 - BETA1 ** self.steps))
        self.weights.index_copy_(0, unique, touched)


class PredictStep:
    """The forward pass without gradients."""

    def __init__(self, compute, tables):
        self.tables = tables
        self.compute = compute

    @torch.inference_mode()
    def __call__(self, ids, _):
        self.compute(*self.tables(ids))


def make_step(args, vocab, optimizer, tables, compiled):
    torch.manual_seed(0)
    size = WIDTH if args.work == "supernet" else SIZE
    mask = Mask() if args.work == "supernet" else None
    net = Net(args.backbone, size)
    compute = torch.compile(net) if compiled else net
    if optimizer == "rows":
        return RowsStep(net, compute, vocab, size, mask)
    tables = TABLES[tables](vocab, size, optimizer == "sparse")
    if args.work == "predict":
        return PredictStep(compute, tables)
    return ModuleStep(net, compute, tables, optimizer == "sparse", mask)


def busy_seconds():
    """CPU seconds that all processes of the machine used so far."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def measure(step, pool, steps):
    """Samples a second over all steps, in the fastest one and by the second of CPU, and the share of the machine that
    others used."""
    for i in range(5):
        step(*pool[i % len(pool)])
    batch = len(pool[0][1])
    busy, own, times = busy_seconds(), time.process_time(), [time.perf_counter()]
    for i in range(steps):
        step(*pool[(5 + i) % len(pool)])
        times.append(time.perf_counter())
    seconds, own = times[-1] - times[0], time.process_time() - own
    others = (busy_seconds() - busy - own) / (seconds * os.cpu_count())
    return steps * batch / seconds, batch / min(np.diff(times)), steps * batch / own, max(others, 0.0)


def variants(args):
    for optimizer in ["none"] if args.work == "predict" else args.optimizer:
        for tables in args.tables if optimizer != "rows" else ["joint"]:
            for compiled in args.compile:
                yield optimizer, tables, compiled


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", choices=["train", "predict", "supernet"], default="train")
    parser.add_argument("--backbone", choices=["deepfm", "fm"], default="deepfm")
    parser.add_argument("--optimizer", nargs="+", choices=["dense", "sparse", "rows"], default=["dense", "sparse", "rows"])
    parser.add_argument("--tables", nargs="+", choices=list(TABLES), default=["joint"])
    parser.add_argument("--compile", nargs="+", type=int, choices=[0, 1], default=[0], help="1: torch.compile after the lookup")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--times", type=int, default=1, help="vocabularies so many times as large")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    vocab = [args.times * n for n in VOCAB]
    pool = batches(vocab, args.batch)
    for optimizer, tables, compiled in variants(args):
        rate, best, by_cpu, others = measure(make_step(args, vocab, optimizer, tables, compiled), pool, args.steps)
        name = (f"pytorch-{torch.__version__}/{args.work}/backbone:{args.backbone}/optimizer:{optimizer}/tables:{tables}/"
                f"compile:{compiled}/rows:{sum(vocab):.2g}/batch:{args.batch}/threads:{args.threads}")
        print(f"{name}\t{rate:.0f}\tbest step {best:.0f}\tby CPU second {by_cpu:.0f}\tothers {100 * others:.0f} %", flush=True)


if __name__ == "__main__":
    main()
