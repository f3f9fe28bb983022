#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the coverage of the Subversion example has to say. usage: check_report.py FOLDER-OF-COVERAGE

Runs after the example. Its cases' commands are known, so some counts are known exactly: they show that a restore loses
nothing and counts nothing twice.
"""

import json
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
from tracefile import calls, read_tracefile  # noqa: E402

FOLDER = pathlib.Path(sys.argv.pop(1))
CHECKPOINT = "_checkpoint_"
COMMIT = "subversion_a_commit_from_the_client_is_served"
CABLE = "subversion_a_cut_cable_fails_the_checkout_and_heals"
EMPTY = "subversion_the_repository_is_empty_again"


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machines = read_tracefile(FOLDER / "coverage.info")
        cls.cases = read_tracefile(FOLDER / "cases.info")

    def lines_run(self, machine, part):
        """Lines of the files below this folder of the sources that a machine ran."""
        return {(file, line) for file, (lines, _) in self.machines[machine].items() if part in file
                for line, count in lines.items() if count > 0}

    def calls(self, machine, case, function):
        return calls(self.cases, f"{machine}__{case}", function)

    def test_both_machines_are_in_it(self):
        self.assertEqual({"webserver", "client"}, set(self.machines))

    def test_the_server_alone_ran_mod_dav_svn(self):
        server = self.lines_run("webserver", "/subversion/mod_dav_svn/")
        self.assertGreater(len(server), 500)
        self.assertEqual(set(), self.lines_run("client", "/subversion/mod_dav_svn/"))

    def test_the_client_alone_ran_the_client_library(self):
        client = self.lines_run("client", "/subversion/libsvn_client/")
        self.assertGreater(len(client), 500)
        self.assertEqual(set(), self.lines_run("webserver", "/subversion/libsvn_client/"))

    def test_both_ran_the_common_library(self):
        both = self.lines_run("client", "/subversion/libsvn_subr/") & self.lines_run("webserver", "/subversion/libsvn_subr/")
        self.assertGreater(len(both), 500)

    def test_long_lived_workers_count(self):
        self.assertEqual(1, self.calls("webserver", COMMIT, "dav_svn__merge_response"))
        self.assertGreater(len(self.lines_run("webserver", "/server/mpm/event/")), 200)

    def test_httpd_is_in_it(self):
        self.assertGreater(len(self.lines_run("webserver", "/coverage/apache2/")), 2000)

    def test_programs_of_the_checkpoint_count_there_and_in_no_case(self):
        self.assertEqual(1, self.calls("client", CHECKPOINT, "svn_cl__info"))
        self.assertEqual(0, self.calls("client", COMMIT, "svn_cl__info"))
        self.assertEqual(0, self.calls("client", EMPTY, "svn_cl__info"))

    def test_a_case_counts_what_it_did(self):
        for function in ("svn_cl__checkout", "svn_cl__add", "svn_cl__commit", "svn_cl__log"):
            self.assertEqual(1, self.calls("client", COMMIT, function), function)
            self.assertEqual(0, self.calls("client", CHECKPOINT, function), function)
            self.assertEqual(0, self.calls("client", EMPTY, function), function)
        self.assertEqual(1, self.calls("client", EMPTY, "svn_cl__list"))

    def test_a_restored_worker_starts_from_zero(self):
        # The checkpoint's body asks for properties, and the case does not: a worker that had kept its counters would say
        # the sum.
        self.assertGreater(self.calls("webserver", CHECKPOINT, "dav_method_propfind"), 0)
        self.assertEqual(0, self.calls("webserver", EMPTY, "dav_method_propfind"))
        # And one GET, curl's.
        self.assertEqual(0, self.calls("webserver", CHECKPOINT, "dav_method_get"))
        self.assertEqual(1, self.calls("webserver", EMPTY, "dav_method_get"))

    def test_machines_are_the_sums_of_their_cases(self):
        for machine, files in self.machines.items():
            total = sum(count for lines, _ in files.values() for count in lines.values())
            parts = sum(count for name, sources in self.cases.items() if name.startswith(f"{machine}__")
                        for lines, _ in sources.values() for count in lines.values())
            self.assertEqual(total, parts, machine)

    def test_nothing_is_missing(self):
        for manifest in sorted((FOLDER / "shards").glob("*/shard.json")):
            self.assertEqual([], json.loads(manifest.read_text())["problems"], manifest)

    def test_there_is_html(self):
        text = (FOLDER / "html" / "index.html").read_text()
        self.assertIn("mod_dav_svn", text)

    def test_sources_are_there(self):
        for file in self.machines["webserver"]:
            self.assertTrue(pathlib.Path(file).exists(), file)


if __name__ == "__main__":
    unittest.main()
