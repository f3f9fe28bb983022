#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Bad input: each case gets an error that says what, where and what to do, an exit code of its own, and leaves nothing.

usage: bad_input.py BUILD_FOLDER (with the example `tiny` and e2e_bad_image built)
"""
import json
import pathlib
import subprocess
import sys
import unittest

from spec_test_case import COULD_NOT_RUN, FAILED, spec_test_case

build = pathlib.Path(sys.argv.pop(1))
tiny = build / "examples/tiny/tiny"
bad_image = build / "tests/e2e/e2e_bad_image"


class bad_input(spec_test_case):
    def expect(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stdout)
        for word in words:
            self.assertIn(word, result.stdout)

    def script(self, name, text):
        path = self.path / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def test_no_qemu(self):
        result = self.run_spec(tiny, VMDSL_QEMU="/no/such/qemu")
        self.expect(result, COULD_NOT_RUN, "/no/such/qemu", "apt-get install qemu-system-x86")

    def test_no_qemu_in_path(self):
        result = self.run_spec(tiny, PATH="/nowhere")
        self.expect(result, COULD_NOT_RUN, "no qemu-system-x86_64 in PATH", "apt-get install qemu-system-x86")

    def test_too_old_a_qemu(self):
        old = self.script("old", "#!/bin/sh\necho 'QEMU emulator version 6.2.0'\n")
        self.expect(self.run_spec(tiny, VMDSL_QEMU=old), COULD_NOT_RUN, "too old", "6.2.0", "7.2")

    def test_something_that_is_no_qemu(self):
        self.expect(self.run_spec(tiny, VMDSL_QEMU="/bin/true"), COULD_NOT_RUN, "/bin/true")

    def test_a_qemu_that_refuses_to_start(self):
        broken = self.script("broken", "#!/bin/sh\n[ \"$1\" = --version ] && exec echo 'QEMU emulator version 7.2.0'\n"
                                       "echo 'the flux capacitor is missing' >&2\nexit 1\n")
        self.expect(self.run_spec(tiny, VMDSL_QEMU=broken), COULD_NOT_RUN, "flux capacitor", "exited with code 1")

    def test_an_unknown_image(self):
        result = self.run_spec(bad_image, "--run_test=unknown")
        self.expect(result, COULD_NOT_RUN, 'no image "no-such-image"', "this program knows: tiny", "add_vm_test")

    def descriptor(self, **changes):
        text = json.loads((build / "vm-images/tiny.image.json").read_text()) | changes
        folder = self.path / "images"
        folder.mkdir(exist_ok=True)
        (folder / "broken.image.json").write_text(json.dumps(text))
        return str(folder)

    def test_a_descriptor_that_is_none(self):
        folder = self.descriptor()
        pathlib.Path(folder, "broken.image.json").write_text("{")
        self.expect(self.run_spec(bad_image, "--run_test=broken", VMDSL_IMAGE_PATH=folder), COULD_NOT_RUN,
                    "is no image description")

    def test_an_image_whose_kernel_is_gone(self):
        folder = self.descriptor(kernel="/no/kernel")
        self.expect(self.run_spec(bad_image, "--run_test=broken", VMDSL_IMAGE_PATH=folder), COULD_NOT_RUN,
                    "/no/kernel does not exist", "Build the image again")

    def test_an_image_that_panics_says_the_consoles_words(self):
        # An initrd without an init: the kernel finds no root and gives up.
        (self.path / "initrd").write_bytes(b"")
        folder = self.descriptor(initrd=str(self.path / "initrd"))
        result = self.run_spec(bad_image, "--run_test=broken", VMDSL_IMAGE_PATH=folder)
        self.expect(result, FAILED, "its kernel panicked", "Unable to mount root fs")

    def test_an_image_without_an_agent_is_given_up(self):
        folder = self.descriptor(kernel_arguments=["console=ttyS0", "rdinit=/bin/sh", "panic=-1"])
        result = self.run_spec(bad_image, "--run_test=impatient", VMDSL_IMAGE_PATH=folder)
        self.expect(result, FAILED, "did not boot within 8 s", "its agent did not answer")

    def test_the_same_spec_twice_at_once(self):
        runs = [subprocess.Popen(
            [tiny, "--output", self.path / "out"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=self.environment) for _ in range(2)]
        for run in runs:
            output, _ = run.communicate(timeout=280)
            self.assertEqual(run.returncode, 0, output)
            self.assertIn("4 passed, 0 failed", output)
        folders = sorted(path.name for path in self.path.glob("out*"))
        self.assertEqual(len([f for f in folders if (self.path / f / "junit.xml").exists()]), 2, folders)

    def test_a_full_disk(self):
        # A file system of 1 MiB in a user namespace of our own: the scratch disks do not fit.
        result = self.run_program(
            ["unshare", "--map-root-user", "--mount", "sh", "-c",
             'mount -t tmpfs -o size=16k none "$1/scratch" && VMDSL_SCRATCH_DIR="$1/scratch" exec "$2" --output "$1/out" --run_test=full',
             "sh", self.path, bad_image])
        if "unshare" in result.stdout and result.returncode == 1:
            self.skipTest("no user namespaces here: " + result.stdout)
        self.expect(result, COULD_NOT_RUN, "No space left on device", "VMDSL_SCRATCH_DIR")

    def test_more_memory_than_the_host_has(self):
        self.expect(self.run_spec(bad_image, "--run_test=greedy"), COULD_NOT_RUN,
                    'machine "box"', "4194304 MiB", "memory<>")

    def test_memory_that_can_not_be_had(self):
        result = self.run_program(
            ["prlimit", f"--as={2 << 30}", bad_image, "--output", self.path / "out", "--run_test=large"])
        self.expect(result, COULD_NOT_RUN, 'machine "box"', "Cannot allocate memory", "memory")

    def test_an_output_folder_that_can_not_be_made(self):
        result = self.run_program([tiny, "--output", "/proc/no/such"])
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("/proc/no/such", result.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
