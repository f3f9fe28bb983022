#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Copies an image's kernel and initrd to files of their own.

usage: copy_boot_files.py DESCRIPTOR FOLDER
"""
import json
import pathlib
import shutil
import sys

image = json.loads(pathlib.Path(sys.argv[1]).read_text())
folder = pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
for role in ("kernel", "initrd"):
    shutil.copyfile(image[role], folder / role)
