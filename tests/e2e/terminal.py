# SPDX-License-Identifier: BSL-1.0
"""A program on a pseudo-terminal, driven as a person does: wait for what it shows, type."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

PATIENCE = 240


class Terminal:
    def __init__(self, words, environment, rows=24, columns=80):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.modes = termios.tcgetattr(self.slave)
        self.shown = ""
        self.program = subprocess.Popen(
            [str(word) for word in words], stdin=self.slave, stdout=self.slave, stderr=self.slave, env=environment,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def see(self, pattern):
        """Waits until the pattern is shown; what was shown up to its end is used up. Returns the match."""
        until = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.shown)):
            ready = select.select([self.master], [], [], max(0, until - time.monotonic()))[0]
            piece = b""
            if ready:
                try:
                    piece = os.read(self.master, 65536)
                except OSError:  # nobody has the other side any more
                    pass
            if not piece:
                raise AssertionError(f"waited in vain for {pattern!r}; shown was {self.shown!r}")
            self.shown += piece.decode(errors="replace")
        self.shown = self.shown[found.end():]
        return found

    def type_and_see(self, text, pattern):
        self.type(text)
        return self.see(pattern)

    def wait(self):
        """The exit code. What is still shown is read, so that nobody waits for us."""
        until = time.monotonic() + PATIENCE
        ended = False
        while not ended and time.monotonic() < until:
            ended = self.program.poll() is not None
            while select.select([self.master], [], [], 0 if ended else 0.05)[0]:
                try:
                    self.shown += os.read(self.master, 65536).decode(errors="replace")
                except OSError:
                    break
        if not ended:
            raise AssertionError(f"waited in vain for its end; shown was {self.shown!r}")
        return self.program.returncode

    def has_its_modes_back(self):
        return termios.tcgetattr(self.slave) == self.modes

    def hang_up(self):
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = -1

    def close(self):
        if self.program.poll() is None:
            self.program.send_signal(signal.SIGKILL)
            self.program.wait()
        if self.master >= 0:
            self.hang_up()
