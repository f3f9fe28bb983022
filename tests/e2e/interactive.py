#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A network for a person: the prompt, shells from here and from another terminal, and every way to leave.

usage: interactive.py FOLDER VMDSL_EXECUTABLE HOST_PORT (the folder has the built e2e_interactive_spec)
"""
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import time
import unittest

from spec_test_case import COULD_NOT_RUN, FAILED, spec_test_case
from terminal import Terminal

folder = pathlib.Path(sys.argv[1])
vmdsl = sys.argv[2]
HOST_PORT = int(sys.argv[3])
del sys.argv[1:4]
SPEC = folder / "e2e_interactive_spec"
USAGE = 64
PROMPT = r"vmdsl> "
GUEST_PROMPT = r"[#$] "


class interactive(spec_test_case):
    def setUp(self):
        super().setUp()
        self.environment |= {"HOME": str(self.path), "TERM": "xterm", "TMPDIR": str(self.path / "scratch"), "LC_ALL": "C.UTF-8"}
        self.environment.pop("XDG_STATE_HOME", None)

    def terminal(self, *words, **size):
        made = Terminal(words, self.environment, **size)
        self.addCleanup(made.close)
        return made

    def network(self, **size):
        """The spec at its prompt, on a terminal."""
        made = self.terminal(SPEC, "--output", self.path / "out", "--interactive", **size)
        made.see(PROMPT)
        return made

    def ask(self, *words, text=""):
        return subprocess.run([vmdsl, *words], input=text, capture_output=True, text=True, timeout=200, check=False,
                              env=self.environment)

    def expect_nothing_left(self):
        until = time.monotonic() + 3
        while (left := list((self.path / "scratch").iterdir())) and time.monotonic() < until:
            time.sleep(0.02)
        self.assertEqual(left, [])
        with socket.socket() as free:  # nobody holds the port any more
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", HOST_PORT))

    def test_commands_from_a_pipe(self):
        lines = ["machines", "run box echo hello", "run box exit 3", "run nobody x", "cut box", "machines", "heal box", "",
                 "crash box", "run box true", "start box", "run box hostname; echo bad >&2; printf '\\033[1mspoken\\n' >/dev/console", "console box", "cut box lun",
                 "cutt box", "shell", "help", "run box exit 6"]
        result = subprocess.run([SPEC, "--output", self.path / "out", "--interactive"], input="\n".join(lines),
                                capture_output=True, text=True, timeout=280, check=False, env=self.environment)
        everything = result.stdout + result.stderr
        self.assertEqual(result.returncode, 6, everything)
        for words in (f"localhost:{HOST_PORT} is its port 8000", "192.168.1.1 fd00:1::1 (lan)", "\nhello\n",
                      "(lan, cut)", "off", "\nbox\n", r"\x1b[1mspoken", "shell NAME"):
            self.assertIn(words, result.stdout, everything)
        self.assertNotIn("\33", result.stdout)
        for words in ('there is no machine "nobody"; there is box', "switched off", "bad\n", "name one of the segments",
                      'no command "cutt"', "write: shell NAME"):
            self.assertIn(words, result.stderr, everything)
        self.assertFalse((self.path / "out/junit.xml").exists())
        self.assertTrue((self.path / "out/interactive/console-box.log").exists())

    def test_a_person_at_the_prompt(self):
        seat = self.network(rows=30, columns=100)
        with socket.create_connection(("127.0.0.1", HOST_PORT), timeout=60) as caller:
            caller.sendall(b"hello")
            self.assertEqual(caller.recv(5, socket.MSG_WAITALL), b"hello")
        seat.type_and_see("mach\t\r", rf"running .*localhost:{HOST_PORT} is its port 8000")
        seat.see(PROMPT)
        seat.type_and_see("\x10\r", r"running")  # Ctrl-P: the line before
        seat.see(PROMPT)
        seat.type_and_see("sh\t\t", r"shell +shutdown")
        seat.type_and_see("e\tb\t\r", GUEST_PROMPT)
        seat.type_and_see("stty size\r", r"30 100\r")
        seat.resize(50, 132)
        seat.type_and_see("until stty size | grep 132; do :; done\r", r"50 132\r")
        seat.type_and_see("echo ready; cat; echo went on\r", r"\r\nready\r\n")
        seat.type_and_see("typed\r", r"typed\r\ntyped\r\n")
        seat.type_and_see("\x03", GUEST_PROMPT)  # Ctrl-C: the guest's command ends, the network goes on
        seat.type_and_see("echo $((6 * 7)) $TERM; exit 5\r", r"42 xterm\r\n")
        seat.see(PROMPT)
        seat.type_and_see("shell box\r", GUEST_PROMPT)
        seat.type_and_see("\x1d", r"left\r\n")  # Ctrl-]
        seat.see(PROMPT)
        seat.type_and_see("run box tty && yes\r", r"/dev/pts/\d+\r\ny\r\n")
        seat.type_and_see("\x03", PROMPT)  # heard, however much is being printed
        seat.type("\x04")
        self.assertEqual(seat.wait(), 130, seat.shown)  # of the last command, as with a shell
        self.assertTrue(seat.has_its_modes_back())
        self.assertIn("run box tty", (self.path / ".local/state/vmdsl/history").read_text().replace(r"\040", " "))
        self.expect_nothing_left()

    def test_from_another_terminal(self):
        self.assertEqual(self.ask("shell", "box").returncode, COULD_NOT_RUN)
        seat = self.network()
        result = self.ask("shell", "box", "cat; echo err >&2; exit 7", text="piped\n")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (7, "piped\n", "err\n"))
        result = self.ask("shell", "bax")
        self.assertEqual(result.returncode, USAGE, result.stderr)
        self.assertIn("there is box", result.stderr)
        result = self.ask("attach", text="forward box 8000\n")
        port = int(result.stdout.split(":")[1].split()[0])
        self.assertEqual(port, HOST_PORT, result.stdout)
        result = self.ask("attach", text="forward box 99\n")
        self.assertRegex(result.stdout, r"^localhost:[1-9]\d* is its port 99\n$")
        result = self.ask("attach", text="machines\nrun box echo hello\n")
        self.assertEqual((result.returncode, "hello\n" in result.stdout), (0, True), result.stderr)
        other = self.terminal(vmdsl, "shell", "box", rows=33, columns=77)
        other.see(GUEST_PROMPT)
        other.type_and_see("stty size; sleep 1000\r", r"33 77\r")
        # Both at once; and no Ctrl-C before the guest's shell has handed the terminal to the command.
        seat.type_and_see("run box until ps | grep -q 'sleep 100[0]'; do sleep 0.1; done; echo both\r", r"\nboth\r\n")
        other.type_and_see("\x03", GUEST_PROMPT)
        other.type("exit 9\r")
        self.assertEqual(other.wait(), 9)
        self.assertTrue(other.has_its_modes_back())
        # Somebody whose terminal is closed: the shell is hung up, what it ran ends.
        other = self.terminal(vmdsl, "shell", "box")
        other.see(GUEST_PROMPT)
        other.type_and_see("sleep 4321\r", "\n")
        other.hang_up()
        seat.see(PROMPT)
        seat.type_and_see("run box while ps | grep -q 'sleep 432[1]'; do sleep 0.1; done; echo gone\r", r"\ngone\r\n")
        seat.see(PROMPT)
        self.see_two_networks(seat)
        seat.type("quit\r")
        self.assertEqual(seat.wait(), 0, seat.shown)
        self.expect_nothing_left()

    def test_a_machine_that_goes_away_under_a_shell(self):
        seat = self.network()
        for verb, words in (("crash", "was switched off"), ("start", ""), ("reboot", "restarted")):
            other = self.terminal(vmdsl, "shell", "box") if words else None
            if other:
                other.see(GUEST_PROMPT)
            seat.type_and_see(f"{verb} box\r", r"box +(off|running)")
            seat.see(PROMPT)
            if other:
                other.see(words)
                self.assertEqual(other.wait(), 1)
                self.assertTrue(other.has_its_modes_back())
        # The network itself: the shell's terminal is usable again.
        other = self.terminal(vmdsl, "shell", "box")
        other.see(GUEST_PROMPT)
        seat.type("quit\r")
        self.assertEqual(seat.wait(), 0, seat.shown)
        self.assertEqual(other.wait(), COULD_NOT_RUN)
        self.assertIn("the network has ended", other.shown)
        self.assertTrue(other.has_its_modes_back())
        self.expect_nothing_left()

    def test_a_command_that_prints_more_than_it_reads(self):
        seat = self.network()
        result = self.ask("shell", "box", "od -v", text="0123456789abcde\n" * (128 << 10))  # 2 MiB, printed as 8
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout.count("\n"), (128 << 10) + 1)
        seat.type("quit\r")
        self.assertEqual(seat.wait(), 0, seat.shown)

    def test_somebody_who_leaves_while_their_input_waits(self):
        seat = self.network()
        other = subprocess.Popen([vmdsl, "shell", "box", "sleep 4322"], stdin=subprocess.PIPE, env=self.environment)
        self.addCleanup(other.stdin.close)
        os.set_blocking(other.stdin.fileno(), False)
        while select.select([], [other.stdin], [], 1)[1]:  # until nothing more is taken
            os.write(other.stdin.fileno(), bytes(select.PIPE_BUF))
        seat.type_and_see("run box until ps | grep -q 'sleep 432[2]'; do sleep 0.1; done; echo runs\r", r"\nruns\r\n")
        seat.see(PROMPT)
        other.terminate()
        self.assertEqual(other.wait(60), -signal.SIGTERM)
        seat.type_and_see("run box while ps | grep -q 'sleep 432[2]'; do sleep 0.1; done; echo gone\r", r"\ngone\r\n")
        seat.see(PROMPT)
        seat.type("quit\r")
        self.assertEqual(seat.wait(), 0, seat.shown)

    def test_somebody_leaves_while_their_keys_wait(self):
        seat = self.network()
        seat.type_and_see("shell box\r", GUEST_PROMPT)
        seat.type_and_see("stty raw -echo; echo ready; sleep 4324\r", r"ready\n")
        for _ in range(64):  # more than all that is between here and there takes
            self.assertTrue(select.select([], [seat.master], [], 60)[1], "keys are not read")
            seat.type("x" * 16384)
        seat.type_and_see("\x1d", r"left\r\n")
        seat.see(PROMPT)
        seat.type("quit\r")
        self.assertEqual(seat.wait(), 0, seat.shown)

    def see_two_networks(self, seat):
        second = self.terminal(folder / "e2e_outcomes_spec", "--output", self.path / "two", "--run_test=events",
                               "--interactive")
        second.see(PROMPT)
        result = self.ask("shell", "box", "true")
        self.assertEqual(result.returncode, USAGE)
        self.assertIn("several networks are running", result.stderr)
        ids = [line.split()[0] for line in result.stderr.splitlines() if "_spec" in line]
        self.assertEqual(len(ids), 2, result.stderr)
        for which in (*ids, "e2e_outcomes_spec"):
            result = self.ask("shell", "--network", which, "box", "echo right")
            self.assertEqual((result.returncode, result.stdout), (0, "right\n"), result.stderr)
        self.assertIn("there is", self.ask("shell", "--network=no-such", "box").stderr)
        second.type("\x04")
        self.assertEqual(second.wait(), 0, second.shown)
        seat.type_and_see("run box echo still here\r", r"\nstill here\r\n")
        seat.see(PROMPT)

    def test_ctrl_c(self):
        seat = self.network()
        seat.type("\x03")
        self.assertEqual(seat.wait(), 128 + signal.SIGINT, seat.shown)
        self.assertTrue(seat.has_its_modes_back())
        self.expect_nothing_left()

    def test_sigterm_in_a_shell(self):
        seat = self.network()
        seat.type_and_see("shell box\r", GUEST_PROMPT)
        seat.program.terminate()
        self.assertEqual(seat.wait(), 128 + signal.SIGTERM, seat.shown)
        self.assertTrue(seat.has_its_modes_back())
        self.expect_nothing_left()

    def test_a_terminal_that_is_closed(self):
        seat = self.network()
        seat.hang_up()
        self.assertEqual(seat.program.wait(60), 128 + signal.SIGHUP)
        self.expect_nothing_left()

    def test_sigkill(self):
        seat = self.network()
        seat.program.kill()
        seat.program.wait()
        self.expect_nothing_left()

    def child_of(self, seat, mark):
        """The process that the supervisor has started with this word on its command line."""
        pid = seat.program.pid
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if mark in pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                return int(child)
        self.fail(f"no child with {mark}")

    def test_a_prompt_that_is_killed(self):
        seat = self.network()
        seat.type_and_see("shell box\r", GUEST_PROMPT)
        os.kill(self.child_of(seat, b"attach"), signal.SIGKILL)
        self.assertEqual(seat.wait(), 128 + signal.SIGKILL, seat.shown)
        self.assertTrue(seat.has_its_modes_back())
        self.expect_nothing_left()

    def test_a_network_whose_process_is_killed(self):
        seat = self.network()
        os.kill(self.child_of(seat, b"--vmdsl-worker"), signal.SIGKILL)
        self.assertEqual(seat.wait(), COULD_NOT_RUN, seat.shown)
        self.assertIn("the process that ran the network was ended by SIGKILL", seat.shown)
        self.assertTrue(seat.has_its_modes_back())
        self.expect_nothing_left()

    def test_ctrl_c_while_it_boots(self):
        seat = self.terminal(vmdsl, "run", SPEC, "--output", self.path / "out")
        seat.see("bringing up the network")
        seat.type("\x03")
        self.assertEqual(seat.wait(), 128 + signal.SIGINT, seat.shown)
        self.expect_nothing_left()

    def test_a_taken_host_port_says_whose(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", HOST_PORT))
            taken.listen()
            result = self.run_spec(SPEC, "--interactive")
        self.assertEqual(result.returncode, COULD_NOT_RUN, result.stdout)
        self.assertIn(f"127.0.0.1:{HOST_PORT}", result.stdout)

    def test_a_body_that_fails_says_why(self):
        result = self.run_spec(folder / "e2e_outcomes_spec", "--interactive", "--run_test=refused_body")
        self.assertEqual(result.returncode, FAILED, result.stdout)
        self.assertIn("1 + 1 == 3", result.stdout)

    def test_a_case_that_starts_a_machine_by_itself_goes_no_further(self):
        seat = self.terminal(folder / "e2e_outcomes_spec", "--output", self.path / "out", "--run_test=one_of_two", "--interactive")
        seat.see(r"alpha +running .*\n +beta +off ")
        seat.see(PROMPT)
        seat.type_and_see("start beta\r", r"beta +running ")
        seat.see(PROMPT)
        for name, file in (("", "alpha.png"), ("two.png", "two.png")):
            seat.type_and_see(f"screenshot alpha {name}\r", rf"/out/interactive/{file}\r\n")
            seat.see(PROMPT)
            self.assertTrue((self.path / "out/interactive" / file).read_bytes().startswith(b"\x89PNG"))
        seat.type_and_see("screenshot beta\r", "option display")
        seat.see(PROMPT)
        seat.type("quit\r")
        self.assertEqual(seat.wait(), USAGE, seat.shown)  # of the last command

    def test_a_machine_that_died_in_the_body_is_shown(self):
        result = self.run_spec(folder / "e2e_outcomes_spec", "--interactive", "--run_test=dead_body")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("dead: its kernel panicked", result.stdout)

    def test_a_spec_that_can_not_be_run(self):
        result = self.ask("run", "/no/such/spec")
        self.assertEqual(result.returncode, COULD_NOT_RUN)
        self.assertIn("/no/such/spec", result.stderr)
        self.assertEqual(self.ask("run").returncode, USAGE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
