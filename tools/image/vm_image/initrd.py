# SPDX-License-Identifier: BSL-1.0
"""The initrd: the guest agent as /init, the kernel modules that boot needs and the lists that say in which order."""

import subprocess

from . import cache
from .cpio import CpioWriter
from .errors import ImageError
from .kernel import module_content, module_list

# Needed in every guest. What a kernel has built in, or lacks, is left out of the lists.
_BOOT_MODULES = ("virtio_pci", "virtio_console", "virtio_blk", "virtio_net", "virtio_rng", "pvpanic-pci", "af_packet")
# Needed where a root disk is attached.
_ROOT_MODULES = ("erofs", "ext4", "overlay")
_BUSYBOX_PACKAGE = "busybox-static"
_UNUSED_DAYS = 14


def initrd_content(kernel_used, agent):
    """The bytes of an uncompressed initrd: same agent and kernel, same bytes."""
    try:
        program = agent.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot read the guest agent {agent}: {error.strerror}") from error
    if not program.startswith((b"\x7fELF", b"#!")):
        raise ImageError(f"{agent} is not a program: the guest agent must be a static ELF executable")
    archive = CpioWriter()
    for name in ("dev", "proc", "run", "sys", "tmp"):
        archive.folder(name, 0o1777 if name == "tmp" else 0o755)
    archive.character_device("dev/console", 5, 1)
    archive.character_device("dev/null", 1, 3, 0o666)
    archive.file("init", program, 0o755)
    boot = module_list(kernel_used, _BOOT_MODULES)
    root = [path for path in module_list(kernel_used, _ROOT_MODULES) if path not in boot]
    for path in boot + root:
        archive.file(f"modules/{_module_name(path)}", module_content(path))
    for name, modules in (("boot", boot), ("root", root)):
        archive.file(f"modules/{name}.list", "".join(f"{_module_name(path)}\n" for path in modules).encode())
    return archive.content()


def busybox_content(program):
    """A second archive that turns the initrd into a small system: busybox, its applets, root's account."""
    applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    archive = CpioWriter()
    archive.file("bin/busybox", program.read_bytes(), 0o755)
    for applet in applets:
        if applet not in ("busybox", "init", "linuxrc"):
            archive.link(f"bin/{applet}", "busybox")
    for folder in ("sbin", "usr/bin", "usr/sbin"):
        archive.link(folder, "/bin")
    archive.folder("root", 0o700)
    archive.folder("mnt")
    archive.folder("var/tmp", 0o1777)
    archive.link("var/run", "/run")
    archive.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    archive.file("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    archive.file("etc/shells", b"/bin/sh\n/bin/ash\n")
    archive.file("etc/profile", b"export PATH=/bin HOME=/root\n")
    return archive.content()


def cached_initrd(content):
    """The file in the cache that holds these bytes."""
    cache.drop_unused("initrd", _UNUSED_DAYS)
    key = cache.key_of([cache.hashlib.sha256(content).hexdigest()]) + ".cpio"
    return cache.entry("initrd", key, lambda work: work.write_bytes(content))


def _module_name(path):
    return path.name.removesuffix(".xz")


def busybox(archive_used):
    """Debian's static busybox, in the cache."""
    return _busybox_folder(archive_used) / "busybox"


def _busybox_folder(archive_used):
    choice = cache.cache_root() / "busybox" / f"current-{archive_used.folder.name}"
    folder = cache.cache_root() / "busybox" / (choice.read_text().strip() if choice.exists() else "none")
    if folder.exists():
        cache.mark_used(folder)
        return folder

    def build(work):
        archive_used.say("busybox")
        file = archive_used.download(_BUSYBOX_PACKAGE, version, cache.beside(work, "download"))
        unpacked = cache.beside(work, "unpacked")
        done = subprocess.run(["dpkg-deb", "--extract", file, unpacked], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ImageError(f"cannot unpack {file}: {done.stderr.strip()}")
        work.mkdir()
        (unpacked / "bin" / "busybox").rename(work / "busybox")

    archive_used.refresh()
    with archive_used.reading():
        version = archive_used.candidate(_BUSYBOX_PACKAGE)["Version"]
        folder = cache.entry("busybox", version.replace(":", "_"), build)
    cache.write_atomically(choice, folder.name + "\n")
    return folder
