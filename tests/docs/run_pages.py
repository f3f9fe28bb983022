#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Does what pages of the documentation say, one page after the other in one new folder, and compares what is printed.

usage: run_pages.py INSTALLED_TREE PAGE...

INSTALLED_TREE is where `cmake --install` put vmdsl; the pages' reader has it in ~/.local. In a page

    ```cpp greeting.cpp     is a file's content from here on, whatever its language,
    ```diff greeting.cpp    is a change of it,
    ```console              has commands after "$ ", for one shell, and what they print.

In what is printed "..." stands for anything, on a line of its own for any lines, and seconds may be others. Blocks of another
kind are not looked at: they need root, a person, or minutes.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SECONDS = re.compile(r"\s*\d+\.\d+ s(?=\b)")


def blocks_of(page):
    """Language, file name ("" where there is none), text and line number of each block."""
    text = page.read_text()
    for match in re.finditer(r"^```(\w*) ?(.*)\n((?s:.*?))^```$", text, re.M):
        yield match[1], match[2], match[3], text[: match.start()].count("\n") + 1


def mended(content, change):
    """The content of a file with one change, given as the lines of a diff without any head."""
    lines = change.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    if content.count(before) != 1:
        raise ValueError(f"what is to change occurs {content.count(before)} times, not once")
    return content.replace(before, after)


def pattern_of(shown):
    """A regular expression for what a command has to print."""
    pattern = ""
    for line in shown.splitlines():
        if line == "...":
            pattern += r"(?:.*\n)*?"
        else:
            words = [r"\s*\d+\.\d+ s".join(map(re.escape, SECONDS.split(part))) for part in line.split("...")]
            pattern += ".*".join(words) + r"\s*\n"
    return pattern


def run(block, folder, environment):
    """Throws ValueError where the commands of a console block print something else than it shows."""
    lines = block.splitlines(keepends=True)
    commands = "".join(line[2:] for line in lines if line.startswith("$ "))
    shown = "".join(line for line in lines if not line.startswith("$ "))
    done = subprocess.run(["bash", "-c", commands], cwd=folder, env=environment, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    print(f"{commands}{done.stdout}", flush=True)
    if not re.fullmatch(pattern_of(shown), done.stdout):
        raise ValueError("the commands print something else (see above) than\n" + shown)


def main(installed, *pages):
    count = 0
    with tempfile.TemporaryDirectory(prefix="vmdsl-test-") as place:
        folder, home = pathlib.Path(place, "greeting"), pathlib.Path(place, "home")
        folder.mkdir()
        home.mkdir()
        (home / ".local").symlink_to(pathlib.Path(installed).resolve())
        cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
        environment = os.environ | {"HOME": str(home), "XDG_CACHE_HOME": str(cache), "LC_ALL": "C.UTF-8",
                                    "PATH": f"{home}/.local/bin:{os.environ['PATH']}"}
        for page in map(pathlib.Path, pages):
            for language, name, text, line in blocks_of(page):
                try:
                    if language == "console":
                        count += 1
                        run(text, folder, environment)
                    elif name:
                        file = folder / name
                        file.parent.mkdir(parents=True, exist_ok=True)
                        file.write_text(mended(file.read_text(), text) if language == "diff" else text)
                except ValueError as error:
                    sys.exit(f"{page}:{line}: {error}")
    print(f"{count} blocks of commands print what the pages show")
    if count == 0:
        sys.exit("there was nothing to run")


main(*sys.argv[1:])
