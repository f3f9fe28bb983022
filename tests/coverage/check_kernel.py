#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the coverage of kernel.cpp has to say. usage: check_kernel.py FOLDER-OF-COVERAGE"""

import json
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
from tracefile import calls, read_tracefile  # noqa: E402

FOLDER = pathlib.Path(sys.argv.pop(1))


class Kernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machines = read_tracefile(FOLDER / "coverage.info")
        cls.cases = read_tracefile(FOLDER / "cases.info")

    def names_written(self, case):
        """How often the kernel read or wrote a host's or domain's name for sysctl(8) or whoever opened its file."""
        return calls(self.cases, f"one__{case}", "proc_do_uts_string")

    def test_a_case_counts_its_own(self):
        self.assertEqual(3, self.names_written("kernel_a_case_counts_its_own"))
        self.assertEqual(0, self.names_written("kernel_debians_does_not_run"))

    def test_the_checkpoint_counts_once(self):
        # systemd and others read names while they boot.
        before = self.names_written("_checkpoint_")
        self.assertGreaterEqual(before, 5)
        self.assertEqual(before + 3, calls(self.machines, "one", "proc_do_uts_string"))

    def test_the_boot_is_in_the_checkpoint(self):
        self.assertEqual(1, calls(self.cases, "one___checkpoint_", "start_kernel"))

    def test_programs_are_in_the_same_report(self):
        self.assertEqual(1, calls(self.machines, "one", "in_command"))

    def test_sources_are_there(self):
        for file in self.machines["one"]:
            self.assertTrue(pathlib.Path(file).exists(), file)

    def test_nothing_is_missing(self):
        for manifest in sorted((FOLDER / "shards").glob("*/shard.json")):
            self.assertEqual([], json.loads(manifest.read_text())["problems"], manifest)


if __name__ == "__main__":
    unittest.main()
