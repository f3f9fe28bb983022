#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What `vmdsl doctor` says of hosts that lack something. Stand-ins for programs come first in PATH; where a device or a
file of the kernel is meant, it is replaced in a mount namespace.

usage: doctor.py VMDSL_EXECUTABLE PROJECT_FOLDER
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

vmdsl = sys.argv[1]
project = pathlib.Path(sys.argv[2])
del sys.argv[1:3]
MISSING = 69
QEMU = "#!/bin/sh\n[ \"$1\" = --version ] && exec echo 'QEMU emulator version 7.2.0'\n"


class doctor(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="doctor-")
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        (self.folder / "bin").mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}

    def program(self, name, text):
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def only(self, *names):
        """PATH has nothing but stand-ins and these programs of the host."""
        for name in names:
            (self.folder / "bin" / name).symlink_to(shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin"))
        self.environment["PATH"] = str(self.folder / "bin")

    def first(self):
        """Stand-ins come before the host's programs."""
        self.environment["PATH"] = f"{self.folder}/bin:{os.environ['PATH']}"

    def ask(self, *words, prefix=()):
        self.result = subprocess.run([*prefix, vmdsl, "doctor", *words], env=self.environment, capture_output=True,
                                     text=True, timeout=100, check=False)
        return self.result.stdout

    def findings(self, *words, prefix=()):
        told = json.loads(self.ask(*words, "--json", prefix=prefix))
        self.assertEqual(told["ok"], self.result.returncode == 0, told)
        self.assertIn(self.result.returncode, (0, MISSING), self.result.stderr)
        self.assertEqual(told["ok"], all(one["state"] != "missing" for one in told["findings"]))
        return {one["id"]: one for one in told["findings"]}

    def expect(self, found, state, text, remedy=""):
        self.assertEqual(found["state"], state, found)
        self.assertIn(text, found["text"])
        self.assertIn(remedy, found["remedy"])
        if state == "ok":
            self.assertEqual(found["remedy"], "")

    def with_mounts(self, *pairs):
        """The words before a command that sees each first path under the second one's name."""
        mounts = " && ".join(f"mount --rbind '{source}' '{place}'" for source, place in pairs)
        words = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh"]
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no mount namespaces here")
        return words

    def devices(self, kvm):
        """A /dev with the usual devices, and with a stand-in for kvm or without."""
        dev = self.folder / "dev"
        dev.mkdir()
        pairs = []
        for name in ("null", "zero", "urandom"):
            (dev / name).touch()
            pairs.append((f"/dev/{name}", dev / name))
        if kvm:
            (dev / "kvm").touch()
        return self.with_mounts(*pairs, (dev, "/dev"))

    def kernel(self):
        self.environment["VMDSL_CACHE_DIR"] = str(self.folder)
        (self.folder / "kernel/linux").mkdir(parents=True)
        (self.folder / "kernel/linux/vmlinux").touch()

    def test_a_host_that_runs_these_tests(self):
        text = self.ask("run", "images", "develop")
        self.assertEqual(self.result.returncode, 0, text)
        for words in ("to run tests", "to build guest images", "to compile specs", "qemu: QEMU emulator version",
                      "Nothing that is needed is missing."):
            self.assertIn(words, text)

    def test_without_a_topic_it_looks_at_running_and_images(self):
        found = self.findings()
        self.assertTrue({"qemu", "kvm", "memory", "shm", "processors", "scratch", "cache", "mkfs.erofs",
                         "namespaces"} <= set(found), found)
        self.assertNotIn("compiler", found)

    def test_every_remedy_is_printed_with_its_finding(self):
        self.environment["VMDSL_QEMU"] = "/no/such/qemu"
        text = self.ask("run")
        self.assertEqual(self.result.returncode, MISSING)
        self.assertRegex(text, r"missing +qemu: .*/no/such/qemu.*\n +mend it with: .*qemu-system-x86")
        self.assertIn("1 thing is missing.", text)

    def test_no_qemu(self):
        self.only("env")
        self.expect(self.findings("run")["qemu"], "missing", "no qemu-system-x86_64 in PATH", "qemu-system-x86 seabios")

    def test_too_old_a_qemu(self):
        self.environment["VMDSL_QEMU"] = self.program("old", "#!/bin/sh\necho 'QEMU emulator version 6.2.0'\n")
        found = self.findings("run")["qemu"]
        self.expect(found, "missing", "6.2.0", "VMDSL_QEMU can name")
        self.assertNotIn("apt-get", found["remedy"])  # which installs what is there already

    def test_no_kvm(self):
        prefix = self.devices(kvm=False)
        found = self.findings("run", prefix=prefix)["kvm"]
        self.expect(found, "costly", "there is no /dev/kvm. Machines run emulated, about ten times slower")
        self.assertNotEqual(found["remedy"], "")

    def test_a_kvm_that_is_not_for_this_user(self):
        if os.access("/dev/kvm", os.R_OK | os.W_OK) or not os.path.exists("/dev/kvm"):
            self.skipTest("/dev/kvm opens for this user, or is not there")
        self.expect(self.findings("run")["kvm"], "costly", "may not be opened by this user",
                    "sudo usermod --append --groups kvm")

    def test_a_kvm_that_nobody_has_tried(self):
        self.environment["VMDSL_CACHE_DIR"] = str(self.folder)
        if any(pathlib.Path("/boot").glob("vmlinuz-*")):
            self.skipTest("the host's own kernel can be tried")
        self.expect(self.findings("run", prefix=self.devices(kvm=True))["kvm"], "ok", "no image was built")

    def test_a_kvm_that_runs_guests(self):
        self.kernel()
        self.environment["VMDSL_QEMU"] = self.program("qemu", QEMU + "echo 'Linux version 6.1'\n")
        self.expect(self.findings("run", prefix=self.devices(kvm=True))["kvm"], "ok", "a guest runs on it")

    def test_a_kvm_that_runs_no_guest(self):
        self.kernel()
        self.environment["VMDSL_QEMU"] = self.program("qemu", QEMU + "echo 'no flux capacitor'; exit 1\n")
        found = self.findings("run", prefix=self.devices(kvm=True))["kvm"]
        self.expect(found, "costly", "no flux capacitor", "VMDSL_ACCEL=tcg")

    def test_little_memory(self):
        (self.folder / "meminfo").write_text("MemTotal: 900000 kB\nMemFree: 1 kB\nMemAvailable: 700000 kB\n")
        prefix = self.with_mounts((self.folder / "meminfo", "/proc/meminfo"))
        self.expect(self.findings("run", prefix=prefix)["memory"], "missing", "683 MiB of 878 MiB", "larger host")

    def test_a_scratch_folder_that_is_closed(self):
        self.environment["VMDSL_SCRATCH_DIR"] = "/proc/no/such"
        self.expect(self.findings("run")["scratch"], "missing", "/proc/no/such", "VMDSL_SCRATCH_DIR")

    def test_a_missing_image_program(self):
        self.only("env", "python3", "mmdebstrap", "apt-get", "apt-cache", "dpkg-deb", "lz4", "unshare", "sh", "true",
                  "newuidmap", "newgidmap")
        found = self.findings("images")
        self.expect(found["mkfs.erofs"], "missing", "mkfs.erofs is not installed", "erofs-utils")
        self.expect(found["lz4"], "ok", "lz4")

    def test_no_python(self):
        self.only("env")
        self.expect(self.findings("images")["image-tool"], "missing", "python3", "python3")

    def test_a_python_that_warns(self):
        self.program("python3", f"#!/bin/sh\necho 'site.py: a warning' >&2\nexec {sys.executable} \"$@\"\n")
        self.first()
        self.expect(self.findings("images")["mkfs.erofs"], "ok", "mkfs.erofs")

    def test_a_python_that_says_something_else(self):
        for words in ("hello", "[1]", ""):
            self.program("python3", f"#!/bin/sh\necho '{words}'\n")
            self.first()
            found = self.findings("images")
            self.assertEqual(list(found), ["image-tool"])
            self.expect(found["image-tool"], "missing", f"did not answer as it does: {words} (", "python3")

    def test_old_compilers_and_libraries(self):
        self.program("g++", "#!/bin/sh\necho 11.4.0\n")
        self.program("clang++", "#!/bin/sh\necho 'Debian clang version 13.0.1'\n")
        self.program("c++", "#!/bin/sh\necho '#define BOOST_VERSION 107400'\necho '#define FMT_VERSION 90100'\n")
        self.program("cmake", "#!/bin/sh\necho 'cmake version 3.18.4'\n")
        self.first()
        found = self.findings("develop")
        self.expect(found["compiler"], "missing", "g++ 11.4 is too old: g++ 12.0 or newer is needed (or clang 14)", "g++")
        self.expect(found["cmake"], "missing", "CMake 3.18 is too old: CMake 3.24 or newer", "cmake")
        self.expect(found["boost"], "missing", "Boost 1.74 is too old", "libboost1.81-dev")
        self.expect(found["fmt"], "ok", "fmt 9.1")

    def test_clang_alone_will_do(self):
        self.program("g++", "#!/bin/sh\nexit 1\n")
        self.program("clang++", "#!/bin/sh\necho 'Debian clang version 14.0.6'\n")
        self.first()
        self.expect(self.findings("develop")["compiler"], "ok", "clang 14.0")

    def test_nothing_to_compile_with(self):
        self.only("env")
        found = self.findings("develop")
        self.expect(found["compiler"], "missing", "not found", "g++")
        self.expect(found["boost"], "missing", "not found", "libboost1.81-dev")

    def test_what_tools_install_is_what_it_names(self):
        text = (project / "tools/lib/common.sh").read_text()
        sources = "".join(path.read_text() for path in (project / "tools/cli/doctor").glob("*.cpp"))
        for name in ("build_packages", "run_packages"):
            for package in re.search(rf"{name}=\(([^)]*)\)", text)[1].split():
                if package != "libedit-dev":  # vmdsl itself needs it, specs do not
                    self.assertTrue(re.search(rf'[" ]{re.escape(package)}[" ]', sources), f"doctor never names {package}")

    def test_no_genhtml(self):
        self.only("env")
        self.expect(self.findings("run")["genhtml"], "costly", "without pages", "lcov")
        self.program("genhtml", "#!/bin/sh\n")
        self.expect(self.findings("run")["genhtml"], "ok", "coverage")

    def test_wrong_words(self):
        self.ask("rnu")
        self.assertEqual(self.result.returncode, 64)
        self.assertIn('"rnu"', self.result.stderr)
        self.assertIn("run, images, develop", self.result.stderr)


class command_line(unittest.TestCase):
    def run_vmdsl(self, *words):
        return subprocess.run([vmdsl, *words], capture_output=True, text=True, timeout=60, check=False)

    def test_help(self):
        result = self.run_vmdsl("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        names = re.findall(r"^  (\w+)", result.stdout, re.M)
        self.assertIn("doctor", names)
        for name in names:
            result = self.run_vmdsl(name, "--help")
            self.assertEqual((result.returncode, result.stderr), (0, ""), name)
            self.assertTrue(result.stdout.startswith(f"usage: vmdsl {name}"), result.stdout)

    def test_an_unknown_command(self):
        result = self.run_vmdsl("docter")
        self.assertEqual((result.returncode, result.stdout), (64, ""))
        self.assertIn('no command "docter"', result.stderr)
        self.assertIn("doctor", result.stderr)

    def test_no_command(self):
        result = self.run_vmdsl()
        self.assertEqual((result.returncode, result.stdout), (64, ""))
        self.assertIn("vmdsl --help", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
