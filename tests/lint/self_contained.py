#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that every header compiles alone, and that no author's header reaches Asio where vmdsl is compiled once.

usage: self_contained.py PROJECT_FOLDER COMPILER [FLAG...]
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile


def main() -> int:
    project, compiler = pathlib.Path(sys.argv[1]), sys.argv[2:]
    include = project / "include"
    headers = sorted(path.relative_to(include).as_posix() for path in (include / "vmdsl").rglob("*.hpp"))
    if not headers:
        print("no headers found")
        return 1
    # What is made for one place only: src.hpp holds all bodies, fabric_engine.hpp and the like include Asio.
    alone = [header for header in headers if header != "vmdsl/src.hpp"]
    problems = []

    def check(header: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "alone.cpp")
            # Included twice: a forgotten #pragma once shows.
            source.write_text(f"#include <{header}>\n#include <{header}>\n")
            result = subprocess.run([*compiler, "-fsyntax-only", f"-I{include}", source], capture_output=True, text=True,
                                    check=False)
            if result.returncode != 0:
                problems.append(f"{header} does not compile alone:\n{result.stderr[:1500]}")

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(check, alone))

    listed = subprocess.run([*compiler, "-M", f"-I{include}", "-x", "c++", include / "vmdsl/vmdsl.hpp"],
                            capture_output=True, text=True, check=True).stdout
    for heavy in ("boost/asio", "boost/json", "boost/process", "boost/test"):
        if heavy in listed:
            problems.append(f"<vmdsl/vmdsl.hpp> reaches {heavy}")
    print("\n".join(problems) or f"{len(alone)} headers compile alone, and an author's see neither Asio nor JSON")
    return 1 if problems else 0


sys.exit(main())
