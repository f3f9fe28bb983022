# SPDX-License-Identifier: BSL-1.0
"""What tests share that run a spec's executable: folders of their own, and the promise that nothing is left in them."""
import os
import pathlib
import subprocess
import tempfile
import unittest

FAILED = 201
COULD_NOT_RUN = 69


class spec_test_case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vmdsl-test-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        (self.path / "scratch").mkdir()
        self.environment = os.environ | {"VMDSL_SCRATCH_DIR": str(self.path / "scratch"), "VMDSL_ACCEL": "tcg"}

    def tearDown(self):
        self.assertEqual(list((self.path / "scratch").iterdir()), [], "something was left behind")

    def run_program(self, words, **environment):
        """The ended process, with both of its streams in `stdout` as they came."""
        return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                              timeout=280, check=False, env=self.environment | environment)

    def run_spec(self, program, *arguments, **environment):
        return self.run_program([program, "--output", self.path / "out", *arguments], **environment)
