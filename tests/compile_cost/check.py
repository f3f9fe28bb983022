#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Counts the templates that clang instantiates for each reference spec, and holds them to limits.json.

usage: check.py CLANG FLAGS_FILE [--accept]

Seconds differ from run to run, these counts do not: they are the same each time for the same compiler and libraries,
so they tell whether a change makes every spec more expensive to compile. --accept makes today's counts the limits.

Exit code: 0 within the limits, 1 above them, 77 where this compiler is not the one that the limits were counted with.
"""
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
limits_file = here / "limits.json"
EVENTS = {"InstantiateClass": "classes", "InstantiateFunction": "functions"}
ROOM = 1.02  # what a limit that is accepted leaves above the count


def instantiations(clang, flags_file, spec):
    """One list of the names of what was instantiated for each kind."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([clang, f"@{flags_file}", "-ftime-trace", "-ftime-trace-granularity=0", "-c", spec, "-o", f"{folder}/spec.o"],
                       check=True)
        events = json.loads(pathlib.Path(folder, "spec.json").read_text())["traceEvents"]
    found = {kind: [] for kind in EVENTS.values()}
    for event in events:
        if event["name"] in EVENTS:
            found[EVENTS[event["name"]]].append(event["args"]["detail"])
    return found


def toolchain(clang, flags_file):
    """What the counts depend on beside our own code."""
    macros = subprocess.run([clang, f"@{flags_file}", "-include", "boost/version.hpp", "-include", "vector", "-x", "c++", "-dM", "-E",
                             "/dev/null"], check=True, capture_output=True, text=True).stdout
    values = dict(line.split(maxsplit=2)[1:] for line in macros.splitlines() if len(line.split(maxsplit=2)) == 3)
    return {"clang": values["__clang_major__"], "libstdc++": values["_GLIBCXX_RELEASE"], "Boost": values["BOOST_LIB_VERSION"].strip('"')}


def main(clang, flags_file, *options):
    counted = {spec.stem: instantiations(clang, flags_file, spec) for spec in sorted((here / "specs").glob("*.cpp"))}
    numbers = {name: {kind: len(names) for kind, names in kinds.items()} for name, kinds in counted.items()}
    with_what = toolchain(clang, flags_file)
    if "--accept" in options:
        limits = {name: {kind: int(number * ROOM) for kind, number in kinds.items()} for name, kinds in numbers.items()}
        limits_file.write_text(json.dumps({"counted_with": with_what, "limits": limits}, indent=2) + "\n")
        return 0
    stored = json.loads(limits_file.read_text())
    if stored["counted_with"] != with_what:
        print(f"skipped: the limits were counted with {stored['counted_with']}, and this is {with_what}")
        return 77
    above = False
    for name, kinds in numbers.items():
        for kind, number in kinds.items():
            limit = stored["limits"].get(name, {}).get(kind, 0)
            print(f"{name}: {number} {kind} instantiated, the limit is {limit}{'   TOO MANY' if number > limit else ''}")
            if number > limit:
                above = True
                most = collections.Counter(detail.partition("<")[0] for detail in counted[name][kind]).most_common(8)
                print("  most often:", ", ".join(f"{template} ({times})" for template, times in most))
    if above:
        print(f"""
Every spec pays for what is instantiated here. Look for a template, or for an include, that a body (impl/*.ipp) could have
instead of a header. Where the price is worth it, make today's counts the limits, and say in the commit what for:
  {here}/check.py {clang} {flags_file} --accept""")
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
