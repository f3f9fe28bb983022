#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The parts of tools/vm-image that need no download: archives, sources, causes of failures, the cache's rules."""

import os
import pathlib
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "image"))

from vm_image import apt, cache, pipeline  # noqa: E402
from vm_image.cpio import CpioWriter  # noqa: E402
from vm_image.errors import ImageError, require_tools  # noqa: E402
from vm_image.recipe import FileSpec  # noqa: E402


class Folder(unittest.TestCase):
    """A case with a folder and a cache of its own."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        os.environ["VMDSL_CACHE_DIR"] = str(self.folder / "cache")

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


class Tools(unittest.TestCase):
    def test_all_missing_tools_are_named_at_once(self):
        saved = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", saved)
        require_tools("unshare")
        from vm_image import errors

        self.addCleanup(setattr, errors, "search_path", errors.search_path)
        errors.search_path = lambda: "/nonexistent"
        with self.assertRaisesRegex(ImageError, "mmdebstrap, mkfs.erofs[^$]*apt-get install.* erofs-utils mmdebstrap"):
            require_tools("mmdebstrap", "mkfs.erofs")


if __name__ == "__main__":
    unittest.main()
