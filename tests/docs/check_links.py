#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that every relative link of the documentation leads to a file, and where it names one, to a heading of it.

usage: check_links.py PROJECT_FOLDER
"""
import pathlib
import re
import sys


def prose(page: pathlib.Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)


def anchors(page: pathlib.Path) -> set[str]:
    """As GitHub makes them: lower case, without punctuation, and with a number where a heading comes again."""
    found: list[str] = []
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.M):
        found.append(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
    return {name if number == 0 else f"{name}-{number}" for name in found for number in range(found.count(name))}


def main() -> int:
    project = pathlib.Path(sys.argv[1])
    problems = []
    count = 0
    for page in [project / "README.md", *sorted((project / "docs").rglob("*.md"))]:
        for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose(page)):
            count += 1
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                problems.append(f"{page.relative_to(project)}: the link {link} leads nowhere")
    print("\n".join(problems) or f"{count} links lead somewhere")
    return 1 if problems or count == 0 else 0


sys.exit(main())
