# SPDX-License-Identifier: BSL-1.0
"""Runs build programs that end with this process, keeps all they print in a log, and finds the cause in it."""

import ctypes
import os
import re
import signal
import subprocess

from .errors import ImageError, search_path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
SETUP_BEGIN = "vmdsl-setup: begin "
SETUP_FAILED = "vmdsl-setup: failed "


def run(commands, output, log, environment, what):
    """Runs commands as a shell pipeline; the last one's output goes to a file when there is one.

    Throws ImageError with the cause, found in the log, when any of them fails.
    """
    start = log.stat().st_size if log.exists() else 0
    environment = dict(os.environ, PATH=search_path(), **environment)
    processes = []
    try:
        with open(log, "ab") as log_file:
            source = subprocess.DEVNULL
            for number, command in enumerate(commands):
                log_file.write(f"+ {' '.join(map(str, command))}\n".encode())
                log_file.flush()
                last = number == len(commands) - 1
                with _target(output, log_file, last) as target:
                    processes.append(subprocess.Popen(command, stdin=source, stdout=target or subprocess.PIPE,
                                                      stderr=log_file, env=environment, preexec_fn=_die_with_parent))
                if source != subprocess.DEVNULL:
                    source.close()
                source = processes[-1].stdout
            failed = [process.args[0] for process in processes if process.wait() != 0]
    except BaseException:
        for process in processes:
            process.kill()
            process.wait()
        raise
    if failed:
        raise ImageError(cause(what, log, start))


def cause(what, log, start=0):
    """The part of a log that a person needs to see, without the pages around it."""
    text = log.read_bytes()[start:].decode(errors="replace")
    lines = text.splitlines()
    failed = [line for line in lines if line.startswith(SETUP_FAILED)]
    if failed:
        name, status = failed[-1].removeprefix(SETUP_FAILED).rsplit(" ", 1)
        printed = lines[max(i for i, line in enumerate(lines) if line == SETUP_BEGIN + name) + 1 :]
        printed = printed[: printed.index(failed[-1])][-40:]
        reason = f"setup script {name} ended with status {status}; it printed:\n" + _indented(printed or ["(nothing)"])
    elif "No space left on device" in text:
        full = [line for line in lines if "No space left on device" in line][:3]
        reason = ("the disk is full:\n" + _indented(full)
                  + "\n  mend it by freeing space, or with VMDSL_CACHE_DIR=<a folder on a larger disk>")
    else:
        complaints = [line for line in lines if re.match(r"E: |dpkg: error|Err:|[a-z-]+: (cannot|error)|FATAL", line)]
        reason = "it said:\n" + _indented(list(dict.fromkeys(complaints))[:8] or lines[-8:])
    return f"cannot build {what}: {reason}\n  all output: {log}"


def _indented(lines):
    return "\n".join(f"    {line}" for line in lines)


class _target:
    """What a process writes its standard output to: a file, the log, or None for a pipe."""

    def __init__(self, output, log_file, last):
        self._file = open(output, "wb") if last and output else None
        self._chosen = (self._file or log_file) if last else None

    def __enter__(self):
        return self._chosen

    def __exit__(self, *_):
        if self._file:
            self._file.close()


def _die_with_parent():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
