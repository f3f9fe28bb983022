#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Compiles the C++ snippets of the documentation: blocks marked cpp. Signatures, in blocks marked c++, are no snippets.

usage: check_snippets.py PROJECT_FOLDER COMPILER [FLAG...]

A snippet that includes something is a program of its own. Of the others, those that declare something go to namespace
scope, and the rest into a function that has `net` and `client` of the lab in docs/guide.md.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

PRELUDE = """#include <vmdsl/vmdsl.hpp>
#include <string>
#include <boost/test/unit_test.hpp>
using namespace vmdsl;
"""
LAB = """using lab = network<machine<"webserver", image<"svn-server">>, machine<"client", image<"svn-client">>>;
"""
FUNCTION = """
void snippet(lab& net) {
    [[maybe_unused]] auto& client = net.machine("client");
%s
}
"""


def program_of(snippet: str) -> str:
    if "#include" in snippet:
        return snippet
    lab = "" if "using lab =" in snippet else LAB
    if re.match(r"(using|struct|template|BOOST_)", snippet):
        return PRELUDE + lab + snippet
    return PRELUDE + lab + FUNCTION % snippet


def main() -> int:
    project, compiler = pathlib.Path(sys.argv[1]), sys.argv[2:]
    pages = [project / "README.md", *sorted((project / "docs").rglob("*.md"))]
    count = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for page in pages:
            text = page.read_text()
            for match in re.finditer(r"^```cpp[^\n]*\n(.*?)^```", text, re.S | re.M):
                count += 1
                source = pathlib.Path(folder, "snippet.cpp")
                source.write_text(program_of(match.group(1)))
                result = subprocess.run([*compiler, "-fsyntax-only", source], capture_output=True, text=True, check=False)
                if result.returncode != 0:
                    failed += 1
                    line = text[: match.start()].count("\n") + 1
                    print(f"{page.relative_to(project)}:{line}: this snippet does not compile\n{result.stderr[:3000]}")
    print(f"{count - failed} of {count} snippets compile")
    return 1 if failed or count == 0 else 0


sys.exit(main())
