# SPDX-License-Identifier: BSL-1.0
"""Archives with which files of the host enter a system that is being built: owned by root, dated as we say."""

import io
import tarfile

from .errors import ImageError


class Stage:
    """A tar archive to be unpacked at the root of the new system. To be used in a with statement."""

    def __init__(self, path, date):
        self._date = date
        self._tar = tarfile.open(path, "w")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._tar.close()

    def add(self, source, name, mode=None, without=None):
        """A file or folder of the host. `mode` is for files; folders are 755, other files keep theirs.

        `without` names what is left out, at the folder's top.
        """

        def cleaned(entry):
            if without and entry.name == f"{name}/{without}":
                return None
            if entry.isdir():
                entry.mode = 0o755
            elif mode is not None and entry.isfile():
                entry.mode = mode
            return self._ours(entry)

        try:
            self._tar.add(source, name, filter=cleaned)
        except PermissionError as error:
            raise ImageError(f"cannot read {error.filename}: {error.strerror}") from error

    def folder(self, name):
        entry = tarfile.TarInfo(name)
        entry.type = tarfile.DIRTYPE
        entry.mode = 0o755
        self._tar.addfile(self._ours(entry))

    def text(self, name, content):
        entry = tarfile.TarInfo(name)
        entry.size = len(content.encode())
        self._tar.addfile(self._ours(entry), io.BytesIO(content.encode()))

    def _ours(self, entry):
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = self._date
        return entry
