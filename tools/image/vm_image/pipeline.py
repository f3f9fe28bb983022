# SPDX-License-Identifier: BSL-1.0
"""Runs build programs that end with this process, keeps all they print in a log, and finds a failure's cause in it."""

import ctypes
import os
import re
import signal
import subprocess

from .errors import DiskFullError, ImageError, KilledError, search_path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_NO_SPACE = re.compile("No space left on device|Disk quota exceeded|gpg: error writing to")
# How apt, dpkg, dash and bash say that a program of theirs was.
_KILLED = re.compile(r"received signal 9\b|killed by signal \(Killed\)|^Killed$|: line \d+: +\d+ Killed\b", re.MULTILINE)
_STATUS_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
SETUP_BEGIN = "vmdsl-setup: begin "
SETUP_FAILED = "vmdsl-setup: failed "


def run(command, output, log, environment, what):
    """Runs a command; its output goes to a file where one is given, and all else that it prints to the log.

    Throws ImageError with the cause, found in the log, when it fails.
    """
    start = log.stat().st_size if log.exists() else 0
    environment = dict(os.environ, PATH=search_path(), **environment)
    with open(log, "ab") as log_file, open(output or os.devnull, "wb") as output_file:
        log_file.write(f"+ {' '.join(command)}\n".encode())
        log_file.flush()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output_file if output else log_file,
                                   stderr=log_file, env=environment, preexec_fn=_die_with_parent)
        try:
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
    if status != 0:
        raise cause(what, log, start, status)


def cause(what, log, start=0, status=1):
    """An error with the part of a log that a person needs to see, without the pages around it."""
    text = log.read_bytes()[start:].decode(errors="replace")
    if _NO_SPACE.search(text):
        kind = DiskFullError
    elif status in _STATUS_KILLED or _KILLED.search(text):
        kind = KilledError
    else:
        kind = ImageError
    lines = text.splitlines()
    failed = [line for line in lines if line.startswith(SETUP_FAILED)]
    if failed:
        name, status = failed[-1].removeprefix(SETUP_FAILED).rsplit(" ", 1)
        printed = lines[max(i for i, line in enumerate(lines) if line == SETUP_BEGIN + name) + 1 :]
        printed = printed[: printed.index(failed[-1])][-40:]
        reason = f"script {name} ended with status {status}; it printed:\n" + _indented(printed or ["(nothing)"])
    elif kind is DiskFullError:
        full = [line for line in lines if _NO_SPACE.search(line)][:3]
        reason = ("the disk is full:\n" + _indented(full)
                  + "\n  mend it by freeing space, or with VMDSL_CACHE_DIR=<a folder on a larger disk>")
    elif kind is KilledError:
        reason = ("a program was killed, which the kernel does where memory runs out\n"
                  "  mend it by freeing memory, or by building fewer images at once")
    else:
        complaints = [line for line in lines if re.match(r"E: |dpkg: error|Err:|[a-z-]+: (cannot|error)|FATAL", line)]
        reason = "it said:\n" + _indented(list(dict.fromkeys(complaints))[:8] or lines[-8:])
    return kind(f"cannot build {what}: {reason}\n  all output: {log}")


def _indented(lines):
    return "\n".join(f"    {line}" for line in lines)


def _die_with_parent():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
