#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks the library's layers and the agent with clang-tidy, by the rules of .clang-tidy.

usage: tidy.py PROJECT_FOLDER BUILD_FOLDER

The build folder has compile_commands.json and the layers' generated sources, which include every body of the library.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys


def main() -> int:
    project, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    layers = sorted((build / "vmdsl_src").glob("*.cpp"))
    agent = sorted((project / "tools/agent").glob("*.cpp"))
    if not layers or not agent:
        print(f"no sources of the layers in {build}, or none of the agent in {project}")
        return 1
    # The longest first, so that no core waits for the last one.
    sources = sorted(layers + agent, key=lambda source: source not in layers)

    def check(source: pathlib.Path) -> str:
        result = subprocess.run(
            ["clang-tidy", f"--config-file={project / '.clang-tidy'}", f"-p={build}", "--quiet", source],
            capture_output=True, text=True, check=False)
        if result.returncode == 0:
            return ""
        return result.stdout or f"{source}: clang-tidy ended with {result.returncode}:\n{result.stderr}"

    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        reports = list(pool.map(check, sources))

    # A header's finding comes with every source that includes it: each finding is told once.
    findings = {}
    for report in reports:
        for finding in re.split(r"(?m)^(?=/\S+:\d+:\d+: (?:error|warning))", report):
            if finding.strip():
                findings.setdefault(finding.splitlines()[0], finding)
    print("\n".join(findings.values()) or f"{len(sources)} sources are tidy")
    return 1 if findings else 0


sys.exit(main())
