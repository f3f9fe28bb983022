#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks what the documentation says to CI systems: that it can be read, and that what it names exists.

usage: check_ci.py PROJECT_FOLDER
"""
import pathlib
import re
import subprocess
import sys
import unittest

import yaml

project = pathlib.Path(sys.argv.pop(1))
CI = (project / "docs/ci.md").read_text()


def blocks(language, text=CI):
    """The text of each block in that language, by its file name or, where it has none, its number."""
    found = re.findall(rf"^ *```{language}(?: (.*))?\n((?s:.*?))^ *```$", text, re.M)
    return {name or number: block for number, (name, block) in enumerate(found)}


def packages(*lists):
    """What tools/lib/common.sh installs."""
    words = " ".join(f"${{{name}[@]}}" for name in lists)
    script = f'root={project}; . "$root/tools/lib/common.sh"; echo {words}'
    return set(subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split())


class documentation(unittest.TestCase):
    def test_lists_of_packages_are_those_that_the_project_installs(self):
        needed = packages("build_packages", "image_packages", "run_packages")
        for page in ("tutorial", "packages", "ci"):
            text = (project / f"docs/{page}.md").read_text().replace("\\\n", " ")
            named = " ".join(re.findall(r"^(?:sudo )?apt-get install (.*)", text, re.M)).split()
            self.assertEqual({word for word in named if word[0] not in "-.<"} - {"git"}, needed, page)

    def test_scripts_can_be_read(self):
        for name, block in blocks("sh").items():
            done = subprocess.run(["sh", "-n"], input=block, text=True, capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)

    def test_yaml_can_be_read(self):
        files = {name: yaml.safe_load(block) for name, block in blocks("yaml").items()}
        github = files[".github/workflows/specs.yml"]["jobs"]["specs"]
        restore, save = (step["with"] for step in github["steps"] if step.get("uses", "").startswith("actions/cache/"))
        self.assertEqual((restore["path"], restore["key"]), (save["path"], save["key"]))
        gitlab = files[".gitlab-ci.yml"]["specs"]
        self.assertEqual(restore["path"].split(), gitlab["cache"]["paths"])
        for step in github["steps"]:
            subprocess.run(["sh", "-n"], input=step.get("run", ""), text=True, check=True)

    def test_brackets_of_the_jenkinsfile_match(self):
        for name, block in blocks("groovy").items():
            code, opened = re.sub(r"'[^']*'|\"[^\"]*\"", "", block), []
            for bracket in re.findall(r"[][(){}]", code):
                if bracket in "([{":
                    opened.append(bracket)
                else:
                    self.assertEqual(opened.pop() + bracket, {")": "()", "]": "[]", "}": "{}"}[bracket], name)
            self.assertEqual(opened, [], name)

    def test_all_three_run_and_keep_the_same(self):
        for name in (".github/workflows/specs.yml", ".gitlab-ci.yml", "Jenkinsfile"):
            (block,) = (found[name] for found in (blocks("yaml"), blocks("groovy")) if name in found)
            for words in ("sh ci/run-specs", "build/vmdsl-results/*/junit.xml", "build/vmdsl-results/*/coverage/shards", "69"):
                self.assertIn(words, block, name)

    def test_what_is_named_exists(self):
        sources = "".join(path.read_text() for folder in ("include", "cmake", "tools/image") for path in (project / folder).rglob("*.*")
                          if path.is_file() and path.suffix in (".hpp", ".ipp", ".cmake", ".py"))
        for variable in set(re.findall(r"VMDSL_[A-Z_]+", CI)):
            self.assertIn(variable, sources)
        for kind in set(re.findall(r"\.cache/vmdsl/(\w+)", CI)):
            self.assertIn(f'"{kind}"', (project / "tools/image/vm_image/cli.py").read_text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
