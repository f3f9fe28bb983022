# SPDX-License-Identifier: BSL-1.0
"""Debian's cloud kernel, downloaded and unpacked into the cache; nothing is installed on the host."""

import os
import pathlib
import re
import shutil
import struct
import subprocess

from . import cache
from .errors import ImageError, require_tools, search_path

_METAPACKAGE = "linux-image-cloud-amd64"
_LZ4_LEGACY_MAGIC = b"\x02\x21\x4c\x18"
_SETUP_HEADER = 0x1F1  # Documentation/arch/x86/boot.rst


class Kernel:
    """An unpacked kernel package."""

    def __init__(self, folder):
        self.folder = folder
        self.release = (folder / "release").read_text().strip()
        self.version = (folder / "version").read_text().strip()
        self.image = folder / "vmlinux"
        self.bios_image = folder / "boot" / f"vmlinuz-{self.release}"  # what a machine with a display boots
        self.modules = folder / "lib" / "modules" / self.release

    def facts(self):
        return [self.release, self.version]


def kernel_of(builds):
    """The kernel that one of these builds made; None where none did. Throws where several did."""
    folders = [pathlib.Path(build["folder"]) / "kernel" for build in builds]
    found = [folder for folder in folders if folder.is_dir()]
    if len(found) > 1:
        raise ImageError(f"{len(found)} of an image's BUILDS made a kernel; a machine boots one")
    return Kernel(found[0]) if found else None


class GivenKernel:
    """A kernel that somebody else built: its file, and a folder that its modules are somewhere in."""

    def __init__(self, image, modules):
        if not modules.is_dir():
            raise ImageError(f"the folder of modules {modules} does not exist")
        self.image = image
        self.bios_image = None
        self.modules = modules


def kernel(archive, refresh=False):
    """The kernel that images on this archive use: chosen once, kept until a refresh is asked for."""
    choice = cache.cache_root() / "kernel" / f"current-{archive.folder.name}"
    folder = cache.cache_root() / "kernel" / (choice.read_text().strip() if choice.exists() else "none")
    if not refresh and (folder / "vmlinux").exists():
        cache.mark_used(folder)
        return Kernel(folder)
    archive.refresh(force=refresh)
    with archive.reading():
        package, version = _newest(archive)
        key = f"{package}_{version.replace(':', '_')}"
        folder = cache.entry("kernel", key, lambda work: _unpack(archive, package, version, work))
    cache.write_atomically(choice, key + "\n")
    return Kernel(folder)


def module_list(kernel_used, names):
    """The files of modules and of all they need, in loading order. Names that are built in or absent are left out."""
    files = {path.name.split(".ko")[0].replace("-", "_"): path for path in kernel_used.modules.rglob("*.ko*")}
    ordered = []

    def visit(name):
        path = files.get(name)
        if path is None or path in ordered:
            return
        for needed in _module_needs(module_content(path)):
            visit(needed)
        ordered.append(path)

    for name in names:
        visit(name.replace("-", "_"))
    return ordered


def module_content(path):
    """The module as the kernel loads it: later Debian releases ship them compressed."""
    if path.suffix == ".xz":
        import lzma

        return lzma.decompress(path.read_bytes())
    return path.read_bytes()


def _module_needs(content):
    # .modinfo is a list of NUL-terminated name=value strings.
    found = re.search(rb"\0depends=([^\0]*)\0", content)
    return [name.replace("-", "_") for name in found[1].decode().split(",") if name] if found else []


def _newest(archive):
    meta = archive.candidate(_METAPACKAGE)
    if meta is None:
        raise ImageError(f"Debian {archive.suite} has no package {_METAPACKAGE}; is it a suite for amd64?")
    package = re.search(r"linux-image-[^ ,(]+", meta["Depends"])[0]
    return package, archive.candidate(package)["Version"]


def _unpack(archive, package, version, work):
    require_tools("dpkg-deb", "lz4")
    archive.say(f"kernel {version}")
    file = archive.download(package, version, cache.beside(work, "download"))
    done = subprocess.run(["dpkg-deb", "--extract", file, work], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImageError(f"cannot unpack {file}: {done.stderr.strip()}")
    shutil.rmtree(work / "usr", ignore_errors=True)  # documentation
    complete(work, version)


def complete(folder, version):
    """Makes a `Kernel`'s folder of one that has boot/vmlinuz-RELEASE and lib/modules, as kernel packages have them."""
    images = list(folder.glob("boot/vmlinuz-*"))
    if len(images) != 1:
        raise ImageError(f"a kernel is one file boot/vmlinuz-RELEASE; there are {len(images)} in {folder}")
    release = images[0].name.removeprefix("vmlinuz-")
    _extract_elf(images[0], folder / "vmlinux")
    (folder / "version").write_text(version + "\n")
    (folder / "release").write_text(release + "\n")


def _extract_elf(image, output):
    """Takes the ELF kernel out of a bzImage, so that QEMU enters it directly (PVH) and no guest decompresses it."""
    data = image.read_bytes()
    setup_sectors = data[_SETUP_HEADER] or 4
    offset, length = struct.unpack_from("<II", data, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = data[start : start + length - 4]  # the last four bytes are the length of the content
    if not payload.startswith(_LZ4_LEGACY_MAGIC):
        raise ImageError(f"{image.name} is not compressed with lz4 (CONFIG_KERNEL_LZ4), which is all that is known here")
    done = subprocess.run(["lz4", "-d", "-c"], input=payload, capture_output=True, check=False,
                          env=dict(os.environ, PATH=search_path()))
    if not done.stdout.startswith(b"\x7fELF"):
        raise ImageError(f"cannot decompress {image.name}: {done.stderr.decode(errors='replace').strip()}")
    pathlib.Path(output).write_bytes(done.stdout)
