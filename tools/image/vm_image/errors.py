# SPDX-License-Identifier: BSL-1.0
"""The one exception that a user sees as a plain sentence, and the checks whose failure is worth one."""

import shutil

# What a missing program is called as a Debian package.
PACKAGE_OF = {
    "apt-cache": "apt",
    "apt-get": "apt",
    "dpkg": "dpkg",
    "dpkg-deb": "dpkg",
    "lz4": "lz4",
    "mke2fs": "e2fsprogs",
    "mkfs.erofs": "erofs-utils",
    "mmdebstrap": "mmdebstrap",
    "newgidmap": "uidmap",
    "newuidmap": "uidmap",
    "unshare": "util-linux",
}


class ImageError(Exception):
    """Something the user can mend. The text says what, where and how; it may have several lines."""


class DiskFullError(ImageError):
    """A file system has no room left."""


class KilledError(ImageError):
    """A program of the build was killed, as the kernel does where memory runs out."""


def require_tools(*names):
    """Returns when every program is installed; otherwise names all missing ones and the command that installs them."""
    path = search_path()
    missing = [name for name in names if shutil.which(name, path=path) is None]
    if not missing:
        return
    packages = sorted({PACKAGE_OF[name] for name in missing})
    raise ImageError(
        f"not installed: {', '.join(missing)}\n"
        f"  mend it with: sudo apt-get install --no-install-recommends {' '.join(packages)}"
    )


def search_path():
    """The caller's PATH with the folders of administration programs, which ordinary users often lack."""
    import os

    path = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    for folder in ("/usr/local/sbin", "/usr/sbin", "/sbin"):
        if folder not in path.split(":"):
            path += ":" + folder
    return path
