# SPDX-License-Identifier: BSL-1.0
"""Reads lcov's tracefiles, for tests."""


def read_tracefile(path):
    """{test name: {source file: ({line: count}, {function: count})}}"""
    tests = {}
    name = lines = functions = None
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == "TN":
            name = value
        elif key == "SF":
            lines, functions = tests.setdefault(name, {}).setdefault(value, ({}, {}))
        elif key == "DA":
            number, count = value.split(",")
            lines[int(number)] = int(count)
        elif key == "FNDA":
            count, function = value.split(",", 1)
            functions[function] = int(count)
    return tests


def calls(tests, name, function):
    """How often a function ran in a test; 0 where its file was not run at all."""
    return sum(functions.get(function, 0) for _, functions in tests.get(name, {}).values())
