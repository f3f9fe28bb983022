# SPDX-License-Identifier: BSL-1.0
"""Runs, kills and interrupts small specs, and looks at what they report and leave behind.

VMDSL_REPORT_SPECS names the folder with the built specs.
"""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import unittest
import uuid
import xml.etree.ElementTree as ET

SPECS = pathlib.Path(os.environ.get("VMDSL_REPORT_SPECS", "."))
# How long the remains of a killed run may take to vanish. The figure seen is printed; the bound only tells slow from
# never on a machine that is busy with other things.
PATIENCE = float(os.environ.get("VMDSL_REPORT_PATIENCE", "10"))


def processes_with(mark):
    """The pids of live processes that carry the mark in their environment."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def command_name(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def wait_for(condition, patience=PATIENCE):
    """Seconds until the condition held."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > patience:
            raise AssertionError(f"not within {patience} s")
        time.sleep(0.005)
    return time.monotonic() - began


class Run:
    """What one finished run left."""

    def __init__(self, code, out, err, output):
        self.code, self.out, self.err, self.output = code, out, err, output

    @property
    def junit(self):
        return ET.parse(self.output / "junit.xml").getroot()

    def case(self, name):
        """The testcase "suite/name", with dots for slashes as in classname."""
        found = [c for c in self.junit.iter("testcase") if f"{c.get('classname')}.{c.get('name')}".endswith("." + name)]
        assert len(found) == 1, f"{name}: {len(found)} cases"
        return found[0]

    def events(self):
        return [json.loads(line) for line in (self.output / "events.jsonl").read_text().splitlines()]


def printable(text):
    """What the writer must make of a text of an event: what XML can't hold becomes \\xNN."""

    def one(c):
        code = ord(c)
        fine = c in "\n\t" or (code >= 0x20 and not 0x7F <= code < 0xA0 and code not in (0xFFFE, 0xFFFF))
        return c if fine else "".join(f"\\x{byte:02x}" for byte in c.encode())

    return "".join(map(one, text.replace("\r\n", "\n")))


class ReportTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="vmdsl-report-test-"))
        self.scratch = self.root / "scratch"
        self.scratch.mkdir()
        self.mark = uuid.uuid4().hex
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("VMDSL_", "BOOST_TEST"))}
        self.environment.update(VMDSL_SCRATCH_DIR=str(self.scratch), TEST_MARK=self.mark)

    def tearDown(self):
        for pid in processes_with(self.mark):
            os.kill(pid, signal.SIGKILL)
        for folder, names, _ in os.walk(self.root):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.islink(path):
                    os.chmod(path, 0o700)
        shutil.rmtree(self.root)

    def start(self, spec, *arguments, output="results", **variables):
        return subprocess.Popen(
            [SPECS / spec, f"--output={self.root / output}", *arguments],
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.root,
            start_new_session=True,
        )

    def finish(self, process, output="results"):
        out, err = process.communicate(timeout=120)
        return Run(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"), self.root / output)

    def run_spec(self, spec, *arguments, output="results", **variables):
        run = self.finish(self.start(spec, *arguments, output=output, **variables), output)
        self.assert_nothing_left()
        return run

    def left_over(self):
        return [str(p) for p in self.scratch.iterdir()] + [f"{p} {command_name(p)}" for p in processes_with(self.mark)]

    def assert_nothing_left(self):
        self.assertEqual(self.left_over(), [])

    def guardian(self):
        found = [p for p in processes_with(self.mark) if command_name(p) == "vmdsl-guardian"]
        return found[0] if found else None

    def expect_another_guardian_after_this_one_is_killed(self):
        first = self.guardian()
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: self.guardian() not in (None, first))

    def assert_counts_add_up(self, junit):
        for suite in junit.iter("testsuite"):
            cases = suite.findall("testcase")
            self.assertEqual(int(suite.get("tests")), len(cases))
            self.assertEqual(int(suite.get("errors")), sum(c.find("error") is not None for c in cases))
            self.assertEqual(
                int(suite.get("failures")),
                sum(c.find("failure") is not None for c in cases),
            )
            self.assertFalse(any(c.find("error") is not None and c.find("failure") is not None for c in cases))
            self.assertEqual(int(suite.get("skipped")), sum(c.find("skipped") is not None for c in cases))
        for key in ("tests", "failures", "errors", "skipped"):
            self.assertEqual(int(junit.get(key)), sum(int(s.get(key)) for s in junit.iter("testsuite")))


class Reporting(ReportTest):
    def test_each_end_of_a_case(self):
        run = self.run_spec("mixed_spec")
        self.assertEqual(run.code, 201)
        self.assert_counts_add_up(run.junit)
        self.assertEqual(
            {k: run.junit.get(k) for k in ("name", "tests", "failures", "errors", "skipped")},
            {"name": "mixed_spec", "tests": "16", "failures": "6", "errors": "2", "skipped": "4"},
        )
        properties = {p.get("name"): p.get("value") for p in run.junit.find("testsuite/properties")}
        self.assertRegex(properties["vmdsl"], r"^[0-9]+\.[0-9]+\.[0-9]+$")
        self.assertEqual(properties["acceleration asked for"], "auto")
        self.assertIn("4 passed, 6 failed, 2 could not run, 4 skipped", run.out)

        failures = run.case("ends.fails").findall("failure")
        self.assertEqual(
            [f.get("message") for f in failures], ["check 1 + 1 == 3 has failed [1 + 1 != 3]", "a second one"]
        )
        self.assertIn("mixed_spec.cpp", failures[0].text)
        self.assertIn("machine web", failures[0].text)
        case = run.case("ends.fails")
        self.assertEqual(case.get("classname"), "mixed_spec.ends")
        self.assertTrue(case.get("file").endswith("mixed_spec.cpp"))
        self.assertGreater(int(case.get("line")), 0)
        self.assertEqual([p.get("value") for p in case.iter("property")], ["smoke"])
        self.assertIn(r"login: \x1b[31mroot\x01 \xff ]]> & <done>", case.find("system-out").text)

        self.assertIn("std::runtime_error: boom <&>", run.case("ends.throws_std").find("failure").text)
        long = run.case("ends.throws_vmdsl").find("failure")
        self.assertEqual(long.get("message"), 'machine "web": "false" exited with code 1')
        self.assertTrue(long.text.startswith("spec.cpp:77: "))
        self.assertEqual(long.text.count("spec.cpp:77"), 1)
        self.assertIn("x" * 6000, long.text)
        self.assertIn("the end", long.text)
        error = run.case("ends.could_not_run").find("error")
        self.assertEqual((error.get("message"), error.get("type")), ("there is no QEMU", "infrastructure"))
        self.assertIsNone(run.case("ends.fails_as_expected").find("failure"))
        self.assertIn("the fixture is broken", run.case("ends.has_a_broken_fixture").find("failure").text)
        self.assertIn("no such image", run.case("with_suite_fixture.(fixture)").find("error").text)

        skipped = {
            name: run.case(name).find("skipped").get("message")
            for name in (
                "skips.by_precondition",
                "skips.by_decorator",
                "skips.depends_on_a_failure",
                "with_suite_fixture.never_runs",
            )
        }
        self.assertIn("no /dev/kvm", skipped["skips.by_precondition"])
        self.assertEqual(skipped["skips.by_decorator"], "disabled")
        self.assertIn('"ends/fails" has failed', skipped["skips.depends_on_a_failure"])
        self.assertIn("fixture", skipped["with_suite_fixture.never_runs"])
        self.assertIsNone(run.case("skips.depends_on_a_success").find("skipped"))
        self.assertEqual(run.case("kernels._1").find("failure").get("type"), "check")

    def test_events_are_complete(self):
        events = self.run_spec("mixed_spec").events()
        self.assertEqual([e["event"] for e in events][:2], ["run_begin", "plan"])
        self.assertEqual(events[-1]["event"], "run_end")
        begun = [e["fields"]["name"] for e in events if e["event"] == "case_begin"]
        ended = [e["fields"]["name"] for e in events if e["event"] == "case_end"]
        self.assertEqual(begun, ended)
        times = [e["at"] for e in events]
        self.assertEqual(times, sorted(times))

    def test_the_terminal_gets_no_escape_sequences(self):
        out = self.run_spec("mixed_spec").out
        self.assertNotIn("\x1b", out)
        self.assertIn(r"\x1b[31mroot", out)

    def test_garbage_is_valid_xml_and_complete(self):
        run = self.run_spec("garbage_spec")
        self.assertEqual(run.code, 201)
        said = {}
        for e in run.events():
            if e["event"] == "case_begin":
                current = said.setdefault(e["fields"]["name"], [])
            if e["event"] in ("check_failed", "exception"):
                current.append(e["fields"])
        cases = list(run.junit.iter("testcase"))
        self.assertEqual(len(cases), 60)
        for case in cases:
            expected = said["says_anything/" + case.get("name")]
            failures = case.findall("failure")
            self.assertEqual(len(failures), 2)
            for failure, fields in zip(failures, expected):
                text = printable(fields["message"])
                where = printable(f"{fields['file']}:{fields['line']}: ") if fields["file"] else ""
                self.assertEqual(failure.text or "", where + text)
            self.assertIsNotNone(case.find("system-out").text)
        if shutil.which("xmllint"):
            subprocess.run(["xmllint", "--noout", run.output / "junit.xml"], check=True)

    def test_quiet_shows_only_what_failed(self):
        out = self.run_spec("mixed_spec", "--quiet").out
        self.assertNotRegex(out, r"(?m)^(ok|skipped)")
        self.assertRegex(out, r"(?m)^FAILED +ends/fails")

    def test_infrastructure_alone_is_69(self):
        run = self.run_spec("mixed_spec", "--run_test=ends/could_not_run")
        self.assertEqual(run.code, 69)
        self.assertIn("0 passed, 0 failed, 1 could not run", run.out)

    def test_all_passed_is_0(self):
        run = self.run_spec("mixed_spec", "--run_test=passes")
        self.assertEqual(run.code, 0)
        self.assertEqual([c.get("name") for c in run.junit.iter("testcase")], ["passes"])
        self.assertIn(str(run.output / "junit.xml"), run.out)
        self.assertIn(str(run.output / "events.jsonl"), run.out)

    def test_result_code_no(self):
        self.assertEqual(self.run_spec("mixed_spec", "--result_code=no").code, 0)

    def test_boost_tests_own_log(self):
        run = self.run_spec("mixed_spec", "--run_test=ends/fails", "--log_level=test_suite")
        self.assertIn('Entering test case "fails"', run.out)
        self.assertNotIn("Entering", self.run_spec("mixed_spec", "--run_test=ends/fails").out)

    def test_labels_and_random_order(self):
        names = [c.get("name") for c in self.run_spec("mixed_spec", "--run_test=@smoke", "--random").junit.iter("testcase")]
        self.assertEqual(len(names), 7)


class Usage(ReportTest):
    def usage(self, *arguments, spec="mixed_spec", **variables):
        process = subprocess.run(
            [SPECS / spec, *arguments],
            env={**self.environment, **variables},
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(sorted(p.name for p in self.root.iterdir()), ["scratch"], "something was made")
        self.assert_nothing_left()
        return process

    def test_help_has_both_parts_on_one_stream(self):
        process = self.usage("--help")
        self.assertEqual((process.returncode, process.stderr), (0, ""))
        for text in ("--case-timeout SECONDS", "VMDSL_SCRATCH_DIR", "--run_test", "--list_content"):
            self.assertIn(text, process.stdout)
        self.assertNotIn("\x1b", process.stdout)

    def test_boost_test_answers_alone(self):
        for option, answer in (
            ("--list_content", "depends_on_a_success"),
            ("--list_labels", "smoke"),
            ("--version", "Boost.Test"),
            ("--help=run_test", "Filters which test units"),
        ):
            process = self.usage(option)
            self.assertEqual(process.returncode, 0)
            self.assertIn(answer, process.stdout + process.stderr)

    def test_wrong_usage_is_64_and_says_what(self):
        for arguments, answer in (
            (["--outptu=x"], "--output"),
            (["--case-timout", "3"], "--case-timeout"),
            (["--run_tst=x"], "run_test"),
            (["--case-timeout"], "needs a value"),
            (["--case-timeout=soon"], 'not "soon"'),
            (["--case-timeout=-1"], 'not "-1"'),
            (["--accel=vmware"], "auto, kvm or tcg"),
            (["--quiet", "--verbose"], "exclude each other"),
            (["--output="], "folder"),
            (["ends/fails"], "--run_test=ends/fails"),
            (["--log_level=loud"], "loud"),
        ):
            process = self.usage(*arguments)
            self.assertEqual(process.returncode, 64, arguments)
            self.assertIn(answer, process.stderr)

    def test_a_variable_that_makes_no_sense(self):
        process = self.usage(VMDSL_CASE_TIMEOUT="soon")
        self.assertEqual(process.returncode, 64)
        self.assertIn("VMDSL_CASE_TIMEOUT", process.stderr)

    def test_no_case_matches(self):
        for spec, arguments in (("mixed_spec", ["--run_test=nope"]), ("no_case_spec", [])):
            process = self.usage(*arguments, spec=spec)
            self.assertEqual(process.returncode, 64)
            self.assertIn("Test setup error", process.stderr)

    def test_boost_tests_abbreviations_work(self):
        run = self.run_spec("mixed_spec", "--run=passes", "--report_l=short")
        self.assertEqual(run.code, 0)
        self.assertIn('Test case "passes" has passed', self.run_spec("mixed_spec", "-t", "passes", "-r", "detailed").err)

    def test_arguments_after_two_dashes_are_the_specs(self):
        self.assertEqual(self.run_spec("mixed_spec", "--run_test=passes", "--", "--output", "x").code, 0)


class Options(ReportTest):
    def told(self, *arguments, feed=b"", **variables):
        process = subprocess.run(
            [SPECS / "options_spec", *arguments],
            env={**self.environment, **variables},
            cwd=self.root,
            capture_output=True,
            input=feed,
            timeout=60,
        )
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        events = next(self.root.glob("**/events.jsonl")).read_text().splitlines()
        told = {}
        for fields in (e["fields"] for e in map(json.loads, events) if e["event"] == "note"):
            told.setdefault(fields["text"], []).append(fields["value"])
        self.assert_nothing_left()
        return {name: values[0] if name != "argument" else values for name, values in told.items()}

    def test_defaults(self):
        told = self.told(feed=b"typed\n")
        self.assertEqual(told["output_directory"], str(self.root / "vmdsl-results" / "options_spec"))
        self.assertTrue(told["scratch_directory"].startswith(str(self.scratch) + "/vmdsl-"))
        self.assertEqual(told["temporary"], told["scratch_directory"])
        self.assertEqual(
            [told[k] for k in ("acceleration", "case_timeout", "interactive", "verbose", "input")],
            ["auto", "300", "no", "no", ""],
        )
        self.assertNotIn("argument", told)
        for name in ("BOOST_TEST_LOG_LEVEL", "BOOST_TEST_CATCH_SYSTEM_ERRORS"):
            self.assertEqual(told[name], "(not set)", "a spec's programs would inherit it")

    def test_given(self):
        told = self.told(
            "--output=out", "--accel=tcg", "--case-timeout", "17", "--verbose", "--", "--keep", "x",
            BOOST_TEST_LOG_LEVEL="error",
        )  # fmt: skip
        self.assertEqual(told["output_directory"], str(self.root / "out"))
        self.assertEqual([told[k] for k in ("acceleration", "case_timeout", "verbose")], ["tcg", "17", "yes"])
        self.assertEqual(told["argument"], ["--keep", "x"])
        self.assertEqual(told["BOOST_TEST_LOG_LEVEL"], "error")

    def test_attended(self):
        told = self.told("--attended", feed=b"typed\n")
        self.assertEqual([told[k] for k in ("interactive", "case_timeout", "input")], ["yes", "0", "typed"])


class OutputFolder(ReportTest):
    def test_cannot_be_made(self):
        (self.root / "results").write_text("a file")
        run = self.finish(self.start("mixed_spec", output="results/inner"), "results")
        self.assertEqual(run.code, 69)
        self.assertIn("can't write results to", run.err)
        self.assertIn("--output", run.err)
        self.assertEqual(run.out, "")
        self.assert_nothing_left()

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_cannot_be_written(self):
        (self.root / "results").mkdir(mode=0o500)
        run = self.finish(self.start("mixed_spec"))
        self.assertEqual(run.code, 69)
        self.assertIn("Permission denied", run.err)

    def test_default_is_below_the_current_folder(self):
        subprocess.run(
            [SPECS / "mixed_spec", "--run_test=passes"], env=self.environment, cwd=self.root, capture_output=True, check=True
        )
        self.assertTrue((self.root / "vmdsl-results" / "mixed_spec" / "junit.xml").is_file())

    def test_scratch_cannot_be_made(self):
        run = self.finish(self.start("mixed_spec", VMDSL_SCRATCH_DIR="/proc/nowhere"))
        self.assertEqual(run.code, 69)
        self.assertIn("can't make the scratch folder /proc/nowhere/", run.err)
        self.assertIn("VMDSL_SCRATCH_DIR", run.err)

    def test_two_runs_at_once(self):
        first = self.start("hang_spec", "--case-timeout=1")
        wait_for((self.root / "results" / "events.jsonl").exists)
        second = self.start("hang_spec", "--case-timeout=1")
        runs = [self.finish(first), self.finish(second, "results.2")]
        self.assert_nothing_left()
        self.assertIn("another run uses", runs[1].out)
        for run in runs:
            self.assertEqual(run.code, 201)
            self.assertEqual(run.junit.get("tests"), "4")

    @unittest.skipUnless(os.path.exists("/dev/full"), "needs /dev/full")
    def test_a_full_disk_is_not_success(self):
        (self.root / "results").mkdir()
        (self.root / "results" / "events.jsonl").symlink_to("/dev/full")
        run = self.run_spec("mixed_spec", "--run_test=passes")
        self.assertEqual(run.code, 69)
        self.assertIn("No space left on device", run.err)


class Deaths(ReportTest):
    def test_a_crash_costs_one_case(self):
        run = self.run_spec("crash_spec")
        self.assertEqual(run.code, 201)
        self.assert_counts_add_up(run.junit)
        self.assertEqual((run.junit.get("failures"), run.junit.get("errors")), ("4", "0"))
        self.assertIn("4 passed, 4 failed, 6 skipped", run.out)
        check, crash = run.case("segfaults").findall("failure")
        self.assertIn("a check before the crash", check.text)
        self.assertIn("SIGSEGV", crash.get("message"))
        self.assertEqual(crash.get("type"), "crash")
        self.assertIn("exited with code 3", run.case("exits").find("failure").get("message"))
        self.assertIn("SIGKILL", run.case("is_killed").find("failure").get("message"))
        for name in ("first_passes", "passes_in_between", "last_passes", "needs_the_first"):
            self.assertEqual(list(run.case(name)), [], name)
        self.assertIn('"second_fails" has failed', run.case("needs_the_second").find("skipped").get("message"))
        begun = [e["fields"]["name"] for e in run.events() if e["event"] == "case_begin"]
        self.assertEqual(len(begun), len(set(begun)), "a case ran twice")

    def test_gives_up_when_workers_keep_dying(self):
        run = self.run_spec("crash_spec", "--run_test=hopeless")
        self.assertEqual(run.code, 201)
        self.assertEqual(len([e for e in run.events() if e["event"] == "run_begin"]), 3)
        self.assertIn("SIGSEGV", run.case("hopeless.c").find("failure").get("message"))
        self.assertIn("kept dying", run.case("hopeless.d").find("skipped").get("message"))
        self.assertIn("3 test processes in a row", run.case("(worker)").find("failure").get("message"))
        self.assert_counts_add_up(run.junit)

    def test_a_crash_outside_of_any_case(self):
        for place, name, words in (
            ("exit", "(worker)", "SIGABRT"),
            ("teardown", "(worker)", "SIGBUS"),
            ("global fixture", "(worker)", "SIGSEGV"),
            ("nowhere: it throws", "(global fixture)", "unknown type"),
        ):
            run = self.run_spec("crash_spec", "--run_test=first_passes", CRASH_AT=place)
            self.assertEqual(run.code, 201, place)
            self.assertIn(words, ET.tostring(run.case(name)).decode(), place)

    def test_a_case_that_hangs(self):
        for variables in ({}, {"IGNORE_SIGTERM": "1"}):
            run = self.run_spec("hang_spec", "--case-timeout=1", **variables)
            self.assertEqual(run.code, 201)
            error = run.case("hangs").find("failure")
            self.assertIn("2 passed, 1 failed, 1 skipped", run.out)
            self.assertEqual((error.get("message"), error.get("type")), ("did not end within 1 s", "timeout"))
            self.assertGreaterEqual(float(run.case("hangs").get("time")), 1)
            self.assertIn("did not end within 1 s\n  in verb: web: run sleep 1000", error.text)
            self.assertIn("           in verb: web: run sleep 1000\n", run.out)
            self.assertIn("last words", run.case("hangs").find("system-out").text)
            self.assertIn(str(run.output / "web.log"), run.case("hangs").find("system-out").text)
            self.assertIn("  | last words", run.out)
            self.assertEqual(list(run.case("after")), [])

    def test_coverage_that_died_with_the_worker_is_missed(self):
        run = self.run_spec("coverage_spec", "--case-timeout=1")
        missing = re.findall("COVERAGE IS NOT COMPLETE: web, ([a-z_]*): (.*)", run.out)
        lost = "the test process ended: what the machine had counted since the last collection is lost"
        self.assertEqual([name for name, reason in missing if reason == lost], ["crashes", "hangs"])
        self.assertIn("coverage of web is not complete: " + lost, run.out)

    def test_coverage_that_died_with_the_only_worker_is_missed(self):
        run = self.run_spec("coverage_spec", "--run_test=crashes")
        self.assertIn("COVERAGE IS NOT COMPLETE: web, crashes: the test process ended", run.out)
        self.assertNotIn("coverage of", run.out.partition("passed")[2])

    def test_a_guests_words_about_coverage_do_not_reach_the_terminal_as_they_are(self):
        run = self.run_spec("coverage_spec", "--run_test=loses_what_it_counted")
        self.assertIn(r"COVERAGE IS NOT COMPLETE: web, loses_what_it_counted: a guest's \x1b[2J words", run.out)
        self.assertNotIn("\x1b", run.out)

    def test_an_interrupted_run_says_where_its_coverage_is(self):
        process = self.start("coverage_spec", "--run_test=hangs_after_that")
        wait_for((self.root / "results" / "coverage" / "shards" / "0001" / "shard.json").exists, patience=60)
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assert_nothing_left()
        self.assertEqual(run.code, 128 + signal.SIGINT)
        self.assertIn(f"no coverage report, as the run was interrupted; what was collected is in {run.output}/coverage/shards",
                      run.out)
        self.assertNotIn("the test process ended", run.out)

    def test_a_fixture_that_hangs(self):
        run = self.run_spec("hang_spec", "--case-timeout=1", "--run_test=in_a_fixture")
        self.assertEqual(run.code, 201)
        self.assertIn("did not get on within 1 s", run.case("(worker)").find("failure").get("message"))
        self.assertIn("case after case took too long", run.case("not_reached").find("skipped").get("message"))
        problems = [e.get("message") for e in run.case("(worker)").findall("failure")]
        self.assertIn("3 times in a row a case did not end within 1 s (--case-timeout): the remaining cases were not run",
                      problems)

    def test_a_case_leaves_processes_and_files(self):
        run = self.run_spec("tree_spec")
        self.assertEqual(run.code, 0)
        self.assertEqual(run.junit.get("tests"), "40")

    def test_keep_keeps_the_scratch_folder(self):
        run = self.finish(self.start("tree_spec", "--keep", "--run_test=*/_0"))
        folder = pathlib.Path(re.search(r"kept: (.*)", run.out).group(1))
        self.assertEqual(folder.parent, self.scratch)
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
        self.assertTrue((folder / "w1" / "0" / "link").is_symlink())
        self.assertEqual(processes_with(self.mark), [])
        self.finish(self.start("mixed_spec"))
        self.assertTrue(folder.is_dir(), "a later run swept it away")


class Interruptions(ReportTest):
    def wait_for_case(self, name, output="results"):
        events = self.root / output / "events.jsonl"
        wait_for(lambda: events.exists() and f'"case_begin","fields":{{"name":"{name}"' in events.read_text())

    def test_signals_end_the_run(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            variables = {"IGNORE_SIGTERM": "1"} if number == signal.SIGTERM else {}
            process = self.start("hang_spec", output=number.name, **variables)
            self.wait_for_case("hangs", number.name)
            os.killpg(process.pid, number)
            run = self.finish(process, number.name)
            self.assertEqual(run.code, 128 + number)
            self.assert_nothing_left()
            self.assertEqual(run.case("hangs").find("error").get("type"), "interrupted")
            self.assertIn(number.name, run.case("hangs").find("error").get("message"))
            self.assertIn("in verb: web: run sleep 1000", run.case("hangs").find("error").text)
            self.assertEqual(
                [(c.get("name"), [e.tag for e in c if e.tag != "system-out"]) for c in run.junit.iter("testcase")],
                [("before", []), ("hangs", ["error"]), ("after", ["skipped"])],
            )
            self.assertIn(f"interrupted by {number.name}", run.case("after").find("skipped").get("message"))
            self.assertIn("1 passed, 0 failed, 1 could not run, 1 skipped", run.out)

    def test_a_second_ctrl_c_is_not_patient(self):
        process = self.start("hang_spec", IGNORE_SIGTERM="1")
        self.wait_for_case("hangs")
        for _ in range(2):
            os.kill(process.pid, signal.SIGINT)
            time.sleep(0.05)
        self.assertEqual(self.finish(process).code, 130)
        self.assert_nothing_left()

    def test_a_killed_run_leaves_valid_results(self):
        process = self.start("hang_spec")
        self.wait_for_case("hangs")
        process.kill()
        run = self.finish(process)
        wait_for(lambda: not self.left_over())
        self.assertEqual([c.get("name") for c in run.junit.iter("testcase")], ["before", "hangs", "after"])
        self.assertIn("had not ended", run.case("hangs").find("error").get("message"))
        self.assertEqual(run.case("after").find("skipped").get("message"), "not run")
        self.assert_counts_add_up(run.junit)

    def test_a_run_that_is_interrupted_outside_of_any_case_is_not_green(self):
        for number, name in ((signal.SIGINT, "(worker)"), (signal.SIGKILL, "(run)")):
            process = self.start("hang_spec", "--run_test=in_a_fixture", output=number.name)
            events = self.root / number.name / "events.jsonl"
            wait_for(lambda: events.exists() and '"text":"hangs"' in events.read_text())
            os.kill(process.pid, number)
            run = self.finish(process, number.name)
            wait_for(lambda: not self.left_over())
            self.assertEqual(run.case(name).find("error").get("type"), "interrupted")
            self.assertIsNotNone(run.case("in_a_fixture.not_reached").find("skipped"))

    def test_killed_at_any_instant_leaves_nothing(self):
        began = time.monotonic()
        self.run_spec("tree_spec")
        whole = time.monotonic() - began
        generator = random.Random(20240501)
        slowest = 0
        kills = int(os.environ.get("VMDSL_REPORT_KILLS", "50"))
        for number in range(kills):
            # Every second one early: there are the windows between fork and exec, and around the scratch folder.
            delay = generator.uniform(0, min(0.06, whole) if number % 2 else whole)
            process = self.start("tree_spec", output=f"results{number}")
            time.sleep(delay)
            process.kill()
            slowest = max(slowest, wait_for(lambda: not self.left_over()))
            process.communicate()
            junit = self.root / f"results{number}" / "junit.xml"
            if junit.exists():
                root = ET.parse(junit).getroot()
                self.assertTrue(root.get("errors") != "0" or root.get("tests") == "40", ET.tostring(root).decode())
        print(f"killed {kills} times: nothing left after {slowest:.3f} s at most")

    def test_killed_together_with_the_worker(self):
        process = self.start("tree_spec")
        self.wait_for_case("leaves_things_behind/_5")
        for pid in processes_with(self.mark):
            if command_name(pid) != "vmdsl-guardian":
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        process.communicate()
        wait_for(lambda: not self.left_over())

    def test_a_killed_guardian_is_replaced(self):
        process = self.start("hang_spec")
        self.wait_for_case("hangs")
        self.expect_another_guardian_after_this_one_is_killed()
        process.kill()
        process.communicate()
        wait_for(lambda: not self.left_over())

    def test_a_later_run_sweeps_what_a_killed_guardian_left(self):
        process = self.start("tree_spec")
        self.wait_for_case("leaves_things_behind/_3")
        os.kill(process.pid, signal.SIGSTOP)  # so that it does not replace the guardian
        os.kill(self.guardian(), signal.SIGKILL)
        process.kill()
        process.wait()
        process.stdout.close()  # held open by what is left
        process.stderr.close()
        wait_for(lambda: not any(command_name(p) == "tree_spec" for p in processes_with(self.mark)))
        self.assertNotEqual(self.left_over(), [], "nothing was left to sweep")
        other = self.scratch / f"vmdsl-{os.geteuid() + 1}-someoneelses"
        other.mkdir()
        self.finish(self.start("mixed_spec", output="later"), "later")
        self.assertEqual(self.left_over(), [str(other)])

    def test_a_run_inside_a_run_goes_with_it(self):
        process = self.start("hang_spec", VMDSL_RUN_ID="outer-run")
        self.wait_for_case("hangs")
        ids = {
            entry.decode().split("=", 1)[1]
            for pid in processes_with(self.mark)
            for entry in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if entry.startswith(b"VMDSL_RUN_ID=")
        }
        self.assertTrue(all(i == "outer-run" or i.startswith("outer-run:") for i in ids), ids)
        self.assertEqual(len(ids), 2)
        process.terminate()
        self.assertEqual(self.finish(process).code, 128 + signal.SIGTERM)
        self.assert_nothing_left()


class Held(ReportTest):
    """Runs with --interactive, whose network is up."""

    def start_held(self):
        process = self.start("held_spec", "--interactive")
        while b"the network is up" not in (line := process.stdout.readline()):
            self.assertNotEqual(line, b"", "it ended")
        self.assertIn(b"There is no prompt, as the program `vmdsl` is not in PATH", line)
        return process

    def test_without_a_prompt_it_goes_on_until_a_signal(self):
        process = self.start_held()
        process.terminate()
        run = self.finish(process)
        self.assertEqual(run.code, 128 + signal.SIGTERM)
        self.assertNotIn("could not write", run.out)
        self.assert_nothing_left()

    def test_a_killed_guardian_is_replaced(self):
        process = self.start_held()
        self.expect_another_guardian_after_this_one_is_killed()
        process.kill()
        process.communicate()
        wait_for(lambda: not self.left_over())

    def test_events_that_find_no_room(self):
        (self.root / "results/interactive").mkdir(parents=True)
        (self.root / "results/interactive/events.jsonl").symlink_to("/dev/full")
        process = self.start_held()
        process.terminate()
        run = self.finish(process)
        self.assertIn(f"could not write all of {self.root}/results/interactive/events.jsonl", run.out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
