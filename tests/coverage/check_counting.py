#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the coverage of counting.cpp has to say. usage: check_counting.py FOLDER-OF-COVERAGE"""

import json
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
from tracefile import calls, read_tracefile  # noqa: E402

FOLDER = pathlib.Path(sys.argv.pop(1))


class Counting(unittest.TestCase):
    def counts(self, case):
        """How often the functions for commands, the server and its children ran."""
        cases = read_tracefile(FOLDER / "cases.info")
        return [calls(cases, f"one__{case}", function) for function in ("in_command", "in_server", "in_child")]

    def problems(self, case):
        manifests = [json.loads(path.read_text()) for path in sorted((FOLDER / "shards").glob("*/shard.json"))]
        return [problem for manifest in manifests if manifest["test"] == case for problem in manifest["problems"]]

    def test_the_checkpoint_counts_once(self):
        self.assertEqual([1, 1, 1], self.counts("_checkpoint_"))
        self.assertEqual([], self.problems("(checkpoint)"))

    def test_servers_and_their_children_count(self):
        self.assertEqual([0, 3, 3], self.counts("counting_servers_and_their_children_count"))

    def test_the_next_case_counts_for_itself(self):
        self.assertEqual([1, 2, 2], self.counts("counting_the_next_case_counts_for_itself"))

    def test_a_reboot_loses_nothing(self):
        self.assertEqual([2, 1, 1], self.counts("counting_a_reboot_loses_nothing"))
        self.assertEqual([], self.problems("counting/a_reboot_loses_nothing"))

    def test_switching_off_loses_nothing(self):
        self.assertEqual([2, 0, 0], self.counts("counting_switching_off_loses_nothing"))
        self.assertEqual([], self.problems("counting/switching_off_loses_nothing"))

    def test_a_power_failure_is_said(self):
        self.assertEqual([0, 0, 0], self.counts("counting_a_power_failure_is_said"))
        (problem,) = self.problems("counting/a_power_failure_is_said")
        self.assertIn("crash() took its power away", problem)

    def test_a_process_that_hangs_is_said(self):
        (problem,) = self.problems("counting/a_process_that_hangs_is_said")
        self.assertRegex(problem, r"not flushed: counting \(process \d+\) does-not-answer")
        self.assertEqual([0, 0, 1], self.counts("counting_a_process_that_hangs_is_said"))

    def test_the_whole_is_the_sum(self):
        machines = read_tracefile(FOLDER / "coverage.info")
        cases = read_tracefile(FOLDER / "cases.info")
        for function in ("in_command", "in_server", "in_child"):
            self.assertEqual(sum(calls(cases, name, function) for name in cases), calls(machines, "one", function))


if __name__ == "__main__":
    unittest.main()
