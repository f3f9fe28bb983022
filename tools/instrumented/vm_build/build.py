# SPDX-License-Identifier: BSL-1.0
"""Compiles software with coverage counters, inside a guest's base system, and keeps what guests and reports need.

An entry of the cache (kind "build") is a folder:
    build.json   name, folder in the guest, version of the sources, digest of what guests get
    install.tar  what guests get: the installed tree, the empty build folders that counters are written to, and what
                 flushes and collects them
    tree/        the build folder's .gcno files, and its sources that have code
    gcov         the compiler's own gcov
    baseline.json  what it says of the .gcno files alone: all lines, none of which has run
    kernel/      where the build installed one: what machines boot, as vm_image.kernel has it
"""

import json
import pathlib
import re
import subprocess

from vm_image import cache
from vm_image.apt import DownloadError
from vm_image.debian import BUILD_FOLDER, Builder, base_facts, base_system, quoted
from vm_image.errors import ImageError, require_tools
from vm_image.kernel import complete
from vm_image.recipe import read_build
from vm_image.rights import builder_prefix
from vm_image.stage import Stage

_GUEST = pathlib.Path(__file__).parents[1] / "guest"
_PACKAGES = ("build-essential",)
# Part of every key: to be counted up when this file builds the same recipe differently.
_FORMAT = 1


class Recipe:
    """What one build is made of, checked before anything is downloaded."""

    def __init__(self, name, source_package, folder, script, packages, uses):
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
            raise ImageError(f"'{name}' is not a name of lower-case letters, digits, dots and dashes")
        self.name = name
        self.source_package = source_package
        self.folder = pathlib.Path(folder) if folder else None
        self.script = pathlib.Path(script)
        self.packages = tuple(packages)
        self.uses = tuple(read_build(path) for path in uses)
        if bool(source_package) == bool(folder):
            raise ImageError(f"build {name} needs a Debian source package or a source folder, one of the two")
        if folder and not self.folder.is_dir():
            raise ImageError(f"the source folder {folder} of build {name} does not exist")
        if not self.script.is_file():
            raise ImageError(f"the build script {script} of build {name} does not exist")

    def facts(self):
        """Unlike an image, a build knows its name: it is part of the paths in its counters' files."""
        return [self.name, self.source_package, self.folder and cache.digest_of_tree(self.folder, without=".git"),
                [self.script.name, cache.digest_of_file(self.script)], sorted(set(self.packages)),
                [used["content"] for used in self.uses]]


def instrumented_build(recipe, kernel_used, archive, sources, mode, refresh, log):
    """The description of a build, from the cache where it is there."""
    key = cache.key_of([_FORMAT, base_facts(archive, kernel_used), _PACKAGES, cache.digest_of_tree(_GUEST),
                        recipe.facts()])
    if refresh:
        cache.forget("build", key)

    def build(work):
        require_tools("mmdebstrap", "apt-get", "apt-cache", "dpkg")
        prefix = builder_prefix(mode)
        cache.sweep()
        for force in (False, True):
            archive.refresh(force=force)
            if recipe.source_package:
                sources.refresh(force=force)
            try:
                with archive.reading():
                    archive.require(recipe.packages)
                    _build(Builder(prefix, archive, log), recipe, kernel_used, sources, work)
                return
            except DownloadError:
                if force:
                    raise
                archive.say("a package is not where the package lists have it; fetching newer lists")
                cache.remove(work)
                for leftover in work.parent.glob(f"{work.name}@*"):
                    cache.remove(leftover)

    folder = cache.entry("build", key, build, lambda: archive.say("waiting for another process that builds this"))
    fields = json.loads((folder / "build.json").read_text())
    return {**fields, "folder": str(folder)}


def _build(builder, recipe, kernel_used, sources, work):
    base = base_system(builder, kernel_used)
    work.mkdir()
    folder = cache.beside(work, "build")
    folder.mkdir()
    version = None
    if recipe.source_package:
        with sources.reading():
            version = sources.fetch(recipe.source_package, folder / "sources")
        builder.say(f"sources: {recipe.source_package} {version}")
    debs = builder.archive.download_with_dependencies([*_PACKAGES, *recipe.packages], base / "status",
                                                      cache.beside(work, "download"))
    _write_stage(folder / "stage.tar", builder.date, recipe, folder / "sources", debs)
    builder.say("installing what it is built with, and compiling")
    options = [
        "--variant=custom",
        f"--setup-hook=tar-in {quoted(base / 'root.tar')} /",
        f"--setup-hook=tar-in {quoted(folder / 'stage.tar')} /",
        f'--customize-hook=chroot "$1" sh /{BUILD_FOLDER}/build.sh {recipe.name} {quoted(recipe.script.name)}',
        *(f"--customize-hook=download /{BUILD_FOLDER}/{name} {quoted(folder / name)}"
          for name in ("tree.tar", "kernel.tar")),
        *(f"--customize-hook=download /{BUILD_FOLDER}/{name} {quoted(work / name)}"
          for name in ("install.tar", "baseline.json", "gcov")),
    ]
    builder.nothing_of(options, folder, f"the instrumented {recipe.name}")
    _unpack(folder / "tree.tar", work / "tree", recipe)
    _unpack(folder / "kernel.tar", folder / "kernel", recipe)
    if (folder / "kernel" / "boot").exists():
        complete(folder / "kernel", version or recipe.name)
        (folder / "kernel").rename(work / "kernel")
    (work / "gcov").chmod(0o755)
    # Not what went in: a compiler stamps each object with a number of its own, and what is built again from the same
    # recipe does not know the counters of the old one.
    fields = {"format": 1, "name": recipe.name, "guest_folder": f"/coverage/{recipe.name}", "version": version,
              "content": cache.digest_of_file(work / "install.tar")}
    (work / "build.json").write_text(json.dumps(fields, indent=2) + "\n")


def _unpack(archive, folder, recipe):
    folder.mkdir()
    done = subprocess.run(["tar", "--extract", "--no-same-owner", "--no-same-permissions", "--file", archive,
                           "--directory", folder], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImageError(f"cannot unpack {archive.name} of {recipe.name}: {done.stderr.strip()}")


def _write_stage(path, date, recipe, sources, debs):
    with Stage(path, date) as stage:
        stage.folder("dev")  # mmdebstrap mounts the host's devices into it
        for file in sorted(_GUEST.iterdir()):
            stage.add(file, f"{BUILD_FOLDER}/{file.name}")
        for deb in debs:
            stage.add(deb, f"{BUILD_FOLDER}/debs/{deb.name}", 0o644)
        for number, used in enumerate(recipe.uses):
            stage.add(pathlib.Path(used["folder"]) / "install.tar", f"{BUILD_FOLDER}/uses/{number}.tar")
        stage.add(recipe.script, f"{BUILD_FOLDER}/script/{recipe.script.name}", 0o755)
        if recipe.folder:
            stage.add(recipe.folder, f"coverage/{recipe.name}", without=".git")
        else:
            stage.add(sources, f"{BUILD_FOLDER}/sources")
