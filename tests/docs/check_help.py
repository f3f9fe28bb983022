#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Compares a page of the documentation with the programs that it describes.

usage: check_help.py [--write] PROJECT_FOLDER SPEC VMDSL

In docs/reference/command-line.md a block marked console has a command and what it prints; `my_spec` is the program SPEC, of
which vmdsl's own part counts, and `vmdsl` the program VMDSL. The page also has to name every environment variable that the
sources look at. --write puts into the blocks what the programs print.
"""
import pathlib
import re
import subprocess
import sys

PAGE = "docs/reference/command-line.md"
END_OF_OURS = "All other options are Boost.Test's:\n"
# Set by one part of vmdsl for another one.
NOT_FOR_USERS = re.compile(r"VMDSL_(RUN_\w+|PROGRESS_FILE)")


def output_of(program: str, words: list[str]) -> str:
    text = subprocess.run([program, *words], capture_output=True, text=True, check=True).stdout
    ours, end, _ = text.partition(END_OF_OURS)
    return ours + end


def variables(project: pathlib.Path) -> set[str]:
    files = [path for folder, ending in (("include", "hpp"), ("include", "ipp"), ("tools/cli", "cpp"), ("tools/image", "py"))
             for path in (project / folder).rglob(f"*.{ending}")]
    found = {name for path in files for name in re.findall(r'"(VMDSL_[A-Z_]+)"', path.read_text())}
    return {name for name in found if not NOT_FOR_USERS.fullmatch(name)}


def main() -> int:
    write = sys.argv[1] == "--write"
    project, spec, vmdsl = sys.argv[-3:]
    page = pathlib.Path(project, PAGE)
    text = page.read_text()
    blocks = re.findall(r"^```console\n\$ (\S+)(.*)\n", text, re.M)

    def run(match: re.Match) -> str:
        program = {"my_spec": spec, "vmdsl": vmdsl}[match.group(2)]
        return match.group(1) + output_of(program, match.group(3).split()) + "```\n"

    fresh = re.sub(r"^(```console\n\$ (\S+)([^\n]*)\n).*?^```\n", run, text, flags=re.M | re.S)
    problems = [f"{PAGE} does not name the environment variable {name}"
                for name in sorted(variables(pathlib.Path(project))) if not re.search(rf"\b{name}\b", fresh)]
    if write:
        page.write_text(fresh)
    elif fresh != text:
        problems.append(f"{PAGE} does not show what the programs print; this mends it:\n  {sys.argv[0]} --write {project} {spec} {vmdsl}")
    print("\n".join(problems) or f"{len(blocks)} commands print what the page shows")
    return 1 if problems or not blocks else 0


sys.exit(main())
