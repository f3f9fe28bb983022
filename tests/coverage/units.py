#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The parts of tools/vm-build that need no download: what it refuses, what its cache depends on, and its sources."""

import json
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
_ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT / "tests" / "image"), str(_ROOT / "tools" / "image"), str(_ROOT / "tools" / "instrumented")]

from units import Folder  # noqa: E402
from vm_build import cli  # noqa: E402
from vm_build.build import Recipe  # noqa: E402
from vm_image.apt import DownloadError, SourceArchive  # noqa: E402
from vm_image.descriptor import descriptor  # noqa: E402
from vm_image.errors import ImageError  # noqa: E402
from vm_image.recipe import Recipe as ImageRecipe, read_build  # noqa: E402


class Recipes(Folder):
    def recipe(self, name="own", source_package=None, folder=None, packages=(), uses=()):
        script = self.write("build.sh", "make\n")
        return Recipe(name, source_package, folder, str(script), packages, uses)

    def description(self, key):
        folder = self.folder / key
        self.write(f"{key}/install.tar", "")
        return self.write(f"{key}.json", json.dumps({"content": key, "folder": str(folder), "guest_folder": "/coverage/x"}))

    def test_bad_recipes_are_refused(self):
        for wanted, given in (
            ("is not a name", {"name": "../x", "source_package": "p"}),
            ("one of the two", {}),
            ("one of the two", {"source_package": "p", "folder": str(self.folder)}),
            ("/nowhere of build own does not exist", {"folder": "/nowhere"}),
            ("is not the description of an instrumented build", {"source_package": "p", "uses": ["/nowhere"]}),
        ):
            with self.assertRaisesRegex(ImageError, wanted):
                self.recipe(**given)
        with self.assertRaisesRegex(ImageError, "/no/script of build own does not exist"):
            Recipe("own", "p", None, "/no/script", (), ())

    def test_a_build_that_was_cleaned_away_is_named(self):
        description = self.description("gone")
        (self.folder / "gone" / "install.tar").unlink()
        with self.assertRaisesRegex(ImageError, "gone.json is no longer in the cache; build it again"):
            read_build(description)

    def test_what_goes_in_makes_another_build(self):
        self.write("sources/a.c", "int a;\n")
        folder = str(self.folder / "sources")
        first = self.recipe(folder=folder, packages=["b", "a"]).facts()
        self.assertEqual(first, self.recipe(folder=folder, packages=["a", "b"]).facts())
        others = [self.recipe(name="other", folder=folder, packages=["a", "b"]).facts(),
                  self.recipe(folder=folder, packages=["a"]).facts(),
                  self.recipe(folder=folder, packages=["a", "b"], uses=[self.description("used")]).facts()]
        self.write("sources/a.c", "int b;\n")
        others.append(self.recipe(folder=folder, packages=["a", "b"]).facts())
        for other in others:
            self.assertNotEqual(first, other)

    def test_version_control_is_not_a_source(self):
        self.write("sources/a.c", "int a;\n")
        first = self.recipe(folder=str(self.folder / "sources")).facts()
        self.write("sources/.git/HEAD", "ref\n")
        self.assertEqual(first, self.recipe(folder=str(self.folder / "sources")).facts())

    def test_what_was_built_again_from_the_same_recipe_makes_another_image(self):
        description = self.description("first")
        first = ImageRecipe("web", [], [], [], [description]).facts()
        fields = json.loads(pathlib.Path(description).read_text())
        pathlib.Path(description).write_text(json.dumps({**fields, "content": "second"}))
        self.assertNotEqual(first, ImageRecipe("web", [], [], [], [description]).facts())

    def test_images_know_their_builds(self):
        plain = ImageRecipe("web", ["nginx"], [], [])
        image = ImageRecipe("web", ["nginx"], [], [], [self.description("used")])
        self.assertNotEqual(plain.facts(), image.facts())
        fields = json.loads(descriptor("web", "kernel", "initrd", builds=image.builds))
        self.assertEqual(fields["builds"], [{"folder": str(self.folder / "used"), "guest_folder": "/coverage/x"}])
        self.assertNotIn("builds", json.loads(descriptor("web", "kernel", "initrd", builds=plain.builds)))

    def test_errors_are_one_sentence_and_exit_code_1(self):
        self.assertEqual(cli.main(["--name", "own", "--script", "/nowhere", "--folder", "/", "--output", "x"]), 1)


class Sources(Folder):
    """apt's programs are stand-ins: the newest version is listed, and not there."""

    def setUp(self):
        super().setUp()
        self.program("apt-cache", "#!/bin/sh\nprintf 'Version: 2.4.9-1\\nVersion: 2.4.10-1\\nVersion: 2.4.8-1\\n'\n")
        self.there = "2.4.9-1"
        self.said = []
        self.archive = SourceArchive("bookworm", ["deb http://mirror/debian bookworm main"], say=self.said.append)

    def fetch(self):
        self.program("apt-get", f"""#!/bin/sh
            for word; do case $word in httpd=*) version=${{word#httpd=}} ;; esac; done
            [ "$version" = "{self.there}" ] && : >httpd_$version.dsc
        """)
        return self.archive.fetch("httpd", self.folder / "sources")

    def test_source_lists_are_derived_from_the_packages(self):
        self.assertEqual(list(self.archive.sources), ["deb-src http://mirror/debian bookworm main"])

    def test_the_next_older_version_is_taken_where_the_newest_is_not_there(self):
        self.assertEqual(self.fetch(), "2.4.9-1")
        self.assertEqual(self.said, ["the sources of httpd 2.4.10-1 are not where the lists have them"])
        self.assertEqual([path.name for path in (self.folder / "sources").iterdir()], ["httpd_2.4.9-1.dsc"])

    def test_no_version_at_all_is_an_error(self):
        self.there = "none"
        with self.assertRaisesRegex(DownloadError, "cannot download the sources of httpd"):
            self.fetch()

    def test_an_unknown_package_is_named(self):
        self.program("apt-cache", "#!/bin/sh\nexit 0\n")
        with self.assertRaisesRegex(ImageError, "no source package httpd"):
            self.fetch()


if __name__ == "__main__":
    unittest.main()
