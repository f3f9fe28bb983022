# SPDX-License-Identifier: BSL-1.0
"""Root images: a base system once per kernel and archive state, then packages, files and setup scripts on top."""

import pathlib
import shlex
import shutil

from . import cache, pipeline
from .apt import DownloadError
from .errors import DiskFullError, ImageError, KilledError, require_tools
from .rights import builder_prefix, memory_for_builds
from .stage import Stage

_GUEST = pathlib.Path(__file__).parents[1] / "guest"
_BASE_PARTS = ("base.sh", "files")
_IMAGE_PARTS = ("image.sh",)

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
# Not compressed: emulated machines spend a tenth of their boot on decompression, and the host's page cache holds what
# they read anyway. A fixed identifier and clamped times: same content, same bytes.
_EROFS_OPTIONS = ("--quiet", "-U", "6d1d0a5e-2f0b-4b53-9a53-3c4d5e6f7a81")
BUILD_FOLDER = "vmdsl-build"
# Part of every key: to be counted up when this file builds the same recipe differently.
_FORMAT = 3


def root_image(recipe, kernel_used, archive, mode, refresh, log):
    """The read-only root file system for a recipe, from the cache where it is there."""
    # Not the archive's state: an image that was built stays until it is refreshed or something in it changes.
    key = cache.key_of([base_facts(archive, kernel_used), _digests(_IMAGE_PARTS), _EROFS_OPTIONS, recipe.facts()])
    key += ".erofs"
    if refresh:
        cache.forget("root", key)

    def build(work):
        require_tools("mmdebstrap", "mkfs.erofs", "apt-get", "apt-cache")
        prefix = builder_prefix(mode)
        cache.sweep()
        archive.refresh()
        try:
            with archive.reading():
                archive.require(recipe.packages)
                _build_root(Builder(prefix, archive, log), recipe, kernel_used, work)
        except DownloadError:
            archive.say("a package is not where the package lists have it; fetching newer lists")
            archive.refresh(force=True)
            with archive.reading():
                _build_root(Builder(prefix, archive, log), recipe, kernel_used, work)

    return cache.entry("root", key, build, lambda: archive.say("waiting for another build of this image"))


def base_facts(archive, kernel_used):
    return [_FORMAT, BASE_PACKAGES, _DPKG_OPTIONS, _digests(_BASE_PARTS), archive.suite, archive.sources,
            kernel_used.facts()]


def _digests(parts):
    return [cache.digest_of_tree(_GUEST / part) for part in parts]


class Builder:
    """mmdebstrap with what all its runs have in common. To be made and used while archive.reading() is held."""

    def __init__(self, prefix, archive, log):
        self.archive = archive
        self.date = archive.date()
        self.say = archive.say
        self._prefix = prefix
        self._log = log

    def archive_of(self, options, folder, what, output):
        """Builds a system and packs it into a tar archive."""
        self._run('"$@"', self._mmdebstrap(options, "tar", "-"), folder, what, output)

    def nothing_of(self, options, folder, what):
        """Builds a system for what its hooks take out of it."""
        self._run('"$@"', self._mmdebstrap(options, "null", "-"), folder, what, None)

    def image_of(self, options, folder, what, output):
        """Builds a system and makes a read-only file system of it."""
        system = folder / "chroots" / "system"
        # Device files cannot be made by everyone, and the agent mounts the kernel's own. mkfs runs inside the
        # namespace, because only there do the files belong to whom the image says.
        script = (f'"$@"; find {quoted(system / "dev")} -xdev -mindepth 1 -delete; '
                  f'mkfs.erofs {" ".join(_EROFS_OPTIONS)} {quoted(output)} {quoted(system)}')
        self._run(script, self._mmdebstrap(options, "directory", str(system)), folder, what, None)

    def _mmdebstrap(self, options, form, target):
        return [
            "mmdebstrap", "--mode=root", f"--architectures={self.archive.architecture}", f"--format={form}",
            *(f"--dpkgopt={option}" for option in _DPKG_OPTIONS),
            '--aptopt=APT::Sandbox::User "root"',  # _apt may not enter a closed home folder
            "--skip=update", *options, self.archive.suite, target, str(self.archive.sources_file),
        ]

    def _run(self, script, command, folder, what, output):
        """Runs the script on the command, in memory where that is likely to do: unpacking is mostly small files."""
        if not self._run_in_memory(script, command, folder, what, output):
            self._run_in(script, command, folder, what, output)

    def _run_in_memory(self, script, command, folder, what, output):
        """False where that can't be, or did not fit. One build at a time: what is free now can't be promised twice."""
        with cache.lock_if_free("memory") as alone:
            memory = memory_for_builds() if alone and self._prefix else 0
            if memory == 0:
                return False
            try:
                mount = f"mount -t tmpfs -o mode=755,size={memory} vmdsl {quoted(folder / 'chroots')}; "
                self._run_in(mount + script, command, folder, what, output)
                return True
            except (DiskFullError, KilledError):
                if shutil.disk_usage(folder).free < memory:
                    raise  # the disk was full, or it would be
        self.say("that does not fit into memory; once more, on disk")
        return False

    def _run_in(self, script, command, folder, what, output):
        chroots = folder / "chroots"
        cache.remove(chroots)
        chroots.mkdir()
        environment = {"SOURCE_DATE_EPOCH": str(self.date), "LC_ALL": "C.UTF-8", "TMPDIR": str(chroots)}
        command = [*self._prefix, "sh", "-e", "-c", script, "sh", *command]
        pipeline.run(command, output, self._log, environment, what)


def quoted(path):
    """For a shell, and for mmdebstrap's hooks."""
    return shlex.quote(str(path))


def base_system(builder, kernel_used):
    archive, say = builder.archive, builder.say
    key = cache.key_of([base_facts(archive, kernel_used), archive.state()])

    def build(work):
        say(f"base system (Debian {archive.suite}, Linux {kernel_used.release})")
        work.mkdir()
        folder = cache.beside(work, "build")
        folder.mkdir()
        with Stage(folder / "lists.tar", builder.date) as stage:
            for path in archive.list_files():
                stage.add(path, f"var/lib/apt/lists/{path.name}", 0o644)
        with Stage(folder / "guest.tar", builder.date) as stage:
            stage.add(kernel_used.modules, f"usr/lib/modules/{kernel_used.release}")
            for part in _BASE_PARTS:
                stage.add(_GUEST / part, f"{BUILD_FOLDER}/{part}")
        options = [
            "--skip=output/dev",  # unpacked again where device nodes cannot be made
            "--variant=minbase", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
            f"--include={','.join(BASE_PACKAGES)}",
            f"--setup-hook=tar-in {quoted(folder / 'lists.tar')} /",
            f"--customize-hook=tar-in {quoted(folder / 'guest.tar')} /",
            f'--customize-hook=chroot "$1" sh /{BUILD_FOLDER}/base.sh {kernel_used.release}',
            f"--customize-hook=download /var/lib/dpkg/status {quoted(work / 'status')}",
        ]
        builder.archive_of(options, folder, f"the base system of Debian {archive.suite}", work / "root.tar")

    try:
        return cache.entry("base", key, build, lambda: say("waiting for the base system, which another build makes"))
    except ImageError as error:
        if "404" in str(error):
            raise DownloadError(str(error)) from error
        raise


def _build_root(builder, recipe, kernel_used, work):
    base = base_system(builder, kernel_used)
    builder.say(f"packages: {' '.join(recipe.packages) or 'none'}")
    debs = builder.archive.download_with_dependencies(recipe.packages, base / "status", cache.beside(work, "download"))
    folder = cache.beside(work, "build")
    folder.mkdir()
    _write_stage(folder / "stage.tar", builder.date, recipe, debs)
    builder.say("root image")
    options = [
        "--variant=custom",
        f"--setup-hook=tar-in {quoted(base / 'root.tar')} /",
        f"--setup-hook=tar-in {quoted(folder / 'stage.tar')} /",
        f'--customize-hook=chroot "$1" sh /{BUILD_FOLDER}/image.sh',
    ]
    builder.image_of(options, folder, f"image {recipe.name}", work)


def _write_stage(path, date, recipe, debs):
    with Stage(path, date) as stage:
        stage.folder("dev")  # mmdebstrap leaves it out of its archives, and mounts the host's devices into it
        for part in _IMAGE_PARTS:
            stage.add(_GUEST / part, f"{BUILD_FOLDER}/{part}")
        for deb in debs:
            stage.add(deb, f"{BUILD_FOLDER}/debs/{deb.name}", 0o644)
        for number, build in enumerate(recipe.builds):
            stage.add(pathlib.Path(build["folder"]) / "install.tar", f"{BUILD_FOLDER}/builds/{number}.tar")
        for number, file in enumerate(recipe.files):
            # Files are put in place by image.sh: after the packages, so that a package's own file does not win.
            stage.add(file.source, f"{BUILD_FOLDER}/files/{number}/content", file.mode)
            stage.text(f"{BUILD_FOLDER}/files/{number}/place", file.target)
        for number, script in enumerate(recipe.scripts):
            stage.add(script, f"{BUILD_FOLDER}/setup/{number:03}-{script.name}", 0o755)
