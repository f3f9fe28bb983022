# SPDX-License-Identifier: BSL-1.0
"""Writes cpio archives (newc) for the kernel's initramfs: same input, same bytes; device nodes need no root."""

import stat

_TRAILER = "TRAILER!!!"


class CpioWriter:
    """Collects entries and writes them sorted by name, owned by root, dated 1970, parents first."""

    def __init__(self):
        self._entries = {}

    def folder(self, name, mode=0o755):
        self._add(name, stat.S_IFDIR | mode, b"")

    def file(self, name, content, mode=0o644):
        self._add(name, stat.S_IFREG | mode, content)

    def link(self, name, target):
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name, major, minor, mode=0o600):
        self._add(name, stat.S_IFCHR | mode, b"", (major, minor))

    def content(self):
        """The archive, padded to a multiple of 512 bytes so that another one can be appended."""
        data = bytearray()
        for number, name in enumerate(sorted(self._entries), start=1):
            _append(data, number, name, *self._entries[name])
        _append(data, 0, _TRAILER, 0, b"", (0, 0))
        data += b"\0" * (-len(data) % 512)
        return bytes(data)

    def _add(self, name, mode, content, device=(0, 0)):
        parts = name.strip("/").split("/")
        for depth in range(1, len(parts)):
            self._entries.setdefault("/".join(parts[:depth]), (stat.S_IFDIR | 0o755, b"", (0, 0)))
        self._entries["/".join(parts)] = (mode, content, device)


def _append(data, inode, name, mode, content, device):
    fields = (inode, mode, 0, 0, 2 if stat.S_ISDIR(mode) else 1, 0, len(content), 0, 0, *device, len(name) + 1, 0)
    data += b"070701" + b"".join(b"%08x" % field for field in fields)
    data += name.encode() + b"\0"
    data += b"\0" * (-len(data) % 4)
    data += content
    data += b"\0" * (-len(data) % 4)
