"""scripts/sample_negatives.py: each positive is followed by negatives that the log does not have; clear errors.

    test_sample_negatives.py SCRIPT ADASS
"""
import json
import lzma
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT, ADASS = sys.argv[1:3]
ROWS = [("7", "a", "x", "9"), ("7", "a", "y", "9"), ("8", "a", "x", "1"), ("8", "b", "z", "2"), ("9", "c", "v", "2"),
        ("9", "c", "w", "2")]


class Test(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.dir = pathlib.Path(self.folder.name)
        self.log = self.dir / "log.dat"
        self.log.write_bytes(self.text(ROWS).encode())

    @staticmethod
    def text(rows, end="\r\n"):
        return end.join("\t".join(row) for row in [("user", "item", "tag", "day"), *rows]) + end

    def run_script(self, *options, log=None, out="out.tsv"):
        return subprocess.run([sys.executable, "-B", SCRIPT, log or self.log, self.dir / out, "--columns", "user,item,tag",
                               "--sample", "tag", *options], capture_output=True, text=True)

    def table(self, out="out.tsv"):
        lines = (self.dir / out).read_text().splitlines()
        self.assertEqual(lines[0], "label\tuser\titem\ttag")
        return [tuple(line.split("\t")) for line in lines[1:]]

    def test_negatives(self):
        self.assertEqual(self.run_script().returncode, 0)
        rows, known = self.table(), {row[:3] for row in ROWS}
        self.assertEqual(len(rows), 3 * len(ROWS))
        for i, row in enumerate(ROWS):
            group = rows[3 * i:3 * i + 3]
            self.assertEqual(group[0], ("1",) + row[:3])
            self.assertEqual(len(set(group)), 3)
            for negative in group[1:]:
                self.assertEqual(negative[:3], ("0",) + row[:2])
                self.assertNotIn(negative[1:], known)

    def test_seed_decides(self):
        for out, seed in (("a", "1"), ("b", "1"), ("c", "2")):
            self.assertEqual(self.run_script("--seed", seed, out=out).returncode, 0)
        self.assertEqual(self.table("a"), self.table("b"))
        self.assertNotEqual(self.table("a"), self.table("c"))

    def test_packed(self):
        packed = self.dir / "log.dat.xz"
        packed.write_bytes(lzma.compress(self.text(ROWS, "\n").encode()))
        self.assertEqual(self.run_script(out="plain").returncode, 0)
        self.assertEqual(self.run_script(out="packed", log=packed).returncode, 0)
        self.assertEqual(self.table("plain"), self.table("packed"))

    def test_import(self):
        self.assertEqual(self.run_script("--negatives", "3").returncode, 0)
        made = subprocess.run([ADASS, "data", "import", "csv", "--schema", self.dir / "out.tsv.json", self.dir / "out.tsv",
                               self.dir / "set", "--ratio", "2:1:1"], capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stderr)
        meta = json.loads((self.dir / "set/meta.json").read_text())
        self.assertEqual([field["name"] for field in meta["fields"]], ["user", "item", "tag"])
        self.assertEqual(sum(meta["rows"].values()), 4 * len(ROWS))

    def test_errors(self):
        short, cut = self.dir / "short", self.dir / "cut.xz"
        short.write_text(self.text(ROWS, "\n") + "7\ta\n")
        cut.write_bytes(lzma.compress(self.text(ROWS).encode())[:-9])
        for log, text in ((short, f"{short}:8: 2 columns"), (cut, str(cut)), (self.dir / "none", "none")):
            failed = self.run_script(log=log)
            self.assertEqual(failed.returncode, 1)
            self.assertIn(text, failed.stderr)
        failed = self.run_script("--negatives", "4")
        self.assertEqual(failed.returncode, 1)
        self.assertIn("all values but 3", failed.stderr)
        self.assertEqual([path.name for path in self.dir.glob("out*")], [])


unittest.main(argv=sys.argv[:1])
