# SPDX-License-Identifier: BSL-1.0
"""What one Debian image is made of, checked before anything is downloaded."""

import json
import pathlib
import re

from . import cache
from .errors import ImageError


class Recipe:
    """Packages, instrumented builds, files and setup scripts of an image."""

    def __init__(self, name, packages, files, scripts, builds=()):
        self.name = name
        self.packages = tuple(packages)
        self.files = tuple(FileSpec(text) for text in files)
        self.builds = tuple(read_build(path) for path in builds)
        self.scripts = tuple(pathlib.Path(script) for script in scripts)
        for script in self.scripts:
            if not script.is_file():
                raise ImageError(f"setup script {script} of image {name} does not exist")
        for word in self.packages:
            if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", word):
                raise ImageError(f"'{word}' is not the name of a Debian package (image {name})")

    def facts(self):
        """What the image's content depends on: contents, not paths, and not the image's name."""
        return [
            sorted(set(self.packages)),
            [[file.target, file.mode, cache.digest_of_tree(file.source)] for file in self.files],
            [[script.name, cache.digest_of_file(script)] for script in self.scripts],
            *([[build["content"] for build in self.builds]] if self.builds else []),
        ]


def read_build(path):
    """The description of an instrumented build, as vm-build has written it."""
    try:
        fields = json.loads(pathlib.Path(path).read_text())
        if not (pathlib.Path(fields["folder"]) / "install.tar").exists():
            raise ImageError(f"the instrumented build {path} is no longer in the cache; build it again")
        cache.mark_used(fields["folder"])
        return {name: fields[name] for name in ("content", "folder", "guest_folder")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImageError(f"{path} is not the description of an instrumented build: {error}") from error


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
