#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets to tests/fuzz/corpus/<target>/. All values are made up here.

    tests/fuzz/make_corpus.py

Inputs that were added by hand (what fuzzing found) stay. The formats are those that the targets' first comments tell.
"""
import gzip
import json
import lzma
import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"


def seed(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def part(content):
    content = content if isinstance(content, bytes) else content.encode()
    return struct.pack("<H", len(content)) + content


def npy(descr, shape, data, order="False", version=1):
    text = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, order, shape)
    text += " " * (-(10 + len(text) + 1) % 64) + "\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(text)) + text.encode() + data


def ids(rows, fields):
    return npy("<u4", "(%d, %d)" % (rows, fields), struct.pack("<%dI" % (rows * fields), *([1] * rows * fields)))


def labels(rows):
    return npy("|u1", "(%d,)" % rows, bytes(r % 2 for r in range(rows)))


def make_npy():
    seed("npy", "ids", ids(3, 2))
    seed("npy", "labels", labels(5))
    seed("npy", "floats", npy("<f4", "(2,)", struct.pack("<2f", 0.5, 1.0)))
    seed("npy", "empty", ids(0, 4))
    seed("npy", "fortran", npy("<u4", "(1, 1)", b"\0" * 4, order="True"))
    seed("npy", "version-2", npy("<u4", "(1,)", b"\0" * 4, version=2))
    seed("npy", "long-shape", npy("<u4", "(18446744073709551615, 18446744073709551615)", b""))
    seed("npy", "three-dimensions", npy("<u4", "(1, 1, 1)", b"\0" * 4))


def make_meta():
    def field(name, **more):
        return {"name": name, "kind": "categorical", "vocab": 11, "oov": 0, **more}

    file = {"bytes": 668, "checksum": "0123456789abcdef" * 2}
    files = [s + "/" + a + ".npy" for s in ("train", "valid", "test") for a in ("ids", "labels")]
    meta = {
        "format": "adass-dataset-1",
        "fields": [field("a"), field("b", true_rank=4)],
        "rows": {"train": 8, "valid": 1, "test": 1},
        "files": {name: file for name in files},
        "made": {"by": "hand", "seed": 1},
    }

    def save(name, value):
        seed("meta", name, json.dumps(value, indent=2)[:-2] + ",\n")

    save("plain", meta)
    save("planted", {**meta, "teacher_auc": 0.75})
    save("text", {**meta, "fields": [field("\u00e9 \"\\ \u20ac", vocab=4294967295)]})
    save("no-files", {**meta, "files": {}})
    save("deep", {**meta, "made": {"a": [[[[[[[[{"b": [None, True, 1e300, -5]}]]]]]]]]}})
    seed("meta", "no-json", "{ no json")


def make_dataset():
    def dataset(fields, rows, arrays):
        return bytes([fields - 1] + [10] * fields + rows) + b"".join(part(a) for a in arrays)

    sound = [a for n in (4, 2, 3) for a in (ids(n, 2), labels(n))]
    floats = npy("<f4", "(4,)", struct.pack("<4f", 0, 1, 0.25, float("nan")))
    seed("dataset", "sound", dataset(2, [4, 2, 3], sound))
    seed("dataset", "floats", dataset(2, [4, 2, 3], [sound[0], floats, *sound[2:]]))
    seed("dataset", "one-field", dataset(1, [1, 0, 1], [ids(1, 1), labels(1), ids(0, 1), labels(0), ids(1, 1), labels(1)]))
    seed("dataset", "cut", dataset(2, [4, 2, 3], sound)[:300])
    seed("dataset", "high-id", dataset(2, [4, 2, 3], [npy("<u4", "(4, 2)", b"\xff" * 32), *sound[1:]]))


def make_delimited():
    def line(separator, quoted, columns, text):
        return bytes([separator | quoted << 2 | (columns - 1) << 3]) + text.encode()

    seed("delimited", "csv", line(0, True, 3, 'a,"b, ""c""",5'))
    seed("delimited", "tsv", line(1, False, 4, "1\t\t-3\tab12"))
    seed("delimited", "colons", line(2, False, 5, "1::F::25::3::12345"))
    seed("delimited", "bars", line(3, False, 2, "18446744073709551615|x"))
    seed("delimited", "open-quote", line(0, True, 2, 'a,"b'))
    seed("delimited", "behind-quote", line(0, True, 2, '"a"b,c'))
    seed("delimited", "quoted-colons", line(2, True, 2, '"a::b"::"c"'))


def zst(content):
    """A frame of one raw block."""
    header = struct.pack("<IBB", 0xFD2FB528, 0x20, len(content))
    return header + struct.pack("<I", len(content) << 3 | 1)[:3] + content


def make_text():
    text = b"one\ntwo\r\n\nlast\xff"
    seed("text_reader", "plain", text)
    seed("text_reader", "empty", b"")
    seed("text_reader", "nul", b"a\nb\0c\n")
    seed("text_reader", "carriage-returns", b"a\r\r\n\r\n\r")
    packed = {
        "gz": gzip.compress(text, mtime=0),
        "zst": zst(text),
        "xz": lzma.compress(text, check=lzma.CHECK_CRC32),
    }
    for name, content in packed.items():
        seed("text_reader", name, content)
        seed("text_reader", name + "-twice", content + content)
        seed("text_reader", name + "-cut", content[:-5])
        seed("text_reader", name + "-and-more", content + b"more")
    seed("text_reader", "gz-long-line", gzip.compress(b"x" * (1 << 20) + b"y\n", mtime=0))
    seed("text_reader", "zst-skippable", b"\x50\x2a\x4d\x18\x04\0\0\0skip" + zst(text))


def make_movielens():
    def raw(layout, ratings, users, movies):
        tables = [ratings, movies] if layout == 2 else [ratings, users, movies]
        return bytes([layout]) + b"".join(part(t) for t in tables)

    ratings = [(u, m, 1 + (u * m) % 5, 1000000 * u + m) for u in (1, 2, 3) for m in (7, 8)]

    def rows(separator, format="%d"):
        return "".join(separator.join(format % v if i == 2 else str(v) for i, v in enumerate(r)) + "\n" for r in ratings)

    flags = "|".join("01"[g % 3 == 0] for g in range(19))
    seed("import_movielens", "1m", raw(0, rows("::"), "".join("%d::F::25::3::12345\n" % u for u in (1, 2, 3)),
                                       "7::A Film (1999)::Drama|War\n8::Another::Comedy\n"))
    seed("import_movielens", "100k", raw(1, rows("\t"), "".join("%d|30|M|writer|00001\n" % u for u in (1, 2, 3)),
                                         "7|A|01-Jan-1995||http://x|%s\n8|B|||http://y|%s\n" % (flags, flags)))
    seed("import_movielens", "latest", raw(2, "userId,movieId,rating,timestamp\n" + rows(",", "%.1f"), "",
                                           'movieId,title,genres\r\n7,"A, ""B"" (2001)",Drama\r\n8,C,(no genres listed)\r\n'))
    seed("import_movielens", "unknown-user", raw(0, "9::7::5::1\n", "1::F::25::3::12345\n", "7::A::B\n"))
    seed("import_movielens", "packed", raw(0, gzip.compress(rows("::").encode(), mtime=0),
                                           "".join("%d::F::25::3::12345\n" % u for u in (1, 2, 3)), "7::A::D\n8::B::C\n"))


def make_sizes():
    sizes = {
        "format": "adass-sizes-1", "dataset": "00", "candidates": [2, 4, 8],
        "sizes": {"a": 2, "b": 0, "\u00e9 \"": 256}, "params": 100, "budget": None, "method": "given", "seed": 1,
    }
    seed("sizes", "sound", json.dumps(sizes))
    seed("sizes", "other-field", json.dumps({**sizes, "sizes": {**sizes["sizes"], "z": 1}}))
    seed("sizes", "too-large", json.dumps({**sizes, "sizes": {**sizes["sizes"], "a": 257}}))
    seed("sizes", "no-object", json.dumps([sizes]))
    seed("sizes", "candidates", "0,2,4,8,256")
    seed("sizes", "candidates-fall", "8,4")
    seed("sizes", "candidates-high", "1,18446744073709551616")


make_npy()
make_meta()
make_dataset()
make_delimited()
make_text()
make_movielens()
make_sizes()
