"""The decisions of scripts/bench_regress.py: its statistics, synthetic samples, and whole runs over stand-ins for adass-bench."""
import contextlib
import io
import itertools
import json
import math
import pathlib
import random
import stat
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import bench_regress  # noqa: E402
import bench_regress_selftest  # noqa: E402
import rank_test  # noqa: E402

try:
    from scipy import stats
except ImportError:
    stats = None


def permutation_p(strata):
    """The same p by trying every assignment of sides inside the strata."""
    ranks = rank_test.doubled_ranks([v for base, head in strata for v in rank_test.align(base + head)])
    choices, observed = [], 0
    for base, head in strata:
        mine, ranks = ranks[:len(base) + len(head)], ranks[len(base) + len(head):]
        observed += sum(mine[len(base):])
        choices.append([sum(c) for c in itertools.combinations(mine, len(head))])
    sums = [sum(choice) for choice in itertools.product(*choices)]
    tails = sum(s <= observed for s in sums), sum(s >= observed for s in sums)
    return min(1.0, 2 * min(tails) / len(sums))


def noisy_pairs(rng, n, ratio):
    """Drifting by a factor of two, with 4 % of noise a value, and now and then a neighbour that hits one side only."""
    pairs = []
    for i in range(n):
        level = 1000 * (1.5 + 0.5 * math.sin(i / 3)) * rng.uniform(0.9, 1.1)
        sides = [level * math.exp(rng.gauss(0, 0.04)) * (2 if rng.random() < 0.05 else 1) for _ in range(2)]
        pairs.append((sides[0], sides[1] * ratio))
    return pairs


class RankTest(unittest.TestCase):
    def test_table_of_u(self):
        # 3 against 3, all of one side larger: 1 of 20 ways each way.
        self.assertAlmostEqual(rank_test.mann_whitney([([1, 2, 3], [4, 5, 6])]), 2 / 20)
        self.assertAlmostEqual(rank_test.mann_whitney([([1, 2, 6], [3, 4, 5])]), 2 * 7 / 20)
        self.assertEqual(rank_test.mann_whitney([([1], [1])]), 1.0)
        self.assertEqual(rank_test.doubled_ranks([5, 1, 5]), [5, 2, 5])
        with self.assertRaises(ValueError):
            rank_test.mann_whitney([([1], [])])

    def test_all_permutations(self):
        rng = random.Random(1)
        for _ in range(100):  # few values: many ties
            strata = [([rng.randint(1, 4) for _ in range(rng.randint(1, 2))], [rng.randint(1, 4) for _ in range(rng.randint(1, 2))])
                      for _ in range(rng.randint(1, 5))]
            self.assertAlmostEqual(rank_test.mann_whitney(strata), permutation_p(strata))

    @unittest.skipIf(stats is None, "no scipy")
    def test_scipy(self):
        rng = random.Random(2)
        for _ in range(50):
            base, head = ([rng.uniform(1, 2) for _ in range(rng.randint(2, 15))] for _ in range(2))
            expected = stats.mannwhitneyu(base, head, method="exact").pvalue
            self.assertAlmostEqual(rank_test.mann_whitney([(base, head)]), expected, places=12)
            ps = [rng.random() for _ in range(10)]
            logs = [rng.gauss(0, 1) for _ in range(9)]
            _, low, high = rank_test.centre(logs)
            # What the interval leaves out, and only that, the signed-rank test refuses.
            self.assertLess(stats.wilcoxon([x - low + 1e-9 for x in logs], mode="exact").pvalue, 0.05 + 1e-9)
            self.assertGreater(stats.wilcoxon([x - low - 1e-9 for x in logs], mode="exact").pvalue, 0.05)
            self.assertEqual(len(rank_test.holm(ps)), 10)

    def test_drift_cancels(self):
        # Levels of 1 to 1000, 1 % apart inside each pair: all 10 pairs agree.
        pairs = [([10 ** (i / 3)], [1.01 * 10 ** (i / 3)]) for i in range(10)]
        self.assertAlmostEqual(rank_test.mann_whitney(pairs), rank_test.least_p(10))
        # The same values unpaired say nothing.
        self.assertGreater(rank_test.mann_whitney([([b[0] for b, _ in pairs], [h[0] for _, h in pairs])]), 0.5)

    def test_holm(self):
        for got, expected in zip(rank_test.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]):
            self.assertAlmostEqual(got, expected)
        self.assertEqual(rank_test.holm([0.9, 0.8]), [1.0, 1.0])
        self.assertEqual(rank_test.holm([]), [])

    def test_centre(self):
        self.assertEqual(rank_test.centre([1.0, 2.0, 9.0])[0], 3.5)
        self.assertEqual(rank_test.centre([1.0, 2.0]), (1.5, 1.0, 2.0))


class Decision(unittest.TestCase):
    def decide(self, pairs, **others):
        times = {"lookup/threads:1": pairs, **others}
        return bench_regress.decide(times, 0.05, 0.01)[0]["verdict"]

    def test_synthetic_samples(self):
        found, wrong = 0, 0
        for seed in range(60):
            found += self.decide(noisy_pairs(random.Random(seed), 30, 1.10)) == "regression"
            wrong += self.decide(noisy_pairs(random.Random(seed + 1000), 30, 1.0)) != "same"
        self.assertGreaterEqual(found, 57)
        self.assertEqual(wrong, 0)

    def test_threshold_and_significance(self):
        steady = [(100.0 + i, (100.0 + i) * 1.04) for i in range(20)]
        self.assertEqual(self.decide(steady), "same")  # certain, but small
        self.assertEqual(self.decide([(b, b * 1.06) for b, _ in steady]), "regression")
        self.assertEqual(self.decide([(b, b / 1.06) for b, _ in steady]), "faster")
        self.assertEqual(self.decide([(100.0, 150.0), (100.0, 149.0), (100.0, 90.0)]), "unclear")

    def test_many_benchmarks(self):
        # 8 pairs give p = 1/128 at best: enough alone, not among two.
        slower = [(100.0 + i, (100.0 + i) * 1.2) for i in range(8)]
        self.assertEqual(self.decide(slower), "regression")
        same = [(100.0, 101.0), (101.0, 100.0)] * 4
        self.assertEqual(self.decide(slower, other=same), "unclear")
        for benchmarks in 1, 2, 100:
            pairs = bench_regress.least_pairs(benchmarks, 0.01)
            self.assertLess(benchmarks * rank_test.least_p(pairs), 0.01)
            self.assertGreaterEqual(benchmarks * rank_test.least_p(pairs - 1), 0.01)


STAND_IN = """#!/usr/bin/env python3
import json, sys
if "--benchmark_list_tests" in sys.argv:
    print("{names}")
    sys.exit(0)
row = {{"name": "x", "run_type": "iteration", "cpu_time": {time}, "real_time": {time}, "time_unit": "us"}}
row.update({more})
print(json.dumps({{"context": {{}}, "benchmarks": [row] * 3}}))
sys.exit({status})
"""


class Program(unittest.TestCase):
    """compare() over stand-ins instead of builds."""

    def run_it(self, base, head, *flags):
        with tempfile.TemporaryDirectory() as folder:
            programs = []
            for side, values in ("base", base), ("head", head):
                defaults = {"names": "lookup/threads:1", "time": 100, "more": {}, "status": 0}
                path = pathlib.Path(folder) / side
                path.write_text(STAND_IN.format(**{**defaults, **values}))
                path.chmod(path.stat().st_mode | stat.S_IXUSR)
                programs.append(path)
            built = iter(programs)
            originals = bench_regress.build, bench_regress.check_out, bench_regress.resolve
            bench_regress.build = lambda _: next(built)
            bench_regress.check_out = lambda *_: None
            bench_regress.resolve = lambda revision: revision * 12
            out, err = io.StringIO(), io.StringIO()
            try:
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                    status = bench_regress.main(["a", "b", "--repetitions=8", *flags])
            finally:
                bench_regress.build, bench_regress.check_out, bench_regress.resolve = originals
            return status, out.getvalue(), err.getvalue()

    def test_exit_statuses(self):
        status, out, _ = self.run_it({}, {"time": 120})
        self.assertEqual(status, 1)
        self.assertIn("| 100 us | 120 us | 1.200 |", out)
        self.assertIn("**regression**", out)
        self.assertEqual(self.run_it({}, {"time": 120}, "--threshold=25")[0], 0)
        self.assertEqual(self.run_it({}, {})[0], 0)
        self.assertEqual(self.run_it({"time": 120}, {})[0], 0)

    def test_several_threads(self):
        names = {"names": "train/threads:2"}
        self.assertEqual(self.run_it(names, {**names, "time": 120})[0], 1)

    def test_json(self):
        with tempfile.NamedTemporaryFile() as file:
            self.run_it({}, {"time": 120}, f"--json={file.name}")
            record = json.load(file)
        self.assertEqual(record["benchmarks"][0]["verdict"], "regression")
        self.assertEqual(record["times_ns"]["lookup/threads:1"], [[100000, 120000]] * 8)

    def test_failures(self):
        for head, said in (({"names": "other/threads:1"}, "no benchmark that both"),
                           ({"status": 1, "more": {"error_occurred": True, "error_message": "wrong result"}}, "wrong result"),
                           ({"status": 3}, "status 3")):
            status, out, err = self.run_it({}, head)
            self.assertEqual((status, out), (2, ""))
            self.assertIn(said, err)
        self.assertIn("need --repetitions of 8", self.run_it({}, {}, "--repetitions=7")[2])

    def test_unknown_revision(self):
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            self.assertEqual(bench_regress.main(["no-such-revision"]), 2)
        self.assertIn("no-such-revision", err.getvalue())


class Plant(unittest.TestCase):
    def test_it_still_fits_the_kernel(self):
        planted = bench_regress_selftest.plant((ROOT / bench_regress_selftest.KERNEL).read_text())
        self.assertIn("n / 10", planted)
        with self.assertRaises(bench_regress.Failure):
            bench_regress_selftest.plant("int main(void);")


if __name__ == "__main__":
    unittest.main()
