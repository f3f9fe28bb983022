#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Rebuilds a spec of ten cases after a change, in three ways, interleaved: user CPU seconds of compiling and linking.

usage: compile.py BUILD_FOLDER (with bench_compile_naive, _header_only and _compiled built)
"""
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys

ROUNDS = 5
WAYS = {
    "naive": "everything included in the spec",
    "header_only": "header-only, Boost.Test and fmt linked",
    "compiled": "add_vm_test: vmdsl compiled once, PCH",
}


def rebuild(build, way):
    """The user CPU time of a build after the spec's file was touched."""
    os.utime(build / f"tools/benchmarks/compile/{way}.cpp")
    program = build / f"tools/benchmarks/bench_compile_{way}"
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    built = program.stat().st_mtime_ns
    subprocess.run(["cmake", "--build", build, "--target", program.name], check=True, stdout=subprocess.DEVNULL)
    if program.stat().st_mtime_ns == built:
        sys.exit(f"compile: {program.name} was not built again")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main(folder):
    build = pathlib.Path(folder)
    seconds = {way: [] for way in WAYS}
    for number in range(1, ROUNDS + 1):
        for way in WAYS:
            seconds[way].append(rebuild(build, way))
        print(f"round {number} of {ROUNDS}:", ", ".join(f"{way} {seconds[way][-1]:.2f} s" for way in WAYS), flush=True)
    middle = {}
    for way, what in WAYS.items():
        low, middle[way], high = statistics.quantiles(seconds[way], n=4, method="inclusive")
        noise = "  TOO NOISY TO TELL" if high - low > middle[way] / 2 else ""
        print(f"{what:40} median {middle[way]:7.3f} s of user CPU (quartiles {low:.3f} to {high:.3f}, {ROUNDS} runs){noise}")
    print(json.dumps({
        "naive_over_header_only": round(middle["naive"] / middle["header_only"], 2),
        "naive_over_compiled": round(middle["naive"] / middle["compiled"], 2),
        "compiled_s": round(middle["compiled"], 3),
        "header_only_s": round(middle["header_only"], 3),
        "naive_s": round(middle["naive"], 3),
    }))


main(*sys.argv[1:])
