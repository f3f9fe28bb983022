# SPDX-License-Identifier: BSL-1.0
"""The descriptor: the JSON file by which a machine finds its kernel, initrd, disks and kernel arguments."""

import json
import os
import pathlib
import subprocess

from . import cache
from .errors import ImageError, require_tools, search_path

_SCRATCH_BYTES = 8 << 30
_SCRATCH_OPTIONS = (
    # 16 MiB of journal: enough for fast mounts after a crash, little to copy. Fixed identifiers: same bytes each time.
    "-q", "-F", "-t", "ext4", "-L", "scratch", "-m", "0", "-J", "size=16",
    "-U", "3f1c5b4e-7a52-4d0c-9c83-5d8f2e6ab001",
    "-E", "hash_seed=3f1c5b4e-7a52-4d0c-9c83-5d8f2e6ab002,root_owner=0:0,lazy_journal_init=1",
)


def descriptor(name, kernel, initrd, root=None, scratch=None, arguments=(), init="none", ready_unit=None,
               bios_kernel=None, builds=()):
    """The descriptor's text. Absent parts have no key."""
    fields = {"format": 1, "name": name, "kernel": str(kernel), "initrd": str(initrd)}
    if bios_kernel is not None:
        fields["bios_kernel"] = str(bios_kernel)
    if root is not None:
        fields["root"] = str(root)
    if scratch is not None:
        fields["scratch"] = str(scratch)
    fields["kernel_arguments"] = list(arguments)
    fields["init"] = init
    if ready_unit is not None:
        fields["ready_unit"] = ready_unit
    if builds:
        fields["builds"] = [{"folder": build["folder"], "guest_folder": build["guest_folder"]} for build in builds]
    return json.dumps(fields, indent=2) + "\n"


def scratch_template():
    """A sparse, empty ext4 file system; machines get copies of it."""
    return cache.entry("scratch", cache.key_of([_SCRATCH_BYTES, _SCRATCH_OPTIONS]) + ".ext4", _make_scratch)


def _make_scratch(work):
    require_tools("mke2fs")
    with open(work, "wb") as file:
        file.truncate(_SCRATCH_BYTES)
    environment = dict(os.environ, PATH=search_path(), E2FSPROGS_FAKE_TIME="1")
    done = subprocess.run(["mke2fs", *_SCRATCH_OPTIONS, work], capture_output=True, text=True, env=environment,
                          check=False)
    if done.returncode != 0:
        raise ImageError(f"cannot make the scratch disk's file system: {done.stderr.strip()}")


def default_descriptor_path(name):
    return cache.cache_root() / "descriptors" / f"{name}.image.json"


def existing_file(path, what):
    path = pathlib.Path(path).absolute()
    if not path.is_file():
        raise ImageError(f"{what} {path} does not exist")
    return path
