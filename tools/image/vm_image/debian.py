# SPDX-License-Identifier: BSL-1.0
"""Root images: a base system once per kernel and archive state, then packages, files and setup scripts on top."""

import io
import pathlib
import re
import tarfile

from . import cache, pipeline
from .errors import ImageError, require_tools
from .rights import as_root_in_name, builder_prefix

_HERE = pathlib.Path(__file__).parent
_GUEST_FILES = _HERE.parent / "guest"

# On top of Debian's packages of priority "required".
BASE_PACKAGES = ("systemd-sysv", "dbus", "udev", "kmod", "iproute2", "iputils-ping", "procps", "netbase",
                 "ca-certificates")

# Not unpacked: nobody reads manuals in a test machine, and thousands of small files cost build and boot time.
_DPKG_OPTIONS = (
    "force-unsafe-io",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-include=/usr/share/doc/*/examples/*",
)
_SQUASHFS_OPTIONS = ("-root-mode", "755", "-comp", "lz4", "-b", "128K", "-quiet", "-no-progress", "-reproducible")
_BUILD_FOLDER = "vmdsl-build"
# Part of every key: to be counted up when this file builds the same recipe differently.
_FORMAT = 1


class Recipe:
    """What one root image is made of."""

    def __init__(self, name, packages, files, scripts, mode="auto"):
        self.name = name
        self.packages = tuple(packages)
        self.files = tuple(FileSpec(text) for text in files)
        self.scripts = tuple(pathlib.Path(script) for script in scripts)
        self.mode = mode
        for script in self.scripts:
            if not script.is_file():
                raise ImageError(f"setup script {script} of image {name} does not exist")
        for word in self.packages:
            if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", word):
                raise ImageError(f"'{word}' is not the name of a Debian package (image {name})")

    def facts(self):
        return [
            sorted(set(self.packages)),
            [[file.target, file.mode, cache.digest_of_tree(file.source)] for file in self.files],
            [[script.name, cache.digest_of_file(script)] for script in self.scripts],
        ]


class FileSpec:
    """SRC:DEST[:MODE]: a file or folder of the host and its absolute place in the guest."""

    def __init__(self, text):
        parts = text.split(":")
        if len(parts) not in (2, 3) or not parts[0] or not parts[1].startswith("/"):
            raise ImageError(f"cannot read the file '{text}': expected SOURCE:/ABSOLUTE/PLACE or SOURCE:/PLACE:MODE")
        self.source = pathlib.Path(parts[0])
        self.target = parts[1]
        self.mode = None
        if len(parts) == 3:
            if not re.fullmatch(r"[0-7]{3,4}", parts[2]):
                raise ImageError(f"'{parts[2]}' in '{text}' is not an octal mode such as 644")
            self.mode = int(parts[2], 8)
        if not self.source.exists():
            raise ImageError(f"file {self.source} does not exist (asked for as {text})")
        if self.target.endswith("/"):
            self.target += self.source.name


def root_image(recipe, kernel_used, archive, log, say):
    """The read-only root file system for a recipe, from the cache where it is there."""
    # Not the archive's state: an image that was asked for by name stays until it is refreshed or something changes.
    key = cache.key_of([_base_facts(archive, kernel_used), cache.digest_of_tree(_GUEST_FILES / "image.sh"),
                        _SQUASHFS_OPTIONS, recipe.facts()])

    def build(work):
        require_tools("mmdebstrap", "sqfstar", "apt-get", "apt-cache")
        builder = _Builder(builder_prefix(recipe.mode), archive, log)
        archive.refresh()
        archive.require(recipe.packages)
        cache.sweep()
        base = _base(builder, kernel_used, say)
        _build_root(builder, recipe, base, work, say)

    return cache.entry("root", key + ".squashfs", build)


def _base_facts(archive, kernel_used):
    return [_FORMAT, BASE_PACKAGES, _DPKG_OPTIONS, cache.digest_of_tree(_GUEST_FILES / "base.sh"),
            archive.suite, archive.sources, kernel_used.facts()]


class _Builder:
    """mmdebstrap with what all its runs have in common."""

    def __init__(self, prefix, archive, log):
        self.archive = archive
        self._prefix = prefix
        self._log = log

    def run(self, options, folder, what, squash_to=None, tar_to=None):
        """Builds a system in `folder` and packs it: into a squashfs image or a tar archive."""
        chroots = folder / "chroots"
        chroots.mkdir(parents=True)
        command = [
            *self._prefix, "mmdebstrap", "--mode=root", f"--architectures={self.archive.architecture}",
            "--format=tar", *(f"--dpkgopt={option}" for option in _DPKG_OPTIONS),
            "--aptopt=APT::Sandbox::User \"root\"",  # _apt may not enter a closed home folder
            "--skip=update", *options, self.archive.suite, "-", str(self.archive.sources_file),
        ]
        # sqfstar gives the root folder to the caller, so that must be root, if only in name.
        squash = [*as_root_in_name(), "sqfstar", *_SQUASHFS_OPTIONS, str(squash_to)]
        commands = [command, squash] if squash_to else [command]
        environment = {"SOURCE_DATE_EPOCH": "1", "LC_ALL": "C.UTF-8", "TMPDIR": str(chroots)}
        pipeline.run(commands, tar_to, self._log, environment, what)


def _base(builder, kernel_used, say):
    archive = builder.archive
    key = cache.key_of([_base_facts(archive, kernel_used), archive.state()])

    def build(work):
        say(f"base system (Debian {archive.suite}, Linux {kernel_used.release})")
        work.mkdir()
        scratch = work / "scratch"
        scratch.mkdir()
        with tarfile.open(scratch / "lists.tar", "w") as tar:
            for path in archive.list_files():
                _add(tar, path, f"var/lib/apt/lists/{path.name}", 0o644)
        with tarfile.open(scratch / "guest.tar", "w") as tar:
            _add(tar, kernel_used.modules, f"usr/lib/modules/{kernel_used.release}")
            _add(tar, _GUEST_FILES, _BUILD_FOLDER)
        options = [
            "--skip=output/dev",  # unpacked again where device nodes cannot be made
            "--variant=minbase", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
            f"--include={','.join(BASE_PACKAGES)}",
            f"--setup-hook=tar-in {scratch}/lists.tar /",
            f"--customize-hook=tar-in {scratch}/guest.tar /",
            f'--customize-hook=chroot "$1" sh /{_BUILD_FOLDER}/base.sh {kernel_used.release}',
            f"--customize-hook=download /var/lib/dpkg/status {work}/status",
        ]
        builder.run(options, scratch, f"the base system of Debian {archive.suite}", tar_to=work / "root.tar")
        cache.remove(scratch)

    return cache.entry("base", key, build)


def _build_root(builder, recipe, base, work, say):
    say(f"packages of {recipe.name}: {' '.join(recipe.packages) or 'none'}")
    debs = builder.archive.download_with_dependencies(recipe.packages, base / "status")
    scratch = work.with_name(work.name + ".scratch")
    cache.remove(scratch)
    scratch.mkdir()
    try:
        _write_stage(scratch / "stage.tar", recipe, debs)
        say(f"root image of {recipe.name}")
        options = [
            "--variant=custom", f"--setup-hook=tar-in {base}/root.tar /",
            f"--setup-hook=tar-in {scratch}/stage.tar /",
            f'--customize-hook=chroot "$1" sh /{_BUILD_FOLDER}/image.sh',
        ]
        builder.run(options, scratch, f"image {recipe.name}", squash_to=work)
    finally:
        cache.remove(scratch)


def _write_stage(stage, recipe, debs):
    with tarfile.open(stage, "w") as tar:
        _add_folder(tar, "dev")  # mmdebstrap leaves it out of its archives, and mounts the host's devices into it
        _add(tar, _GUEST_FILES, _BUILD_FOLDER)
        for deb in debs:
            _add(tar, deb, f"{_BUILD_FOLDER}/debs/{deb.name}", 0o644)
        for number, file in enumerate(recipe.files):
            # Files are put in place by image.sh: after the packages, so that a package's own file does not win.
            _add(tar, file.source, f"{_BUILD_FOLDER}/files/{number}/content", file.mode)
            _add_text(tar, f"{_BUILD_FOLDER}/files/{number}/place", file.target)
        for number, script in enumerate(recipe.scripts):
            _add(tar, script, f"{_BUILD_FOLDER}/setup/{number:03}-{script.name}", 0o755)


def _add(tar, source, name, mode=None):
    def cleaned(entry):
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = 1
        if mode is not None and entry.isfile():
            entry.mode = mode
        elif entry.isdir():
            entry.mode = 0o755
        return entry

    try:
        tar.add(source, name, filter=cleaned)
    except PermissionError as error:
        raise ImageError(f"cannot read {error.filename}: {error.strerror}") from error


def _add_folder(tar, name):
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.DIRTYPE
    entry.mode = 0o755
    tar.addfile(entry)


def _add_text(tar, name, text):
    entry = tarfile.TarInfo(name)
    entry.size = len(text.encode())
    tar.addfile(entry, io.BytesIO(text.encode()))
