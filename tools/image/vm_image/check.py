# SPDX-License-Identifier: BSL-1.0
"""What building images needs of this host, and whether it is there."""

import os
import pathlib
import shutil

from .errors import PACKAGE_OF, ImageError, search_path
from .rights import builder_prefix

_KEYRING = pathlib.Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_BY_ORDINARY_USERS = ("newgidmap", "newuidmap")


def findings():
    """One dict each: what was looked at (`id`), whether that is as needed (`ok`), a sentence, and the command that
    mends it (empty where nothing is to be mended, or where no single command does)."""
    found = [_program(name) for name in sorted(PACKAGE_OF) if name not in _BY_ORDINARY_USERS]
    there = _KEYRING.is_file()
    found.append(_finding("keyring", there, f"{_KEYRING} is {'there' if there else 'missing'}: packages are checked with it",
                          "" if there else _install("debian-archive-keyring")))
    try:
        builder_prefix()
        text = "this user may unpack a Debian system" + ("" if os.geteuid() == 0 else " in a user namespace")
        found.append(_finding("namespaces", True, text, ""))
    except ImageError as error:
        text, _, remedy = str(error).replace("\n", " ").partition("  mend it with: ")
        found.append(_finding("namespaces", False, text.rstrip(), remedy))
    return found


def _program(name):
    path = shutil.which(name, path=search_path())
    return _finding(name, path is not None, path or f"{name} is not installed",
                    "" if path else _install(PACKAGE_OF[name]))


def _install(package):
    return f"sudo apt-get install --no-install-recommends {package}"


def _finding(name, good, text, remedy):
    return {"id": name, "ok": good, "text": text, "remedy": remedy}
