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


def make_schema():
    columns = [
        {"name": "y", "kind": "label"},
        {"name": "a", "kind": "categorical", "missing": "value"},
        {"name": "b", "kind": "numeric"},
        {"name": "c", "kind": "multi", "separator": "|", "keep": 3},
        {"name": "t", "kind": "time", "format": "YYMMDDHH", "parts": ["hour", "weekday", "weekend", "day", "month"]},
        {"name": "u", "kind": "ignore"},
    ]
    lines = 'y,a,b,c,t,u\n1,"x, y",-2,p|q||r|s,14102123,\n0,,1e3,,,z\n1,x,2.5e-3,p,24022900,z\n'

    def save(name, schema, text=lines):
        seed("table_schema", name, part(json.dumps(schema)) + text.encode())

    save("all-kinds", {"header": True, "separator": ",", "columns": columns})
    save("tabs", {"separator": "\t", "columns": columns[:3]}, "\n1\tx\t5\n0\t\t-7\n")
    unix = {"name": "at", "kind": "time", "format": "unix", "parts": ["hour"], "prefix": "at_"}
    save("unix", {"header": "optional", "columns": [{"name": "y", "kind": "label", "threshold": 2.5}, unix]},
         "1,0\n2,1234567890\n3.5,253402300799\n")
    word = {"name": "y", "kind": "label", "positive": [">50K", "yes"]}
    date = {"name": "d", "kind": "time", "format": "YYYY-MM-DD?HH*", "parts": ["hour", "month"]}
    save("pattern", {"separator": "::", "columns": [word, date]}, "\nyes::2020-02-29T23:59\n>50K::1999-12-31 00\n")
    save("unknown-member", {"columns": [{**columns[0], "colour": 1}, columns[1]]})
    save("two-labels", {"columns": [columns[0], columns[0], columns[1]]})


def make_table():
    def save(name, format, options, text):
        seed("import_table", name, bytes([format, options]) + (text if isinstance(text, bytes) else text.encode()))

    csv = "y,a,b,c,t\n" + "".join('%d,"v ""%d""",%d,p|q%d,%d\n' % (r % 2, r % 3, r * r - 5, r % 4, 10**9 + r * 5000)
                                  for r in range(24))
    for protocol, name in enumerate(("random", "chronological", "x4")):
        save("csv-" + name, 0, protocol | 32, csv)
    save("csv-bad-rows", 0, 24, csv.replace("\n0,", "\n2x,", 1).replace("\n", "\r\n"))
    save("csv-packed", 0, 32, gzip.compress(csv.encode(), mtime=0))
    save("csv-nul", 0, 8, "1,a,2,c,3\n1,\0,2,c,3\n0,\xff,,,\n")
    criteo = "".join("\t".join([str(r % 2)] + [str(r * k - 3) if k % 4 else "" for k in range(13)] +
                               ["%08x" % (r % 3 * 2654435761 + k) if k != 5 else "" for k in range(26)]) + "\n" for r in range(12))
    save("criteo", 1, 32, criteo)
    save("criteo-min-count", 1, 4 | 32, criteo)
    avazu = ("id,click,hour,C1,banner_pos,site_id,site_domain,site_category,app_id,app_domain,app_category,device_id,device_ip,"
             "device_model,device_type,device_conn_type," + ",".join("C%d" % c for c in range(14, 22)) + "\n")
    avazu += "".join(",".join(["9%d" % r, str(r % 2), "141021%02d" % (r % 24)] + ["v%d" % (r % 2)] * 21) + "\n" for r in range(6))
    save("avazu", 2, 32, avazu)
    kdd = "".join("\t".join(map(str, [r % 3 % 2, 1, r % 5, 7, 8, 2, 1, r, 4, 5, 6, r % 2])) + "\n" for r in range(6))
    save("kdd12", 3, 32, kdd)
    header = "click,impression,url_hash,ad_id,advertiser_id,depth,position,query_id,keyword_id,title_id,description_id,user_id\n"
    save("kdd12-sample", 3, 32, header + kdd.replace("\t", ","))

    save("frappe", 4, 32, frappe(12))
    save("libsvm", 5, 32, libsvm())
    save("libsvm-bad-rows", 5, 8 | 2, libsvm() + "1 5:1\n2 5:1 6:1 7:1\n")
    save("libffm", 6, 32, libffm())
    save("libffm-min-count", 6, 4 | 1 | 32, libffm())


FRAPPE = "user\titem\tcnt\tdaytime\tweekday\tisweekend\thomework\tcost\tweather\tcountry\tcity\n"


def frappe(rows):
    return FRAPPE + "".join("%d\t%d\t%d\tmorning\tmonday\tworkday\thome\tfree\tsunny\tA\t%d\n" % (r % 2, r % 5, r + 1, r % 3)
                            for r in range(rows))


def libsvm():
    return "".join("%s %d:1 %d:1.0 %d:1e0 \n" % (("1", "0", "-1")[r % 3], r % 4, 10 + r % 2, 20) for r in range(9))


def libffm():
    return "".join("%d 0:%d:1\t7:5:1%s\r\n" % (r % 2, r % 3, " 3:%d:1.0" % r if r % 2 else "") for r in range(8))


def make_negatives():
    seed("sample_negatives", "sound", bytes([0x4F]) + frappe(12).encode())
    seed("sample_negatives", "no-memory", bytes([0]) + frappe(12).encode())
    seed("sample_negatives", "used-all", bytes([0x4F]) + frappe(2).encode())
    seed("sample_negatives", "bad-rows", bytes([0xCF]) + frappe(9).replace("\t4\tmorning", "\t0\tmorning").encode() + b"1\t2\n")
    seed("sample_negatives", "no-header", bytes([0x4F]) + frappe(4)[len(FRAPPE):].encode())


def make_sparse():
    seed("sparse_format", "libsvm", b"\0" + libsvm().encode())
    seed("sparse_format", "libffm", b"\1" + libffm().encode())
    seed("sparse_format", "libsvm-entries", b"\0" + b"1 5:1 6:1\n0 5:1\n1 5:1 6:1 7:1\n")
    seed("sparse_format", "libffm-twice", b"\1" + b"1 5:1:1 5:2:1\n0 65535:1:1\n1 65536:1:1\n")
    seed("sparse_format", "values", b"\1" + b"1 0:1:0.5\n1 0:01:1\n1 0:1\n+1 0:18446744073709551615:1\n")


def make_safetensors():
    def save(name, header, data=b"", length=None):
        text = (header if isinstance(header, str) else json.dumps(header)).encode()
        seed("safetensors", name, struct.pack("<Q", len(text) if length is None else length) + text + data)

    def array(dtype, shape, begin, end):
        return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}

    data = bytes(range(14))
    metadata = {"format": "adass-checkpoint-1", "identity": "x", "checksum": "0" * 16}
    sound = {"__metadata__": metadata, "a": array("F32", [2, 1], 0, 8), "b": array("U8", [2, 3], 8, 14)}
    save("sound", sound, data)
    save("no-data", {"__metadata__": metadata})
    save("more-data", sound, data + b"more")
    save("cut", sound, data[:9])
    save("long-header", sound, data, length=1 << 62)
    save("cut-header", sound, data, length=1 << 20)
    save("no-header", "", b"", length=0)
    save("no-json", "{ no json", data)
    save("no-metadata", {"a": sound["a"]}, data[:8])
    save("metadata-is-text", {**sound, "__metadata__": "x"}, data)
    save("overlap", {**sound, "b": array("U8", [2, 3], 4, 10)}, data)
    save("behind-the-end", {**sound, "b": array("U8", [1 << 40, 3], 8, 8 + 3 * (1 << 40))}, data)
    save("overflow", {**sound, "a": array("F32", [1 << 62, 4], 0, 8)}, data)
    save("backwards", {**sound, "a": array("F32", [2, 1], 8, 0)}, data)
    save("negative", {**sound, "a": array("F32", [-2, -1], -8, 0)}, data)
    save("empty-array", {**sound, "c": array("F64", [1 << 60, 0], 14, 14)}, data)
    save("one-dimension", {**sound, "a": array("F32", [2], 0, 8)}, data)
    save("unknown-type", {**sound, "a": array("C64", [1, 1], 0, 8)}, data)


def make_vocabulary():
    header = "field\tid\tvalue\n"
    seed("vocabulary", "sound", header + "a\t1\tx\na\t2\t\nb\t1\t\\t\\\\\\n\\r\n")
    seed("vocabulary", "empty", header)
    seed("vocabulary", "one-field", header + "b\t1\tx\n")
    seed("vocabulary", "wrong-id", header + "a\t1\tx\na\t3\ty\n")
    seed("vocabulary", "wrong-order", header + "b\t1\tx\na\t1\ty\n")
    seed("vocabulary", "wrong-escape", header + "a\t1\t\\x\n")


make_npy()
make_meta()
make_dataset()
make_delimited()
make_text()
make_movielens()
make_sizes()
make_schema()
make_table()
make_vocabulary()
make_negatives()
make_sparse()
make_safetensors()
