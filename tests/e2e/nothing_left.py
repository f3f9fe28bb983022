#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Kills the supervisor of a real run with SIGKILL at 50 random instants; a second later nothing may be left of it.

usage: nothing_left.py SPEC_EXECUTABLE
"""
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

ROUNDS = 50
TAG = "VMDSL_TEST_NOTHING_LEFT"


def tagged_processes(value: str) -> list[str]:
    """Processes of this user whose environment carries our tag: whatever the run started inherits it."""
    found = []
    wanted = f"{TAG}={value}".encode()
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            environment = (folder / "environ").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if wanted in environment.split(b"\0") and state != "Z":
            found.append(f"process {folder.name}: {command[:120]}")
    return found


def leftovers(value: str, scratch: pathlib.Path, memory_before: set[str]) -> list[str]:
    left = tagged_processes(value)
    left += [f"folder or file {path}" for path in scratch.iterdir()]
    left += [f"memory file /dev/shm/{name}" for name in set(os.listdir("/dev/shm")) - memory_before]
    # A named socket of the run would lie in its scratch folder; abstract ones are listed with an @.
    left += [f"socket {line.split()[-1]}" for line in pathlib.Path("/proc/net/unix").read_text().splitlines()
             if str(scratch) in line or "@vmdsl" in line]
    return left


def main() -> int:
    executable = sys.argv[1]
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    problems = 0
    with tempfile.TemporaryDirectory(prefix="nothing-left-") as base:
        scratch = pathlib.Path(base, "scratch")
        scratch.mkdir()
        environment = os.environ | {"VMDSL_SCRATCH_DIR": str(scratch), "VMDSL_ACCEL": "tcg"}
        # How long a whole run takes here and now; the instants are spread over that.
        begin = time.monotonic()
        subprocess.run([executable, "--output", f"{base}/whole"], env=environment | {TAG: "whole"}, check=True,
                       stdout=subprocess.DEVNULL, timeout=300)
        whole = time.monotonic() - begin
        assert not leftovers("whole", scratch, set(os.listdir("/dev/shm"))), "a run that ended normally left something"
        print(f"a whole run takes {whole:.1f} s")
        for number in range(ROUNDS):
            # A fifth of the instants within the first 200 ms, where guardian and worker are being started.
            instant = chance.uniform(0, 0.2) if number % 5 == 0 else chance.uniform(0, whole)
            value = f"{os.getpid()}-{number}"
            memory_before = set(os.listdir("/dev/shm"))
            run = subprocess.Popen([executable, "--output", f"{base}/out-{number}"],
                                   env=environment | {TAG: value}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                run.wait(instant)
            except subprocess.TimeoutExpired:
                pass
            alive = run.poll() is None
            run.send_signal(signal.SIGKILL)
            run.wait()
            deadline = time.monotonic() + 1
            while (left := leftovers(value, scratch, memory_before)) and time.monotonic() < deadline:
                time.sleep(0.02)
            if left:
                problems += 1
                print(f"round {number}: killed after {instant:.3f} s; a second later there is still: " + "; ".join(left))
            elif number % 10 == 0:
                print(f"round {number}: killed after {instant:.3f} s{'' if alive else ' (it had ended)'}; nothing left")
    print(f"{ROUNDS - problems} of {ROUNDS} rounds left nothing")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
