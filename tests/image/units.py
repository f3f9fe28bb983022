#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The parts of tools/vm-image that need no download: archives, sources, causes of failures, the cache's rules."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock

sys.dont_write_bytecode = True
_ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_ROOT / "tools" / "image"))

from vm_image import apt, cache, cli, debian, errors, pipeline  # noqa: E402
from vm_image.cpio import CpioWriter  # noqa: E402
from vm_image.errors import DiskFullError, ImageError, KilledError, require_tools  # noqa: E402
from vm_image.recipe import FileSpec  # noqa: E402


class Folder(unittest.TestCase):
    """A case with a folder and a cache of its own."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.setenv("VMDSL_CACHE_DIR", str(self.folder / "cache"))

    def setenv(self, name, value):
        before = os.environ.get(name)
        self.addCleanup(lambda: os.environ.pop(name) if before is None else os.environ.__setitem__(name, before))
        os.environ[name] = value

    def program(self, name, text):
        """Puts a program in front of PATH."""
        path = self.write(f"bin/{name}", text)
        path.chmod(0o755)
        if not os.environ["PATH"].startswith(str(path.parent)):
            self.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")

    def process(self, *words):
        """Another process on the same cache; its output is to be read line by line."""
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        return process

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


class Cpio(unittest.TestCase):
    def test_order_of_additions_does_not_matter(self):
        one, two = CpioWriter(), CpioWriter()
        one.file("b/x", b"1")
        one.link("a", "b")
        two.link("a", "b")
        two.file("b/x", b"1")
        self.assertEqual(one.content(), two.content())

    def test_parents_come_before_their_content(self):
        writer = CpioWriter()
        writer.file("deep/down/file", b"content")
        data = writer.content()
        places = [data.index(name) for name in (b"deep\0", b"deep/down\0", b"deep/down/file\0", b"TRAILER!!!\0")]
        self.assertEqual(places, sorted(places))

    def test_headers_are_aligned_and_complete(self):
        writer = CpioWriter()
        writer.file("odd", b"123", 0o755)
        writer.character_device("dev/console", 5, 1)
        data = writer.content()
        self.assertEqual(len(data) % 512, 0)
        names, place = {}, 0
        while True:
            self.assertEqual(data[place : place + 6], b"070701")
            fields = [int(data[place + 6 + 8 * i : place + 14 + 8 * i], 16) for i in range(13)]
            name = data[place + 110 : place + 110 + fields[11] - 1].decode()
            place += 110 + fields[11]
            place += -place % 4
            names[name] = fields
            place += fields[6]
            place += -place % 4
            if name == "TRAILER!!!":
                break
        self.assertEqual(names["odd"][1], 0o100755)
        self.assertEqual(names["dev/console"][9:11], [5, 1])
        self.assertEqual({fields[5] for fields in names.values()}, {0})


class Sources(Folder):
    def test_one_line_style(self):
        self.write("sources.list", "deb http://mirror.example/debian bookworm main contrib # best\n"
                                   "deb-src http://mirror.example/debian bookworm main\n"
                                   "deb http://mirror.example/debian-security bookworm-security main\n"
                                   "deb http://mirror.example/debian trixie main\n")
        lines = [line.split("] ")[-1].removeprefix("deb ") for line in apt.sources_of_host("bookworm", self.folder)]
        self.assertEqual(lines, ["http://mirror.example/debian bookworm main contrib",
                                 "http://mirror.example/debian-security bookworm-security main"])

    def test_deb822_style(self):
        self.write("sources.list.d/debian.sources",
                   "# comment\nTypes: deb deb-src\nURIs: https://one.example/debian\nSuites: bookworm bookworm-updates\n"
                   "Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
                   "Types: deb\nEnabled: no\nURIs: https://two.example/debian\nSuites: bookworm\nComponents: main\n")
        lines = apt.sources_of_host("bookworm", self.folder)
        self.assertEqual([line.split()[-2] for line in lines], ["bookworm", "bookworm-updates"])
        self.assertTrue(all("one.example" in line for line in lines))

    def test_other_archives_are_ignored(self):
        self.write("sources.list.d/other.list",
                   "deb [signed-by=/etc/apt/keyrings/vpn.gpg] https://vpn.example/stable/debian bookworm main\n"
                   "deb https://containers.example/linux/debian bookworm stable\n"
                   "deb cdrom:[Debian]/ bookworm main\n")
        lines = apt.sources_of_host("bookworm", self.folder)
        self.assertTrue(all("deb.debian.org" in line for line in lines), lines)
        self.assertEqual(len(lines), 3)

    def test_broken_files_do_not_stop_anything(self):
        (self.folder / "sources.list.d").mkdir()
        (self.folder / "sources.list.d" / "bad.sources").write_bytes(b"\xff\xfe\n:::\nURIs\n\n\n")
        (self.folder / "sources.list").write_bytes(b"deb\ndeb [\n\x00")
        self.assertEqual(len(apt.sources_of_host("trixie", self.folder)), 3)


class FileSpecs(Folder):
    def test_a_folder_as_target_takes_the_source_name(self):
        source = self.write("a.conf", "")
        self.assertEqual(FileSpec(f"{source}:/etc/").target, "/etc/a.conf")
        self.assertEqual(FileSpec(f"{source}:/etc/b:600").mode, 0o600)

    def test_mistakes_are_told(self):
        source = self.write("a.conf", "")
        for text, word in ((f"{source}", "expected"), (f"{source}:etc/a", "expected"), (":/etc/a", "expected"),
                           (f"{source}:/etc/a:999", "octal"), (f"{source}x:/etc/a", "does not exist")):
            with self.assertRaisesRegex(ImageError, word):
                FileSpec(text)


class Causes(Folder):
    def cause(self, text):
        return str(pipeline.cause("image x", self.write("log", text)))

    def test_a_setup_script_is_named_with_its_output(self):
        said = self.cause("noise\nvmdsl-setup: begin a.sh\nfine\nvmdsl-setup: begin b.sh\nno such user\n"
                          "vmdsl-setup: failed b.sh 7\nE: setup failed\n")
        self.assertIn("b.sh ended with status 7", said)
        self.assertIn("no such user", said)
        self.assertNotIn("fine", said)
        self.assertNotIn("noise", said)

    def test_a_full_disk_is_named(self):
        self.assertIn("the disk is full", self.cause("x\ntar: ./usr: Cannot write: No space left on device\nE: tar\n"))

    def test_a_disk_that_a_setup_script_filled_is_a_full_disk(self):
        log = self.write("log", "vmdsl-setup: begin a.sh\ncp: x: No space left on device\nvmdsl-setup: failed a.sh 1\n")
        self.assertIsInstance(pipeline.cause("image x", log), DiskFullError)

    def test_a_program_that_was_killed_is_told_by_status_and_words(self):
        log = self.write("log", "")
        for script in ("kill -9 $$", "sh -c 'kill -9 $$'"):
            with self.assertRaisesRegex(KilledError, "memory runs out"):
                pipeline.run(["sh", "-c", f"{script}; exit $?"], None, log, {}, "image x")
        for line in ("E: Sub-process /usr/bin/dpkg received signal 9", "Killed",
                     "dpkg-deb: error: tar subprocess was killed by signal (Killed)", "x.sh: line 3:    41 Killed    make"):
            self.assertIsInstance(pipeline.cause("image x", self.write("log", f"x\n{line}\nE: it failed\n")), KilledError)
        self.assertNotIsInstance(pipeline.cause("image x", self.write("log", "E: it failed\n")), KilledError)

    def test_other_errors_show_apts_words_and_the_log(self):
        said = self.cause("page\n" * 500 + "E: Unable to correct problems\n" + "page\n" * 500)
        self.assertIn("E: Unable to correct problems", said)
        self.assertLess(len(said.splitlines()), 15)
        self.assertIn(str(self.folder / "log"), said)


class Cache(Folder):
    def test_an_entry_is_built_once(self):
        builds = []

        def build(work):
            builds.append(work)
            work.write_text("content")

        for _ in range(3):
            self.assertEqual(cache.entry("kind", "key", build).read_text(), "content")
        self.assertEqual(len(builds), 1)

    def test_a_failed_build_leaves_nothing(self):
        def build(work):
            work.mkdir()
            (work / "half").write_text("")
            raise ImageError("no")

        with self.assertRaises(ImageError):
            cache.entry("kind", "key", build)
        self.assertEqual([path for path in cache.cache_root().rglob("*") if "half" in path.name], [])
        self.assertFalse((cache.cache_root() / "kind").exists())

    def test_a_killed_build_is_not_used_and_swept(self):
        leftover = cache.cache_root() / "tmp" / "kind-key"
        leftover.mkdir(parents=True)
        (leftover / "half").write_text("")
        place = cache.entry("kind", "key", lambda work: work.mkdir())
        self.assertEqual(list(place.iterdir()), [])
        leftover.mkdir()
        cache.sweep()
        self.assertFalse(leftover.exists())

    def test_sweeping_spares_work_in_progress(self):
        started, finish = threading.Event(), threading.Event()

        def build(work):
            work.mkdir()
            started.set()
            finish.wait(30)

        builder = threading.Thread(target=cache.entry, args=("kind", "key", build))
        builder.start()
        self.assertTrue(started.wait(30))
        cache.sweep()
        self.assertTrue((cache.cache_root() / "tmp" / "kind-key").exists())
        finish.set()
        builder.join(30)
        self.assertTrue((cache.cache_root() / "kind" / "key").exists())

    def test_a_cache_that_is_removed_during_a_build_is_told_and_harms_no_other_build(self):
        others_work, finish = threading.Event(), threading.Event()

        def build_of_another(work):
            work.write_text("whole")
            others_work.set()
            finish.wait(30)

        another = threading.Thread(target=cache.entry, args=("kind", "key", build_of_another))

        def build(work):
            work.mkdir()
            shutil.rmtree(cache.cache_root())
            another.start()
            self.assertTrue(others_work.wait(30))
            raise ImageError("tar: Cannot stat: No such file or directory")

        try:
            with self.assertRaisesRegex(ImageError, "was removed while"):
                cache.entry("kind", "key", build)
        finally:
            finish.set()
            another.join(30)
        self.assertEqual((cache.cache_root() / "kind" / "key").read_text(), "whole")

    def test_who_waited_for_a_lock_that_was_removed_takes_the_one_that_others_see(self):
        waits, entered, leave = threading.Event(), threading.Event(), threading.Event()

        def second():
            with cache.lock("name", on_wait=waits.set):
                entered.set()
                leave.wait(30)

        waiter = threading.Thread(target=second)
        with cache.lock("name"):
            waiter.start()
            self.assertTrue(waits.wait(30))
            shutil.rmtree(cache.cache_root())
        self.assertTrue(entered.wait(30))
        told = []

        def third():
            with cache.lock("name", on_wait=lambda: (told.append("waits"), leave.set())):
                told.append("enters")

        third()
        leave.set()
        waiter.join(30)
        self.assertEqual(told, ["waits", "enters"])

    def test_cleaning_waits_for_builds(self):
        place = cache.entry("base", "key", lambda work: work.mkdir())
        with cache.in_use():
            cleaner = self.process(str(_ROOT / "tools" / "vm-image"), "clean", "--days", "0")
            self.assertIn("waiting for builds", cleaner.stdout.readline())
            self.assertTrue(place.exists())
        self.assertEqual(cleaner.wait(60), 0)
        self.assertFalse(place.exists())

    def test_what_machines_read_is_in_use(self):
        for name, read in (("read", 0), ("unread", 100 * 86400)):
            place = cache.entry("initrd", name, lambda work: work.write_text(""))
            long_ago = place.stat().st_mtime - 100 * 86400
            os.utime(place, (place.stat().st_mtime - read, long_ago))
        cache.drop_unused("initrd", 14)
        self.assertEqual([path.name for path in (cache.cache_root() / "initrd").iterdir()], ["read"])

    def test_what_reports_read_is_in_use(self):
        for name, read in (("read", 0), ("unread", 100 * 86400)):
            place = cache.entry("build", name, lambda work: (work.mkdir(), (work / "gcov").write_text("")))
            now = place.stat().st_mtime
            os.utime(place / "gcov", (now - read, now - 100 * 86400))
            os.utime(place, (now - 100 * 86400, now - 100 * 86400))
        cache.drop_unused("build", 14)
        self.assertEqual([path.name for path in (cache.cache_root() / "build").iterdir()], ["read"])

    def test_keys_depend_on_content_and_modes(self):
        one = self.write("one/a", "text")
        self.write("two/a", "text")
        self.assertEqual(cache.digest_of_tree(one.parent), cache.digest_of_tree(self.folder / "two"))
        one.chmod(0o755)
        self.assertNotEqual(cache.digest_of_tree(one.parent), cache.digest_of_tree(self.folder / "two"))

    def test_unchanged_files_are_not_rewritten(self):
        path = self.folder / "file"
        self.assertTrue(cache.write_atomically(path, "text"))
        before = path.stat().st_ino
        self.assertFalse(cache.write_atomically(path, "text"))
        self.assertEqual(path.stat().st_ino, before)
        self.assertTrue(cache.write_atomically(path, "other"))


class Downloads(Folder):
    """Several processes and one apt folder. The apt here is a script that does what apt does to the folder."""

    def setUp(self):
        super().setUp()
        self.archive = apt.Archive("bookworm")
        self.program("apt-get", f"""#!/bin/sh
            archives=$(sed -n 's/^Dir::Cache::archives "\\(.*\\)";/\\1/p' "$APT_CONFIG")
            case "$*" in
            *--print-uris*) echo "'http://mirror.example/less.deb' less_1_amd64.deb 3 SHA256:0" ;;
            *--download-only*) echo deb >"$archives/less_1_amd64.deb" ;;
            update*) echo update >>{self.folder}/order ;;
            esac
        """)

    def test_what_a_build_downloaded_is_its_own(self):
        (found,) = self.archive.download_with_dependencies(["less"], "/dev/null", self.folder / "work")
        # Another build, or apt-get clean, makes room.
        subprocess.run(["find", self.archive.downloads, "-name", "*.deb", "-delete"], check=True)
        self.assertEqual(found.read_text(), "deb\n")

    def test_lists_stay_while_a_build_reads_them(self):
        order = self.folder / "order"
        with self.archive.reading():
            refresher = self.process(sys.executable, "-B", "-c", f"""if True:
                import sys
                sys.path.insert(0, {str(_ROOT / "tools" / "image")!r})
                from vm_image.apt import Archive
                Archive("bookworm", say=lambda text: print(text, flush=True)).refresh(force=True)
            """)
            self.assertIn("waiting for builds", refresher.stdout.readline())
            with open(order, "a") as file:
                file.write("read\n")
        self.assertEqual(refresher.wait(60), 0)
        self.assertEqual(order.read_text().split(), ["read", "update"])


class Memory(Folder):
    def setUp(self):
        super().setUp()
        self.memory, self.in_memory, self.said = 4096, [], []
        self.in_memory_it_ends_so = lambda: None

        def run(command, *_):
            self.in_memory.append("tmpfs" in command[command.index("-c") + 1])
            if self.in_memory[-1]:
                self.in_memory_it_ends_so()

        for module, name, value in ((pipeline, "run", run), (debian, "memory_for_builds", lambda: self.memory)):
            self.addCleanup(setattr, module, name, getattr(module, name))
            setattr(module, name, value)

    def build(self, prefix=("unshare",)):
        """Builds; returns whether each attempt was in memory."""
        said = self.said

        class Archive:
            architecture, suite, sources_file, say = "amd64", "bookworm", "sources.list", said.append
            date = staticmethod(lambda: 1)

        self.in_memory = []
        folder = self.folder / "build"
        folder.mkdir(exist_ok=True)
        debian.Builder(prefix, Archive, self.folder / "log").archive_of([], folder, "it", folder / "out")
        return self.in_memory

    def test_without_namespaces_there_are_no_mounts(self):
        self.assertEqual(self.build(prefix=[]), [False])

    def test_what_does_not_fit_into_memory_is_built_on_disk(self):
        for problem in (DiskFullError("full"), KilledError("killed")):
            self.in_memory_it_ends_so = unittest.mock.Mock(side_effect=problem)
            self.said.clear()
            self.assertEqual(self.build(), [True, False])
            self.assertEqual(len(self.said), 1)
            self.memory, before = 1 << 60, self.memory  # more than any disk has
            with self.assertRaises(type(problem)):
                self.build()
            self.memory = before

    def test_other_problems_are_problems(self):
        self.in_memory_it_ends_so = unittest.mock.Mock(side_effect=ImageError("no such package"))
        with self.assertRaises(ImageError):
            self.build()

    def test_only_one_build_at_a_time_takes_memory(self):
        with cache.lock_if_free("memory"):
            self.assertEqual(self.build(), [False])
        self.assertEqual(self.build(), [True])


class Progress(Folder):
    def test_steps_are_told_where_the_builder_of_several_images_reads_them(self):
        file = self.folder / "steps"
        self.setenv("VMDSL_PROGRESS_FILE", str(file))
        tell = cli._progress(type("given", (), {"name": "own"}))
        tell("one")
        tell("two")
        self.assertEqual(file.read_text().splitlines(), ["image own: one", "image own: two"])


class Tools(unittest.TestCase):
    def test_what_is_needed_is_what_the_scripts_install(self):
        script = (_ROOT / "tools" / "lib" / "common.sh").read_text()
        installed = re.search(r"^image_packages=\(([^)]*)\)", script, re.MULTILINE)[1].split()
        in_every_debian = {"apt", "dpkg", "util-linux"}
        self.assertEqual(set(errors.PACKAGE_OF.values()) - in_every_debian - set(installed), set())

    def test_all_missing_tools_are_named_at_once(self):
        saved = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", saved)
        require_tools("unshare")
        self.addCleanup(setattr, errors, "search_path", errors.search_path)
        errors.search_path = lambda: "/nonexistent"
        with self.assertRaisesRegex(ImageError, "mmdebstrap, mkfs.erofs[^$]*apt-get install.* erofs-utils mmdebstrap"):
            require_tools("mmdebstrap", "mkfs.erofs")


if __name__ == "__main__":
    unittest.main()
