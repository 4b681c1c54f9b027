"""What adass-bench promises to scripts: a list of cases, JSON with a context, loud errors.

    check_adass_bench.py PROGRAM KERNELS_H
"""
import json
import os
import re
import subprocess
import sys

CONTEXT = {
    "compiler", "compiler_flags", "build_type", "adass_version", "revision", "onednn",
    "cpu_model", "cpu_microcode", "cpu_governor", "transparent_hugepages", "isa", "isa_available",
    "packages", "numa_nodes", "l3_groups", "cores", "processing_units", "openmp_threads",
    "openmp_wait_policy", "pin", "set", "caches",
}
STEPS = {"limits", "gemm", "dense", "reader", "train", "supernet", "predict", "evaluate", "eval", "auc"}
QUICK = "^lookup/isa:scalar/type:f32/size:16/rows:1e3/batch:4096/ids:zipf1.05/pooling:1/impl:ours/threads:1$"
# What a loaded machine does to one row may put it above 1; beyond this the model is wrong.
OF_LIMIT_MAX = 1.3


def run(program, *flags, **env):
    return subprocess.run(
        [program, *flags], capture_output=True, text=True, env={**os.environ, **env})


def check(condition, what):
    if not condition:
        sys.exit(f"check_adass_bench: {what}")


def kernels(header):
    """The list in kernels.h."""
    with open(header, encoding="utf-8") as file:
        return set(re.findall(r"^ +X\(isa, (\w+)\)", file.read(), re.MULTILINE))


def check_list(program, header):
    listed = run(program, "--benchmark_list_tests")
    check(listed.returncode == 0, f"the list: status {listed.returncode}, {listed.stderr}")
    names = listed.stdout.split()
    check(len(names) == len(set(names)), "two cases have the same name")
    families = {name.split("/")[0] for name in names}
    missing = (kernels(header) | STEPS) - families
    check(not missing, f"no family for {sorted(missing)}")
    small = set(run(program, "--adass_set=small", "--benchmark_list_tests").stdout.split())
    check(small < set(names), "the small set is not a part of the full one")
    missing = kernels(header) - {name.split("/")[0] for name in small}
    check(not missing, f"the small set lacks {sorted(missing)}")
    for kernel in kernels(header):
        impls = {part for name in names if name.startswith(kernel + "/") for part in name.split("/")}
        check({"impl:ours", "impl:scalar"} <= impls, f"{kernel} lacks an implementation")
    for name in names:
        keys = [part.split(":")[0] for part in name.split("/")[1:]]
        in_order = keys[:2] == ["isa", "type"] and keys[-1] == "threads"
        check(in_order, f"'{name}' is not a name of the contract")


def check_json(program, *flags):
    done = run(program, f"--benchmark_filter={QUICK}", "--benchmark_min_time=0.01",
               "--benchmark_format=json", *flags)
    check(done.returncode == 0, f"the quick case: status {done.returncode}, {done.stderr}")
    result = json.loads(done.stdout)
    missing = CONTEXT - result["context"].keys()
    check(not missing, f"the context lacks {sorted(missing)}")
    check(len(result["benchmarks"]) == 1, "the filter is not for one case")
    row = result["benchmarks"][0]
    check("error_occurred" not in row, f"the quick case failed: {row.get('error_message')}")
    check(row["items_per_second"] > 0 and row["bytes_per_second"] > 0, "a rate is missing")
    # A row is size * 4 bytes read and as many written, and 4 bytes of its id.
    ratio = row["bytes_per_second"] / row["items_per_second"]
    check(abs(ratio - (16 * 4 * 2 + 4)) < 1e-6, f"{ratio} bytes a row")
    return result


def check_small(program):
    """Every row of the small set's kernels: no error, rates, and a limit."""
    done = run(program, "--adass_set=small", "--benchmark_filter=impl:.*threads:1$",
               "--benchmark_min_time=0.001", "--benchmark_format=json")
    check(done.returncode == 0, f"the small set: status {done.returncode}, {done.stderr}")
    for row in json.loads(done.stdout)["benchmarks"]:
        name = row["name"]
        check("error_occurred" not in row, f"{name}: {row.get('error_message')}")
        check(row["items_per_second"] > 0 and row["bytes_per_second"] > 0, f"{name}: a rate is missing")
        check(0 < row["of_limit"], f"{name}: no limit")
        check(row["label"].startswith("bound by "), f"{name}: it is not said what binds")
        if row["of_limit"] > OF_LIMIT_MAX:
            print(f"check_adass_bench: {name} reaches {row['of_limit']:.2f} of its limit")


def check_pin(program):
    """What was bound is read back: every thread on one processing unit, no two on the same."""
    for mode, memory in ("core", "default"), ("numa", "bind:"):
        context = check_json(program, f"--adass_pin={mode}")["context"]
        check(context["pin"] == mode, f"--adass_pin={mode} does not stand in the context")
        pus = context["pin_processing_units"].split()
        check(all(pu.isdigit() for pu in pus) and len(set(pus)) == len(pus),
              f"--adass_pin={mode}: the threads are on '{context['pin_processing_units']}'")
        check(all(m.startswith(memory) for m in context["pin_memory"].split()),
              f"--adass_pin={mode}: the memory is '{context['pin_memory']}'")
    check("pin_memory" not in check_json(program)["context"], "memory bound without --adass_pin")


def check_refused(program, status, named, *flags, **env):
    refused = run(program, *flags, **env)
    check(refused.returncode == status, f"{flags} {env}: status {refused.returncode}, not {status}")
    check(named in refused.stderr + refused.stdout, f"{flags} {env}: '{named}' is not named")


def main():
    program, header = sys.argv[1:]
    check_list(program, header)
    check_small(program)
    check_json(program)
    check_pin(program)
    check_refused(program, 2, "--no_such_flag", "--no_such_flag")
    check_refused(program, 2, "elsewhere", "--adass_pin=elsewhere")
    check_refused(program, 2, "tiny", "--adass_set=tiny")
    check_refused(program, 2, "no_such_isa", "--benchmark_list_tests", ADASS_ISA="no_such_isa")
    check_refused(program, 1, "no_such_case", "--benchmark_filter=no_such_case")
    check(run(program, "--help").returncode == 0, "--help fails")


main()
