#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""How cases end that must fail, what they say, and what stands in the event stream.

usage: outcomes.py FOLDER PORT (with the built e2e_outcomes_spec and e2e_interactive_spec, and the latter's host port)
"""
import json
import pathlib
import re
import socket
import sys
import unittest
import xml.etree.ElementTree as ET

from spec_test_case import COULD_NOT_RUN, FAILED, spec_test_case

folder = pathlib.Path(sys.argv.pop(1))
HOST_PORT = int(sys.argv.pop(1))


class outcomes(spec_test_case):
    def outcome_of(self, program, *arguments, **environment):
        result = self.run_spec(folder / program, *arguments, **environment)
        self.everything = result.stdout
        self.cases = {}
        self.junit = ET.parse(self.path / "out/junit.xml").getroot()
        for case in self.junit.iter("testcase"):
            problems = [p.get("message", "") + (p.text or "") for p in case if p.tag in ("failure", "error")]
            self.cases[case.get("name")] = "\n".join(problems)
        return result.returncode

    def test_a_death_that_nobody_noticed_fails_the_case(self):
        self.assertEqual(self.outcome_of("e2e_outcomes_spec", "--run_test=deaths"), FAILED, self.everything)
        for name in ("nobody_noticed", "nobody_noticed_before_the_power_went"):
            for words in ('machine "box"', "its kernel panicked", "sysrq triggered crash"):
                self.assertIn(words, self.cases[name], self.everything)
        for name in ("a_verb_said_so", "a_question_said_so", "the_guest_switched_itself_off", "nothing_happened"):
            self.assertEqual(self.cases[name], "", self.everything)
        self.assertIn("4 passed, 2 failed", self.everything)
        self.assertIn("console of box ended with", self.everything)

    def test_a_command_that_hangs_is_told_by_the_verb_before_the_case_is_ended(self):
        code = self.outcome_of("e2e_outcomes_spec", "--run_test=hanging", "--case-timeout=30")
        self.assertEqual(code, FAILED, self.everything)
        for words in ('machine "box"', "did not end within", "echo started; sleep 1000", "all its processes were killed"):
            self.assertIn(words, self.cases["a_command"], self.everything)
        self.assertIn("| started", self.everything)
        self.assertEqual(self.cases["the_next_case"], "", self.everything)
        self.assertEqual(self.everything.count(". boot ..."), 1, "the next case had to boot again\n" + self.everything)

    def test_every_case_of_a_body_with_a_failed_check_fails(self):
        self.assertEqual(self.outcome_of("e2e_outcomes_spec", "--run_test=refused_body"), FAILED, self.everything)
        self.assertIn("0 passed, 3 failed", self.everything)
        self.assertIn("1 + 1 == 3", self.cases["first"])
        self.assertIn("an earlier case said why", self.cases["second"])
        self.assertIn("an earlier case said why", self.cases["third"])

    def test_a_machine_that_died_in_the_body_is_no_machine_that_is_off(self):
        self.assertEqual(self.outcome_of("e2e_outcomes_spec", "--run_test=dead_body"), FAILED, self.everything)
        self.assertIn("0 passed, 2 failed", self.everything)
        for name in ("first", "second"):
            self.assertIn('machine "box": its kernel panicked', self.cases[name], self.everything)

    def test_a_console_is_shown_once_and_as_no_other_cases(self):
        self.assertEqual(self.outcome_of("e2e_outcomes_spec", "--run_test=consoles"), FAILED, self.everything)
        self.assertIn("its kernel panicked", self.cases["its_kernel_panics"])
        self.assertIn("SIGSEGV", self.cases["its_own_crash"])
        panic, crash = self.everything.split("FAILED   consoles/its_own_crash", 1)
        self.assertEqual(panic.count("console of box ended with:"), 1, self.everything)
        self.assertNotIn("console ended with", self.everything)
        self.assertIn("           | (printed nothing in this case)\n", crash)
        said = {case.get("name"): case.findtext("system-out") for case in self.junit.iter("testcase")}
        self.assertEqual(said["its_kernel_panics"].count("Hardware name: QEMU"), 1, said)
        self.assertNotIn("panic", said["its_own_crash"])
        console = (self.path / "out/console-box.log").read_text(errors="replace")
        starts = ["consoles/its_kernel_panics, switched on", "consoles/its_kernel_panics, restored",
                  "consoles/its_own_crash, restored"]
        self.assertEqual([line[4:-4] for line in console.splitlines() if line.startswith("--- ")], starts)

        self.assertEqual(self.everything.count("acceleration: none (TCG emulation"), 1, self.everything)
        self.assertIn(("acceleration", "tcg"), [(p.get("name"), p.get("value")) for p in self.junit.iter("property")])
        self.assertLess(self.everything.index(". prepare ..."), self.everything.index(". boot ..."))
        self.assertLess(self.everything.index(". boot ..."), self.everything.index(". boot  "))

    def test_the_same_problem_of_two_machines_is_told_once_and_where_it_happened(self):
        code = self.outcome_of("e2e_outcomes_spec", "--run_test=two_machines", VMDSL_QEMU="/no/such/qemu")
        self.assertEqual(code, COULD_NOT_RUN, self.everything)
        self.assertEqual(self.everything.count("which is no program"), 1, self.everything)
        words = self.cases["two_machines"]
        self.assertIn('machine "alpha": VMDSL_QEMU names /no/such/qemu, which is no program (the same on beta)', words)
        file, line = re.search(r"(/[^ )]+):([0-9]+): machine", words).groups()
        self.assertIn("net.start()", pathlib.Path(file).read_text().splitlines()[int(line) - 1])

    def test_another_problem_of_another_machine_comes_after_the_first(self):
        self.outcome_of("e2e_outcomes_spec", "--run_test=two_reasons")
        words = self.cases["two_reasons"]
        self.assertRegex(words, r'(?s)machine "alpha": .*-no-such-option.*machine "beta" failed as well: .*-not-that-one')
        self.assertNotIn("warning", self.everything)

    def test_every_verb_is_in_the_event_stream(self):
        self.assertEqual(self.outcome_of("e2e_outcomes_spec", "--run_test=events"), 0, self.everything)
        events = [json.loads(line) for line in (self.path / "out/events.jsonl").read_text().splitlines()]
        begin = next(i for i, e in enumerate(events) if e["event"] == "case_begin")
        commands = [e for e in events[begin:] if e["event"] == "command" and e.get("machine") == "box"]
        seen = [(e["fields"]["text"], e["fields"]["outcome"]) for e in commands]
        self.assertEqual(seen, [
            ("run echo hello", "exited with code 0"),
            ("run exit 3", "exited with code 3"),
            ("write file /tmp/x 0600", "14 bytes"),
            ("read file /tmp/x", "14 bytes"),
            ("look for file /tmp/y", "there is none"),
            ("read file /tmp/y", "can't read /tmp/y: No such file or directory"),
            ("wait for file /tmp/x", "done"),
            ("wait until succeeds test -e /tmp/x", "exited with code 0"),
            ("spawn nc -ll -p 99 -e cat", "started"),
            ("wait for open port 99", "done"),
            ("signal 15 nc -ll -p 99 -e cat", "done"),
            ("wait for nc -ll -p 99 -e cat", "was ended by signal 15 (Terminated)"),
            ("wait for closed port 99", "done"),
            ("spawn sleep 99", "started"),
            ("kill sleep 99", "done"),
            ("wait for sleep 99", "was ended by signal 9 (Killed)"),
            ("wait for file /tmp/z", "the file /tmp/z did not appear within 0.2 s"),
            ("crash", "done"),
            ("start", "done"),
            ("shut down", "done"),
        ])
        self.assertTrue(all(e["fields"]["seconds"] >= 0 for e in commands))
        verbs = [e for e in events[begin:] if e["event"] == "verb" and e.get("machine") == "box"]
        self.assertEqual([e["fields"]["text"] for e in verbs], [text for text, _ in seen])
        for verb in verbs:
            self.assertRegex(verb["fields"]["where"], r"outcomes_spec\.cpp:[1-9]", verb)
        self.assertEqual([e["fields"]["text"] for e in events if e["event"] == "fault"],
                         ["cut from lan", "healed to lan"])
        self.assertNotIn("secret content", (self.path / "out/events.jsonl").read_text())

    def test_a_declared_port_is_bound_where_a_person_runs_the_network(self):
        code = self.outcome_of("e2e_interactive_spec", "--attended")
        self.assertEqual(code, 0, self.everything)

    def test_a_taken_host_port_says_whose(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", HOST_PORT))
            taken.listen()
            code = self.outcome_of("e2e_interactive_spec", "--attended")
        self.assertEqual(code, COULD_NOT_RUN, self.everything)
        self.assertIn('machine "box"', self.everything)
        self.assertIn(f"127.0.0.1:{HOST_PORT}", self.everything)


if __name__ == "__main__":
    unittest.main(verbosity=2)
