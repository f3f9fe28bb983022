#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks every C++ file of the project with clang-format.

usage: format.py PROJECT_FOLDER
"""
import pathlib
import subprocess
import sys

project = pathlib.Path(sys.argv[1])
files = sorted(str(path) for folder in ("include", "src", "tests", "examples", "tools")
               for ending in ("hpp", "ipp", "cpp", "c") for path in (project / folder).rglob(f"*.{ending}"))
if not files:
    sys.exit("no files found")
result = subprocess.run(["clang-format", "--style=file", "--dry-run", "--Werror", *files], capture_output=True, text=True, check=False)
if result.returncode != 0:
    print(result.stderr[-6000:])
    sys.exit("clang-format -i mends this")
print(f"{len(files)} files are formatted")
